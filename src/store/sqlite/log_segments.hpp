#pragma once
// The provisioning log's segments (store/log_segments.hpp) as rows of SQLite.

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "store/log_segments.hpp"
#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

class SegmentWriter {
  public:
    explicit SegmentWriter(const Database& db);

    /// Inserts into the open transaction.
    [[nodiscard]] Outcome<void> write(const SegmentBatch& batch);

  private:
    Statement insert_;
    SegmentPacker packer_;
};

class SegmentReader {
  public:
    explicit SegmentReader(const Database& db);

    /// Store::log. Reads no more segments than can hold one of the newest `limit` records.
    [[nodiscard]] Outcome<LogPage> read(const LogQuery& query);
    /// Store::log_entry. Looks through the segments of that id's second.
    [[nodiscard]] Outcome<std::optional<std::string>> find(LogId id);

  private:
    [[nodiscard]] Statement& statement_for(const LogQuery& query);

    std::array<Statement, 6> read_;  ///< by scope and whether only failures are asked for
    Statement find_;
};

}  // namespace muster::store::sqlite
