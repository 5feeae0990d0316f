#pragma once
// Write sets as statements of one transaction: what a mutation does to rows.

#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "base/task.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/diagnosis.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

/// Write sets of one organisation, in the order in which they were handed over.
using Sets = std::span<const WriteSet* const>;

/// Applies `sets` in one transaction, all or nothing, once; `slot` is this node's counter slot. One
/// round trip where what they will have done is known beforehand; where the database decides that
/// (memberships, deletions), one more each, since the log record in the same transaction tells it.
/// The error of a single set says why it was refused. Of several nothing was done, and the error
/// says which of them was refused, where it was one, but not why; but for OutcomeUnknown.
[[nodiscard]] Task<std::expected<std::vector<Committed>, Refused>> apply(
    Connection& connection, Connection::Deadline deadline, Sets sets, std::int64_t slot);

}  // namespace muster::store::postgres
