#include "auth/token.hpp"

#include <gtest/gtest.h>

namespace muster::auth {
namespace {

const std::string kId = new_token_id("abcdefgh23");

TEST(Token, HasAFormThatScannersKnow) {
    const auto token = new_token(kId);
    const std::string text{token.reveal()};
    EXPECT_EQ(text.size(), 4 + 15 + 1 + 43 + 6U);
    const auto parsed = parse_token(text);
    EXPECT_EQ(parsed.defect, Defect::None);
    EXPECT_EQ(parsed.id, kId);
    EXPECT_EQ(secret_part(text).size(), 49U);
}

TEST(Token, EverySingleCharacterTypoIsCaught) {
    const auto token = new_token(kId);
    const std::string text{token.reveal()};
    for (std::size_t i = 0; i < text.size(); ++i) {
        for (char c : std::string{"aZ9_x"}) {
            auto typo = text;
            if (typo[i] == c) continue;
            typo[i] = c;
            EXPECT_NE(parse_token(typo).defect, Defect::None) << i << c;
        }
        auto shorter = text;
        shorter.erase(i, 1);
        EXPECT_NE(parse_token(shorter).defect, Defect::None) << i;
    }
}

TEST(Token, WhatIsNoTokenIsToldApart) {
    for (const char* other : {"", "non-token", "eyJhbGciOi.eyJz.abc", "ghp_abcdef"}) {
        EXPECT_EQ(parse_token(other).defect, Defect::NotAToken) << other;
    }
    EXPECT_EQ(parse_token("mst_cut").defect, Defect::BadChecksum);
}

TEST(Authorization, TakesTheThreeWaysThatOktaOffers) {
    const auto token = new_token(kId);
    const std::string text{token.reveal()};
    for (const auto& header : {"Bearer " + text, "bearer  " + text, "BEARER " + text + " "}) {
        const auto credential = parse_authorization(header);
        ASSERT_TRUE(credential) << header;
        EXPECT_EQ(credential->token.reveal(), text);
        EXPECT_EQ(credential->kind, store::TokenKind::Bearer);
        EXPECT_FALSE(credential->bare);
    }
    const auto bare = parse_authorization(text);
    ASSERT_TRUE(bare);
    EXPECT_TRUE(bare->bare);
    EXPECT_EQ(bare->token.reveal(), text);

    const auto basic =
        parse_authorization("Basic " + to_base64(kId + ":" + std::string{secret_part(text)}));
    ASSERT_TRUE(basic);
    EXPECT_EQ(basic->kind, store::TokenKind::Basic);
    EXPECT_EQ(basic->token.reveal(), text);
}

TEST(Authorization, RefusesEverythingElse) {
    for (const char* header : {"", "   ", "Digest username=x", "Basic !!!", "Basic Zg==", "Bearer",
                               "Negotiate abc def"}) {
        const auto credential = parse_authorization(header);
        if (credential) EXPECT_NE(parse_token(credential->token.reveal()).defect, Defect::None);
    }
}

}  // namespace
}  // namespace muster::auth
