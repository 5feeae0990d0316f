#pragma once
// JSON at the edge: one strict reader with limits, over Boost.JSON values.

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/storage_ptr.hpp>
#include <boost/json/value.hpp>

namespace muster::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;
using String = boost::json::string;

struct Limits {
    std::size_t max_bytes = std::size_t{8} << 20;
    std::size_t max_depth = 32;
    std::size_t max_values = 500'000;  ///< scalars, keys and containers together
};

struct ParseError {
    enum class Kind : std::uint8_t { Syntax, TooLarge, TooDeep, TooMany, DuplicateKey, BadText };
    Kind kind = Kind::Syntax;
    std::size_t offset = 0;  ///< byte at which it was noticed
    std::string message;     ///< a sentence for a person; holds key names but never values
};

/// Reads exactly one JSON text (RFC 8259). Refuses: duplicate keys in one object, compared without
/// ASCII case (`active` and `Active` would be read differently by different parsers); U+0000 in
/// any string; invalid UTF-8, lone surrogates, a BOM, NaN, anything after the value; anything over
/// `limits`. Integers become int64 or, above its range, uint64; other numbers double, and those
/// beyond a double's range are refused. Memory is linear in the input and so is time, but for the
/// sorting of an object's names; depth is bounded before recursion.
[[nodiscard]] std::expected<Value, ParseError> parse(std::string_view text,
                                                     const Limits& limits = {},
                                                     boost::json::storage_ptr storage = {});

/// Compact JSON appended to `out`. Numbers keep the kind that they were read with.
void append(std::string& out, const Value& value);
void append(std::string& out, const Object& object);
/// A quoted, escaped JSON string appended to `out`. Invalid UTF-8 becomes U+FFFD.
void append_string(std::string& out, std::string_view text);

[[nodiscard]] std::string to_text(const Value& value);
[[nodiscard]] std::string to_text(const Object& object);

/// The member whose name equals `name` without ASCII case, or null. O(members).
[[nodiscard]] const Value* find_ignoring_case(const Object& object, std::string_view name);
[[nodiscard]] Value* find_ignoring_case(Object& object, std::string_view name);

/// The member as a string view, or empty where it is absent or no string.
[[nodiscard]] std::string_view string_or_empty(const Object& object, std::string_view name);

}  // namespace muster::json
