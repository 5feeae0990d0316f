#pragma once
// ServiceProviderConfig, ResourceTypes and Schemas (RFC 7644 §4).

#include <optional>
#include <string>
#include <string_view>

#include "service/core.hpp"

namespace muster::api {

/// Whether an endpoint ("/Schemas") is one of the three.
[[nodiscard]] bool is_discovery(std::string_view endpoint);

/// The document at that endpoint and, where there is one, id; nothing where there is no such id.
/// It says what the limits and the schema table make true, from the same values; `strict`: of a
/// connector that holds its client to the interoperability profile.
[[nodiscard]] std::optional<std::string> discovery(const service::Limits& limits, bool strict,
                                                   const scim::Catalog& catalog,
                                                   std::string_view endpoint, std::string_view id,
                                                   std::string_view base_url);

}  // namespace muster::api
