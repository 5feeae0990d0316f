#pragma once
// The end of a log record, which only a store can write: what the commit did.

#include <string>
#include <vector>

#include "store/types.hpp"

namespace muster::store {

/// `json` (LogEntry::json) closed for a request that changed nothing.
[[nodiscard]] std::string finish_log_json(std::string json);

/// `json` closed with `,"written":[…]}`, one object a mutation.
[[nodiscard]] std::string finish_log_json(std::string json, const std::vector<Applied>& applied);

}  // namespace muster::store
