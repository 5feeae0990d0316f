#pragma once
// From a request's target to what is meant. Pure; no look-ups.

#include <optional>
#include <string>
#include <string_view>

namespace muster::api {

enum class Area { Scim, Live, Ready, Metrics, Unknown };

struct Route {
    Area area = Area::Unknown;
    std::string connector_id;  ///< Scim by path: /c/{connector}/scim/v2/…
    std::string slug;          ///< Scim by host: {slug}.BASE/scim/v2/…
    /// Scim: what stands behind /scim/v2, percent-decoded, split at '/': {"Users", "…id…"}. At most
    /// two segments; a longer or broken path is Unknown.
    std::string endpoint;  ///< "/Users"
    std::string id;        ///< or ".search"
};

/// `base_domain` empty: no routing by host name.
[[nodiscard]] Route route(std::string_view path, std::string_view host,
                          std::string_view base_domain);

}  // namespace muster::api
