// Clients that are slow, lie, smuggle or come in crowds.

#include <algorithm>
#include <array>
#include <chrono>
#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/memory_room.hpp"
#include "http/test_support.hpp"

namespace muster::http {
namespace {

using namespace http::testing;
using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::HasSubstr;
using ::testing::Not;

Options with(Limits limits) { return {.limits = limits}; }

/// Sets the soft limit of open descriptors while it lives.
class DescriptorLimit {
  public:
    explicit DescriptorLimit(rlim_t wanted) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const rlimit changed{.rlim_cur = wanted, .rlim_max = before_.rlim_max};
        set_ = ::setrlimit(RLIMIT_NOFILE, &changed) == 0;
    }
    ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    DescriptorLimit(const DescriptorLimit&) = delete;
    DescriptorLimit& operator=(const DescriptorLimit&) = delete;

    [[nodiscard]] bool set() const { return set_; }

  private:
    rlimit before_{};
    bool set_ = false;
};

TEST(ServerLimits, EndTheConnectionAfterAFramingError) {
    TestServer server;
    const std::string smuggled = get("/echo?smuggled");
    const std::string cases[] = {
        "POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: "
        "chunked\r\n\r\n0\r\n\r\n",
        "POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n",
        "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n",
        "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: +0\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        "GET /echo HTTP/1.1\r\n\r\n",
        "GET /echo HTTP/1.1\nHost: h\n\n",
        "GET /echo HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n",
        "GET /echo HTTP/1.1\r\nHost: h\r\nX: \0\r\n\r\n"s,
    };
    for (const std::string& bytes : cases) {
        RawClient client(server.server.port());
        client.send(bytes + smuggled);
        const std::string answer = client.read_to_end();
        EXPECT_EQ(status_of(answer), 400) << bytes;
        EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n")) << bytes;
        EXPECT_THAT(answer, Not(HasSubstr("smuggled"))) << bytes;
    }
    EXPECT_EQ(server.server.figures().malformed_total, std::size(cases));
    EXPECT_EQ(server.server.figures().requests_total, 0U);
}

TEST(ServerLimits, EndTheConnectionAfterABrokenBody) {
    TestServer server;
    const std::string head = "POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& chunks :
         {std::string("x\r\nhello"), std::string("5\r\nhelloworld\r\n0\r\n\r\n"),
          std::string("5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n"),
          "5;a=" + std::string(20'000, 'b') + "\r\nhello\r\n0\r\n\r\n"}) {
        RawClient client(server.server.port());
        client.send(head + chunks + get("/echo?smuggled"));
        const std::string answer = client.read_to_end();
        EXPECT_EQ(status_of(answer), 400) << chunks.substr(0, 50);
        EXPECT_EQ(body_of(answer), "malformed") << chunks.substr(0, 50);
    }
}

TEST(ServerLimits, AnswerAContentLengthThatTheBodyDoesNotReach) {
    TestServer server;
    RawClient client(server.server.port());
    client.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this");
    client.finish_sending();
    const std::string answer = client.read_to_end();
    EXPECT_EQ(status_of(answer), 400);
    EXPECT_EQ(body_of(answer), "malformed");
}

TEST(ServerLimits, RefuseBodiesAboveTheLimitOfTheRequest) {
    TestServer server;
    const std::string limit = std::to_string(TestHandler::kBodyLimit + 1);
    RawClient sized(server.server.port());
    sized.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: " + limit + "\r\n\r\n");
    EXPECT_EQ(status_of(sized.read_to_end()), 413);
    RawClient huge(server.server.port());
    huge.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n");
    EXPECT_EQ(status_of(huge.read_to_end()), 413);
    RawClient chunked(server.server.port());
    chunked.send("POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 20; ++i) chunked.send("10000\r\n" + std::string(0x10000, 'x') + "\r\n");
    EXPECT_EQ(status_of(chunked.read_to_end()), 413);
}

TEST(ServerLimits, BoundTheBodiesUnderWayTogether) {
    constexpr std::size_t kLarge = 500'000;
    TestServer server(with({.max_bodies_bytes = 4 * kLarge}));
    const auto post = [&](int owner, const std::string& target, std::size_t size) {
        auto client = std::make_unique<RawClient>(server.server.port());
        client->send(
            "POST " + target + " HTTP/1.1\r\nHost: h\r\nAuthorization: " + std::to_string(owner) +
            "\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
        return client;
    };
    // What a body takes is held until the answer: two large ones are one owner's half.
    const auto first = post(1, "/slow?2000", kLarge);
    const auto second = post(1, "/slow?2000", kLarge);
    while (server.handler.slow < 2) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(status_of(post(1, "/size", kLarge)->read_answer()), 503);
    RawClient chunked(server.server.port());
    chunked.send(
        "POST /size HTTP/1.1\r\nHost: h\r\nAuthorization: 1\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 8; ++i) chunked.send("10000\r\n" + std::string(0x10000, 'x') + "\r\n");
    EXPECT_EQ(status_of(chunked.read_answer()), 503);
    EXPECT_EQ(status_of(post(1, "/size", MemoryRoom::kFree)->read_answer()), 200);
    EXPECT_EQ(status_of(post(2, "/size", kLarge)->read_answer()), 200) << "of another's half";
    EXPECT_EQ(status_of(first->read_answer()), 200);
    EXPECT_EQ(status_of(second->read_answer()), 200);
    EXPECT_EQ(status_of(post(1, "/size", kLarge)->read_answer()), 200);

    // Who reads a long answer slowly has given the room for its body back.
    const std::size_t made = server.handler.pieces;
    const auto third = post(1, "/pieces?100000000", kLarge);
    const auto fourth = post(1, "/pieces?100000000", kLarge);
    while (server.handler.pieces < made + 2) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(status_of(post(1, "/size", kLarge)->read_answer()), 200);
}

TEST(ServerLimits, BoundTheAnswersUnderWayTogether) {
    // More than the sockets' buffers hold.
    constexpr std::size_t kLarge = 20'000'000;
    TestServer server(with({.max_answers_bytes = 4 * kLarge}));
    const auto ask = [&](int owner, const std::string& target, std::size_t size) {
        auto client = std::make_unique<RawClient>(server.server.port());
        client->send(get(target + "?" + std::to_string(size),
                         "Authorization: " + std::to_string(owner) + "\r\n"));
        return client;
    };
    const auto wait_for_requests = [&](std::uint64_t count) {
        while (server.server.figures().requests_total < count) std::this_thread::sleep_for(1ms);
    };
    const auto first = ask(1, "/big", kLarge);
    const auto second = ask(1, "/big", kLarge);
    wait_for_requests(2);
    const std::string refusal = ask(1, "/big", kLarge)->read_answer();
    EXPECT_EQ(status_of(refusal), 503);
    EXPECT_EQ(body_of(refusal), "no room to answer");
    EXPECT_EQ(status_of(ask(1, "/big", MemoryRoom::kFree)->read_answer()), 200);
    EXPECT_EQ(status_of(ask(1, "/pieces", 1000)->read_answer()), 503) << "which may yet grow";
    RawClient head(server.server.port());
    head.send("HEAD /big?20000000 HTTP/1.1\r\nHost: h\r\nAuthorization: 1\r\n\r\n");
    EXPECT_EQ(status_of(head.read_answer(false)), 200);
    const std::string bare = ask(1, "/done", kLarge)->read_answer();
    EXPECT_EQ(status_of(bare), 204) << "what was done is not refused";
    EXPECT_THAT(bare, HasSubstr("\r\nETag: W/\"2\"\r\n"));
    EXPECT_EQ(status_of(ask(2, "/big", kLarge)->read_answer()), 200);
    EXPECT_EQ(body_of(first->read_answer()).size(), kLarge);
    EXPECT_EQ(body_of(second->read_answer()).size(), kLarge);
    EXPECT_EQ(body_of(ask(1, "/done", kLarge)->read_answer()).size(), kLarge);

    // What is kept for later pieces counts, and is given back as it goes.
    EXPECT_EQ(status_of(ask(1, "/shrinking", 3 * kLarge)->read_answer()), 503);
    const auto last_chunk = ::testing::EndsWith("0\r\n\r\n");
    const auto close = "Connection: close\r\n"s;
    RawClient whole(server.server.port());
    whole.send(get("/growing?" + std::to_string(kLarge), close));
    EXPECT_THAT(whole.read_to_end(), last_chunk);
    RawClient broken(server.server.port());
    broken.send(get("/growing?" + std::to_string(3 * kLarge), close));
    EXPECT_THAT(broken.read_to_end(), Not(last_chunk));
    const std::size_t made = server.handler.pieces;
    const auto shrinking = ask(1, "/shrinking", 2 * kLarge);
    while (server.handler.pieces < made + 2) std::this_thread::sleep_for(1ms);
    EXPECT_EQ(status_of(ask(1, "/big", kLarge)->read_answer()), 200);
}

TEST(ServerLimits, RefuseLargeHeaders) {
    TestServer server;
    const std::string below(16'000, 'a');
    RawClient fits(server.server.port());
    fits.send(get("/echo", "X: " + below + "\r\n"));
    EXPECT_EQ(status_of(fits.read_answer()), 200);

    const std::string one_value = get("/echo", "X: " + std::string(17'000, 'a') + "\r\n");
    std::string many_lines;
    for (int i = 0; i < 50; ++i) many_lines += "X: " + std::string(400, 'a') + "\r\n";
    std::string short_lines;
    for (int i = 0; i < 10'000; ++i) short_lines += "X:\r\n";
    for (const std::string& bytes :
         {one_value, get("/echo", many_lines), get("/echo", short_lines),
          get("/" + std::string(17'000, 'p')), std::string(17'000, 'M')}) {
        RawClient client(server.server.port());
        client.send(bytes);
        EXPECT_EQ(status_of(client.read_to_end()), 431) << bytes.substr(0, 60);
    }
}

TEST(ServerLimits, EndSlowClientsEachInItsOwnWay) {
    Limits limits;
    limits.header_timeout = limits.body_timeout = limits.idle_timeout = limits.write_timeout = 1s;
    TestServer server(with(limits));
    const std::uint16_t port = server.server.port();
    RawClient header(port), body(port), chunks(port), idle(port), between(port), reader(port);
    header.send("GET / HTTP/1.1\r\nHost: ");
    body.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
    chunks.send("POST /size HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha");
    between.send(get("/echo"));
    EXPECT_EQ(status_of(between.read_answer()), 200);
    // More than the sockets' buffers hold, and nobody reads it.
    reader.send(get("/big?50000000"));

    // One byte at a time does not help.
    for (int i = 0; i < 8; ++i) {
        std::this_thread::sleep_for(100ms);
        header.send("h");
        body.send("x");
    }
    EXPECT_EQ(status_of(header.read_to_end()), 408);
    const std::string late = body.read_to_end();
    EXPECT_EQ(status_of(late), 408);
    EXPECT_EQ(body_of(late), "too slow");
    EXPECT_EQ(status_of(chunks.read_to_end()), 408);
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(between.read_to_end(), "");
    while (server.server.figures().connections_open > 0) std::this_thread::sleep_for(10ms);
    EXPECT_LT(reader.read_to_end().size(), 50'000'000U);
    EXPECT_EQ(server.server.figures().timeouts_total, 4U);
    EXPECT_EQ(server.server.figures().malformed_total, 1U);
}

TEST(ServerLimits, DoNotEndAHandlerThatTakesItsTime) {
    Limits limits;
    limits.header_timeout = limits.body_timeout = limits.idle_timeout = limits.write_timeout = 1s;
    TestServer server(with(limits));
    RawClient client(server.server.port());
    client.send(post("/slow?2500", "body"));
    EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST(ServerLimits, AnswerConnectionsAboveTheLimitWith503WhereAllAreBusy) {
    Limits limits;
    limits.max_connections = 3;
    TestServer server(with(limits));
    std::vector<RawClient> clients;
    for (int i = 0; i < 3; ++i) {
        clients.emplace_back(server.server.port());
        clients.back().send(get("/slow?2000"));
    }
    while (server.server.figures().requests_total < 3) std::this_thread::sleep_for(1ms);
    RawClient surplus(server.server.port());
    surplus.send(get("/echo"));
    const std::string refusal = surplus.read_to_end();
    EXPECT_EQ(status_of(refusal), 503);
    EXPECT_THAT(refusal, HasSubstr("\r\nRetry-After: 1\r\n"));
    surplus.close();
    EXPECT_EQ(server.server.figures().connections_refused, 1U);
    EXPECT_EQ(server.server.figures().malformed_total, 0U);

    for (RawClient& client : clients) EXPECT_EQ(status_of(client.read_answer()), 200);
    RawClient next(server.server.port());
    next.send(get("/echo"));
    EXPECT_EQ(status_of(next.read_answer()), 200);
    EXPECT_EQ(server.server.figures().connections_displaced, 1U);
}

TEST(ServerLimits, MakeRoomByTheOldestStrangerAndThenByTheLongestIdle) {
    Limits limits;
    limits.max_connections = 4;
    TestServer server(with(limits));
    const auto ask = [&](RawClient& client) {
        client.send(get("/echo"));
        return status_of(client.read_answer());
    };
    const auto wait_for = [&](std::uint64_t open) {
        while (server.server.figures().connections_open != open) std::this_thread::sleep_for(1ms);
    };
    RawClient first(server.server.port());
    RawClient second(server.server.port());
    EXPECT_EQ(ask(first), 200);
    EXPECT_EQ(ask(second), 200);
    RawClient refused(server.server.port());
    refused.send(get("/refuse"));
    EXPECT_EQ(status_of(refused.read_answer()), 401);
    RawClient slow(server.server.port());
    slow.send(get("/echo").substr(0, 20));
    wait_for(4);

    RawClient newcomer(server.server.port());
    EXPECT_EQ(ask(newcomer), 200);
    EXPECT_EQ(refused.read_to_end(), "");
    RawClient other(server.server.port());
    EXPECT_EQ(ask(other), 200);
    EXPECT_EQ(slow.read_to_end(), "");
    EXPECT_EQ(ask(first), 200);
    RawClient another(server.server.port());
    EXPECT_EQ(ask(another), 200);
    EXPECT_EQ(second.read_to_end(), "");
    EXPECT_EQ(ask(first), 200);
    EXPECT_EQ(server.server.figures().connections_displaced, 3U);
    EXPECT_EQ(server.server.figures().connections_refused, 0U);
}

TEST(ServerLimits, MakeRoomByTheOldestClientThatTakesOrSendsNothing) {
    Limits limits;
    limits.max_connections = 4;
    limits.slow_after = 2s;
    TestServer server(with(limits));
    const std::uint16_t port = server.server.port();
    const auto wait_for_requests = [&](std::uint64_t count) {
        while (server.server.figures().requests_total < count) std::this_thread::sleep_for(1ms);
    };
    // More than the sockets' buffers hold, and nobody reads it; a body whose rest does not come.
    RawClient whole(port);
    whole.send(get("/big?50000000"));
    wait_for_requests(1);
    RawClient streamed(port);
    streamed.send(get("/pieces?100000000"));
    wait_for_requests(2);
    RawClient body(port);
    body.send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf");
    wait_for_requests(3);
    RawClient reader(port);
    reader.send(get("/pieces?1000000000000"));
    const std::jthread reading([&](const std::stop_token& stop) {
        std::array<char, 65536> bytes;
        while (!stop.stop_requested() &&
               ::recv(reader.descriptor(), bytes.data(), bytes.size(), 0) > 0) {
        }
    });
    wait_for_requests(4);
    RawClient early(port);
    early.send(get("/echo"));
    EXPECT_EQ(status_of(early.read_to_end()), 503) << "nobody has been slow for long";
    early.close();

    std::this_thread::sleep_for(3500ms);  // the patience, and what a sweep is late
    std::vector<RawClient> next;
    for (std::uint64_t i = 0; i < 3; ++i) {
        next.emplace_back(port).send(get("/slow?4000"));
        while (server.server.figures().connections_displaced <= i &&
               server.server.figures().connections_refused < 2) {
            std::this_thread::sleep_for(1ms);
        }
        EXPECT_EQ(server.server.figures().connections_displaced, i + 1);
        RawClient& gone = i == 0 ? whole : i == 1 ? streamed : body;
        EXPECT_LT(gone.read_to_end().size(), 40'000'000U);
    }
    RawClient surplus(port);
    surplus.send(get("/echo"));
    EXPECT_EQ(status_of(surplus.read_to_end()), 503) << "who reads is not slow";
    for (RawClient& client : next) EXPECT_EQ(status_of(client.read_answer()), 200);
}

TEST(ServerLimits, KeepNoAnswerOnAnIdleConnection) {
    constexpr std::size_t kConnections = 50;
    constexpr std::size_t kAnswer = 1'000'000;
    TestServer server;
    const auto in_use = [] {
        const struct mallinfo2 info = ::mallinfo2();
        return info.uordblks + info.hblkhd;
    };
    const std::size_t before = in_use();
    std::vector<RawClient> clients;
    std::vector<char> bytes(65536);
    for (std::size_t i = 0; i < kConnections; ++i) {
        clients.emplace_back(server.server.port()).send(get("/big?" + std::to_string(kAnswer)));
        for (std::size_t received = 0; received < kAnswer;) {
            const ssize_t count =
                ::recv(clients.back().descriptor(), bytes.data(), bytes.size(), 0);
            ASSERT_GT(count, 0);
            received += static_cast<std::size_t>(count);
        }
    }
    const std::size_t after = in_use();
    EXPECT_LT(after - std::min(before, after), kConnections * kAnswer / 4);
}

TEST(ServerLimits, MakeRoomOnWhicheverThreadThereIsSome) {
    Options options;
    options.threads = 2;
    options.limits.max_connections = 4;
    TestServer server(options);
    // They go to the threads in turn: those of the first are busy, those of the second idle.
    std::vector<RawClient> clients;
    for (std::uint64_t i = 0; i < 4; ++i) {
        clients.emplace_back(server.server.port());
        while (server.server.figures().connections_open <= i) std::this_thread::sleep_for(1ms);
    }
    for (const std::size_t busy : {0U, 2U}) clients[busy].send(get("/slow?2000"));
    while (server.server.figures().requests_total < 2) std::this_thread::sleep_for(1ms);
    for (int i = 0; i < 2; ++i) {
        clients.emplace_back(server.server.port());
        clients.back().send(get("/slow?2000"));
        while (server.server.figures().requests_total < 3U + static_cast<unsigned>(i) &&
               server.server.figures().connections_refused == 0) {
            std::this_thread::sleep_for(1ms);
        }
    }
    EXPECT_EQ(server.server.figures().connections_displaced, 2U);
    EXPECT_EQ(server.server.figures().connections_refused, 0U);
    RawClient surplus(server.server.port());
    surplus.send(get("/echo"));
    EXPECT_EQ(status_of(surplus.read_to_end()), 503);
}

TEST(ServerLimits, LetAThousandStalledClientsNeitherDelayOthersNorTakeMuchMemory) {
    const DescriptorLimit limit(4096);
    if (!limit.set()) GTEST_SKIP() << "this system does not allow 4096 descriptors";
    TestServer server;
    RawClient healthy(server.server.port());
    healthy.send(get("/echo"));
    EXPECT_EQ(status_of(healthy.read_answer()), 200);

    const std::size_t before = ::mallinfo2().uordblks;
    std::vector<RawClient> stalled;
    const std::string nearly_all = get("/echo", "X: " + std::string(16'000, 'a')).substr(0, 16'000);
    for (int i = 0; i < 1000; ++i) {
        stalled.emplace_back(server.server.port());
        ASSERT_TRUE(stalled.back().connected());
        if (i % 2 == 0) ASSERT_TRUE(stalled.back().send(nearly_all));
    }
    std::vector<std::chrono::steady_clock::duration> times;
    for (int i = 0; i < 200; ++i) {
        const auto start = std::chrono::steady_clock::now();
        healthy.send(get("/echo"));
        ASSERT_EQ(status_of(healthy.read_answer()), 200);
        times.push_back(std::chrono::steady_clock::now() - start);
    }
    std::ranges::sort(times);
    EXPECT_LT(times[times.size() / 2], 20ms);
    EXPECT_EQ(server.server.figures().connections_open, 1001U);
    const std::size_t after = ::mallinfo2().uordblks;
    EXPECT_LT(after - std::min(before, after), 1000U * 64 * 1024);
}

TEST(ServerLimits, SurviveTheEndOfFileDescriptors) {
    TestServer server;
    RawClient warm(server.server.port());
    warm.send(get("/echo"));
    EXPECT_EQ(status_of(warm.read_answer()), 200);

    // Three descriptors are left: both ends of `first`, and this end of `second`.
    int top = 0;
    for (int unused = 0; unused < 3; ++top) unused += ::fcntl(top, F_GETFD) == -1 ? 1 : 0;
    const DescriptorLimit limit(static_cast<rlim_t>(top));
    RawClient first(server.server.port());
    first.send(get("/echo"));
    EXPECT_EQ(status_of(first.read_answer()), 200);
    RawClient second(server.server.port());
    ASSERT_TRUE(second.connected());
    second.send(get("/echo"));
    EXPECT_TRUE(second.stays_silent_for(50ms));
    warm.send(get("/echo"));
    EXPECT_EQ(status_of(warm.read_answer()), 200);

    first.close();
    EXPECT_EQ(status_of(second.read_answer()), 200);
}

}  // namespace
}  // namespace muster::http
