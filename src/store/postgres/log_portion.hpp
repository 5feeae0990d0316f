#pragma once
// Log records as rows: what one transaction writes of them.

#include <span>
#include <vector>

#include "base/task.hpp"
#include "store/log_segments.hpp"
#include "store/postgres/connection.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

[[nodiscard]] Query insert_segment(const SegmentBatch::Segment& segment, SegmentPacker& packer);

/// Records of one organisation that are written in one transaction. What failed is tried again with
/// the same batches, and what came later in another: they may have been written, without an answer,
/// and then their segments are recognised, in which later records must not hide.
struct LogPortion {
    OrgKey org;
    std::vector<std::vector<LogEntry>> batches;
};

/// Writes all `portions` in one round trip, each whole or not at all. The values, in their order:
/// whether it is there now, or nobody is left to whom it matters.
[[nodiscard]] Task<Outcome<std::vector<bool>>> write_log(Connection& connection,
                                                         Connection::Deadline deadline,
                                                         std::span<const LogPortion> portions);

}  // namespace muster::store::postgres
