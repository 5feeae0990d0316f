#include "store/sqlite/log_segments.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <queue>
#include <utility>

#include <fmt/format.h>
#include <zstd.h>

#include "base/check.hpp"

namespace muster::store::sqlite {
namespace {

constexpr std::size_t kSegmentBytes = std::size_t{256} << 10;  // before compression
constexpr std::size_t kUnpackLimit = std::size_t{256} << 20;   // one record may exceed a segment
constexpr int kCompressionLevel = 1;

// The last id of the span of 2^32 ids (1.02 s) that `id` belongs to. A segment never crosses one.
constexpr std::int64_t last_of_span(std::int64_t id) { return id | 0xFFFF'FFFF; }

/// Stands before each record in a segment, in the machine's byte order.
struct Frame {
    std::int64_t id;
    std::uint32_t bytes;
    std::uint32_t failed;
};
static_assert(sizeof(Frame) == 16);

/// Takes the next record off `data`. False at the end, and where the data are not ours.
bool take_record(std::string_view& data, Frame& frame, std::string_view& json) {
    if (data.size() < sizeof(Frame)) return false;
    std::memcpy(&frame, data.data(), sizeof(Frame));
    data.remove_prefix(sizeof(Frame));
    if (data.size() < frame.bytes) return false;
    json = data.substr(0, frame.bytes);
    data.remove_prefix(frame.bytes);
    return true;
}

struct Found {
    std::int64_t id;
    std::string json;
    friend bool operator>(const Found& a, const Found& b) { return a.id > b.id; }
};

/// The `limit` newest of the records offered to it.
class Newest {
  public:
    explicit Newest(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] bool takes(std::int64_t id) const {
        return heap_.size() < limit_ || (limit_ > 0 && id > heap_.top().id);
    }
    void add(std::int64_t id, std::string_view json) {
        if (heap_.size() == limit_) heap_.pop();
        heap_.push({id, std::string(json)});
    }
    [[nodiscard]] std::vector<std::string> take() {
        std::vector<std::string> newest_first;
        newest_first.reserve(heap_.size());
        for (; !heap_.empty(); heap_.pop()) newest_first.push_back(heap_.top().json);
        std::ranges::reverse(newest_first);
        return newest_first;
    }

  private:
    std::size_t limit_;
    std::priority_queue<Found, std::vector<Found>, std::greater<>> heap_;
};

struct Scope {
    const char* index;
    const char* condition;
};
constexpr std::array<Scope, 3> kScopes = {
    Scope{"log_time", ""},
    Scope{"log_org", "org = ?4 AND "},
    Scope{"log_connector", "connector = ?5 AND "},
};

std::string read_sql(const Scope& scope, bool failed) {
    // The index is named so that no statistics can turn a page of the log into a scan of it.
    return fmt::format(
        "SELECT last_id, data FROM log_segment INDEXED BY {}{} WHERE {}{}"
        "last_id <= ?1 AND last_id > ?2 AND first_id < ?3 AND (?4 IS NULL OR org = ?4) "
        "AND (?5 IS NULL OR connector = ?5) ORDER BY last_id DESC",
        scope.index, failed ? "_failed" : "", scope.condition, failed ? "failures > 0 AND " : "");
}

template <class K>
std::optional<std::int64_t> number(const std::optional<K>& key) {
    if (!key) return std::nullopt;
    return key->value;
}

Failure corrupt() {
    return {SQLITE_CORRUPT, {ErrorCode::Unavailable, "a log segment is damaged", {}, {}}};
}

}  // namespace

void SegmentBatch::add(const LogEntry& entry, std::string_view json) {
    const std::tuple place{entry.org, entry.connector, last_of_span(entry.id.value)};
    auto [open, fresh] = open_.try_emplace(place, segments_.size());
    if (!fresh && segments_[open->second].data.size() + json.size() > kSegmentBytes) {
        open->second = segments_.size();
        fresh = true;
    }
    if (fresh) {
        segments_.push_back({entry.org, entry.connector, entry.id.value, entry.id.value, 0, 0, {}});
    }
    Segment& segment = segments_[open->second];
    segment.first_id = std::min(segment.first_id, entry.id.value);
    segment.last_id = std::max(segment.last_id, entry.id.value);
    segment.records += 1;
    segment.failures += entry.failed ? 1 : 0;
    const Frame frame{entry.id.value, static_cast<std::uint32_t>(json.size()),
                      entry.failed ? 1U : 0U};
    segment.data.append(reinterpret_cast<const char*>(&frame), sizeof frame);
    segment.data.append(json);
}

struct SegmentWriter::Compressor {
    struct Free {
        void operator()(ZSTD_CCtx* freed) const noexcept { ZSTD_freeCCtx(freed); }
    };
    std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
    std::vector<std::byte> buffer;
};

SegmentWriter::SegmentWriter(const Database& db)
    : insert_(db,
              "INSERT INTO log_segment (org, connector, first_id, last_id, records, failures, "
              "data) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 "
              // A request may end after its organisation was removed with everything in it.
              "WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM organisation WHERE key = ?1)"),
      compressor_(std::make_unique<Compressor>()) {
    MUSTER_CHECK(compressor_->context != nullptr);
}

SegmentWriter::~SegmentWriter() = default;

Outcome<void> SegmentWriter::write(const SegmentBatch& batch) {
    for (const SegmentBatch::Segment& segment : batch.segments()) {
        std::vector<std::byte>& buffer = compressor_->buffer;
        buffer.resize(ZSTD_compressBound(segment.data.size()));
        const std::size_t size =
            ZSTD_compressCCtx(compressor_->context.get(), buffer.data(), buffer.size(),
                              segment.data.data(), segment.data.size(), kCompressionLevel);
        MUSTER_CHECK(ZSTD_isError(size) == 0);
        TRY_VOID(insert_.execute(segment.org.value, segment.connector.value, segment.first_id,
                                 segment.last_id, segment.records, segment.failures,
                                 std::span<const std::byte>(buffer).first(size)));
    }
    return {};
}

struct SegmentReader::Decompressor {
    struct Free {
        void operator()(ZSTD_DCtx* freed) const noexcept { ZSTD_freeDCtx(freed); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
    std::string buffer;
};

SegmentReader::SegmentReader(const Database& db)
    : read_{Statement(db, read_sql(kScopes[0], false)), Statement(db, read_sql(kScopes[0], true)),
            Statement(db, read_sql(kScopes[1], false)), Statement(db, read_sql(kScopes[1], true)),
            Statement(db, read_sql(kScopes[2], false)), Statement(db, read_sql(kScopes[2], true))},
      find_(db,
            "SELECT data FROM log_segment INDEXED BY log_time "
            "WHERE last_id BETWEEN ?1 AND ?2 AND first_id <= ?1"),
      decompressor_(std::make_unique<Decompressor>()) {
    MUSTER_CHECK(decompressor_->context != nullptr);
}

SegmentReader::~SegmentReader() = default;

Statement& SegmentReader::statement_for(const LogQuery& query) {
    const std::size_t scope = query.connector ? 2 : query.org ? 1 : 0;
    return read_[scope * 2 + (query.failed_only ? 1 : 0)];
}

Outcome<std::vector<std::string>> SegmentReader::read(const LogQuery& query) {
    constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
    constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
    if (query.limit == 0) return std::vector<std::string>{};
    const std::int64_t before = query.before ? query.before->value : kMax;
    const std::int64_t after = query.after ? query.after->value : kMin;

    Newest newest(query.limit);
    Rows rows = statement_for(query).query(last_of_span(before), after, before, number(query.org),
                                           number(query.connector));
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        // Segments come by falling last_id: once this one is too old, so are all that follow.
        if (!row || !newest.takes(rows.integer(0))) break;
        TRY_ASSIGN(std::string_view data, unpack(rows.blob(1)));
        Frame frame{};
        std::string_view json;
        while (take_record(data, frame, json)) {
            const bool asked =
                frame.id < before && frame.id > after && (frame.failed != 0 || !query.failed_only);
            if (asked && newest.takes(frame.id)) newest.add(frame.id, json);
        }
        if (!data.empty()) return std::unexpected(corrupt());
    }
    return newest.take();
}

Outcome<std::optional<std::string>> SegmentReader::find(LogId id) {
    Rows rows = find_.query(id.value, last_of_span(id.value));
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return std::nullopt;
        TRY_ASSIGN(std::string_view data, unpack(rows.blob(0)));
        Frame frame{};
        std::string_view json;
        while (take_record(data, frame, json)) {
            if (frame.id == id.value) return std::string(json);
        }
    }
}

Outcome<std::string_view> SegmentReader::unpack(std::span<const std::byte> data) {
    const unsigned long long size = ZSTD_getFrameContentSize(data.data(), data.size());
    // The error values are the largest numbers of the type.
    if (size > kUnpackLimit) return std::unexpected(corrupt());
    std::string& buffer = decompressor_->buffer;
    buffer.resize(size);
    const std::size_t got = ZSTD_decompressDCtx(decompressor_->context.get(), buffer.data(),
                                                buffer.size(), data.data(), data.size());
    if (got != size) return std::unexpected(corrupt());
    return buffer;
}

}  // namespace muster::store::sqlite
