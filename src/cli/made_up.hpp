#pragma once
// People and groups that nobody is, for trying things at size. Each is made from a seed and its
// number alone, so the same seed makes the same organisation, and none has to be kept.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace muster::cli {

/// As Okta would create the person. userName and externalId are unique to seed and number;
/// addresses end in "@{org}.example" (RFC 2606).
[[nodiscard]] json::Object made_up_person(std::string_view org, std::uint64_t seed,
                                          std::uint64_t number);

/// The group's displayName, unique to seed and number: "Sales 1-7".
[[nodiscard]] std::string made_up_group_name(std::uint64_t seed, std::uint64_t number);

/// The numbers of the group's members, ascending: `size` different ones below `people`, spread over
/// all of them. `size` must not be more than `people`.
[[nodiscard]] std::vector<std::uint64_t> made_up_members(std::uint64_t seed, std::uint64_t number,
                                                         std::uint64_t size, std::uint64_t people);

}  // namespace muster::cli
