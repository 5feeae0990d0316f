#include "api/discovery.hpp"

#include <string>

#include "base/text.hpp"
#include "json/json.hpp"

namespace muster::api {

namespace {

constexpr std::string_view kConfigSchema =
    "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";

json::Object supported(bool is) { return {{"supported", is}}; }

json::Array authentication_schemes() {
    return {
        json::Object{{"type", "oauthbearertoken"},
                     {"name", "Bearer token"},
                     {"description", "Authorization: Bearer, or the bare token, made in Muster"},
                     {"specUri", "https://www.rfc-editor.org/info/rfc6750"},
                     {"primary", true}},
        json::Object{{"type", "httpbasic"},
                     {"name", "HTTP Basic"},
                     {"description", "User name and secret, made in Muster"},
                     {"specUri", "https://www.rfc-editor.org/info/rfc7617"}}};
}

json::Object service_provider_config(const service::Limits& limits, bool strict,
                                     std::string_view base_url) {
    return {{"schemas", json::Array{kConfigSchema}},
            {"patch", supported(true)},
            {"bulk", json::Object{{"supported", true},
                                  {"maxOperations", limits.bulk_operations},
                                  {"maxPayloadSize", limits.body_bytes}}},
            {"filter", json::Object{{"supported", true}, {"maxResults", limits.max_page}}},
            {"changePassword", supported(false)},
            {"sort", supported(true)},
            {"etag", supported(true)},
            {"pagination", json::Object{{"cursor", true},
                                        {"index", true},
                                        {"defaultPaginationMethod", "index"},
                                        {"defaultPageSize", limits.default_page},
                                        {"maxPageSize", limits.max_page},
                                        {"cursorTimeout", limits.cursor_lifetime_s}}},
            {"authenticationSchemes", authentication_schemes()},
            // draft-zollner-scim-interop-profile: a connector for others takes more than it allows.
            {"interopProfileConformant", strict},
            {"meta", json::Object{{"resourceType", "ServiceProviderConfig"},
                                  {"location", std::string{base_url} + "/ServiceProviderConfig"}}}};
}

json::Object list_of(json::Array resources) {
    const auto count = static_cast<std::int64_t>(resources.size());
    return {{"schemas", json::Array{scim::kListResponse}},
            {"totalResults", count},
            {"startIndex", 1},
            {"itemsPerPage", count},
            {"Resources", std::move(resources)}};
}

/// All items, or the one whose id is asked for.
template <class Items>
std::optional<std::string> list_or_one(const Items& items, std::string_view id,
                                       std::string_view base_url) {
    json::Array all;
    for (const auto& item : items) {
        if (id.empty()) {
            all.push_back(scim::to_json(*item, base_url));
        } else if (equals_ignoring_case(item->id, id)) {
            return json::to_text(scim::to_json(*item, base_url));
        }
    }
    if (!id.empty()) return std::nullopt;
    return json::to_text(list_of(std::move(all)));
}

}  // namespace

bool is_discovery(std::string_view endpoint) {
    return endpoint == "/ServiceProviderConfig" || endpoint == "/ResourceTypes" ||
           endpoint == "/Schemas";
}

std::optional<std::string> discovery(const service::Limits& limits, bool strict,
                                     const scim::Catalog& catalog, std::string_view endpoint,
                                     std::string_view id, std::string_view base_url) {
    if (endpoint == "/Schemas") return list_or_one(catalog.schemas(), id, base_url);
    if (endpoint == "/ResourceTypes") return list_or_one(catalog.types(), id, base_url);
    if (!id.empty()) return std::nullopt;
    return json::to_text(service_provider_config(limits, strict, base_url));
}

}  // namespace muster::api
