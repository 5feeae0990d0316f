#include "conform/always.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "conform/reader.hpp"
#include "json/json.hpp"

namespace muster::conform {
namespace {

using Breaches = std::vector<std::string>;

bool has_schema(const json::Object& object, std::string_view urn) {
    const json::Value* schemas = object.if_contains("schemas");
    if (schemas == nullptr || !schemas->is_array()) return false;
    return std::ranges::any_of(schemas->get_array(), [&](const json::Value& schema) {
        return schema.is_string() && equals_ignoring_case(schema.get_string(), urn);
    });
}

std::optional<json::Object> body_object(const net::ClientResponse& answer) {
    auto body = read_body(answer.body);
    if (!body || !body->is_object()) return std::nullopt;
    return std::move(body->get_object());
}

void check_error(const json::Object& body, int status, Breaches& breaches) {
    if (!has_schema(body, "urn:ietf:params:scim:api:messages:2.0:Error"))
        breaches.emplace_back("error-schema: it is not in \"schemas\"");
    if (json::string_or_empty(body, "status") != std::to_string(status))
        breaches.push_back(fmt::format("error-status: \"status\" is not \"{}\"", status));
}

void check_list(const json::Object& body, Breaches& breaches) {
    const json::Value* resources = body.if_contains("Resources");
    const json::Value* items = body.if_contains("itemsPerPage");
    const json::Value* total = body.if_contains("totalResults");
    if (total == nullptr || !total->is_int64())
        breaches.emplace_back("total-results: there is no such number");
    const std::size_t returned =
        resources != nullptr && resources->is_array() ? resources->get_array().size() : 0;
    if (items != nullptr &&
        (!items->is_int64() || items->get_int64() != static_cast<std::int64_t>(returned)))
        breaches.push_back(fmt::format("items-per-page: {} resources were returned, but it is {}",
                                       returned, json::to_text(*items)));
}

void check_resource(const json::Object& body, const net::ClientResponse& answer,
                    Breaches& breaches) {
    if (body.contains("password")) breaches.emplace_back("password: it is in the answer");
    const json::Value* meta = body.if_contains("meta");
    if (meta == nullptr || !meta->is_object()) return;
    const std::string_view version = json::string_or_empty(meta->get_object(), "version");
    const std::string_view location = json::string_or_empty(meta->get_object(), "location");
    const std::string_view etag = answer.header("ETag");
    if (!version.empty() && etag != version)
        breaches.push_back(
            fmt::format("etag: ETag is '{}' and meta.version is '{}'", etag, version));
    if (answer.status == 201 && answer.header("Location") != location)
        breaches.push_back(fmt::format("location: Location is '{}' and meta.location is '{}'",
                                       answer.header("Location"), location));
}

}  // namespace

std::vector<std::string> breaches_of(const net::ClientResponse& answer) {
    Breaches breaches;
    if (answer.status == 401 && answer.header("WWW-Authenticate").empty())
        breaches.emplace_back("www-authenticate: 401 came without it");
    if (answer.status == 405 && answer.header("Allow").empty())
        breaches.emplace_back("allow: 405 came without it");
    if (answer.body.empty()) {
        if (answer.status >= 400)
            breaches.push_back(fmt::format("error-body: {} came without a body", answer.status));
        return breaches;
    }
    if (answer.status == 204 || answer.status == 304)
        breaches.push_back(fmt::format("no-body: {} came with a body", answer.status));
    if (!to_lower_ascii(answer.header("Content-Type")).starts_with("application/scim+json"))
        breaches.push_back(
            fmt::format("media-type: Content-Type is '{}'", answer.header("Content-Type")));
    const std::optional<json::Object> body = body_object(answer);
    if (!body) {
        breaches.emplace_back("json-object: the body is none");
    } else if (answer.status >= 400) {
        check_error(*body, answer.status, breaches);
    } else if (has_schema(*body, "urn:ietf:params:scim:api:messages:2.0:ListResponse")) {
        check_list(*body, breaches);
    } else {
        check_resource(*body, answer, breaches);
    }
    return breaches;
}

}  // namespace muster::conform
