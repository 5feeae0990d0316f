#pragma once
// The schemas that the product brings along, whether or not a resource type uses them.

#include <memory>
#include <span>

#include "scim/schema/schema.hpp"

namespace muster::scim {

/// User, Group and EnterpriseUser of RFC 7643 §4 and §8.7; Role and Entitlement of Okta.
[[nodiscard]] std::span<const std::unique_ptr<const Schema>> schema_library();

}  // namespace muster::scim
