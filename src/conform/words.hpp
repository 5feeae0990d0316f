#pragma once
// Cutting text into pieces.

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace muster::conform {

inline std::string_view trim(std::string_view text) { return muster::trim(text, " \t\r\n"); }

/// Cuts the first word off `text`.
inline std::string_view take_word(std::string_view& text) {
    text = trim(text);
    const std::size_t end = text.find(' ');
    const std::string_view word = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : trim(text.substr(end));
    return word;
}

/// The pieces between separators, without the white space around them; none of an empty text.
inline std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> pieces;
    while (!trim(text).empty()) {
        const std::size_t end = text.find(separator);
        pieces.emplace_back(trim(text.substr(0, end)));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return pieces;
}

inline std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.push_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return lines;
}

/// Whether the whole of `text` is a number, which `number` is then.
template <class Number>
bool parse_number(std::string_view text, Number& number) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace muster::conform
