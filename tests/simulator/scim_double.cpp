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

http::Response respond(int status, std::string body) {
    http::Response response{.status = status, .content_type = "application/scim+json"};
    response.body = std::move(body);
    return response;
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

/// `attribute eq "value"`, the only filter that Okta sends.
struct Equals {
    std::string attribute;
    std::string value;
};
Equals parse_equals(const std::string& filter) {
    const auto space = filter.find(' ');
    const auto open = filter.find('"');
    if (space == std::string::npos || open == std::string::npos) return {};
    std::string value;
    for (auto i = open + 1; i < filter.size() && filter[i] != '"'; ++i) {
        if (filter[i] == '\\') ++i;
        value.push_back(filter[i]);
    }
    return {filter.substr(0, space), value};
}

bool active(const json::Object& resource) {
    const auto* value = resource.if_contains("active");
    return value == nullptr || !value->is_bool() || value->get_bool();
}

std::string_view member_id(const json::Value& member) {
    return member.is_object() ? json::string_or_empty(member.get_object(), "value")
                              : std::string_view{};
}

}  // namespace

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
    if (!writes) return respond(200, json::to_text(found->second));
    if (head.method == http::Method::Delete) {
        resources.erase(found);
        return respond(204, {});
    }
    return change(resources, id, head.method, sent);
}

http::Response ScimDouble::list(Resources& resources, std::string_view query) {
    const auto filter = parse_equals(parameter(query, "filter"));
    std::vector<const json::Object*> matches;
    for (const auto& [id, resource] : resources) {
        const auto value = json::string_or_empty(resource, filter.attribute);
        const bool same = does(Misbehaviour::MatchesCase) ? value == filter.value
                                                          : lower(value) == lower(filter.value);
        if (!filter.attribute.empty() && !same) continue;
        const bool hidden = does(Misbehaviour::HidesInactive) && !filter.attribute.empty();
        if (hidden && !active(resource)) continue;
        matches.push_back(&resource);
    }
    if (matches.empty() && !filter.attribute.empty() && does(Misbehaviour::FailsOnNoMatch)) {
        return error(500, "nobody found");
    }
    const auto start = std::max<std::size_t>(number(parameter(query, "startIndex"), 1), 1);
    const auto count = number(parameter(query, "count"), 100);
    auto first = std::min(start - 1, matches.size());
    if (does(Misbehaviour::OverlapsPages) && first > 0) --first;
    json::Array page;
    for (auto i = first; i < std::min(first + count, matches.size()); ++i)
        page.emplace_back(*matches[i]);
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
        if (lower(json::string_or_empty(other, key)) == name &&
            !does(Misbehaviour::AcceptsDuplicates)) {
            return error(409, "taken");
        }
    }
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
        if (!known) array.push_back(member);
    }
}

/// The operations that Okta sends: pathless replace, members added, replaced, removed by id.
void ScimDouble::patch(json::Object& resource, const json::Object& operation) {
    const auto path = json::string_or_empty(operation, "path");
    const auto* value = operation.if_contains("value");
    if (path.empty() && value != nullptr && value->is_object()) {
        assign(resource, value->get_object());
    } else if (path == "members" && value != nullptr && value->is_array()) {
        set_members(resource, value->get_array(),
                    json::string_or_empty(operation, "op") == "replace");
    } else if (path.starts_with("members[value eq \"") && resource["members"].is_array()) {
        const auto open = path.find('"') + 1;
        const auto id = path.substr(open, path.find('"', open) - open);
        auto& members = resource["members"].get_array();
        const auto gone =
            std::ranges::find_if(members, [&](const auto& m) { return member_id(m) == id; });
        if (gone != members.end()) members.erase(gone);
    }
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
            if (operation.is_object()) patch(resource, operation.get_object());
        }
    }
    const auto current = after_change(resources, id, was_active);
    return respond(200, json::to_text(resources[current]));
}

}  // namespace muster::testing
