#include "json/raw.hpp"

#include <algorithm>
#include <cstddef>

namespace muster::json {

namespace {

/// Behind the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
        if (text[at] == '\\') ++at;
    }
    return std::min(at + 1, text.size());
}

/// Behind the value that begins at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
    std::size_t depth = 0;
    while (at < text.size()) {
        const char c = text[at];
        if (c == '"') {
            at = end_of_string(text, at);
            if (depth == 0) return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']')) return at;
        if (c == '{' || c == '[') ++depth;
        if ((c == '}' || c == ']') && --depth == 0) return at + 1;
        ++at;
    }
    return text.size();
}

}  // namespace

std::optional<std::string_view> raw_member(std::string_view text, std::string_view name) {
    std::size_t at = 1;
    while (at < text.size() && text[at] == '"') {
        const std::size_t colon = end_of_string(text, at);
        const std::string_view key = text.substr(at, colon - at);
        const std::size_t begin = std::min(colon + 1, text.size());
        const std::size_t end = end_of_value(text, begin);
        if (key.size() == name.size() + 2 && key.substr(1, name.size()) == name) {
            return text.substr(begin, end - begin);
        }
        at = end + 1;
    }
    return std::nullopt;
}

}  // namespace muster::json
