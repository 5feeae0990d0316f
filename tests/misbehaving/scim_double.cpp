#include "scim_double.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"

namespace muster::misbehaving {

namespace {

constexpr std::string_view kBase = "/scim/v2/";
constexpr std::string_view kScimJson = "application/scim+json";
// Few, so that a dozen people fill several pages.
constexpr std::size_t kMostOnAPage = 3;

http::Response answer(int status, const json::Object& body) {
    http::Response response{.status = status, .content_type = kScimJson, .headers = {}, .body = {}};
    json::append(response.body, body);
    return response;
}

http::Response no_content() {
    return {.status = 204, .content_type = {}, .headers = {}, .body = {}};
}

bool is_write(http::Method method) {
    return method != http::Method::Get && method != http::Method::Head;
}

bool is_active(const json::Object& resource) {
    const auto* active = resource.if_contains("active");
    return active != nullptr && active->is_bool() && active->get_bool();
}

/// The filter's value if it reads `attribute eq "value"`.
std::optional<std::string> equality_value(std::string_view filter, std::string_view attribute) {
    const auto prefix = fmt::format("{} eq ", attribute);
    if (!equals_ignoring_case(filter.substr(0, prefix.size()), prefix)) return std::nullopt;
    const auto value = json::parse(filter.substr(prefix.size()));
    if (!value || !value->is_string()) return std::nullopt;
    return std::string{value->get_string()};
}

std::size_t number_or(std::string_view text, std::size_t otherwise) {
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? number : otherwise;
}

json::Array members_of(const json::Object& resource) {
    const auto* members = resource.if_contains("members");
    return members != nullptr && members->is_array() ? members->get_array() : json::Array{};
}

std::string_view member_id(const json::Value& member) {
    return member.is_object() ? json::string_or_empty(member.get_object(), "value")
                              : std::string_view{};
}

void remove_member(json::Array& members, std::string_view id) {
    std::erase_if(members, [&](const json::Value& member) { return member_id(member) == id; });
}

json::Array united(json::Array members, const json::Array& more) {
    for (const auto& member : more) {
        remove_member(members, member_id(member));
        members.push_back(member);
    }
    return members;
}

/// What a client may not write: password is never kept, the rest is read-only.
bool is_ignored(std::string_view attribute) {
    constexpr std::string_view kIgnored[] = {"id", "meta", "schemas", "groups", "password"};
    return std::ranges::any_of(kIgnored,
                               [&](auto name) { return equals_ignoring_case(name, attribute); });
}

/// RFC 7644 §3.5.2.3: of a complex attribute, the sub-attributes that are named are replaced.
void assign(json::Object& resource, std::string_view attribute, const json::Value& value) {
    if (is_ignored(attribute)) return;
    auto& target = resource[attribute];
    if (!value.is_object() || !target.is_object()) {
        target = value;
        return;
    }
    for (const auto& [name, part] : value.get_object()) target.get_object()[name] = part;
}

}  // namespace

ScimDouble::ScimDouble(Misbehaviour misbehaviour)
    : misbehaviour_(misbehaviour), server_({.port = 0, .threads = 1}, *this) {
    server_.run();
}

std::string ScimDouble::base_url() const {
    return fmt::format("http://127.0.0.1:{}/scim/v2", server_.port());
}

http::Handler::Admission ScimDouble::admit(const http::RequestHead& head) {
    Admission admission{.context = {}, .body_limit = 1024 * 1024, .refusal = {}};
    const bool known = head.authorization == fmt::format("Bearer {}", kToken);
    if (!known && !does(Misbehaviour::AcceptsAnyToken)) {
        admission.refusal = error(401, "the token is not known");
    }
    return admission;
}

Task<http::Response> ScimDouble::handle(const http::RequestHead& head, std::string body,
                                        std::any& /*context*/) {
    co_return respond(head, body);
}

http::Response ScimDouble::fail(const http::RequestHead& /*head*/, http::Failure failure,
                                std::any& /*context*/) {
    return failure == http::Failure::HandlerFailed ? error(500, "a bug of the double")
                                                   : error(400, "the body could not be read");
}

http::Response ScimDouble::malformed(int status, std::string_view reason,
                                     std::string_view /*peer*/) {
    return error(status, reason);
}

std::optional<ScimDouble::Target> ScimDouble::find_target(std::string_view path) {
    if (!path.starts_with(kBase)) return std::nullopt;
    path.remove_prefix(kBase.size());
    const auto slash = std::min(path.find('/'), path.size());
    const auto endpoint = path.substr(0, slash);
    const auto id = path.substr(std::min(slash + 1, path.size()));
    if (endpoint == "Users") return Target{.kind = &users_, .id = id};
    if (endpoint == "Groups") return Target{.kind = &groups_, .id = id};
    return std::nullopt;
}

http::Response ScimDouble::respond(const http::RequestHead& head, std::string_view text) {
    if (does(Misbehaviour::RefusesForEver) && is_write(head.method)) {
        auto refusal = error(429, "later");
        refusal.headers.emplace_back("Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT");
        return refusal;
    }
    const auto target = find_target(head.path);
    if (!target) return error(404, "there is no such endpoint");
    auto& kind = *target->kind;

    json::Value body = json::Object{};
    if (!text.empty()) {
        auto parsed = json::parse(text);
        if (!parsed || !parsed->is_object()) {
            return error(400, "the body is no JSON object", "invalidSyntax");
        }
        body = std::move(*parsed);
    }
    if (target->id.empty()) {
        if (head.method == http::Method::Get) return list(kind, head.query);
        if (head.method == http::Method::Post) return create(kind, body.get_object());
        return error(405, "an endpoint is only read or added to");
    }
    const auto found = std::ranges::find(kind.resources, target->id, [](const auto& resource) {
        return json::string_or_empty(resource, "id");
    });
    if (found == kind.resources.end()) return error(404, "there is no resource with this id");
    return respond_for(kind, *found, head.method, body.get_object());
}

http::Response ScimDouble::respond_for(Kind& kind, json::Object& resource, http::Method method,
                                       const json::Object& body) {
    switch (method) {
        case http::Method::Get:
            return answer(200, resource);
        case http::Method::Put:
            return put(kind, resource, body);
        case http::Method::Patch:
            return patch(kind, resource, body);
        case http::Method::Delete:
            std::erase_if(kind.resources, [&](const auto& other) { return &other == &resource; });
            return no_content();
        default:
            return error(405, "a resource is only read, replaced, patched or deleted");
    }
}

http::Response ScimDouble::list(const Kind& kind, std::string_view query) const {
    std::size_t start = 1;
    std::size_t count = kMostOnAPage;
    std::optional<std::string> wanted;
    for (const auto& [name, value] : http::parse_query(query).value_or({})) {
        if (name == "startIndex") start = std::max<std::size_t>(number_or(value, 1), 1);
        if (name == "count") count = number_or(value, kMostOnAPage);
        if (name == "filter") {
            wanted = equality_value(value, kind.name_attribute);
            if (!wanted) return error(400, "the filter is not understood", "invalidFilter");
        }
    }
    json::Array matches;
    for (const auto& resource : kind.resources) {
        const auto name = json::string_or_empty(resource, kind.name_attribute);
        if (!wanted || equals_ignoring_case(name, *wanted)) matches.push_back(resource);
    }
    if (matches.empty() && wanted && does(Misbehaviour::FailsForEmptyFilter)) {
        return error(500, "nothing matches");
    }
    const bool early = does(Misbehaviour::OverlapsPages) && start > 1;
    const auto first = std::min(start - 1 - (early ? 1 : 0), matches.size());
    const auto size = std::min({count, kMostOnAPage, matches.size() - first});
    json::Array page;
    for (auto i = first; i < first + size; ++i) page.push_back(matches[i]);
    return answer(200,
                  {{"schemas", {"urn:ietf:params:scim:api:messages:2.0:ListResponse"}},
                   {"totalResults", does(Misbehaviour::TruncatesTotals) ? size : matches.size()},
                   {"startIndex", start},
                   {"itemsPerPage", does(Misbehaviour::EchoesItemsPerPage) ? count : size},
                   {"Resources", std::move(page)}});
}

http::Response ScimDouble::create(Kind& kind, const json::Object& body) {
    const std::string name{json::string_or_empty(body, kind.name_attribute)};
    if (name.empty()) {
        return error(400, fmt::format("{} is required", kind.name_attribute), "invalidValue");
    }
    const bool taken = std::ranges::any_of(kind.resources, [&](const auto& resource) {
        return equals_ignoring_case(json::string_or_empty(resource, kind.name_attribute), name);
    });
    if (taken && !does(Misbehaviour::AcceptsDuplicates)) {
        return error(409, "the name is taken", "uniqueness");
    }
    json::Object resource{
        {"schemas", {fmt::format("urn:ietf:params:scim:schemas:core:2.0:{}", kind.resource_type)}},
        {"id", next_id()},
        {"meta", {{"resourceType", kind.resource_type}}}};
    for (const auto& [attribute, value] : body) assign(resource, attribute, value);
    if (does(Misbehaviour::LowersUserName) && &kind == &users_) {
        resource["userName"] = to_lower_ascii(name);
    }
    kind.resources.push_back(resource);
    auto created = answer(201, resource);
    if (does(Misbehaviour::EmptyCreateBody)) created.body.clear();
    return created;
}

http::Response ScimDouble::put(const Kind& kind, json::Object& current, json::Object wanted) {
    json::Object replaced{{"schemas", current["schemas"]}, {"meta", current["meta"]}};
    for (const auto& [attribute, value] : wanted) assign(replaced, attribute, value);
    if (&kind == &groups_) {
        replaced["members"] = members_of(current);
        replace_members(replaced, members_of(wanted));
    }
    keep(kind, current, std::move(replaced));
    return answer(200, current);
}

http::Response ScimDouble::patch(const Kind& kind, json::Object& current,
                                 const json::Object& body) {
    const auto* operations = body.if_contains("Operations");
    if (operations == nullptr || !operations->is_array()) {
        return error(400, "Operations is missing", "invalidSyntax");
    }
    auto wanted = current;
    for (const auto& operation : operations->get_array()) {
        if (!operation.is_object() || !apply(wanted, operation.get_object())) {
            return error(400, "an operation is not understood", "invalidPath");
        }
    }
    if (does(Misbehaviour::DropsPatchSilently) && &kind == &users_) {
        const bool active = is_active(wanted);
        wanted = current;
        wanted["active"] = active;
    }
    keep(kind, current, std::move(wanted));
    // Both answers are allowed (RFC 7644 §3.5.2), so both are given.
    return &kind == &users_ ? answer(200, current) : no_content();
}

bool ScimDouble::apply(json::Object& resource, const json::Object& operation) const {
    const auto op = to_lower_ascii(json::string_or_empty(operation, "op"));
    if (op != "add" && op != "replace" && op != "remove") return false;
    const auto path = json::string_or_empty(operation, "path");
    const auto* value = operation.if_contains("value");
    if (path.starts_with("members[") && path.ends_with(']')) {
        const auto id = equality_value(path.substr(8, path.size() - 9), "value");
        if (!id || op != "remove") return false;
        auto members = members_of(resource);
        remove_member(members, *id);
        resource["members"] = std::move(members);
        return true;
    }
    if (op == "remove") return !path.empty() && (resource.erase(path), true);
    if (value == nullptr) return false;
    if (path.empty()) {
        if (!value->is_object()) return false;
        for (const auto& [attribute, part] : value->get_object()) assign(resource, attribute, part);
        return true;
    }
    if (path != "members") {
        assign(resource, path, *value);
        return path.find('[') == std::string_view::npos;
    }
    if (!value->is_array()) return false;
    if (op == "replace") {
        replace_members(resource, value->get_array());
    } else {
        resource["members"] = united(members_of(resource), value->get_array());
    }
    return true;
}

void ScimDouble::replace_members(json::Object& resource, const json::Array& members) const {
    const auto kept = does(Misbehaviour::ReplaceOnlyAdds) ? members_of(resource) : json::Array{};
    resource["members"] = united(kept, members);
}

void ScimDouble::keep(const Kind& kind, json::Object& current, json::Object wanted) {
    const bool deactivated = is_active(current) && !is_active(wanted);
    const bool reactivated = !is_active(current) && is_active(wanted);
    const bool renamed = json::string_or_empty(current, kind.name_attribute) !=
                         json::string_or_empty(wanted, kind.name_attribute);
    wanted["id"] = current["id"];
    if (deactivated && does(Misbehaviour::KeepsActive)) wanted["active"] = true;
    if (reactivated && does(Misbehaviour::NewIdOnReactivation)) wanted["id"] = next_id();
    if (renamed && &kind == &groups_ && does(Misbehaviour::RenameEmptiesGroup)) {
        wanted["members"] = json::Array{};
    }
    current = std::move(wanted);
}

std::string ScimDouble::next_id() { return fmt::format("id-{}", ++last_id_); }

http::Response ScimDouble::error(int status, std::string_view detail,
                                 std::string_view scim_type) const {
    if (does(Misbehaviour::PlainTextErrors)) {
        return {.status = status,
                .content_type = "text/plain",
                .headers = {},
                .body = std::string{detail}};
    }
    json::Object body{{"schemas", {"urn:ietf:params:scim:api:messages:2.0:Error"}},
                      {"status", fmt::format("{}", status)},
                      {"detail", detail}};
    if (!scim_type.empty()) body["scimType"] = scim_type;
    return answer(status, body);
}

}  // namespace muster::misbehaving
