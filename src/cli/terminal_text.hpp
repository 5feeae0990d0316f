#pragma once
// Text that is safe and aligned on a terminal.

#include <cstddef>
#include <string>
#include <string_view>

namespace muster::cli {

/// `text` without anything that could steer a terminal or disguise itself: control characters (C0,
/// DEL, C1), bidirectional overrides, line separators and bytes that are no UTF-8 become \n, \t,
/// \u{1b}, \x{ff}. Idempotent on printable text.
[[nodiscard]] std::string printable(std::string_view text);

/// JSON text with the same characters, which JSON lets stand in strings, written as \uXXXX. The
/// value stays the same.
[[nodiscard]] std::string printable_json(std::string_view json);

/// Terminal cells that well-formed text occupies: 0 for combining and format characters, 2 for wide
/// ones (UAX #11), else 1. Emoji sequences count by their parts.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// `text` filled with blanks up to `width` cells; never cut.
[[nodiscard]] std::string pad_right(std::string text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string text, std::size_t width);

/// The words of `text` in lines of at most `width` cells, each line but the first begun with
/// `indent` blanks; a longer word has its line for itself. A blank line stays a blank line. Ends
/// without a line break.
[[nodiscard]] std::string wrap(std::string_view text, std::size_t width, std::size_t indent);

}  // namespace muster::cli
