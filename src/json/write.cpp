// The writing half of json.hpp. Unlike Boost's own serializer it cannot emit malformed UTF-8, and
// it keeps a double recognisable as one.

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"
#include "json/json.hpp"

namespace muster::json {

namespace {

constexpr std::string_view kReplacementCharacter = "\xEF\xBF\xBD";

constexpr bool needs_escape(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7F;
}

/// Whether a byte is copied as it is: ASCII without an escape.
constexpr bool is_plain(char c) { return static_cast<unsigned char>(c) < 0x80 && !needs_escape(c); }

/// Sixteen bytes that are looked at together.
using Block [[gnu::vector_size(16)]] = unsigned char;

bool are_plain(const Block& bytes) {
    const auto others = (bytes < 0x20) | (bytes == '"') | (bytes == '\\') | (bytes > 0x7E);
    const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(others);
    return (halves[0] | halves[1]) == 0;
}

template <class T>
T load(const char* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
}

/// Each of fewer than sixteen bytes, some of them twice, and spaces, which are plain.
Block block_of(std::string_view text) {
    constexpr std::uint64_t kSpaces = 0x2020'2020'2020'2020;
    const char* const begin = text.data();
    const char* const end = begin + text.size();
    std::array<std::uint64_t, 2> halves = {kSpaces, kSpaces};
    if (text.size() >= 8) {
        halves = {load<std::uint64_t>(begin), load<std::uint64_t>(end - 8)};
    } else if (text.size() >= 4) {
        halves[0] = std::uint64_t{load<std::uint32_t>(begin)} << 32 | load<std::uint32_t>(end - 4);
    } else {
        for (const char c : text) halves[0] = (halves[0] << 8) | static_cast<unsigned char>(c);
    }
    return std::bit_cast<Block>(halves);
}

bool is_all_plain(std::string_view text) {
    if (text.size() < sizeof(Block)) return are_plain(block_of(text));
    for (std::size_t at = 0; at + sizeof(Block) <= text.size(); at += sizeof(Block)) {
        if (!are_plain(load<Block>(text.data() + at))) return false;
    }
    return are_plain(load<Block>(text.data() + text.size() - sizeof(Block)));
}

void append_escape(std::string& out, char c) {
    switch (c) {
        case '"':
            out += "\\\"";
            return;
        case '\\':
            out += "\\\\";
            return;
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
    }
}

void append_quoted(std::string& out, std::string_view text) {
    const std::size_t before = out.size();
    const std::size_t after = before + text.size() + 2;
    // The size that it tells may be larger than what was asked for.
    out.resize_and_overwrite(after, [&](char* all, std::size_t) {
        all[before] = '"';
        text.copy(all + before + 1, text.size());
        all[after - 1] = '"';
        return after;
    });
}

/// The length of the well-formed multi-byte character at the front, or 0.
std::size_t leading_character(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    return text.size() >= size && is_valid_utf8(text.substr(0, size)) ? size : 0;
}

void append_double(std::string& out, double number) {
    if (!std::isfinite(number)) {
        out += "null";
        return;
    }
    const std::size_t start = out.size();
    fmt::format_to(std::back_inserter(out), "{}", number);
    if (out.find_first_of(".e", start) == std::string::npos) out += ".0";
}

void append_array(std::string& out, const Array& array) {
    out += '[';
    for (bool first = true; const Value& element : array) {
        if (!std::exchange(first, false)) out += ',';
        append(out, element);
    }
    out += ']';
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
    if (is_all_plain(text)) return append_quoted(out, text);
    out += '"';
    while (!text.empty()) {
        const auto plain = std::ranges::find_if_not(text, is_plain) - text.begin();
        out += text.substr(0, static_cast<std::size_t>(plain));
        text.remove_prefix(static_cast<std::size_t>(plain));
        if (text.empty()) break;
        std::size_t taken = 1;
        if (needs_escape(text.front())) {
            append_escape(out, text.front());
        } else if (const std::size_t size = leading_character(text); size > 0) {
            out += text.substr(0, size);
            taken = size;
        } else {
            out += kReplacementCharacter;
        }
        text.remove_prefix(taken);
    }
    out += '"';
}

void append(std::string& out, const Object& object) {
    out += '{';
    for (bool first = true; const auto& member : object) {
        if (!std::exchange(first, false)) out += ',';
        append_string(out, member.key());
        out += ':';
        append(out, member.value());
    }
    out += '}';
}

void append(std::string& out, const Value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            out += "null";
            return;
        case boost::json::kind::bool_:
            out += value.get_bool() ? "true" : "false";
            return;
        case boost::json::kind::int64:
            fmt::format_to(std::back_inserter(out), "{}", value.get_int64());
            return;
        case boost::json::kind::uint64:
            fmt::format_to(std::back_inserter(out), "{}", value.get_uint64());
            return;
        case boost::json::kind::double_:
            append_double(out, value.get_double());
            return;
        case boost::json::kind::string:
            append_string(out, value.get_string().subview());
            return;
        case boost::json::kind::array:
            append_array(out, value.get_array());
            return;
        case boost::json::kind::object:
            append(out, value.get_object());
            return;
    }
}

std::string to_text(const Value& value) {
    std::string text;
    append(text, value);
    return text;
}

std::string to_text(const Object& object) {
    std::string text;
    append(text, object);
    return text;
}

}  // namespace muster::json
