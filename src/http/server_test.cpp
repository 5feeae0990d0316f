#include "http/server.hpp"

#include <atomic>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_support.hpp"
#include "net/http_client.hpp"

namespace muster::http {
namespace {

using namespace http::testing;
using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

net::HttpClient client_of(const TestServer& server) {
    return net::HttpClient(
        net::Url{.tls = false, .host = "127.0.0.1", .port = server.server.port(), .path = {}});
}

TEST(Server, GivesTheHandlerTheWholeRequest) {
    TestServer server;
    net::HttpClient client = client_of(server);
    const auto answer = client.send({.method = "POST",
                                     .target = "/echo?a=%20b",
                                     .headers = {{"User-Agent", "test"}},
                                     .body = "hello"});
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST\n/echo\na=%20b\ntest\n127.0.0.1\nhello");
    EXPECT_EQ(answer->header("content-type"), "text/plain");
    EXPECT_NE(answer->header("Date"), "");
}

TEST(Server, KeepsAConnectionForManyRequests) {
    TestServer server;
    net::HttpClient client = client_of(server);
    for (int i = 0; i < 50; ++i) {
        const auto answer = client.send({.method = "POST",
                                         .target = "/size",
                                         .headers = {},
                                         .body = std::string(static_cast<std::size_t>(i), 'x')});
        ASSERT_TRUE(answer) << answer.error();
        EXPECT_EQ(answer->body, std::to_string(i));
    }
    const Figures figures = server.server.figures();
    EXPECT_EQ(figures.connections_total, 1U);
    EXPECT_EQ(figures.connections_open, 1U);
    EXPECT_EQ(figures.requests_total, 50U);
    EXPECT_EQ(figures.malformed_total, 0U);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    TestServer server;
    RawClient client(server.server.port());
    std::string requests = get("/slow?30") + post("/size", "four");
    requests +=
        "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n0\r\n\r\n";
    requests += get("/echo?last");
    ASSERT_TRUE(client.send(requests));
    EXPECT_THAT(client.read_answer(), HasSubstr("GET\n/slow\n30\n"));
    EXPECT_EQ(body_of(client.read_answer()), "4");
    EXPECT_EQ(body_of(client.read_answer()), "3");
    EXPECT_THAT(client.read_answer(), HasSubstr("GET\n/echo\nlast\n"));
}

TEST(Server, KeepsWhatFollowsAChunkedBodyThatArrivesInPieces) {
    TestServer server;
    RawClient client(server.server.port());
    const std::string bytes =
        "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n" +
        get("/echo?next");
    for (std::size_t at = 0; at < bytes.size(); at += 9) {
        ASSERT_TRUE(client.send(std::string_view(bytes).substr(at, 9)));
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(body_of(client.read_answer()), "10");
    EXPECT_THAT(client.read_answer(), HasSubstr("GET\n/echo\nnext\n"));
}

TEST(Server, ServesManyPipelinedRequestsThatExceedTheBuffer) {
    TestServer server;
    RawClient client(server.server.port());
    std::string requests;
    for (int i = 0; i < 2000; ++i) requests += post("/size", std::string(17, 'x'));
    std::thread sender([&] { client.send(requests); });
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(body_of(client.read_answer()), "17") << i;
    sender.join();
}

TEST(Server, SendsNoBodyForHead) {
    TestServer server;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send("HEAD /big?1000 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo")));
    const std::string head = client.read_answer(false);
    EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 1000\r\n"));
    EXPECT_THAT(head, EndsWith("\r\n\r\n"));
    EXPECT_THAT(client.read_answer(), HasSubstr("GET\n/echo\n"));
}

TEST(Server, SendsNeitherBodyNorLengthFor204) {
    TestServer server;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send(get("/empty") + get("/echo")));
    EXPECT_THAT(client.read_answer(), Not(HasSubstr("Content-Length")));
    EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST(Server, TakesAndGivesLargeBodies) {
    TestServer server;
    net::HttpClient client = client_of(server);
    const std::string body(TestHandler::kBodyLimit, 'y');
    const auto size =
        client.send({.method = "POST", .target = "/size", .headers = {}, .body = body});
    ASSERT_TRUE(size) << size.error();
    EXPECT_EQ(size->body, std::to_string(body.size()));
    const auto big = client.send({.target = "/big?20000000"});
    ASSERT_TRUE(big) << big.error();
    EXPECT_EQ(big->body.size(), 20'000'000U);
    EXPECT_EQ(server.server.figures().connections_total, 1U);
}

TEST(Server, SendsABodyPieceByPiece) {
    TestServer server;
    net::HttpClient client = client_of(server);
    for (const std::size_t size :
         {std::size_t{1}, TestHandler::kPiece, 10 * TestHandler::kPiece + 5}) {
        const auto answer = client.send({.target = "/pieces?" + std::to_string(size)});
        ASSERT_TRUE(answer) << answer.error();
        EXPECT_EQ(answer->header("Transfer-Encoding"), "chunked");
        EXPECT_EQ(answer->header("Content-Length"), "");
        EXPECT_EQ(answer->body, std::string(size, 'x'));
    }
    EXPECT_EQ(server.server.figures().connections_total, 1U);
}

TEST(Server, MakesNoPieceBeforeTheClientHasTakenTheOnesBefore) {
    TestServer server;
    constexpr std::size_t kPieces = 1000;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send(
        get("/pieces?" + std::to_string(kPieces * TestHandler::kPiece), "Connection: close\r\n")));
    // What the sockets' buffers take, and no more.
    std::size_t made = 0;
    do {
        made = server.handler.pieces;
        std::this_thread::sleep_for(200ms);
    } while (made != server.handler.pieces);
    EXPECT_LT(made, kPieces / 2);
    EXPECT_GT(client.read_to_end().size(), kPieces * TestHandler::kPiece);
}

TEST(Server, EndsABodyOfUnknownLengthForAnHttp10ClientWithTheConnection) {
    TestServer server;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send("GET /pieces?200000 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
    const std::string answer = client.read_to_end();
    EXPECT_THAT(answer, Not(HasSubstr("Transfer-Encoding")));
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_EQ(body_of(answer), std::string(200'000, 'x'));
}

TEST(Server, BreaksOffABodyThatCannotBeFinished) {
    TestServer server;
    for (const auto& [target, body] : {std::pair{"/broken", "5\r\nfirst\r\n6\r\nsecond\r\n"},
                                       std::pair{"/throw-later", "5\r\nfirst\r\n"}}) {
        RawClient client(server.server.port());
        ASSERT_TRUE(client.send(get(target) + get("/echo")));
        EXPECT_EQ(body_of(client.read_to_end()), body) << "no end, and nothing behind it";
    }
    EXPECT_EQ(server.handler.failed, 1) << "what was thrown is reported";
}

TEST(Server, SendsNoPiecesForHead) {
    TestServer server;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send("HEAD /pieces?200000 HTTP/1.1\r\nHost: h\r\n\r\n" + get("/echo")));
    EXPECT_THAT(client.read_answer(false), EndsWith("\r\nTransfer-Encoding: chunked\r\n\r\n"));
    EXPECT_THAT(client.read_answer(), HasSubstr("GET\n/echo\n"));
    EXPECT_EQ(server.handler.pieces, 1U);
}

TEST(Server, ClosesAfterTheAnswerWhereTheClientOrTheHandlerAsksForIt) {
    TestServer server;
    for (const std::string& request : {get("/echo", "Connection: close\r\n"), get("/bye"),
                                       std::string("GET /echo HTTP/1.0\r\n\r\n")}) {
        RawClient client(server.server.port());
        ASSERT_TRUE(client.send(request));
        const std::string answer = client.read_to_end();
        EXPECT_EQ(status_of(answer), 200) << request;
        EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << request;
    }
}

TEST(Server, KeepsAnHttp10ConnectionOnRequestAndSaysSo) {
    TestServer server;
    RawClient client(server.server.port());
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(client.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        EXPECT_THAT(client.read_answer(), HasSubstr("\r\nConnection: keep-alive\r\n"));
    }
}

TEST(Server, AnswersExpectContinueAfterAdmission) {
    TestServer server;
    const std::string expect = "Expect: 100-continue\r\n";
    RawClient client(server.server.port());
    ASSERT_TRUE(
        client.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" + expect + "\r\n"));
    EXPECT_EQ(client.read_answer(), "HTTP/1.1 100 Continue\r\n\r\n");
    ASSERT_TRUE(client.send("abc"));
    EXPECT_EQ(body_of(client.read_answer()), "3");
    // The body is there already: no interim answer.
    ASSERT_TRUE(client.send(post("/size", "ab", expect)));
    EXPECT_EQ(body_of(client.read_answer()), "2");

    RawClient refused(server.server.port());
    ASSERT_TRUE(refused.send("POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n" + expect +
                             "\r\n"));
    EXPECT_EQ(status_of(refused.read_to_end()), 401);
    RawClient large(server.server.port());
    ASSERT_TRUE(large.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n" +
                           expect + "\r\n"));
    EXPECT_EQ(status_of(large.read_to_end()), 413);
}

TEST(Server, LetsTheClientReadARefusalWhoseBodyStaysUnread) {
    TestServer server;
    net::HttpClient client = client_of(server);
    const std::string body(8'000'000, 'z');
    const auto refused =
        client.send({.method = "POST", .target = "/refuse", .headers = {}, .body = body});
    ASSERT_TRUE(refused) << refused.error();
    EXPECT_EQ(refused->status, 401);
    EXPECT_EQ(refused->header("Connection"), "close");
    const auto large =
        client.send({.method = "POST", .target = "/size", .headers = {}, .body = body});
    ASSERT_TRUE(large) << large.error();
    EXPECT_EQ(large->status, 413);
    EXPECT_EQ(large->body, "too large");
}

TEST(Server, KeepsTheConnectionOfARefusalWhoseBodyHasArrived) {
    TestServer server;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send(post("/refuse", "small") + get("/refuse") + get("/echo")));
    EXPECT_EQ(body_of(client.read_answer()), "who are you?");
    EXPECT_EQ(status_of(client.read_answer()), 401);
    EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST(Server, AnswersForAHandlerThatThrows) {
    TestServer server;
    RawClient client(server.server.port());
    for (const char* target : {"/throw", "/throw-in-admit"}) {
        ASSERT_TRUE(client.send(get(target)));
        const std::string answer = client.read_answer();
        EXPECT_EQ(status_of(answer), 500) << target;
        EXPECT_EQ(body_of(answer), "failed") << target;
    }
    ASSERT_TRUE(client.send(get("/echo")));
    EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST(Server, NeverSendsAHeaderThatWouldSplitTheAnswer) {
    TestServer server;
    RawClient client(server.server.port());
    ASSERT_TRUE(client.send(get("/bad-header")));
    const std::string answer = client.read_to_end();
    EXPECT_EQ(status_of(answer), 500);
    EXPECT_THAT(answer, Not(HasSubstr("Injected")));
}

TEST(Server, SpreadsConnectionsOverItsThreads) {
    TestServer server(Options{.threads = 3});
    std::vector<RawClient> clients;
    for (int i = 0; i < 9; ++i) {
        clients.emplace_back(server.server.port());
        ASSERT_TRUE(clients.back().send(get("/slow?50")));
    }
    for (RawClient& client : clients) EXPECT_EQ(status_of(client.read_answer()), 200);
    EXPECT_EQ(server.server.figures().requests_total, 9U);
}

TEST(Server, NamesTheAddressThatItCannotBind) {
    TestServer server;
    TestHandler handler;
    try {
        const Server second(Options{.port = server.server.port()}, handler);
        FAIL() << "two servers on one port";
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
        EXPECT_THAT(error.what(), HasSubstr("127.0.0.1:" + std::to_string(server.server.port())));
    }
    EXPECT_THROW(Server(Options{.address = "256.1.1.1", .port = 0}, handler), std::system_error);
}

TEST(Server, RunsPostedTasksUntilItStops) {
    std::atomic<int> rounds{0};
    std::atomic<bool> ended{false};
    std::promise<void> ran;
    {
        TestServer server;
        server.server.post([&]() -> Task<void> {
            struct AtEnd {
                std::atomic<bool>& flag;
                ~AtEnd() { flag = true; }
            } at_end{ended};
            auto executor = co_await boost::asio::this_coro::executor;
            boost::asio::steady_timer timer(executor);
            for (;;) {
                if (++rounds == 3) ran.set_value();
                timer.expires_after(1ms);
                co_await timer.async_wait(boost::asio::use_awaitable);
            }
        });
        ASSERT_EQ(ran.get_future().wait_for(10s), std::future_status::ready);
        EXPECT_FALSE(ended);
    }
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace muster::http
