#include "cli/terminal_text.hpp"

#include <algorithm>
#include <cstdint>

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

namespace muster::cli {

namespace {

/// Calls `visit` with each code point and its bytes; a malformed byte comes as a negative number.
template <class Visitor>
void for_each_character(std::string_view text, Visitor visit) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int64_t>(text.size());
    for (std::int64_t i = 0; i < size;) {
        const auto start = i;
        UChar32 character = 0;
        U8_NEXT(bytes, i, size, character);
        visit(character,
              text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(i - start)));
    }
}

bool steers_a_terminal(UChar32 c) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool line_separator = c == 0x2028 || c == 0x2029;
    return control || line_separator || u_hasBinaryProperty(c, UCHAR_BIDI_CONTROL) != 0;
}

/// What makes two names look the same. Joiners and variation selectors are part of scripts and
/// emoji.
bool is_invisible(UChar32 c) {
    const bool joins =
        c == 0x200C || c == 0x200D || u_hasBinaryProperty(c, UCHAR_VARIATION_SELECTOR) != 0;
    return !joins && u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}

bool is_escaped(UChar32 c) { return steers_a_terminal(c) || is_invisible(c); }

std::string escaped(UChar32 character, std::string_view bytes) {
    if (character == '\n') return "\\n";
    if (character == '\t') return "\\t";
    if (character >= 0) return fmt::format("\\u{{{:x}}}", character);
    std::string text;
    for (const char byte : bytes) {
        text += fmt::format("\\x{{{:02x}}}", static_cast<unsigned char>(byte));
    }
    return text;
}

std::size_t cells(UChar32 character) {
    switch (u_charType(character)) {
        case U_NON_SPACING_MARK:
        case U_ENCLOSING_MARK:
        case U_FORMAT_CHAR:
            return character == 0xAD ? 1 : 0;  // a terminal shows the soft hyphen
        default:
            break;
    }
    const auto width = u_getIntPropertyValue(character, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

std::size_t missing_cells(std::string_view text, std::size_t width) {
    const auto taken = display_width(text);
    return taken < width ? width - taken : 0;
}

}  // namespace

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for_each_character(text, [&](UChar32 character, std::string_view bytes) {
        if (character < 0 || is_escaped(character)) {
            result += escaped(character, bytes);
        } else {
            result += bytes;
        }
    });
    return result;
}

std::string printable_json(std::string_view json) {
    std::string result;
    result.reserve(json.size());
    for_each_character(json, [&](UChar32 character, std::string_view bytes) {
        // Below 0x20 there is only the line break between lines: inside strings JSON escapes them.
        if (character > 0xFFFF && is_escaped(character)) {
            result += fmt::format("\\u{:04x}\\u{:04x}", unsigned{U16_LEAD(character)},
                                  unsigned{U16_TRAIL(character)});
        } else if (character >= 0x20 && is_escaped(character)) {
            result += fmt::format("\\u{:04x}", character);
        } else {
            result += bytes;
        }
    });
    return result;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for_each_character(text, [&](UChar32 character, std::string_view) {
        width += character < 0 ? 1 : cells(character);
    });
    return width;
}

std::string pad_right(std::string text, std::size_t width) {
    text.append(missing_cells(text, width), ' ');
    return text;
}

std::string pad_left(std::string text, std::size_t width) {
    text.insert(0, missing_cells(text, width), ' ');
    return text;
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent) {
    std::string result;
    std::size_t column = indent;
    bool line_begins = true;
    while (!text.empty()) {
        if (text.starts_with("\n\n")) {
            text.remove_prefix(2);
            result.append("\n\n").append(indent, ' ');
            column = indent;
            line_begins = true;
            continue;
        }
        const auto end = std::min(text.find_first_of(" \n"), text.size());
        const auto word = text.substr(0, end);
        text.remove_prefix(end);
        if (!text.empty() && !text.starts_with("\n\n")) text.remove_prefix(1);
        if (word.empty()) continue;
        if (!line_begins && column + 1 + display_width(word) > width) {
            result.append("\n").append(indent, ' ');
            column = indent;
            line_begins = true;
        }
        if (!line_begins) {
            result.push_back(' ');
            ++column;
        }
        result += word;
        column += display_width(word);
        line_begins = false;
    }
    return result;
}

}  // namespace muster::cli
