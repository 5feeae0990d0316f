#include "base/words.hpp"

#include <string>

#include <gtest/gtest.h>

namespace muster {
namespace {

constexpr Words kWords(std::array<std::string_view, 3>{"password", "tok", "oxx["});

TEST(Words, AreFoundAtEachPlaceInEachCaseAndNowhereElse) {
    for (std::size_t size = 0; size < 50; ++size) {
        const std::string plain(size, 'p');
        EXPECT_FALSE(kWords.any_in(plain)) << size;
        for (const std::string word : {"password", "PassWord", "tok", "TOK", "Oxx["}) {
            for (std::size_t at = 0; at + word.size() <= size; ++at) {
                std::string text = plain;
                text.replace(at, word.size(), word);
                EXPECT_TRUE(kWords.any_in(text)) << text;
                // Cut short by the end it is none.
                EXPECT_FALSE(kWords.any_in(text.substr(0, at + word.size() - 1))) << text;
            }
        }
    }
}

TEST(Words, AreNotWhatDiffersByTheBitOfTheCaseAlone) {
    EXPECT_FALSE(kWords.any_in(std::string(20, '-') + "oxx{" + std::string(20, '-')));
    EXPECT_FALSE(kWords.any_in("0ASSWORD; 0assword; passwor\x04; passwor"));
}

}  // namespace
}  // namespace muster
