#pragma once
// The provisioning log on disk. Many records share one row: those of one connector that one commit
// wrote, compressed together, so that a record costs about a microsecond to keep.

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

/// What one commit will log. Grouped by organisation, connector and the id's second, so that all
/// ids of a segment lie close together however long a request took before it was recorded.
class SegmentBatch {
  public:
    /// `json` is the complete record.
    void add(const LogEntry& entry, std::string_view json);

    struct Segment {
        OrgKey org;
        ConnectorKey connector;
        std::int64_t first_id = 0;
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

class SegmentWriter {
  public:
    explicit SegmentWriter(const Database& db);
    ~SegmentWriter();
    SegmentWriter(const SegmentWriter&) = delete;
    SegmentWriter& operator=(const SegmentWriter&) = delete;

    /// Inserts into the open transaction.
    [[nodiscard]] Outcome<void> write(const SegmentBatch& batch);

  private:
    struct Compressor;
    Statement insert_;
    std::unique_ptr<Compressor> compressor_;
};

class SegmentReader {
  public:
    explicit SegmentReader(const Database& db);
    ~SegmentReader();
    SegmentReader(const SegmentReader&) = delete;
    SegmentReader& operator=(const SegmentReader&) = delete;

    /// Store::log. Reads no more segments than can hold one of the newest `limit` records.
    [[nodiscard]] Outcome<std::vector<std::string>> read(const LogQuery& query);
    /// Store::log_entry. Looks through the segments of that id's second.
    [[nodiscard]] Outcome<std::optional<std::string>> find(LogId id);

  private:
    struct Decompressor;
    [[nodiscard]] Statement& statement_for(const LogQuery& query);
    /// The framed records, valid until the next call.
    [[nodiscard]] Outcome<std::string_view> unpack(std::span<const std::byte> data);

    std::array<Statement, 6> read_;  ///< by scope and whether only failures are asked for
    Statement find_;
    std::unique_ptr<Decompressor> decompressor_;
};

}  // namespace muster::store::sqlite
