#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/utf8.h>

#include "base/check.hpp"

namespace muster {

namespace {

bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

const icu::Normalizer2& nfkc_casefold() {
    static const icu::Normalizer2* instance = [] {
        UErrorCode status = U_ZERO_ERROR;
        const auto* normalizer = icu::Normalizer2::getNFKCCasefoldInstance(status);
        MUSTER_CHECK(U_SUCCESS(status));
        return normalizer;
    }();
    return *instance;
}

/// Calls `visit` with each code point, or a negative number for a malformed byte.
template <class Visitor>
void for_each_code_point(std::string_view text, Visitor visit) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto size = static_cast<std::int32_t>(text.size());
    for (std::int32_t i = 0; i < size;) {
        UChar32 c = 0;
        U8_NEXT(bytes, i, size, c);
        visit(c);
    }
}

bool is_forbidden(UChar32 c) {
    const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    const bool bidirectional = (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    const bool line_separator = c == 0x2028 || c == 0x2029;
    return c < 0 || control || bidirectional || line_separator;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string fold_case(std::string_view text) {
    std::string folded;
    if (is_ascii(text)) {
        folded.resize(text.size());
        std::ranges::transform(text, folded.begin(), lower_ascii);
        return folded;
    }
    if (!is_valid_utf8(text)) return std::string{text};
    folded.reserve(text.size());
    icu::StringByteSink<std::string> sink(&folded);
    UErrorCode status = U_ZERO_ERROR;
    nfkc_casefold().normalizeUTF8(
        0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())), sink, nullptr,
        status);
    MUSTER_CHECK(U_SUCCESS(status));
    return folded;
}

std::string fold_identifier(std::string_view text) {
    // Folding first turns every compatibility space into U+0020.
    const std::string folded = fold_case(text);
    return std::string{trim(folded, " \t\r\n")};
}

std::string_view trim(std::string_view text, std::string_view white_space) noexcept {
    const auto first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

std::string to_lower_ascii(std::string_view text) {
    std::string result{text};
    std::ranges::transform(result, result.begin(), lower_ascii);
    return result;
}

bool is_valid_utf8(std::string_view text) noexcept {
    if (is_ascii(text)) return true;
    bool valid = true;
    for_each_code_point(text, [&](UChar32 c) { valid = valid && c >= 0; });
    return valid;
}

std::string forbidden_in_identifier(std::string_view text) {
    std::string found;
    for_each_code_point(text, [&](UChar32 c) {
        if (found.empty() && is_forbidden(c)) found = fmt::format("U+{:04X}", c < 0 ? 0xFFFD : c);
    });
    return found;
}

std::string_view utf8_prefix(std::string_view text, std::size_t max_bytes) noexcept {
    if (text.size() <= max_bytes) return text;
    while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0U) == 0x80U)
        --max_bytes;
    return text.substr(0, max_bytes);
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        if (c == '%') {
            if (text.size() - i < 3) return std::nullopt;
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        if (c == '\0') return std::nullopt;
        decoded.push_back(c);
    }
    return decoded;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_previous(b.size() + 1);
    std::vector<std::size_t> previous(b.size() + 1);
    std::vector<std::size_t> current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t substitution = lower_ascii(a[i - 1]) == lower_ascii(b[j - 1]) ? 0 : 1;
            current[j] =
                std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + substitution});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                current[j] = std::min(current[j], before_previous[j - 2] + 1);
            }
        }
        std::swap(before_previous, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

}  // namespace muster
