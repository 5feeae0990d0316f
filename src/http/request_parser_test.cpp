#include "http/request_parser.hpp"

#include <gtest/gtest.h>

namespace muster::http {
namespace {

using namespace std::string_literals;

constexpr std::size_t kMaxHeader = 16 * 1024;

ParseStatus parse(RequestParser& parser, std::string_view bytes, std::size_t step) {
    ParseStatus status = ParseStatus::NeedMore;
    // A fresh copy each time: positions must survive bytes that move.
    for (std::size_t size = std::min(step, bytes.size());;
         size = std::min(size + step, bytes.size())) {
        const std::string copy(bytes.substr(0, size));
        status = parser.parse_head(copy);
        if (status != ParseStatus::NeedMore || size == bytes.size()) return status;
    }
}

struct Parsed {
    std::string bytes;
    RequestParser parser{kMaxHeader};
    RequestHead head;
};

void parse_whole(Parsed& parsed, const std::string& bytes) {
    parsed.bytes = bytes;
    ASSERT_EQ(parse(parsed.parser, bytes, 7), ParseStatus::Done) << parsed.parser.failure().reason;
    parsed.parser.fill(parsed.head, parsed.bytes);
}

TEST(RequestParser, FillsTheHead) {
    const std::string bytes =
        "PATCH /scim/v2/Groups/1%2F2?attributes=id&x HTTP/1.1\r\nhost: example.com:8080\r\n"
        "AUTHORIZATION:  Bearer abc \r\nContent-Type: application/scim+json\r\n"
        "Accept: */*\r\nAccept: text/html\r\nUser-Agent: Okta SCIM Client 1.0.0\r\n"
        "If-Match: W/\"1\"\r\nIf-None-Match: *\r\nContent-Length: 5\r\nX-Empty:\r\n\r\nhello";
    Parsed parsed;
    parse_whole(parsed, bytes);
    const RequestHead& head = parsed.head;
    EXPECT_EQ(head.method, Method::Patch);
    EXPECT_EQ(head.method_text, "PATCH");
    EXPECT_EQ(head.target, "/scim/v2/Groups/1%2F2?attributes=id&x");
    EXPECT_EQ(head.path, "/scim/v2/Groups/1%2F2");
    EXPECT_EQ(head.query, "attributes=id&x");
    EXPECT_EQ(head.host, "example.com:8080");
    EXPECT_EQ(head.authorization, "Bearer abc");
    EXPECT_EQ(head.content_type, "application/scim+json");
    EXPECT_EQ(head.accept, "*/*");
    EXPECT_EQ(head.user_agent, "Okta SCIM Client 1.0.0");
    EXPECT_EQ(head.if_match, "W/\"1\"");
    EXPECT_EQ(head.if_none_match, "*");
    EXPECT_TRUE(head.has_body);
    EXPECT_EQ(parsed.parser.body_size(), 5U);
    EXPECT_EQ(parsed.parser.head_size(), bytes.size() - 5);
    EXPECT_TRUE(parsed.parser.keeps_alive());
}

TEST(RequestParser, AnEmptyConditionIsNotNone) {
    Parsed parsed;
    parse_whole(parsed, "GET / HTTP/1.1\r\nHost: h\r\nIf-Match:\r\n\r\n");
    EXPECT_EQ(parsed.head.if_match, ",");
    EXPECT_EQ(parsed.head.if_none_match, "");
}

TEST(RequestParser, TakesAbsoluteTargetsApart) {
    struct Case {
        std::string target, path, query, host;
    };
    for (const Case& c : {Case{"http://a.example:80/x?y=1", "/x", "y=1", "a.example:80"},
                          Case{"HTTPS://a.example", "/", "", "a.example"},
                          Case{"http://[::1]?q", "/", "q", "[::1]"}}) {
        Parsed parsed;
        parse_whole(parsed, "GET " + c.target + " HTTP/1.1\r\nHost: other\r\n\r\n");
        EXPECT_EQ(parsed.head.path, c.path) << c.target;
        EXPECT_EQ(parsed.head.query, c.query) << c.target;
        EXPECT_EQ(parsed.head.host, c.host) << c.target;
    }
}

TEST(RequestParser, IgnoresAFewEmptyLinesBeforeTheRequest) {
    const std::string request = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";
    for (const std::string lines : {"\r\n", "\r\n\r\n", "\r\n\r\n\r\n\r\n"}) {
        for (const std::size_t step : {1U, 3U, 100U}) {
            const std::string bytes = lines + request;
            RequestParser parser(kMaxHeader);
            ASSERT_EQ(parse(parser, bytes, step), ParseStatus::Done) << lines.size() << " " << step;
            RequestHead head;
            parser.fill(head, bytes);
            EXPECT_EQ(head.path, "/x");
            EXPECT_EQ(parser.head_size(), bytes.size());
        }
    }
    for (const std::string bytes : {"\r\n\r\n\r\n\r\n\r\n", "\r\n\r\r\n", "\r\n\n", "\n"}) {
        RequestParser parser(kMaxHeader);
        EXPECT_EQ(parse(parser, bytes + request, 100), ParseStatus::Failed) << bytes.size();
    }
}

TEST(RequestParser, KnowsWhetherTheConnectionStays) {
    struct Case {
        std::string request;
        bool stays;
    };
    for (const Case& c : {Case{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", true},
                          Case{"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", false},
                          Case{"GET / HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n", false},
                          Case{"GET / HTTP/1.0\r\n\r\n", false},
                          Case{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true}}) {
        Parsed parsed;
        parse_whole(parsed, c.request);
        EXPECT_EQ(parsed.parser.keeps_alive(), c.stays) << c.request;
    }
}

TEST(RequestParser, RefusesWhatTwoReadersCouldReadDifferently) {
    const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
    const std::string get = "GET / HTTP/1.1\r\nHost: h\r\n";
    const std::string cases[] = {
        // Framing
        post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
        post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        post + "Content-Length: 5, 5\r\n\r\n",
        post + "Content-Length: +5\r\n\r\n",
        post + "Content-Length: -5\r\n\r\n",
        post + "Content-Length: 5x\r\n\r\n",
        post + "Content-Length: 0x5\r\n\r\n",
        post + "Content-Length: 5 5\r\n\r\n",
        post + "Content-Length:\r\n\r\n",
        post + "Content-Length: 99999999999999999999\r\n\r\n",
        post + "Transfer-Encoding: gzip\r\n\r\n",
        post + "Transfer-Encoding: xchunked\r\n\r\n",
        post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
        post + "Transfer-Encoding: chunked, gzip\r\n\r\n",
        post + "Transfer-Encoding: chunked, chunked\r\n\r\n",
        post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        post + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n",
        post + "Transfer-Encoding: \"chunked\"\r\n\r\n",
        post + "Transfer-Encoding: \vchunked\r\n\r\n",
        post + "Transfer-Encoding : chunked\r\n\r\n",
        post + "Transfer-Encoding:\r\n chunked\r\n\r\n",
        post + "Transfer-Encoding\r\n: chunked\r\n\r\n",
        post + " Transfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        // Lines
        "GET / HTTP/1.1\nHost: h\n\n",
        "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n",
        get + "X: y\n\r\n",
        get + "X: y\rz\r\n\r\n",
        get + "X: folded\r\n value\r\n\r\n",
        get + "X:\r\n\tvalue\r\n\r\n",
        get + "X: a\0b\r\n\r\n"s,
        get + "X: a\x01\r\n\r\n",
        get + "X: a\x7F\r\n\r\n",
        get + "X\0: a\r\n\r\n"s,
        get + ": no name\r\n\r\n",
        get + "No colon\r\n\r\n",
        get + "Na me: x\r\n\r\n",
        // Who is meant
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        get + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
        get + "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n",
        get + "If-Match: \"1\"\r\nIf-Match: \"2\"\r\n\r\n",
        // Request lines
        "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: h\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: h\r\n\r\n",
        "GET / HTTP/0.9\r\nHost: h\r\n\r\n",
        "GET / http/1.1\r\nHost: h\r\n\r\n",
        "GET /\r\nHost: h\r\n\r\n",
        " GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a\0b HTTP/1.1\r\nHost: h\r\n\r\n"s,
        "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET a/b HTTP/1.1\r\nHost: h\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http:/h HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http:/// HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET http://user@h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"s,
    };
    for (const std::string& bytes : cases) {
        RequestParser parser(kMaxHeader);
        EXPECT_EQ(parse(parser, bytes, bytes.size()), ParseStatus::Failed) << bytes;
        EXPECT_EQ(parser.failure().status, 400) << bytes;
        EXPECT_NE(parser.failure().reason, "") << bytes;
        // However it is cut, it never becomes a request.
        RequestParser slow(kMaxHeader);
        EXPECT_NE(parse(slow, bytes, 1), ParseStatus::Done) << bytes;
    }
}

TEST(RequestParser, TakesTheAsteriskFromOptionsOnly) {
    Parsed parsed;
    parse_whole(parsed, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(parsed.head.method, Method::Options);
    EXPECT_EQ(parsed.head.path, "*");
}

TEST(RequestParser, NamesUnknownMethods) {
    Parsed parsed;
    parse_whole(parsed, "TRACE / HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_EQ(parsed.head.method, Method::Other);
    EXPECT_EQ(parsed.head.method_text, "TRACE");
}

TEST(RequestParser, TakesOneHundredHeadersAndNoMore) {
    std::string request = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 1; i < 100; ++i) request += "X-" + std::to_string(i) + ": 1\r\n";
    Parsed parsed;
    parse_whole(parsed, request + "\r\n");
    RequestParser parser(kMaxHeader);
    EXPECT_EQ(parse(parser, request + "X: 1\r\n\r\n", 9999), ParseStatus::Failed);
    EXPECT_EQ(parser.failure().status, 431);
}

struct Chunks {
    ParseStatus status = ParseStatus::NeedMore;
    std::string body;
    std::string rest;
    bool too_large = false;
};

Chunks parse_chunks(std::string_view bytes, std::size_t step, std::size_t limit = 100) {
    RequestParser parser(kMaxHeader);
    EXPECT_EQ(parse(parser, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", 99),
              ParseStatus::Done);
    EXPECT_TRUE(parser.has_chunked_body());
    Chunks chunks;
    std::string waiting;
    while (!bytes.empty() && chunks.status == ParseStatus::NeedMore) {
        waiting += bytes.substr(0, step);
        bytes.remove_prefix(std::min(step, bytes.size()));
        std::string_view view = waiting;
        chunks.status = parser.parse_chunks(view, limit, chunks.body);
        waiting = std::string(view);
    }
    chunks.rest = waiting + std::string(bytes);
    chunks.too_large = parser.body_too_large();
    return chunks;
}

TEST(RequestParser, JoinsChunksHoweverTheyArrive) {
    const std::string bytes =
        "5\r\nhello\r\n1;a=\"b;\"\r\n \r\n005\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\nGET /next";
    for (std::size_t step = 1; step <= bytes.size(); ++step) {
        const Chunks chunks = parse_chunks(bytes, step);
        EXPECT_EQ(chunks.status, ParseStatus::Done) << step;
        EXPECT_EQ(chunks.body, "hello world") << step;
        EXPECT_EQ(chunks.rest, "GET /next") << step;
    }
}

TEST(RequestParser, RefusesBrokenChunks) {
    for (const std::string& bytes :
         {"x\r\nhello"s, "-1\r\nh\r\n"s, "+5\r\nhello\r\n0\r\n\r\n"s, "0x5\r\nhello\r\n0\r\n\r\n"s,
          " 5\r\nhello\r\n0\r\n\r\n"s, "5 \r\nhello\r\n0\r\n\r\n"s, "5\nhello\n0\n\n\r\n"s,
          "5\r\nhelloX\r\n0\r\n\r\n"s, "5\r\nhello0\r\n\r\n"s, "5;\r\nhello\r\n0\r\n\r\n"s,
          "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n"s, "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"s,
          "5\rX\nhello\r\n0\r\n\r\n"s, "ffffffffffffffffff\r\nx"s,
          "0\r\nContent-Length: 5\r\n\r\n"s, "0\r\nTransfer-Encoding: chunked\r\n\r\n"s,
          "0\r\nbroken trailer\r\n\r\n"s}) {
        const Chunks chunks = parse_chunks(bytes, bytes.size());
        EXPECT_EQ(chunks.status, ParseStatus::Failed) << bytes;
        EXPECT_FALSE(chunks.too_large) << bytes;
        EXPECT_NE(parse_chunks(bytes, 1).status, ParseStatus::Done) << bytes;
    }
}

TEST(RequestParser, CountsChunksAgainstTheLimitBeforeTheyArrive) {
    EXPECT_EQ(parse_chunks("a\r\n0123456789\r\n0\r\n\r\n", 3, 10).status, ParseStatus::Done);
    for (const std::string& bytes :
         {"b\r\nhe"s, "6\r\nhello!\r\n5\r\n"s, "7fffffffffffffff\r\n"s}) {
        const Chunks chunks = parse_chunks(bytes, 1, 10);
        EXPECT_EQ(chunks.status, ParseStatus::Failed) << bytes;
        EXPECT_TRUE(chunks.too_large) << bytes;
    }
}

}  // namespace
}  // namespace muster::http
