#include "store/log_segments.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <zstd.h>

#include "base/check.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

namespace muster::store {
namespace {

constexpr std::size_t kSegmentBytes = std::size_t{256} << 10;  // before compression
constexpr std::size_t kUnpackLimit = std::size_t{256} << 20;   // one record may exceed a segment
constexpr int kCompressionLevel = 1;
// What one call may search takes about as many milliseconds as the MiB.
constexpr std::size_t kMostSearched = std::size_t{16} << 20;
constexpr std::size_t kMostSegments = 1000;

/// Stands before each record in a segment, in the byte order of the machines that Muster runs on.
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

std::unexpected<Error> damaged() {
    return std::unexpected(Error{ErrorCode::Unavailable, "a log segment is damaged", {}, {}});
}

}  // namespace

void SegmentBatch::add(const LogEntry& entry, std::string_view end) {
    const std::size_t bytes = entry.json.size() + end.size();
    const std::tuple place{entry.org, entry.connector, last_of_span(entry.id.value)};
    auto [open, fresh] = open_.try_emplace(place, segments_.size());
    if (!fresh && segments_[open->second].data.size() + bytes > kSegmentBytes) {
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
    const Frame frame{entry.id.value, static_cast<std::uint32_t>(bytes), entry.failed ? 1U : 0U};
    segment.data.append(reinterpret_cast<const char*>(&frame), sizeof frame);
    segment.data.append(entry.json).append(end);
}

// ---- packing ---------------------------------------------------------------------------------

struct SegmentPacker::Compressor {
    struct Free {
        void operator()(ZSTD_CCtx* freed) const noexcept { ZSTD_freeCCtx(freed); }
    };
    std::unique_ptr<ZSTD_CCtx, Free> context{ZSTD_createCCtx()};
    std::vector<std::byte> buffer;
};

SegmentPacker::SegmentPacker() : compressor_(std::make_unique<Compressor>()) {
    MUSTER_CHECK(compressor_->context != nullptr);
}
SegmentPacker::~SegmentPacker() = default;
SegmentPacker::SegmentPacker(SegmentPacker&&) noexcept = default;
SegmentPacker& SegmentPacker::operator=(SegmentPacker&&) noexcept = default;

std::span<const std::byte> SegmentPacker::pack(const SegmentBatch::Segment& segment) {
    std::vector<std::byte>& buffer = compressor_->buffer;
    buffer.resize(ZSTD_compressBound(segment.data.size()));
    const std::size_t size =
        ZSTD_compressCCtx(compressor_->context.get(), buffer.data(), buffer.size(),
                          segment.data.data(), segment.data.size(), kCompressionLevel);
    MUSTER_CHECK(ZSTD_isError(size) == 0);
    return std::span<const std::byte>(buffer).first(size);
}

// ---- reading ---------------------------------------------------------------------------------

LogQuery only(LogId id) {
    LogQuery query;
    query.limit = 1;
    // At either end of the number range, where no id is ever made, there is no neighbour to name.
    if (id.value < std::numeric_limits<std::int64_t>::max()) query.before = LogId{id.value + 1};
    if (id.value > std::numeric_limits<std::int64_t>::min()) query.after = LogId{id.value - 1};
    return query;
}

struct SegmentReading::Decompressor {
    struct Free {
        void operator()(ZSTD_DCtx* freed) const noexcept { ZSTD_freeDCtx(freed); }
    };
    std::unique_ptr<ZSTD_DCtx, Free> context{ZSTD_createDCtx()};
    std::string buffer;

    /// The framed records, valid until the next call.
    [[nodiscard]] Result<std::string_view> unpack(std::span<const std::byte> data) {
        const unsigned long long size = ZSTD_getFrameContentSize(data.data(), data.size());
        // The error values are the largest numbers of the type.
        if (size > kUnpackLimit) return damaged();
        buffer.resize(size);
        const std::size_t got = ZSTD_decompressDCtx(context.get(), buffer.data(), buffer.size(),
                                                    data.data(), data.size());
        if (got != size) return damaged();
        return buffer;
    }
};

SegmentReading::SegmentReading(const LogQuery& query)
    : before_(query.before ? query.before->value : std::numeric_limits<std::int64_t>::max()),
      after_(query.after ? query.after->value : std::numeric_limits<std::int64_t>::min()),
      limit_(query.limit),
      failed_only_(query.failed_only),
      mentions_(to_lower_ascii(query.mentions)),
      decompressor_(std::make_unique<Decompressor>()) {
    MUSTER_CHECK(decompressor_->context != nullptr);
}
SegmentReading::~SegmentReading() = default;

SegmentReading::Bounds SegmentReading::bounds() const {
    return {last_of_span(before_), after_, before_};
}

bool SegmentReading::is_full(std::int64_t last_id) const {
    return newest_.size() >= limit_ && (limit_ == 0 || last_id <= newest_.top().id);
}

bool SegmentReading::wants(std::int64_t last_id) {
    if (rest_ || is_full(last_id)) return false;
    const bool enough = searched_ >= kMostSearched || segments_ >= kMostSegments;
    if (enough) rest_ = LogId{last_id + 1};
    // The others are met again by the next reading, which has to get further than this one.
    counts_ = last_id < before_;
    return !enough;
}

Result<void> SegmentReading::add(std::span<const std::byte> packed) {
    TRY_ASSIGN(std::string_view data, decompressor_->unpack(packed));
    // The whole segment at once: letter by letter it would cost ten times as much.
    std::string lowered;
    std::string_view small;
    if (!mentions_.empty()) {
        lowered = to_lower_ascii(data);
        small = lowered;
        searched_ += counts_ ? data.size() : 0;
        segments_ += counts_ ? 1 : 0;
    }
    const auto mentions = [&](std::string_view json, std::string_view rest) {
        if (mentions_.empty()) return true;
        const auto begin = small.size() - rest.size() - json.size();
        return small.substr(begin, json.size()).contains(mentions_);
    };
    Frame frame{};
    std::string_view json;
    while (take_record(data, frame, json)) {
        const bool asked =
            frame.id < before_ && frame.id > after_ && (frame.failed != 0 || !failed_only_);
        if (!asked || is_full(frame.id) || !mentions(json, data)) continue;
        if (newest_.size() == limit_) newest_.pop();
        newest_.push({frame.id, std::string(json)});
    }
    if (!data.empty()) return damaged();
    return {};
}

LogPage SegmentReading::take() {
    LogPage page{.records = {}, .rest = rest_};
    page.records.reserve(newest_.size());
    for (; !newest_.empty(); newest_.pop()) {
        // What lies in the rest is found by the next reading.
        if (!rest_ || newest_.top().id >= rest_->value) page.records.push_back(newest_.top().json);
    }
    std::ranges::reverse(page.records);
    return page;
}

}  // namespace muster::store
