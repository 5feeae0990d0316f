#pragma once
// The end of a log record, which only a store can write: what the commit did.

#include <string>
#include <string_view>
#include <vector>

#include "store/types.hpp"

namespace muster::store {

/// What closes LogEntry::json for a request that changed nothing.
inline constexpr std::string_view kLogJsonEnd = "}";

/// What closes it otherwise: `,"written":[…]}`, one object a mutation.
[[nodiscard]] std::string log_json_end(const std::vector<Applied>& applied);

}  // namespace muster::store
