#pragma once
// The roles that every organisation begins with.

#include <vector>

#include "service/core.hpp"
#include "store/types.hpp"

namespace muster::service {

/// ReadOnly, User, Admin and EnterpriseAdmin as resources at /Roles, of no connector. They can be
/// renamed, removed and joined by others like any resource.
[[nodiscard]] std::vector<store::Mutation> make_default_roles(const Core& core);

}  // namespace muster::service
