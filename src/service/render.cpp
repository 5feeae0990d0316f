#include "service/render.hpp"

#include "base/check.hpp"
#include "service/etag.hpp"
#include "service/manager.hpp"

namespace muster::service {

namespace {

/// What was rendered here.
json::Object parsed(std::string_view text) {
    auto value = json::parse(text, {.max_bytes = text.size(), .max_values = text.size()});
    MUSTER_CHECK(value.has_value() && value->is_object());
    return std::move(value->get_object());
}

}  // namespace

std::string Renderer::location(const scim::ResourceType& type, std::string_view id) const {
    std::string url{base_url_};
    url.append(type.endpoint).append("/").append(id);
    return url;
}

void Renderer::append_document(std::string& out, std::string_view document,
                               const std::optional<store::Reference>& manager) const {
    MUSTER_CHECK(document.size() > 2 && document.back() == '}');
    document.remove_suffix(1);
    const auto named = manager_in(document);
    if (!named) {
        out.append(document);
        return;
    }
    const auto begin = static_cast<std::size_t>(named->whole.data() - document.data());
    out.append(document.substr(0, begin)).append("{\"value\":").append(named->value);
    if (manager) {
        const auto* type = catalog_.type_named(manager->type);
        MUSTER_CHECK(type != nullptr);
        out.append(",\"$ref\":");
        json::append_string(out, location(*type, manager->id));
        if (!manager->display.empty()) {
            out.append(",\"displayName\":");
            json::append_string(out, manager->display);
        }
    }
    out.append("}").append(document.substr(begin + named->whole.size()));
}

void Renderer::append_references(std::string& out, std::string_view name,
                                 std::span<const store::Reference> references, bool of_user) const {
    out.append(",\"").append(name).append("\":[");
    append_elements(out, references, of_user);
    out.push_back(']');
}

void Renderer::append_elements(std::string& out, std::span<const store::Reference> references,
                               bool of_user) const {
    bool first = true;
    for (const auto& reference : references) {
        if (!first) out.push_back(',');
        first = false;
        out.append("{\"value\":\"").append(reference.id).append("\",\"$ref\":");
        const auto* type = catalog_.type_named(reference.type);
        MUSTER_CHECK(type != nullptr);
        json::append_string(out, location(*type, reference.id));
        if (!reference.display.empty()) {
            out.append(",\"display\":");
            json::append_string(out, reference.display);
        }
        // User.groups says how the membership came about, Group.members what the member is.
        const std::string_view how = reference.direct ? "direct" : "indirect";
        out.append(",\"type\":\"").append(of_user ? how : type->name);
        out.append("\"}");
    }
}

void Renderer::append_relations_and_meta(std::string& out, const scim::ResourceType& type,
                                         const store::Record& record,
                                         const Relations& relations) const {
    if (!relations.groups.empty()) append_references(out, "groups", relations.groups, true);
    if (type.find("members") != nullptr) {
        append_references(out, "members", relations.members, false);
    }
    out.append(",\"meta\":{\"resourceType\":\"").append(type.name);
    out.append("\",\"created\":\"").append(to_rfc3339(record.created));
    out.append("\",\"lastModified\":\"").append(to_rfc3339(record.modified));
    out.append("\",\"version\":");
    json::append_string(out, etag_of(record.version));
    out.append(",\"location\":");
    json::append_string(out, location(type, record.id));
    out.append("}}");
}

void Renderer::append(std::string& out, const scim::ResourceType& type, const store::Record& record,
                      const Relations& relations, const scim::Projection& projection) const {
    if (!projection.is_default() || type.hides_attributes) {
        auto whole = object(type, record, relations);
        projection.apply(type, whole);
        json::append(out, whole);
        return;
    }
    append_document(out, record.document, relations.manager);
    append_relations_and_meta(out, type, record, relations);
}

std::string Renderer::render(const scim::ResourceType& type, const store::Record& record,
                             const Relations& relations, const scim::Projection& projection) const {
    std::string out;
    out.reserve(record.document.size() + 400 +
                160 * (relations.groups.size() + relations.members.size()));
    append(out, type, record, relations, projection);
    return out;
}

void Renderer::open(std::string& out, const scim::ResourceType& type, const store::Record& record,
                    const scim::Projection& projection) const {
    auto all_else = object(type, record, {});
    projection.apply(type, all_else);
    all_else.erase("members");
    json::append(out, all_else);
    out.back() = ',';
    out.append("\"members\":[");
}

bool Renderer::append_members(std::string& out, const scim::ResourceType& type,
                              std::span<const store::Reference> members,
                              const scim::Projection& projection, bool listed) const {
    std::string elements;
    append_elements(elements, members, false);
    if (!projection.is_default() || type.hides_attributes) {
        auto part = parsed("{\"members\":[" + elements + "]}");
        projection.apply(type, part);
        const auto* left = part.if_contains("members");
        elements = left == nullptr ? "[]" : json::to_text(*left);
        elements = elements.substr(1, elements.size() - 2);
    }
    if (elements.empty()) return false;
    if (listed) out.push_back(',');
    out.append(elements);
    return true;
}

json::Object Renderer::object(const scim::ResourceType& type, const store::Record& record,
                              const Relations& relations) const {
    std::string text;
    append_document(text, record.document, relations.manager);
    append_relations_and_meta(text, type, record, relations);
    return parsed(text);
}

}  // namespace muster::service
