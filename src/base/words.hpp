#pragma once
// A look for a few words in a text, in one pass.

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/text.hpp"

namespace muster {

/// A few words that are looked for without ASCII case. In lower case; three letters come first.
template <std::size_t N>
class Words {
  public:
    explicit consteval Words(const std::array<std::string_view, N>& words) : words_(words) {
        const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
        for (const std::string_view word : words) {
            if (!std::ranges::all_of(word.substr(0, kAhead + 1), is_letter) ||
                word.size() <= kAhead)
                throw "a word begins otherwise";  // does not compile
        }
    }

    /// Whether one of them stands in the text, be it within another word. O(text), about a byte a
    /// cycle.
    [[nodiscard]] bool any_in(std::string_view text) const {
        std::size_t at = 0;
        for (; at + sizeof(Block) + kAhead <= text.size(); at += sizeof(Block)) {
            if (may_begin_in(text.data() + at) && begins_in(text, at, at + sizeof(Block)))
                return true;
        }
        // Within the last kAhead bytes no word has room to begin.
        std::array<char, sizeof(Block) + kAhead> rest{};
        std::memcpy(rest.data(), text.data() + at, text.size() - at);
        return may_begin_in(rest.data()) && begins_in(text, at, text.size());
    }

  private:
    using Block [[gnu::vector_size(16)]] = unsigned char;
    static constexpr std::size_t kAhead = 2;

    [[nodiscard]] bool begins_in(std::string_view text, std::size_t from, std::size_t to) const {
        for (; from < to; ++from) {
            const bool begins = std::ranges::any_of(words_, [&](std::string_view word) {
                return lower_ascii(text[from]) == word.front() &&
                       equals_ignoring_case(text.substr(from, word.size()), word);
            });
            if (begins) return true;
        }
        return false;
    }

    /// Whether a word's first letters stand at one of sixteen places. Yes also for characters that
    /// differ from letters by the bit of the case alone. Reads kAhead bytes more.
    [[nodiscard]] bool may_begin_in(const char* text) const {
        std::array<Block, kAhead + 1> letters;
        for (std::size_t i = 0; i < letters.size(); ++i) {
            std::memcpy(&letters[i], text + i, sizeof(Block));
            letters[i] |= 0x20;
        }
        decltype(letters[0] == letters[1]) found{};
        for (const std::string_view word : words_) {
            auto here = letters[0] == static_cast<unsigned char>(word[0]);
            for (std::size_t i = 1; i < letters.size(); ++i)
                here &= letters[i] == static_cast<unsigned char>(word[i]);
            found |= here;
        }
        const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(found);
        return (halves[0] | halves[1]) != 0;
    }

    std::array<std::string_view, N> words_;
};

}  // namespace muster
