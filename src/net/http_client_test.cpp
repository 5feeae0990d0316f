#include "net/http_client.hpp"

#include <array>
#include <deque>
#include <future>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::net {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Url, IsParsed) {
    struct Case {
        std::string text;
        bool tls;
        std::string host;
        std::uint16_t port;
        std::string path;
    };
    for (const Case& c : {
             Case{"http://a.example", false, "a.example", 80, ""},
             Case{"HTTPS://a.example/", true, "a.example", 443, ""},
             Case{"https://a.example:8443/scim/v2/", true, "a.example", 8443, "/scim/v2"},
             Case{"http://[::1]:8080/x", false, "::1", 8080, "/x"},
             Case{"http://[::1]", false, "::1", 80, ""},
             Case{"http://127.0.0.1:65535//a//", false, "127.0.0.1", 65535, "//a"},
         }) {
        const auto url = Url::parse(c.text);
        ASSERT_TRUE(url) << c.text;
        EXPECT_EQ(url->tls, c.tls) << c.text;
        EXPECT_EQ(url->host, c.host) << c.text;
        EXPECT_EQ(url->port, c.port) << c.text;
        EXPECT_EQ(url->path, c.path) << c.text;
    }
}

TEST(Url, IsRefusedWhereItIsAnythingElse) {
    for (const std::string text : {"",
                                   "http",
                                   "http:",
                                   "http:/",
                                   "http://",
                                   "http:///path",
                                   "ftp://a",
                                   "a.example",
                                   "//a",
                                   "http://user@a",
                                   "http://user:pass@a/",
                                   "http://a/#f",
                                   "http://a/?q",
                                   "http://a:",
                                   "http://a:0",
                                   "http://a:65536",
                                   "http://a:-1",
                                   "http://a:8x",
                                   "http://[::1",
                                   "http://[]",
                                   "http://[::1]8",
                                   "http://a b/",
                                   "http://a/\r\nX: y",
                                   " http://a"}) {
        EXPECT_FALSE(Url::parse(text)) << text;
    }
}

/// Answers each connection's requests with the texts given for it, one after another, then closes.
class Script {
  public:
    explicit Script(std::deque<std::deque<std::string>> connections)
        : connections_(std::move(connections)), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        void* const any = &address;
        ::bind(listener_, static_cast<sockaddr*>(any), size);
        ::listen(listener_, 10);
        ::getsockname(listener_, static_cast<sockaddr*>(any), &size);
        port = ntohs(address.sin_port);
        thread_ = std::thread([this] { play(); });
    }
    ~Script() {
        thread_.join();
        ::close(listener_);
    }
    Script(const Script&) = delete;
    Script& operator=(const Script&) = delete;

    [[nodiscard]] Url url() const {
        return {.tls = false, .host = "127.0.0.1", .port = port, .path = {}};
    }
    /// What came on all connections so far.
    [[nodiscard]] std::string received() {
        const std::lock_guard lock(mutex_);
        return received_;
    }

    std::uint16_t port = 0;

  private:
    static bool readable(int descriptor) {
        pollfd poll{.fd = descriptor, .events = POLLIN, .revents = 0};
        return ::poll(&poll, 1, 5000) == 1;
    }

    void play() {
        for (const auto& answers : connections_) {
            if (!readable(listener_)) return;
            const int peer = ::accept(listener_, nullptr, nullptr);
            for (const std::string& answer : answers) {
                if (!receive_request(peer)) break;
                ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
            }
            ::close(peer);
        }
    }

    bool receive_request(int peer) {
        std::string request;
        while (!request.ends_with("\r\n\r\n")) {
            std::array<char, 4096> bytes;
            const ssize_t count = readable(peer) ? ::recv(peer, bytes.data(), bytes.size(), 0) : 0;
            if (count <= 0) return false;
            request.append(bytes.data(), static_cast<std::size_t>(count));
            const std::lock_guard lock(mutex_);
            received_.append(bytes.data(), static_cast<std::size_t>(count));
        }
        return true;
    }

    std::deque<std::deque<std::string>> connections_;
    int listener_;
    std::mutex mutex_;
    std::string received_;
    std::thread thread_;
};

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Name: Value\r\n\r\nok";

TEST(HttpClient, SendsHostLengthAndTheGivenHeaders) {
    Script script({{kOk, kOk}});
    HttpClient client(script.url());
    ASSERT_TRUE(client.send({.target = "/a?b", .headers = {{"X-A", "1"}}, .body = {}}));
    ASSERT_TRUE(
        client.send({.method = "POST", .target = "/", .headers = {{"host", "other"}}, .body = {}}));
    EXPECT_EQ(script.received(),
              "GET /a?b HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(script.port) +
                  "\r\nX-A: 1\r\n\r\n"
                  "POST / HTTP/1.1\r\nContent-Length: 0\r\nhost: other\r\n\r\n");
}

TEST(HttpClient, GivesStatusHeadersBodyAndTime) {
    Script script({{kOk}});
    const auto answer = HttpClient(script.url()).send({});
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "ok");
    EXPECT_EQ(answer->header("x-NAME"), "Value");
    EXPECT_EQ(answer->header("absent"), "");
    EXPECT_GT(answer->elapsed.count(), 0);
}

TEST(HttpClient, ReadsEveryKindOfBody) {
    Script script(
        {{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: "
          "chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
          "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nto the end"}});
    HttpClient client(script.url());
    const auto chunked = client.send({});
    ASSERT_TRUE(chunked) << chunked.error();
    EXPECT_EQ(chunked->status, 201);
    EXPECT_EQ(chunked->body, "abc");
    EXPECT_EQ(client.send({})->status, 204);
    const auto to_end = client.send({});
    ASSERT_TRUE(to_end) << to_end.error();
    EXPECT_EQ(to_end->body, "to the end");
}

TEST(HttpClient, ExpectsNoBodyOfHead) {
    Script script({{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", kOk}});
    HttpClient client(script.url());
    const auto head = client.send({.method = "HEAD"});
    ASSERT_TRUE(head) << head.error();
    EXPECT_EQ(head->body, "");
    EXPECT_EQ(client.send({})->body, "ok");
}

TEST(HttpClient, ReconnectsWhereAKeptConnectionWasClosed) {
    Script script({{kOk}, {kOk}, {kOk}});
    HttpClient client(script.url());
    for (const char* method : {"GET", "POST", "PATCH"}) {
        const auto answer = client.send({.method = method});
        ASSERT_TRUE(answer) << answer.error();
        // So that the end is seen before the next request is sent.
        std::this_thread::sleep_for(20ms);
    }
}

TEST(HttpClient, RepeatsOnlyAGetWhoseKeptConnectionEndedUnanswered) {
    // An empty text: reads the request and closes.
    Script script({{kOk, ""}, {kOk, ""}});
    HttpClient client(script.url());
    ASSERT_TRUE(client.send({}));
    ASSERT_TRUE(client.send({}));
    const auto post = client.send({.method = "POST"});
    ASSERT_FALSE(post);
    EXPECT_THAT(post.error(), HasSubstr("the server closed the connection"));
}

TEST(HttpClient, KeepsNoConnectionAfterAnAnswerThatIsOftenTheLast) {
    for (const std::string status : {"413 Too Large", "500 Failed"}) {
        Script script({{"HTTP/1.1 " + status + "\r\nContent-Length: 0\r\n\r\n", ""}, {kOk}});
        HttpClient client(script.url());
        ASSERT_TRUE(client.send({.method = "POST"}));
        const auto next = client.send({.method = "POST"});
        ASSERT_TRUE(next) << next.error();
    }
}

TEST(HttpClient, RepeatsNothingOnceAnAnswerBegan) {
    Script script({{kOk, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}});
    HttpClient client(script.url());
    ASSERT_TRUE(client.send({}));
    const auto half = client.send({});
    ASSERT_FALSE(half);
    EXPECT_THAT(half.error(), StartsWith("no answer from 127.0.0.1:"));
}

TEST(HttpClient, SaysWhatWentWrong) {
    {
        Script script({{"rubbish\r\n\r\n"}});
        EXPECT_FALSE(HttpClient(script.url()).send({}));
    }
    {
        Script script({{"HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n"}});
        const auto large = HttpClient(script.url()).send({});
        ASSERT_FALSE(large);
        EXPECT_THAT(large.error(), HasSubstr("body limit"));
    }
    const int unused = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    void* const any = &address;
    ASSERT_EQ(::bind(unused, static_cast<sockaddr*>(any), size), 0);
    ::getsockname(unused, static_cast<sockaddr*>(any), &size);
    const std::string port = std::to_string(ntohs(address.sin_port));
    const auto refused = HttpClient(*Url::parse("http://127.0.0.1:" + port)).send({});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "cannot connect to 127.0.0.1:" + port + ": refused");

    ASSERT_EQ(::listen(unused, 1), 0);
    const auto start = std::chrono::steady_clock::now();
    const auto silent = HttpClient(*Url::parse("http://127.0.0.1:" + port), 1s).send({});
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
    ASSERT_FALSE(silent);
    EXPECT_EQ(silent.error(), "no answer from 127.0.0.1:" + port + ": timed out");
    ::close(unused);
}

TEST(HttpClient, SaysThatASocketPathIsTooLong) {
    const auto answer = HttpClient(std::filesystem::path(std::string(200, 'x'))).send({});
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error(), StartsWith("cannot connect to xxx"));
}

}  // namespace
}  // namespace muster::net
