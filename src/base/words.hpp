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
            shortest_ = std::min(shortest_, word.size());
        }
        for (std::size_t word = 0; word < N; ++word) {
            for (std::size_t i = 0; i <= kAhead; ++i) begins_[word][i].fill(words[word][i]);
        }
    }

    /// Whether one of them stands in the text, be it within another word. O(text), about a byte a
    /// cycle.
    [[nodiscard]] bool any_in(std::string_view text) const {
        if (text.size() < shortest_) return false;
        if (text.size() < sizeof(std::uint32_t)) return begins_at(text);
        if (text.size() <= sizeof(Block)) {
            return begins_in(text, 0, beginnings_in(letters_of(text)));
        }
        std::size_t at = 0;
        for (; at + sizeof(Block) + kAhead <= text.size(); at += sizeof(Block)) {
            if (begins_in(text, at, beginnings_in(letters_at(text.data() + at)))) return true;
        }
        // Within the last kAhead bytes no word has room to begin.
        std::array<char, sizeof(Block) + kAhead> rest{};
        std::memcpy(rest.data(), text.data() + at, text.size() - at);
        return begins_in(text, at, beginnings_in(letters_at(rest.data())));
    }

  private:
    using Block [[gnu::vector_size(16)]] = unsigned char;
    static constexpr std::size_t kAhead = 2;

    [[nodiscard]] bool begins_at(std::string_view text) const {
        return std::ranges::any_of(words_, [text](std::string_view word) {
            return equals_ignoring_case(text.substr(0, word.size()), word);
        });
    }

    /// Whether a word begins at one of the sixteen places from `from` on that are not zero.
    [[nodiscard]] bool begins_in(std::string_view text, std::size_t from,
                                 const Block& places) const {
        const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(places);
        // Nearly always.
        if ((halves[0] | halves[1]) == 0) [[likely]]
            return false;
        return begins_at_one_of(text, from, halves);
    }

    /// Apart, so that the loop over a text stays short.
    [[gnu::noinline]] bool begins_at_one_of(std::string_view text, std::size_t from,
                                            const std::array<std::uint64_t, 2>& halves) const {
        for (std::uint64_t half : halves) {
            half &= 0x0101'0101'0101'0101;  // one bit a place
            for (; half != 0; half &= half - 1) {
                const auto place = from + static_cast<std::size_t>(std::countr_zero(half)) / 8;
                if (place < text.size() && begins_at(text.substr(place))) return true;
            }
            from += sizeof half;
        }
        return false;
    }

    /// Sixteen characters, each with those behind it in the next blocks.
    using Letters = std::array<Block, kAhead + 1>;

    /// Reads kAhead bytes behind the sixteen.
    [[nodiscard]] static Letters letters_at(const char* text) {
        Letters letters;
        for (std::size_t i = 0; i < letters.size(); ++i)
            std::memcpy(&letters[i], text + i, sizeof(Block));
        return letters;
    }

    /// Of four to sixteen characters, without a byte by byte copy: names are short.
    [[nodiscard]] static Letters letters_of(std::string_view text) {
        static_assert(std::endian::native == std::endian::little);
        const char* const begin = text.data();
        const char* const end = begin + text.size();
        std::uint64_t low = 0;
        std::uint64_t high = 0;
        if (text.size() > 8) {
            std::memcpy(&low, begin, 8);
            std::memcpy(&high, end - 8, 8);
            high >>= 8 * (sizeof(Block) - text.size());
        } else {
            std::uint32_t last = 0;
            std::memcpy(&low, begin, 4);
            std::memcpy(&last, end - 4, 4);
            low |= std::uint64_t{last} << (8 * (text.size() - 4));
        }
        Letters letters;
        for (Block& block : letters) {
            block = std::bit_cast<Block>(std::array{low, high});
            low = low >> 8 | high << 56;
            high >>= 8;
        }
        return letters;
    }

    /// All ones where a word's first letters stand, else zero. Ones also for characters that differ
    /// from letters by the bit of the case alone.
    [[nodiscard]] Block beginnings_in(Letters letters) const {
        for (Block& block : letters) block |= 0x20;
        decltype(letters[0] == letters[1]) found{};
        for (const auto& begin : begins_) {
            auto here = letters[0] == std::bit_cast<Block>(begin[0]);
            for (std::size_t i = 1; i < letters.size(); ++i)
                here &= letters[i] == std::bit_cast<Block>(begin[i]);
            found |= here;
        }
        return std::bit_cast<Block>(found);
    }

    std::array<std::string_view, N> words_;
    std::size_t shortest_ = sizeof(Block);
    /// The letters that a word begins with, each sixteen times.
    alignas(Block) std::array<std::array<std::array<char, sizeof(Block)>, kAhead + 1>, N> begins_{};
};

}  // namespace muster
