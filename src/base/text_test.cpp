#include "base/text.hpp"

#include <array>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace muster {
namespace {

using namespace std::string_literals;

TEST(FoldIdentifier, MakesOneKeyOfAllSpellings) {
    const std::string key = fold_identifier("alice");
    for (const char* same :
         {"Alice", "ALICE", " alice ", "alice\u200b", "ＡＬＩＣＥ", "\talice\n"}) {
        EXPECT_EQ(fold_identifier(same), key) << same;
    }
    EXPECT_EQ(fold_identifier("\u212Aelvin"), fold_identifier("kelvin")) << "Kelvin sign";
    EXPECT_EQ(fold_identifier("stra\u00dfe"), fold_identifier("STRASSE"));
    EXPECT_EQ(fold_identifier("e\u0301"), fold_identifier("\u00e9")) << "NFD and NFC";
    EXPECT_NE(fold_identifier("\u0131"), fold_identifier("i"))
        << "dotless i is a letter of its own";
    EXPECT_NE(fold_identifier("alice"), fold_identifier("al ice"));
    EXPECT_EQ(fold_identifier("   "), "");
}

TEST(FoldCase, KeepsBrokenUtf8AsItIs) {
    EXPECT_EQ(fold_case("A\xff"), "A\xff");
    EXPECT_EQ(fold_case("Ab"), "ab");
}

TEST(ForbiddenInIdentifier, NamesTheCharacter) {
    EXPECT_EQ(forbidden_in_identifier("plain"), "");
    EXPECT_EQ(forbidden_in_identifier("né"), "");
    EXPECT_EQ(forbidden_in_identifier(std::string_view{"a\0b", 3}), "U+0000");
    EXPECT_EQ(forbidden_in_identifier("a\u202eb"), "U+202E");
    EXPECT_EQ(forbidden_in_identifier("a\nb"), "U+000A");
    EXPECT_EQ(forbidden_in_identifier("a\xc3"), "U+FFFD");
}

TEST(Utf8, TellsWellFormedFromBroken) {
    EXPECT_TRUE(is_valid_utf8("né 漢 \U0001F600"));
    for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xc0\x80", "\xf5\x80\x80\x80"}) {
        EXPECT_FALSE(is_valid_utf8(bad));
    }
}

TEST(Utf8Prefix, NeverCutsACharacter) {
    EXPECT_EQ(utf8_prefix("aé", 2), "a");
    EXPECT_EQ(utf8_prefix("aé", 3), "aé");
    EXPECT_EQ(utf8_prefix("abc", 2), "ab");
}

TEST(Trim, TakesWhiteSpaceOffBothEnds) {
    EXPECT_EQ(trim(" \t a b\t"), "a b");
    EXPECT_EQ(trim("a\n"), "a\n");
    EXPECT_EQ(trim("\r\na\n", " \r\n"), "a");
    EXPECT_EQ(trim(" \t"), "");
    EXPECT_EQ(trim(""), "");
}

TEST(EqualsIgnoringCase, IsAsciisAlone) {
    EXPECT_TRUE(equals_ignoring_case("userName", "USERname"));
    EXPECT_TRUE(equals_ignoring_case("userName", "userName"));
    EXPECT_TRUE(equals_ignoring_case("", ""));
    EXPECT_FALSE(equals_ignoring_case("userName", "userNam"));
    EXPECT_FALSE(equals_ignoring_case("ä", "Ä"));
    EXPECT_FALSE(equals_ignoring_case("[", "{"));
}

TEST(PercentDecode, DecodesOnce) {
    EXPECT_EQ(percent_decode("a%2Fb%2fc+d"), "a/b/c+d");
    EXPECT_EQ(percent_decode("a+b%2Bc", true), "a b+c");
    EXPECT_EQ(percent_decode("%2541"), "%41");
    EXPECT_EQ(percent_decode("%C3%A4"), "ä");
    EXPECT_EQ(percent_decode("%FF"), "\xFF");
    EXPECT_EQ(percent_decode(""), "");
}

TEST(PercentDecode, RefusesBrokenEscapesAndNul) {
    for (const std::string& text : {"%"s, "a%2"s, "%2x"s, "%x2"s, "%%41"s, "%-1"s, "%00"s, "\0"s}) {
        EXPECT_EQ(percent_decode(text), std::nullopt) << text;
    }
}

TEST(Nearest, FindsTyposAndOnlyThose) {
    constexpr std::array<std::string_view, 3> kWords{"userName", "displayName", "active"};
    EXPECT_EQ(nearest("usernmae", kWords), "userName");
    EXPECT_EQ(nearest("actve", kWords), "active");
    EXPECT_EQ(nearest("zzzzzz", kWords), "");
    EXPECT_EQ(edit_distance("ab", "ba"), 1U);
}

}  // namespace
}  // namespace muster
