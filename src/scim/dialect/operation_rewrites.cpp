// The form of a PATCH (RFC 7644 §3.5.2).

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "scim/dialect/rewrites.hpp"
#include "scim/dialect/visit.hpp"
#include "scim/patch/elements.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

json::Object operation(std::string_view op, std::string_view path, json::Value value) {
    return {{"op", op}, {"path", path}, {"value", std::move(value)}};
}

// ---- patch-schema ---------------------------------------------------------------------------

bool names_patch_op(const json::Value* schemas) {
    const json::Array* array = schemas == nullptr ? nullptr : schemas->if_array();
    return array != nullptr && std::ranges::any_of(*array, [](const json::Value& urn) {
               const json::String* text = urn.if_string();
               return text != nullptr && equals_ignoring_case(*text, kPatchOp);
           });
}

bool add_patch_schema(ClientRequest& request) {
    if (operations_of(request) == nullptr) return false;
    json::Object& body = request.body->get_object();
    json::Value* schemas = find_member(body, "schemas");
    if (names_patch_op(schemas)) return false;
    (schemas == nullptr ? body["schemas"] : *schemas) = json::Array{kPatchOp};
    return true;
}

// ---- operation-case -------------------------------------------------------------------------

bool lower_operations(ClientRequest& request) {
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return false;
    bool changed = false;
    for (json::Value& each : *operations) {
        const auto seen = view_of(each);
        if (!seen) continue;
        const std::string lower = to_lower_ascii(seen->op);
        if (lower == seen->op) continue;
        *find_member(each.get_object(), "op") = lower;
        changed = true;
    }
    return changed;
}

// ---- dotted-names ---------------------------------------------------------------------------

/// The object at `name` in `holder`, made where there is none; null where something else is there.
json::Object* object_at(json::Object& holder, std::string_view name) {
    json::Value* known = find_member(holder, name);
    if (known == nullptr) known = &(holder[name] = json::Object{});
    return known->if_object();
}

/// Puts a value to where its path leads inside a pathless value. False: there is no such place.
bool nest(json::Object& names, const AttributePath& path, json::Value& value) {
    json::Object* holder = &names;
    if (path.extension != nullptr) holder = object_at(names, path.extension->id);
    if (holder != nullptr && path.sub_attribute != nullptr) {
        holder = object_at(*holder, path.attribute->name);
    }
    if (holder == nullptr) return false;
    const std::string& name = path.leaf().name;
    json::Value* known = find_member(*holder, name);
    (known == nullptr ? (*holder)[name] : *known) = std::move(value);
    return true;
}

/// A name that is no attribute of its own, nor an extension: a path stands where a name should.
bool is_path(const PatchPath& path, std::string_view name) {
    if (path.target.attribute == nullptr) return false;
    return path.element_filter || path.target.extension != nullptr ||
           !equals_ignoring_case(path.target.attribute->name, name);
}

/// Takes the paths out of `value`; those with no place in it become operations of their own.
bool nest_paths(const ResourceType& type, const OperationView& seen, json::Array& after) {
    json::Object names;
    std::vector<std::pair<std::string, json::Value>> paths;
    for (auto& member : seen.value->get_object()) {
        const std::string_view name = member.key();
        const auto path = path_of(type, name);
        if (path && is_path(*path, name)) {
            paths.emplace_back(name, std::move(member.value()));
        } else {
            names.emplace(name, std::move(member.value()));
        }
    }
    for (auto& [name, value] : paths) {
        const PatchPath path = *path_of(type, name);
        const bool selects = path.element_filter ||
                             (path.target.attribute->multi_valued && path.target.sub_attribute);
        if (selects || !nest(names, path.target, value)) {
            after.push_back(operation(seen.op, name, std::move(value)));
        }
    }
    *seen.value = std::move(names);
    return !paths.empty();
}

bool nest_dotted_names(ClientRequest& request) {
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return false;
    bool changed = false;
    json::Array result;
    for (json::Value& each : *operations) {
        const auto seen = view_of(each);
        json::Array after;
        if (seen && seen->path.empty() && seen->value != nullptr && seen->value->is_object()) {
            changed = nest_paths(request.type, *seen, after) || changed;
        }
        result.push_back(std::move(each));
        std::ranges::move(after, std::back_inserter(result));
    }
    *operations = std::move(result);
    return changed;
}

// ---- read-only-in-value ---------------------------------------------------------------------

bool is_read_only(const ResourceType& type, std::string_view name) {
    const Attribute* attribute = type.find(name);
    return attribute != nullptr &&
           (attribute->mutability == Mutability::ReadOnly || attribute->name == "schemas");
}

bool drop_read_only(ClientRequest& request) {
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return false;
    bool changed = false;
    for (json::Value& each : *operations) {
        const auto seen = view_of(each);
        if (!seen || !seen->path.empty() || seen->value == nullptr) continue;
        json::Object* names = seen->value->if_object();
        if (names == nullptr) continue;
        for (auto member = names->begin(); member != names->end();) {
            const bool drops = is_read_only(request.type, member->key());
            changed = changed || drops;
            member = drops ? names->stable_erase(member) : std::next(member);
        }
    }
    return changed;
}

// ---- remove-by-value ------------------------------------------------------------------------

/// Short of FilterLimits, so that what is rewritten is accepted.
constexpr std::size_t kMaxTerms = 100;
constexpr std::size_t kMaxFilterBytes = 7'000;

/// `type eq "work" and value eq "a"`: what the element holds, or, where it has a value, just that
/// and its type, which are what tells elements apart. Empty where it names no sub-attribute.
std::string filter_for(const Attribute& attribute, const json::Value& named) {
    const json::Object* element = named.if_object();
    if (element == nullptr) return {};
    const json::Value* value = json::find_ignoring_case(*element, "value");
    const bool has_value = value != nullptr && !is_unassigned(*value);
    const bool value_alone = attribute.name == "members";
    std::string filter;
    for (const auto& member : *element) {
        const Attribute* sub = attribute.find(member.key());
        if (sub == nullptr || is_unassigned(member.value()) || member.value().is_structured()) {
            continue;
        }
        const bool counts = sub->name == "value" || (!value_alone && sub->name == "type");
        if (has_value ? !counts : value_alone) continue;
        filter += fmt::format("{}{} eq {}", filter.empty() ? "" : " and ", sub->name,
                              json::to_text(member.value()));
    }
    return filter;
}

/// The removals that the value asks for, as value paths; empty where it names nothing.
json::Array removals(std::string_view path, const Attribute& attribute, const json::Array& named) {
    json::Array result;
    std::string filter;
    std::size_t terms = 0;
    const auto flush = [&] {
        if (filter.empty()) return;
        result.push_back(
            json::Object{{"op", "remove"}, {"path", fmt::format("{}[{}]", path, filter)}});
        filter.clear();
        terms = 0;
    };
    for (const json::Value& element : named) {
        const std::string one = filter_for(attribute, element);
        if (one.empty()) return {};
        // Only members are removed by the ten thousand; others may need more than one term each.
        const bool joins = attribute.name == "members" && terms < kMaxTerms &&
                           filter.size() + one.size() < kMaxFilterBytes;
        if (!joins) flush();
        filter += filter.empty() ? one : " or " + one;
        ++terms;
    }
    flush();
    return result;
}

json::Array select_removed(const ResourceType& type, const OperationView& seen) {
    const json::Array* named = seen.value == nullptr ? nullptr : seen.value->if_array();
    if (!seen.is("remove") || named == nullptr) return {};
    const auto path = path_of(type, seen.path);
    if (!path || path->element_filter || path->target.attribute == nullptr) return {};
    const Attribute& attribute = *path->target.attribute;
    if (path->target.sub_attribute || !attribute.multi_valued || attribute.type != Type::Complex) {
        return {};
    }
    // To name nobody removes nobody; the list of operations must not become empty.
    if (named->empty()) return {operation("add", seen.path, json::Array{})};
    return removals(seen.path, attribute, *named);
}

bool remove_by_filter(ClientRequest& request) {
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return false;
    bool changed = false;
    json::Array result;
    for (json::Value& each : *operations) {
        const auto seen = view_of(each);
        json::Array selected = seen ? select_removed(request.type, *seen) : json::Array{};
        changed = changed || !selected.empty();
        if (selected.empty()) {
            result.push_back(std::move(each));
        } else {
            std::ranges::move(selected, std::back_inserter(result));
        }
    }
    *operations = std::move(result);
    return changed;
}

// ---- replace-creates ------------------------------------------------------------------------

/// The element to be there before it can be replaced; nothing where the core's answer is due.
std::optional<json::Object> element_for(const PatchPath& path) {
    if (!path.element_filter || path.target.attribute->name == "members") return std::nullopt;
    return element_described_by(path.element_filter);
}

/// To add a single value is to replace it (RFC 7644 §3.5.2.1).
bool is_single_part(const PatchPath& path) {
    return path.target.sub_attribute != nullptr && !path.target.sub_attribute->multi_valued;
}

bool create_before_replace(ClientRequest& request) {
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return false;
    bool changed = false;
    json::Array result;
    for (json::Value& each : *operations) {
        const auto seen = view_of(each);
        const bool replaces =
            seen && seen->is("replace") && seen->value != nullptr && !is_unassigned(*seen->value);
        const auto path = replaces ? path_of(request.type, seen->path) : std::nullopt;
        if (auto element = path ? element_for(*path) : std::nullopt) {
            changed = true;
            if (is_single_part(*path)) {
                *find_member(each.get_object(), "op") = "add";
            } else {
                const std::string_view selected = seen->path.substr(0, seen->path.rfind(']') + 1);
                result.push_back(operation("add", selected, *std::move(element)));
            }
        }
        result.push_back(std::move(each));
    }
    *operations = std::move(result);
    return changed;
}

}  // namespace

const Rewrite kPatchSchema{.name = "patch-schema",
                           .client = "several",
                           .source = "RFC 7644 §3.5.2",
                           .description =
                               "schemas did not name the PatchOp message; the body was "
                               "read as one anyway",
                           .apply = add_patch_schema};

const Rewrite kOperationCase{.name = "operation-case",
                             .client = "Entra",
                             .source = "rancher/rancher#54025",
                             .description = "an op such as \"Add\" was read in lower case",
                             .apply = lower_operations};

const Rewrite kDottedNames{
    .name = "dotted-names",
    .client = "Entra with aadOptscim062020",
    .source = "Captain-P-Goldfish/scim-for-keycloak#26",
    .description = "paths among the names of a value without path were put where they lead",
    .apply = nest_dotted_names};

const Rewrite kReadOnlyInValue{
    .name = "read-only-in-value",
    .client = "Okta",
    .source = "jelhub/scimgateway#113",
    .description = "read-only attributes in a value without path, such as id, were ignored",
    .apply = drop_read_only};

const Rewrite kRemoveByValue{
    .name = "remove-by-value",
    .client = "Entra",
    .source = "simpleidserver/SimpleIdServer#244",
    .description = "a removal that named elements in its value was done to these alone",
    .apply = remove_by_filter};

const Rewrite kReplaceCreates{
    .name = "replace-creates",
    .client = "Entra",
    .source = "Captain-P-Goldfish/SCIM-SDK#416",
    .description = "replacing at a value path creates the element that it describes where none is",
    .apply = create_before_replace};

}  // namespace muster::scim
