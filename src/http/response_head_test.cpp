#include "http/response_head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::http {
namespace {

constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

Response response(int status, std::string_view type, std::string body) {
    Response made;
    made.status = status;
    made.content_type = type;
    made.body = std::move(body);
    return made;
}

TEST(ResponseHead, HasStatusDateTypeLengthAndHeaders) {
    Response ok = response(201, "application/scim+json", "{}");
    ok.headers.emplace_back("ETag", "W/\"7\"");
    std::string out = "left over";
    ASSERT_TRUE(write_head(out, ok, kDate, Ending::KeepAlive));
    EXPECT_EQ(out,
              "HTTP/1.1 201 Created\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
              "Content-Type: application/scim+json\r\nContent-Length: 2\r\nETag: W/\"7\"\r\n\r\n");
}

TEST(ResponseHead, SaysHowTheConnectionEnds) {
    std::string out;
    ASSERT_TRUE(write_head(out, response(404, "", ""), kDate, Ending::Close));
    EXPECT_THAT(out, testing::HasSubstr("\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    ASSERT_TRUE(write_head(out, response(404, "", ""), kDate, Ending::KeepAliveAloud));
    EXPECT_THAT(out, testing::HasSubstr("\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(ResponseHead, SaysHowTheEndOfALongBodyIsFound) {
    Response piece = response(200, "text/plain", "the beginning");
    piece.rest = [] -> Task<std::optional<Piece>> { co_return Piece{}; };
    std::string out;
    ASSERT_TRUE(write_head(out, piece, kDate, Ending::KeepAlive));
    EXPECT_THAT(out, testing::HasSubstr("\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_THAT(out, testing::Not(testing::HasSubstr("Content-Length")));
    ASSERT_TRUE(write_head(out, piece, kDate, Ending::EndsBody));
    EXPECT_THAT(out, testing::HasSubstr("\r\nConnection: close\r\n\r\n"));
    EXPECT_THAT(out, testing::Not(testing::HasSubstr("Transfer-Encoding")));
}

TEST(ResponseHead, GivesNoLengthWhereThereIsNoBody) {
    for (const int status : {204, 304}) {
        std::string out;
        ASSERT_TRUE(write_head(out, response(status, "", ""), kDate, Ending::KeepAlive));
        EXPECT_THAT(out, testing::Not(testing::HasSubstr("Content-Length"))) << status;
        EXPECT_FALSE(may_have_body(status));
    }
}

TEST(ResponseHead, RefusesHeadersThatWouldSplitTheAnswer) {
    for (const std::string& value : {std::string("a\r\nSet-Cookie: x"), std::string("a\nb"),
                                     std::string("a\0b", 3), std::string("\x7F")}) {
        Response bad = response(302, "", "");
        bad.headers.emplace_back("Location", value);
        std::string out;
        EXPECT_FALSE(write_head(out, bad, kDate, Ending::KeepAlive)) << value;
    }
}

TEST(DateCache, GivesAnImfFixdate) {
    DateCache dates;
    const std::string first(dates.now());
    EXPECT_THAT(first, testing::MatchesRegex(
                           "(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z][a-z] 20[0-9][0-9] "
                           "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT"));
}

}  // namespace
}  // namespace muster::http
