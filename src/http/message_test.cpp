#include "http/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.hpp"

namespace muster::http {
namespace {

using testing::ElementsAre;
using testing::Optional;
using testing::Pair;
using namespace std::string_literals;

TEST(ParseQuery, SplitsPairsAndDecodesNamesAndValues) {
    EXPECT_THAT(
        parse_query("startIndex=1&filter=userName%20eq+%22a%2Bb%22"),
        Optional(ElementsAre(Pair("startIndex", "1"), Pair("filter", "userName eq \"a+b\""))));
    EXPECT_THAT(parse_query("a%3Db=c%26d=e"), Optional(ElementsAre(Pair("a=b", "c&d=e"))));
}

TEST(ParseQuery, KeepsOrderRepetitionAndEmptyValues) {
    EXPECT_THAT(parse_query("a=1&a=2&b&c=&=d"),
                Optional(ElementsAre(Pair("a", "1"), Pair("a", "2"), Pair("b", ""), Pair("c", ""),
                                     Pair("", "d"))));
}

TEST(ParseQuery, SkipsEmptyItems) {
    EXPECT_THAT(parse_query(""), Optional(ElementsAre()));
    EXPECT_THAT(parse_query("&&a=1&"), Optional(ElementsAre(Pair("a", "1"))));
}

TEST(ParseQuery, RefusesBrokenEscapesAndNul) {
    for (const std::string& query : {"a=%"s, "a=%4"s, "a=%4g"s, "%zz=1"s, "a=1&b=%"s, "a=%00"s,
                                     "%00=1"s, "a=\0b"s, "a=%+1"s}) {
        EXPECT_EQ(parse_query(query), std::nullopt) << query;
    }
}

TEST(ParseQuery, TakesSixtyFourPairsAndNoMore) {
    std::string query = "p=0";
    for (int i = 1; i < 64; ++i) query += "&p=" + std::to_string(i);
    ASSERT_TRUE(parse_query(query));
    EXPECT_EQ(parse_query(query)->size(), 64U);
    EXPECT_EQ(parse_query(query + "&"), parse_query(query));
    EXPECT_EQ(parse_query(query + "&p=64"), std::nullopt);
}

TEST(PercentEncode, LeavesOnlyUnreservedCharacters) {
    EXPECT_EQ(percent_encode("AZaz09-._~"), "AZaz09-._~");
    EXPECT_EQ(percent_encode("a b/c+ä"), "a%20b%2Fc%2B%C3%A4");
    EXPECT_EQ(percent_encode("\0\x7F"s), "%00%7F");
}

TEST(PercentEncode, IsUndoneByPercentDecodeForEveryByteButNul) {
    std::string bytes;
    for (int byte = 1; byte < 256; ++byte) bytes.push_back(static_cast<char>(byte));
    EXPECT_THAT(muster::percent_decode(percent_encode(bytes)), Optional(bytes));
}

TEST(Method, HasItsNameOnTheWire) {
    EXPECT_EQ(to_string(Method::Patch), "PATCH");
    EXPECT_EQ(to_string(Method::Options), "OPTIONS");
    EXPECT_EQ(to_string(Method::Other), "");
}

}  // namespace
}  // namespace muster::http
