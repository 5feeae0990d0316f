#include "scim/filter/lexer.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::scim {
namespace {

using testing::ElementsAre;
using Kind = Token::Kind;

std::vector<std::string> texts(std::string_view filter) {
    Lexer lexer(filter);
    std::vector<std::string> result;
    for (Token token = lexer.next(); token.kind != Kind::End; token = lexer.next()) {
        result.emplace_back(token.text);
    }
    return result;
}

TEST(FilterLexer, SplitsAtSpaceBracketsAndQuotationMarks) {
    EXPECT_THAT(texts(R"(a[b eq"c d"].e  gt	1 and(not (f pr)))"),
                ElementsAre("a", "[", "b", "eq", "\"c d\"", "]", ".e", "gt", "1", "and", "(", "not",
                            "(", "f", "pr", ")", ")"));
}

TEST(FilterLexer, KeepsUrnsDatesAndAddressesWhole) {
    EXPECT_THAT(texts("urn:ietf:2.0:User:emails.value 2015-10-10T14:38:21.86-07:00 bob@x.org $ref"),
                ElementsAre("urn:ietf:2.0:User:emails.value", "2015-10-10T14:38:21.86-07:00",
                            "bob@x.org", "$ref"));
}

TEST(FilterLexer, StepsOverEscapesInStrings) {
    EXPECT_THAT(texts(R"("a\"b" "\\" "]")"), ElementsAre(R"("a\"b")", R"("\\")", R"("]")"));
}

TEST(FilterLexer, TellsAStringWithoutEnd) {
    for (std::string_view text : {"\"", "\"abc", "\"abc\\", "\"abc\\\""}) {
        Lexer lexer(text);
        const Token token = lexer.next();
        EXPECT_EQ(token.kind, Kind::Unterminated) << text;
        EXPECT_EQ(token.text, text);
        EXPECT_EQ(lexer.next().kind, Kind::End);
    }
}

TEST(FilterLexer, CountsOffsetsAndEndsForEver) {
    Lexer lexer("  ab ]x", 1);
    EXPECT_EQ(lexer.next().offset, 2U);
    EXPECT_EQ(lexer.next().kind, Kind::CloseBracket);
    EXPECT_EQ(lexer.rest(), "x");
    EXPECT_EQ(lexer.next().text, "x");
    EXPECT_EQ(lexer.next().kind, Kind::End);
    EXPECT_EQ(lexer.next().kind, Kind::End);
    EXPECT_EQ(lexer.rest(), "");
}

}  // namespace
}  // namespace muster::scim
