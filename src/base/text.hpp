#pragma once
// Comparison keys. Every path that compares names (uniqueness, filters, look-ups, group links) uses
// these functions, so that two spellings are the same everywhere or nowhere. Beside them UTF-8, URL
// escapes and typos.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace muster {

/// NFKC_Casefold (Unicode 15): the form in which values that are not caseExact are compared.
/// ASCII costs one pass; invalid UTF-8 is compared byte by byte.
[[nodiscard]] std::string fold_case(std::string_view text);

/// fold_case without surrounding white space: the key of userName, displayName and the like.
[[nodiscard]] std::string fold_identifier(std::string_view text);

[[nodiscard]] constexpr char lower_ascii(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}
/// ASCII only, for protocol tokens: attribute names, URNs, operators, header names.
[[nodiscard]] inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
    // Most that are equal are so as they are written, which is told many bytes at a time.
    return a.size() == b.size() &&
           (a == b || std::ranges::equal(a, b, {}, lower_ascii, lower_ascii));
}
[[nodiscard]] std::string to_lower_ascii(std::string_view text);

/// Without the white space around it: that of header fields, if no other is named.
[[nodiscard]] std::string_view trim(std::string_view text,
                                    std::string_view white_space = " \t") noexcept;

/// True for well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// The first control character, bidirectional override or other character that a name must not
/// hold, as "U+202E"; empty where there is none.
[[nodiscard]] std::string forbidden_in_identifier(std::string_view text);

/// The longest prefix of at most `max_bytes` that does not cut a UTF-8 character.
[[nodiscard]] std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept;

/// Decodes %XX once, and '+' as a space where it is one. Nothing for a broken escape or NUL.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text,
                                                        bool plus_is_space = false);

/// The candidate nearest to `word` if it is a likely typo of it, else empty.
template <class Range>
[[nodiscard]] std::string_view nearest(std::string_view word, const Range& candidates);

/// Damerau-Levenshtein distance (optimal string alignment), O(|a|·|b|).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Range>
std::string_view nearest(std::string_view word, const Range& candidates) {
    std::string_view best;
    std::size_t best_distance = word.size() / 3 + 2;
    for (std::string_view candidate : candidates) {
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

}  // namespace muster
