#include "scim_double.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace muster::testing {

namespace {

std::string lower(std::string_view text) {
    std::string result{text};
    for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return result;
}

std::string parameter(std::string_view query, std::string_view name) {
    const auto pairs = http::parse_query(query);
    if (pairs) {
        for (const auto& [key, value] : *pairs) {
            if (key == name) return value;
        }
    }
    return {};
}

std::size_t number(const std::string& text, std::size_t fallback) {
    return text.empty() ? fallback : std::stoul(text);
}

/// `attribute eq "value"`, the only comparison that clients send.
struct Equals {
    std::string attribute;
    std::string value;
};
Equals parse_equals(std::string_view filter) {
    const auto space = filter.find(' ');
    const auto open = filter.find('"');
    if (space == std::string_view::npos || open == std::string_view::npos) return {};
    std::string value;
    for (auto i = open + 1; i < filter.size() && filter[i] != '"'; ++i) {
        if (filter[i] == '\\') ++i;
        value.push_back(filter[i]);
    }
    return {std::string{filter.substr(0, space)}, value};
}

bool active(const json::Object& resource) {
    const auto* value = resource.if_contains("active");
    return value == nullptr || !value->is_bool() || value->get_bool();
}

std::string_view member_id(const json::Value& member) {
    return member.is_object() ? json::string_or_empty(member.get_object(), "value")
                              : std::string_view{};
}

constexpr std::string_view kEnterprise =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

json::Object& object_at(json::Object& resource, std::string_view name) {
    auto& value = resource[name];
    if (!value.is_object()) value = json::Object{};
    return value.get_object();
}

/// Null takes the member away.
void set(json::Object& object, std::string_view name, json::Value value) {
    if (value.is_null()) {
        object.erase(name);
    } else {
        object[name] = std::move(value);
    }
}

/// What a filter compares with, as JSON: `primary eq "True"` means a boolean.
json::Value literal(const std::string& text) {
    if (lower(text) == "true") return true;
    return json::Value(std::string_view{text});
}

bool is_path(std::string_view name) { return name.find_first_of(".[:") != std::string_view::npos; }

}  // namespace

http::Response ScimDouble::respond(int status, std::string body) const {
    http::Response response{.status = status, .content_type = "application/scim+json"};
    if (does(Misbehaviour::SaysPlainJson)) response.content_type = "application/json";
    response.body = std::move(body);
    return response;
}

http::Response ScimDouble::error(int status, std::string_view detail) const {
    if (does(Misbehaviour::PlainTextErrors)) {
        http::Response response{.status = status, .content_type = "text/plain"};
        response.body = detail;
        return response;
    }
    return respond(status, json::to_text(json::Object{
                               {"schemas", {"urn:ietf:params:scim:api:messages:2.0:Error"}},
                               {"status", std::to_string(status)},
                               {"detail", detail}}));
}

http::Handler::Admission ScimDouble::admit(const http::RequestHead& head) {
    const bool known = head.authorization == "Bearer right-token";
    if (known || does(Misbehaviour::AcceptsAnyToken)) return {.body_limit = 1U << 24};
    return {.refusal = error(401, "wrong token")};
}

Task<http::Response> ScimDouble::handle(const http::RequestHead& head, std::string body,
                                        std::any&) {
    const std::lock_guard lock(mutex_);
    co_return answer(head, body);
}

http::Response ScimDouble::fail(const http::RequestHead&, http::Failure, std::any&,
                                std::string_view) {
    return error(500, "failed");
}

http::Response ScimDouble::malformed(int status, std::string_view reason, std::string_view) {
    return error(status, reason);
}

http::Response ScimDouble::answer(const http::RequestHead& head, const std::string& body) {
    const bool writes = head.method != http::Method::Get;
    if (writes && does(Misbehaviour::RefusesForEver)) {
        auto response = error(429, "later");
        response.headers.emplace_back("Retry-After", "Fri, 31 Dec 2032 23:59:59 GMT");
        return response;
    }
    const std::string_view prefix = "/scim/v2/";
    if (!head.path.starts_with(prefix)) return error(404, "no such path");
    const auto rest = head.path.substr(prefix.size());
    const auto slash = std::min(rest.find('/'), rest.size());
    if (rest == "Schemas") return schemas();
    const bool users = rest.substr(0, slash) == "Users";
    auto& resources = users ? users_ : groups_;
    const std::string id{rest.substr(std::min(slash + 1, rest.size()))};

    json::Object sent;
    if (!body.empty()) {
        auto value = json::parse(body);
        if (!value || !value->is_object()) return error(400, "not JSON");
        sent = std::move(value->get_object());
    }
    if (id.empty()) {
        if (!writes) return list(resources, head.query);
        return create(resources, users ? "userName" : "displayName", std::move(sent));
    }
    const auto found = resources.find(id);
    if (found == resources.end()) return error(404, "not found");
    if (!writes) return respond(200, json::to_text(shown(found->second, head.query)));
    if (head.method == http::Method::Delete) {
        if (users && !does(Misbehaviour::DeletedStayMembers)) leave_groups(id);
        if (!does(Misbehaviour::KeepsDeleted)) resources.erase(found);
        return respond(204, {});
    }
    return change(resources, id, head.method, sent);
}

http::Response ScimDouble::schemas() const {
    json::Array schemas;
    for (const std::string_view name : {"User", "Group"}) {
        if (name == "Group" && does(Misbehaviour::HoldsNoGroupSchema)) continue;
        json::Object schema{{"id", fmt::format("urn:ietf:params:scim:schemas:core:2.0:{}", name)}};
        if (does(Misbehaviour::NullsInSchemas)) schema["description"] = nullptr;
        schemas.push_back(std::move(schema));
    }
    const auto count = static_cast<std::int64_t>(schemas.size());
    return respond(200, json::to_text(json::Object{
                            {"schemas", {"urn:ietf:params:scim:api:messages:2.0:ListResponse"}},
                            {"totalResults", count},
                            {"startIndex", 1},
                            {"itemsPerPage", count},
                            {"Resources", std::move(schemas)}}));
}

json::Object ScimDouble::shown(json::Object resource, std::string_view query) const {
    const bool excluded = parameter(query, "excludedAttributes") == "members";
    if (excluded && !does(Misbehaviour::IgnoresExcludedAttributes)) resource.erase("members");
    return resource;
}

/// Comparisons joined by "and".
bool ScimDouble::holds(const json::Object& resource, std::string_view filter) const {
    constexpr std::string_view kAnd = " and ";
    if (const auto at = filter.find(kAnd); at != std::string_view::npos) {
        return holds(resource, filter.substr(0, at)) &&
               holds(resource, filter.substr(at + kAnd.size()));
    }
    const auto [attribute, wanted] = parse_equals(filter);
    if (attribute == "members") {
        const auto* members = resource.if_contains("members");
        return members != nullptr && members->is_array() &&
               std::ranges::any_of(members->get_array(),
                                   [&](const auto& member) { return member_id(member) == wanted; });
    }
    if (attribute == "manager") {
        const auto* extension = resource.if_contains(kEnterprise);
        const auto* manager =
            extension == nullptr ? nullptr : extension->get_object().if_contains("manager");
        return manager != nullptr && member_id(*manager) == wanted;
    }
    if (attribute == "externalId" && does(Misbehaviour::IgnoresUnknownFilters)) return true;
    const auto former = former_names_.find(std::string{json::string_or_empty(resource, "id")});
    if (former != former_names_.end() && former->second == wanted) return true;
    const auto value = json::string_or_empty(resource, attribute);
    return does(Misbehaviour::MatchesCase) ? value == wanted : lower(value) == lower(wanted);
}

http::Response ScimDouble::list(Resources& resources, std::string_view query) {
    const auto filter = parameter(query, "filter");
    std::vector<const json::Object*> matches;
    for (const auto& [id, resource] : resources) {
        if (!filter.empty() && !holds(resource, filter)) continue;
        if (!filter.empty() && does(Misbehaviour::HidesInactive) && !active(resource)) continue;
        matches.push_back(&resource);
    }
    if (matches.empty() && !filter.empty() && does(Misbehaviour::FailsOnNoMatch)) {
        return error(500, "nobody found");
    }
    const auto start = std::max<std::size_t>(number(parameter(query, "startIndex"), 1), 1);
    const auto count = number(parameter(query, "count"), 100);
    auto first = std::min(start - 1, matches.size());
    if (does(Misbehaviour::OverlapsPages) && first > 0) --first;
    json::Array page;
    for (auto i = first; i < std::min(first + count, matches.size()); ++i)
        page.emplace_back(shown(*matches[i], query));
    const auto returned = page.size();
    return respond(
        200,
        json::to_text(json::Object{
            {"schemas", {"urn:ietf:params:scim:api:messages:2.0:ListResponse"}},
            {"totalResults", static_cast<std::int64_t>(
                                 does(Misbehaviour::TruncatesTotals) ? returned : matches.size())},
            {"startIndex", static_cast<std::int64_t>(start)},
            {"itemsPerPage",
             static_cast<std::int64_t>(does(Misbehaviour::EchoesItemsPerPage) ? count : returned)},
            {"Resources", std::move(page)}}));
}

http::Response ScimDouble::create(Resources& resources, std::string_view key,
                                  json::Object resource) {
    const auto name = lower(json::string_or_empty(resource, key));
    for (const auto& [id, other] : resources) {
        const bool accepts = does(Misbehaviour::AcceptsDuplicates) ||
                             (key == "displayName" && does(Misbehaviour::AcceptsDuplicateGroups));
        if (!accepts && lower(json::string_or_empty(other, key)) == name) {
            return error(409, "taken");
        }
    }
    for (auto member = resource.begin(); member != resource.end();) {
        member = member->value().is_null() ? resource.erase(member) : std::next(member);
    }
    if (does(Misbehaviour::LosesExternalId)) resource.erase("externalId");
    if (!does(Misbehaviour::EchoesPassword)) resource.erase("password");
    if (key == "userName" && does(Misbehaviour::LowersUserName)) resource["userName"] = name;
    const auto id = fmt::format("id{:06}", next_id_++);
    resource["id"] = id;
    resources[id] = resource;
    if (does(Misbehaviour::EmptyCreateBody)) return respond(201, {});
    return respond(201, json::to_text(resource));
}

void ScimDouble::assign(json::Object& resource, const json::Object& values) {
    for (const auto& [name, value] : values) {
        const std::string_view key{name};
        if (key == "id" || key == "meta" || key == "schemas" || key == "groups") continue;
        if (key == "password" && !does(Misbehaviour::EchoesPassword)) continue;
        if (key == "active" && value.is_bool() && !value.get_bool() &&
            does(Misbehaviour::KeepsActive)) {
            continue;
        }
        if (key == "title" && does(Misbehaviour::LosesUpdates)) continue;
        if (key == "members") {
            if (value.is_array()) set_members(resource, value.get_array(), true);
            continue;
        }
        if (key == "displayName" && does(Misbehaviour::KeepsOldNames)) {
            former_names_[std::string{json::string_or_empty(resource, "id")}] =
                json::string_or_empty(resource, key);
        }
        if (key == "displayName" && does(Misbehaviour::RenameEmptiesGroup) &&
            resource.contains("members") && resource[key] != value) {
            resource["members"] = json::Array{};
            resource[key] = value;
            return;
        }
        resource[key] = value;
    }
}

void ScimDouble::set_members(json::Object& resource, const json::Array& members, bool replace) {
    auto& held = resource["members"];
    if (!held.is_array() || (replace && !does(Misbehaviour::ReplaceOnlyAdds))) held = json::Array{};
    auto& array = held.get_array();
    for (const auto& member : members) {
        const bool known = std::ranges::any_of(
            array, [&](const auto& other) { return member_id(other) == member_id(member); });
        if (!known || does(Misbehaviour::AddsMembersTwice)) array.push_back(member);
    }
}

/// A client's forms of a value brought to the one that is stored.
json::Value ScimDouble::taken(std::string_view path, json::Value value) const {
    if (value.is_string()) {
        const auto text = value.get_string();
        if (text.empty() && !does(Misbehaviour::KeepsEmptyTexts)) return nullptr;
        const bool boolean = path == "active" && !does(Misbehaviour::KeepsBooleansAsText);
        if (boolean) return lower(text) == "true";
    }
    if (path.ends_with("manager") && !value.is_null()) {
        if (value.is_array() && !value.get_array().empty()) value = value.get_array().front();
        const auto id = value.is_string() ? std::string{std::string_view{value.get_string()}}
                                          : std::string{member_id(value)};
        if (does(Misbehaviour::ReturnsManagerAsText)) return json::Value(std::string_view{id});
        return json::Object{{"value", id}};
    }
    return value;
}

/// `attribute`, `attribute.part` or `attribute[type eq "x"].part`, in the core or in the extension.
void ScimDouble::set_path(json::Object& resource, std::string_view path, json::Value value) {
    if (is_path(path) && does(Misbehaviour::TakesPathsForNames)) {
        resource[path] = std::move(value);
        return;
    }
    json::Object* within = &resource;
    if (path.starts_with(kEnterprise)) {
        within = &object_at(resource, kEnterprise);
        path.remove_prefix(kEnterprise.size() + 1);
    } else if (path == "manager") {
        within = &object_at(resource, kEnterprise);
    }
    const auto end = path.find_first_of(".[");
    if (end == std::string_view::npos) {
        if (within == &resource && !value.is_null()) return assign(resource, {{path, value}});
        return set(*within, path, std::move(value));
    }
    const auto name = path.substr(0, end);
    const auto part = path.substr(path.rfind('.') + 1);
    if (path[end] == '.') return set(object_at(*within, name), part, std::move(value));

    const auto filter = parse_equals(path.substr(end + 1, path.find(']') - end - 1));
    const auto wanted = literal(filter.value);
    auto& list = (*within)[name];
    if (!list.is_array()) list = json::Array{};
    auto& elements = list.get_array();
    auto found = std::ranges::find_if(elements, [&](const auto& element) {
        const auto* held = element.get_object().if_contains(filter.attribute);
        return held != nullptr && *held == wanted;
    });
    if (found == elements.end() || does(Misbehaviour::AddsAnElementAPath)) {
        if (does(Misbehaviour::IgnoresMissingElements)) return;
        found = elements.insert(elements.end(), json::Object{{filter.attribute, wanted}});
    }
    set(found->get_object(), part, std::move(value));
}

void ScimDouble::patch_members(json::Object& resource, const std::string& op,
                               const json::Value* value) {
    const bool given = value != nullptr && value->is_array();
    if (op != "remove") {
        if (given) set_members(resource, value->get_array(), op == "replace");
        return;
    }
    if (!resource["members"].is_array()) return;
    if (!given || does(Misbehaviour::RemovalEmptiesGroup)) {
        resource["members"] = json::Array{};
        return;
    }
    auto& members = resource["members"].get_array();
    for (const auto& gone : value->get_array()) {
        const auto found = std::ranges::find(members, member_id(gone), member_id);
        if (found != members.end()) members.erase(found);
    }
}

void ScimDouble::patch(json::Object& resource, const json::Object& operation) {
    const auto path = json::string_or_empty(operation, "path");
    const auto op = lower(json::string_or_empty(operation, "op"));
    const auto* value = operation.if_contains("value");
    constexpr std::string_view kMember = "members[value eq \"";
    if (path == "members") return patch_members(resource, op, value);
    if (path.starts_with(kMember)) {
        if (does(Misbehaviour::FilteredRemovalDoesNothing)) return;
        const json::Value gone = json::Array{json::Object{{"value", parse_equals(path).value}}};
        return patch_members(resource, op, &gone);
    }
    if (op == "remove") return set_path(resource, path, nullptr);
    if (value == nullptr || (value->is_null() && does(Misbehaviour::IgnoresNull))) return;
    if (!path.empty()) return set_path(resource, path, taken(path, *value));
    if (!value->is_object()) return;
    for (const auto& [name, part] : value->get_object()) {
        if (is_path(name) && !part.is_object()) {
            set_path(resource, name, taken(name, part));
        } else {
            assign(resource, {{name, part}});
        }
    }
}

void ScimDouble::leave_groups(const std::string& id) {
    const json::Value gone = json::Array{json::Object{{"value", id}}};
    for (auto& [group_id, group] : groups_) patch_members(group, "remove", &gone);
}

std::string ScimDouble::after_change(Resources& resources, const std::string& id, bool was_active) {
    if (!does(Misbehaviour::NewIdOnReactivation) || was_active || !active(resources[id])) return id;
    auto moved = std::move(resources[id]);
    resources.erase(id);
    const auto new_id = fmt::format("id{:06}", next_id_++);
    moved["id"] = new_id;
    resources[new_id] = std::move(moved);
    return new_id;
}

http::Response ScimDouble::change(Resources& resources, const std::string& id, http::Method method,
                                  const json::Object& body) {
    auto& resource = resources[id];
    const bool was_active = active(resource);
    if (method == http::Method::Put) {
        assign(resource, body);
    } else if (const auto* operations = body.if_contains("Operations");
               operations != nullptr && operations->is_array()) {
        for (const auto& operation : operations->get_array()) {
            if (!operation.is_object()) continue;
            const auto op = json::string_or_empty(operation.get_object(), "op");
            if (op != lower(op) && does(Misbehaviour::RefusesCapitalOperations))
                return error(400, "unknown op");
            patch(resource, operation.get_object());
        }
    }
    if (was_active && !active(resource) && does(Misbehaviour::DeactivationLeavesGroups))
        leave_groups(id);
    const auto current = after_change(resources, id, was_active);
    return respond(200, json::to_text(resources[current]));
}

}  // namespace muster::testing
