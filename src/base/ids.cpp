#include "base/ids.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <sys/random.h>

#include "base/check.hpp"
#include "base/text.hpp"

namespace muster {

namespace {

constexpr std::int64_t kEpochMs = 1'577'836'800'000;  // 2020-01-01T00:00:00Z
constexpr int kTimeShift = 22;
constexpr int kNodeShift = 12;
constexpr std::int64_t kNodeMask = 0x3FF;
constexpr std::string_view kCrockford = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::string_view kShortIdAlphabet = "abcdefghjkmnpqrstuvwxyz234567899";
constexpr std::size_t kBase32Length = 13;

int crockford_value(char c) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if (c == 'o') return 0;
    if (c == 'i' || c == 'l') return 1;
    const auto position = kCrockford.find(c);
    return position == std::string_view::npos ? -1 : static_cast<int>(position);
}

}  // namespace

std::int64_t IdGenerator::next() {
    const std::int64_t floor = first_at(clock_.now()) | (node_ << kNodeShift);
    std::int64_t last = last_.load(std::memory_order_relaxed);
    std::int64_t candidate = 0;
    do {
        candidate = std::max(floor, last + 1);
        // A full counter must not run over into the next node's numbers: time lends a millisecond.
        if (((candidate >> kNodeShift) & kNodeMask) != node_) {
            candidate = (((last >> kTimeShift) + 1) << kTimeShift) | (node_ << kNodeShift);
        }
    } while (!last_.compare_exchange_weak(last, candidate, std::memory_order_relaxed));
    return candidate;
}

Timestamp IdGenerator::time_of(std::int64_t number) { return {(number >> kTimeShift) + kEpochMs}; }

std::int64_t IdGenerator::first_at(Timestamp time) {
    return std::max<std::int64_t>(time.ms - kEpochMs, 0) << kTimeShift;
}

std::string uuid_v7(Timestamp now) {
    // The system is asked for the random bytes of many at once: that costs more than all the rest.
    using Bytes = std::array<std::byte, 16>;
    thread_local std::array<Bytes, 32> pool;
    thread_local std::size_t left = 0;
    if (left == 0) {
        fill_random(std::as_writable_bytes(std::span{pool}));
        left = pool.size();
    }
    Bytes bytes = pool[--left];
    const auto ms = static_cast<std::uint64_t>(now.ms);
    for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::byte>(ms >> (8 * (5 - i)));
    bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte{0x70};
    bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};

    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
        text.push_back(kHex[std::to_integer<unsigned>(bytes[i]) >> 4]);
        text.push_back(kHex[std::to_integer<unsigned>(bytes[i]) & 0xFU]);
    }
    return text;
}

std::string to_base32(std::int64_t number) {
    auto rest = static_cast<std::uint64_t>(number);
    std::string text(kBase32Length, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit) {
        *digit = kCrockford[rest & 31U];
        rest >>= 5;
    }
    return text;
}

std::optional<std::int64_t> from_base32(std::string_view text) {
    // The first of 13 digits may only hold the top 3 of 63 bits.
    if (text.size() != kBase32Length || crockford_value(text.front()) > 7) return std::nullopt;
    std::int64_t number = 0;
    for (char c : text) {
        const int value = crockford_value(c);
        if (value < 0) return std::nullopt;
        number = (number << 5) | value;
    }
    return number;
}

std::string random_short_id(std::size_t length) {
    std::string text(length, 'a');
    fill_random(std::as_writable_bytes(std::span{text}));
    for (char& c : text) c = kShortIdAlphabet[static_cast<unsigned char>(c) & 31U];
    // A letter first, so that the id can also stand where a host label or a name must.
    if (!text.empty() && text.front() < 'a') text.front() = 'k';
    return text;
}

void fill_random(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = ::getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        MUSTER_CHECK(got > 0);
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

}  // namespace muster
