#include "store/postgres/log_portion.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <set>
#include <utility>

#include "base/result.hpp"
#include "store/log_json.hpp"
#include "store/postgres/transaction.hpp"
#include "store/postgres/write_statements.hpp"

namespace muster::store::postgres {
namespace {

using Ids = std::set<std::int64_t>;

/// Without the records whose ids are in `but`.
std::vector<SegmentBatch::Segment> segments_of(const LogPortion& portion, const Ids& but) {
    std::vector<SegmentBatch::Segment> segments;
    for (const auto& entries : portion.batches) {
        SegmentBatch batch;
        for (const LogEntry& entry : entries) {
            if (!but.contains(entry.id.value)) batch.add(entry, kLogJsonEnd);
        }
        std::ranges::copy(batch.segments(), std::back_inserter(segments));
    }
    return segments;
}

/// But for those segments that begin with one of `but`.
std::vector<Query> inserts_of(OrgKey org, const std::vector<SegmentBatch::Segment>& segments,
                              const Ids& but) {
    std::vector<Query> inserts;
    SegmentPacker packer;
    for (const SegmentBatch::Segment& segment : segments) {
        if (!but.contains(segment.first_id)) inserts.push_back(insert_segment(segment, packer));
    }
    // A request may end after its organisation was removed.
    if (org) inserts.push_back({&kOrganisationThere, Parameters(org)});
    return inserts;
}

bool settled(const Outcome<std::vector<Rows>>& outcome) {
    return outcome || outcome.error().is(kGuard);  // the organisation is gone
}

/// Where an answer got lost, segments may be there from an earlier attempt; or a record's write set
/// was committed although it was answered as unknown, and its segment begins with the record's id.
Task<Outcome<void>> write_rest(Connection& connection, Connection::Deadline deadline,
                               const LogPortion& portion) {
    Ids written;    // first ids of segments that are there
    Ids elsewhere;  // ids of records that stand in a write set's segment
    for (;;) {
        const auto segments = segments_of(portion, elsewhere);
        std::vector<Query> looks;
        for (const SegmentBatch::Segment& segment : segments) {
            looks.push_back({&kSegmentThere, Parameters(portion.org, segment.first_id)});
        }
        CO_TRY_ASSIGN(const auto found,
                      co_await write_once(connection, deadline, portion.org, std::move(looks)));
        for (std::size_t i = 0; i < segments.size(); ++i) {
            if (found[i].size() == 0) continue;
            const SegmentBatch::Segment& segment = segments[i];
            const bool same = found[i].integer(0, 0) == segment.last_id &&
                              found[i].integer(0, 1) == segment.records;
            (same ? written : elsewhere).insert(segment.first_id);
        }
        // Without those, the records beside them make other segments.
        std::vector<Query> inserts =
            inserts_of(portion.org, segments_of(portion, elsewhere), written);
        auto done = co_await write_once(connection, deadline, portion.org, std::move(inserts));
        if (settled(done)) co_return Outcome<void>();
        if (!done.error().is(kUniqueViolation)) co_return std::unexpected(std::move(done).error());
    }
}

}  // namespace

Query insert_segment(const SegmentBatch::Segment& segment, SegmentPacker& packer) {
    return {&kInsertSegment,
            Parameters(segment.org, segment.first_id, segment.last_id, segment.connector,
                       segment.records, segment.failures, packer.pack(segment))};
}

Task<Outcome<std::vector<bool>>> write_log(Connection& connection, Connection::Deadline deadline,
                                           std::span<const LogPortion> portions) {
    std::vector<Work> works;
    for (const LogPortion& portion : portions) {
        works.push_back({portion.org, inserts_of(portion.org, segments_of(portion, {}), {})});
    }
    const auto outcomes = co_await write_each(connection, deadline, std::move(works));
    std::vector<bool> done;
    for (std::size_t i = 0; i < portions.size(); ++i) {
        bool one = settled(outcomes[i]);
        if (!one && outcomes[i].error().is(kUniqueViolation)) {
            one = (co_await write_rest(connection, deadline, portions[i])).has_value();
        }
        done.push_back(one);
    }
    co_return done;
}

}  // namespace muster::store::postgres
