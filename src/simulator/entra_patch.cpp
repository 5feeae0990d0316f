#include "simulator/entra_patch.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "scim/schema/schema.hpp"

namespace muster::simulator {

namespace {

bool has_filter(std::string_view path) { return path.find('[') != std::string_view::npos; }

/// `element` matches `type eq "work"`, the one form of filter that Entra's mappings have.
bool matches(const json::Value& element, std::string_view filter) {
    const auto space = filter.find(' ');
    const auto quote = filter.find('"');
    if (!element.is_object() || quote == std::string_view::npos) return false;
    const auto* value = element.get_object().if_contains(filter.substr(0, space));
    if (value == nullptr) return false;
    const auto wanted = filter.substr(quote + 1, filter.rfind('"') - quote - 1);
    const std::string found = value->is_string()
                                  ? std::string{std::string_view{value->get_string()}}
                                  : json::to_text(*value);
    return equals_ignoring_case(found, wanted);
}

const json::Value* only_match(const json::Value& list, std::string_view filter) {
    if (!list.is_array()) return nullptr;
    const json::Value* found = nullptr;
    for (const auto& element : list.get_array()) {
        if (!matches(element, filter)) continue;
        if (found != nullptr) return nullptr;
        found = &element;
    }
    return found;
}

}  // namespace

std::string EntraPatch::op(std::string_view name) const {
    std::string written{name};
    if (!flagged_) written.front() = static_cast<char>(written.front() - 'a' + 'A');
    return written;
}

json::Value EntraPatch::written(const json::Value& value) const {
    if (flagged_ || !value.is_bool()) return value;
    return value.get_bool() ? "True" : "False";
}

json::Array EntraPatch::change(std::string_view name, const json::Object& changes) const {
    json::Array operations;
    json::Object without_path;
    const bool several = flagged_ && changes.size() > 1;
    for (const auto& [path, value] : changes) {
        if (several && !has_filter(path)) {
            without_path[path] = written(value);
            continue;
        }
        operations.push_back(
            json::Object{{"op", op(name)}, {"path", path}, {"value", written(value)}});
    }
    if (!without_path.empty()) {
        operations.push_back(json::Object{{"op", op(name)}, {"value", std::move(without_path)}});
    }
    return operations;
}

json::Array EntraPatch::add(const json::Object& changes) const { return change("add", changes); }

json::Array EntraPatch::replace(const json::Object& changes) const {
    return change("replace", changes);
}

json::Array EntraPatch::remove(const std::string& path) const {
    return {json::Object{{"op", op("remove")}, {"path", path}}};
}

json::Array EntraPatch::add_members(const std::vector<std::string>& ids) const {
    json::Array members;
    for (const auto& id : ids) members.push_back(json::Object{{"$ref", nullptr}, {"value", id}});
    return {json::Object{{"op", op("add")}, {"path", "members"}, {"value", std::move(members)}}};
}

json::Array EntraPatch::remove_members(const std::vector<std::string>& ids) const {
    json::Array operations;
    json::Array members;
    for (const auto& id : ids) {
        operations.push_back(json::Object{{"op", op("remove")},
                                          {"path", fmt::format("members[value eq \"{}\"]", id)}});
        members.push_back(json::Object{{"value", id}});
    }
    if (flagged_) return operations;
    return {json::Object{{"op", op("remove")}, {"path", "members"}, {"value", std::move(members)}}};
}

const json::Value* value_at(const json::Object& resource, std::string_view path) {
    const json::Object* within = &resource;
    // The dot of "2.0" is the URN's own; the attribute stands behind its last colon.
    if (path.starts_with(scim::kEnterpriseUserSchema)) {
        const auto* extension = resource.if_contains(scim::kEnterpriseUserSchema);
        if (extension == nullptr || !extension->is_object()) return nullptr;
        within = &extension->get_object();
        path.remove_prefix(scim::kEnterpriseUserSchema.size() + 1);
    }
    const auto end = path.find_first_of(".[");
    const json::Value* found = within->if_contains(path.substr(0, end));
    if (found == nullptr || end == std::string_view::npos) return found;
    if (path[end] == '[') {
        const auto close = path.find(']');
        found = only_match(*found, path.substr(end + 1, close - end - 1));
    }
    const auto dot = path.rfind('.');
    if (found == nullptr || !found->is_object()) return nullptr;
    return found->get_object().if_contains(path.substr(dot + 1));
}

}  // namespace muster::simulator
