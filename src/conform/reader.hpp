#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "json/json.hpp"

namespace muster::conform {

/// An answer's body as an ordinary client reads it. Unlike json::parse it takes what RFC 8259 §4
/// and §9 leave to the reader: names that come twice, of which the last one counts, and U+0000. The
/// error is a sentence.
[[nodiscard]] std::expected<json::Value, std::string> read_body(std::string_view body);

}  // namespace muster::conform
