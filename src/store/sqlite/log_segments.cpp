#include "store/sqlite/log_segments.hpp"

#include <fmt/format.h>

namespace muster::store::sqlite {
namespace {

struct Scope {
    const char* index;
    const char* condition;
};
constexpr std::array<Scope, 3> kScopes = {
    Scope{"log_time", ""},
    Scope{"log_org", "org = ?4 AND "},
    Scope{"log_connector", "connector = ?5 AND "},
};

// What a removed organisation left shows no more.
#define MUSTER_SHOWN \
    "NOT EXISTS (SELECT 1 FROM organisation WHERE key = log_segment.org AND removed)"

std::string read_sql(const Scope& scope, bool failed) {
    // The index is named so that no statistics can turn a page of the log into a scan of it.
    return fmt::format(
        "SELECT last_id, data FROM log_segment INDEXED BY {}{} WHERE {}{}"
        "last_id <= ?1 AND last_id > ?2 AND first_id < ?3 AND (?4 IS NULL OR org = ?4) "
        "AND (?5 IS NULL OR connector = ?5) AND " MUSTER_SHOWN " ORDER BY last_id DESC",
        scope.index, failed ? "_failed" : "", scope.condition, failed ? "failures > 0 AND " : "");
}

template <class K>
std::optional<std::int64_t> number(const std::optional<K>& key) {
    if (!key) return std::nullopt;
    return key->value;
}

Outcome<void> add(SegmentReading& reading, std::span<const std::byte> data) {
    if (Result<void> added = reading.add(data); !added) {
        return std::unexpected(Failure{SQLITE_CORRUPT, std::move(added).error()});
    }
    return {};
}

}  // namespace

SegmentWriter::SegmentWriter(const Database& db)
    : insert_(
          db,
          "INSERT INTO log_segment (org, connector, first_id, last_id, records, failures, "
          "data) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 "
          // A request may end after its organisation was removed.
          "WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM organisation WHERE key = ?1 AND NOT removed)") {}

Outcome<void> SegmentWriter::write(const SegmentBatch& batch) {
    for (const SegmentBatch::Segment& segment : batch.segments()) {
        TRY_VOID(insert_.execute(segment.org.value, segment.connector.value, segment.first_id,
                                 segment.last_id, segment.records, segment.failures,
                                 packer_.pack(segment)));
    }
    return {};
}

SegmentReader::SegmentReader(const Database& db)
    : read_{Statement(db, read_sql(kScopes[0], false)), Statement(db, read_sql(kScopes[0], true)),
            Statement(db, read_sql(kScopes[1], false)), Statement(db, read_sql(kScopes[1], true)),
            Statement(db, read_sql(kScopes[2], false)), Statement(db, read_sql(kScopes[2], true))},
      find_(db,
            "SELECT data FROM log_segment INDEXED BY log_time "
            "WHERE last_id BETWEEN ?1 AND ?2 AND first_id <= ?1 AND " MUSTER_SHOWN) {}

Statement& SegmentReader::statement_for(const LogQuery& query) {
    const std::size_t scope = query.connector ? 2 : query.org ? 1 : 0;
    return read_[scope * 2 + (query.failed_only ? 1 : 0)];
}

Outcome<LogPage> SegmentReader::read(const LogQuery& query) {
    SegmentReading reading(query);
    const SegmentReading::Bounds bounds = reading.bounds();
    Rows rows = statement_for(query).query(bounds.newest, bounds.oldest, bounds.before,
                                           number(query.org), number(query.connector));
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row || !reading.wants(rows.integer(0))) return reading.take();
        TRY_VOID(add(reading, rows.blob(1)));
    }
}

Outcome<std::optional<std::string>> SegmentReader::find(LogId id) {
    SegmentReading reading(only(id));
    Rows rows = find_.query(id.value, last_of_span(id.value));
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) break;
        TRY_VOID(add(reading, rows.blob(0)));
    }
    std::vector<std::string> found = reading.take().records;
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

}  // namespace muster::store::sqlite
