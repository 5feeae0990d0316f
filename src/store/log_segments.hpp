#pragma once
// How provisioning log records are kept: many share one row of a table. Those of one connector that
// one commit wrote are framed and compressed together, so that a record costs about a microsecond.
// Both databases keep the same bytes. Nothing here is thread-safe.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "store/types.hpp"

namespace muster::store {

/// The last id of the span of 2^32 ids (1.02 s) that `id` belongs to. A segment never crosses one.
[[nodiscard]] constexpr std::int64_t last_of_span(std::int64_t id) { return id | 0xFFFF'FFFF; }

/// What one commit will log. Grouped by organisation, connector and the id's second, so that all
/// ids of a segment lie close together however long a request took before it was recorded.
class SegmentBatch {
  public:
    /// `end` closes the entry's JSON (log_json.hpp).
    void add(const LogEntry& entry, std::string_view end);

    struct Segment {
        OrgKey org;
        ConnectorKey connector;
        std::int64_t first_id = 0;  ///< an id stands in one segment only, so this one names it
        std::int64_t last_id = 0;
        std::int64_t records = 0;
        std::int64_t failures = 0;
        std::string data;  ///< framed records, see log_segments.cpp
    };
    [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }

  private:
    std::vector<Segment> segments_;
    std::map<std::tuple<OrgKey, ConnectorKey, std::int64_t>, std::size_t> open_;
};

class SegmentPacker {
  public:
    SegmentPacker();
    ~SegmentPacker();
    SegmentPacker(SegmentPacker&&) noexcept;
    SegmentPacker& operator=(SegmentPacker&&) noexcept;

    /// The bytes of the row, valid until the next call.
    [[nodiscard]] std::span<const std::byte> pack(const SegmentBatch::Segment& segment);

  private:
    struct Compressor;
    std::unique_ptr<Compressor> compressor_;
};

/// The query that only the record `id` answers.
[[nodiscard]] LogQuery only(LogId id);

/// The records that a query asks for, out of segments offered by falling last_id.
class SegmentReading {
  public:
    explicit SegmentReading(const LogQuery& query);
    ~SegmentReading();
    SegmentReading(const SegmentReading&) = delete;
    SegmentReading& operator=(const SegmentReading&) = delete;

    /// Whether a segment whose newest record is `last_id` can hold one of the records asked for;
    /// where not, no older one can either, or it is left for another reading (LogPage::rest).
    [[nodiscard]] bool wants(std::int64_t last_id);
    /// Takes what is asked for out of one segment. The error: its bytes are damaged.
    [[nodiscard]] Result<void> add(std::span<const std::byte> packed);
    /// Ends the reading.
    [[nodiscard]] LogPage take();

    /// The bounds of the query as rows are chosen by them: last_id <= newest, last_id > oldest,
    /// first_id < before.
    struct Bounds {
        std::int64_t newest = 0;
        std::int64_t oldest = 0;
        std::int64_t before = 0;
    };
    [[nodiscard]] Bounds bounds() const;

  private:
    struct Found {
        std::int64_t id;
        std::string json;
        friend bool operator>(const Found& a, const Found& b) { return a.id > b.id; }
    };
    [[nodiscard]] bool is_full(std::int64_t last_id) const;
    struct Decompressor;

    std::int64_t before_;
    std::int64_t after_;
    std::size_t limit_;
    bool failed_only_;
    std::string mentions_;      ///< in small letters
    std::size_t searched_ = 0;  ///< bytes, in segments that lie before `before` as a whole
    std::size_t segments_ = 0;  ///< of those
    bool counts_ = false;       ///< the segment that is added next is one
    std::optional<LogId> rest_;
    std::priority_queue<Found, std::vector<Found>, std::greater<>> newest_;
    std::unique_ptr<Decompressor> decompressor_;
};

}  // namespace muster::store
