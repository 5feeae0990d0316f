#include <arpa/inet.h>
#include <array>
#include <chrono>
#include <fstream>
#include <netinet/in.h>
#include <numeric>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "app/application.hpp"
#include "json/json.hpp"
#include "net/http_client.hpp"
#include "support/server_process.hpp"
#include "support/tenant.hpp"

namespace muster {
namespace {

constexpr bool kSanitized = MUSTER_SANITIZED != 0;
// A request may cost this; sanitisers cost about five times as much.
constexpr std::chrono::milliseconds kMostTime{kSanitized ? 5000 : 1000};
constexpr long kMostGrowthKib = kSanitized ? 512 * 1024 : 64 * 1024;

std::string repeat(std::string_view text, std::size_t times) {
    std::string repeated;
    repeated.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) repeated += text;
    return repeated;
}

std::string user(std::string_view members) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"u"{}}})",
        members);
}

class RobustnessTest : public ::testing::Test {
  protected:
    RobustnessTest()
        : data_(testing::make_temporary_directory()),
          tenant_(testing::make_tenant(data_)),
          server_(MUSTER_PROGRAM, data_),
          client_(net::Url::parse("http://" + server_.address()).value()) {}
    ~RobustnessTest() override {
        server_.kill();
        std::filesystem::remove_all(data_);
    }

    net::ClientResponse send(std::string method, std::string path, std::string body = {}) {
        std::vector<std::pair<std::string, std::string>> headers{
            {"Authorization", "Bearer " + tenant_.token}};
        if (!body.empty()) headers.emplace_back("Content-Type", "application/scim+json");
        const auto began = std::chrono::steady_clock::now();
        auto answer = client_.send({.method = std::move(method),
                                    .target = tenant_.target(path),
                                    .headers = std::move(headers),
                                    .body = std::move(body)});
        EXPECT_LT(std::chrono::steady_clock::now() - began, kMostTime) << path.substr(0, 80);
        EXPECT_TRUE(answer) << (answer ? "" : answer.error());
        return answer.value_or(net::ClientResponse{});
    }

    /// A refusal in SCIM's form that does not repeat the input at length.
    void expect_refused(const net::ClientResponse& answer, int status, std::string_view scim_type) {
        EXPECT_EQ(answer.status, status) << answer.body.substr(0, 300);
        EXPECT_EQ(testing::text_member(answer.body, "scimType"), scim_type)
            << answer.body.substr(0, 300);
        EXPECT_FALSE(testing::text_member(answer.body, "detail").empty());
        EXPECT_EQ(testing::text_member(answer.body, "status"), std::to_string(status));
        EXPECT_LT(answer.body.size(), 1500U);
    }

    void expect_serving() { EXPECT_EQ(send("GET", "/Users?count=1").status, 200); }

    [[nodiscard]] long resident_kib() const {
        std::ifstream status(fmt::format("/proc/{}/status", server_.pid()));
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
        }
        return -1;
    }

    /// Sends raw bytes and reads until the server closes or the time is over.
    std::string raw(const std::string& bytes, std::chrono::milliseconds patience) {
        const auto colon = server_.address().find(':');
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port =
            htons(static_cast<std::uint16_t>(std::stoi(server_.address().substr(colon + 1))));
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        std::size_t sent = 0;
        while (sent < bytes.size()) {
            const auto put = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
            if (put <= 0) break;
            sent += static_cast<std::size_t>(put);
        }
        std::string answer;
        std::array<char, 4096> buffer{};
        pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
        const auto until = std::chrono::steady_clock::now() + patience;
        while (std::chrono::steady_clock::now() < until && ::poll(&waiting, 1, 100) >= 0) {
            if (waiting.revents == 0) continue;
            const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
            if (got <= 0) break;
            answer.append(buffer.data(), static_cast<std::size_t>(got));
        }
        ::close(fd);
        return answer;
    }

    std::filesystem::path data_;
    testing::Tenant tenant_;
    testing::ServerProcess server_;
    net::HttpClient client_;
};

TEST_F(RobustnessTest, DeepFiltersAreRefusedBeforeTheyCost) {
    const auto before = resident_kib();
    for (const auto& filter :
         {repeat("(", 52'000), repeat("not (", 10'000), repeat("emails[", 7'000),
          "userName eq \"a\"" + repeat(" and userName eq \"a\"", 2'000), repeat("a.", 20'000),
          repeat("(", 19) + "userName pr", std::string(52'000, '"')}) {
        const json::Value body = json::Object{{"filter", filter}};
        expect_refused(send("POST", "/Users/.search", json::to_text(body)), 400, "invalidFilter");
    }
    expect_refused(send("GET", "/Users?filter=" + repeat("(", 7'000)), 400, "invalidFilter");
    const auto too_long = send("GET", "/Users?filter=" + repeat("(", 52'000));
    EXPECT_EQ(too_long.status, 431);
    EXPECT_LT(resident_kib() - before, kMostGrowthKib);
    client_ = net::HttpClient(net::Url::parse("http://" + server_.address()).value());
    expect_serving();
}

TEST_F(RobustnessTest, DeepAndHugeJsonIsRefused) {
    const auto before = resident_kib();
    expect_refused(send("POST", "/Users", repeat("[", 100'000)), 400, "invalidSyntax");
    expect_refused(send("POST", "/Users", repeat("{\"a\":", 100'000)), 400, "invalidSyntax");
    expect_refused(
        send("POST", "/Users", user(",\"x\":" + repeat("[", 100'000) + repeat("]", 100'000))), 400,
        "invalidSyntax");
    expect_refused(send("POST", "/Users", "[" + repeat("1,", 600'000) + "1]"), 413, "tooMany");
    expect_refused(send("POST", "/Users", user(",\"title\":\"" + std::string(1 << 20, 'x') + "\"")),
                   400, "invalidValue");
    EXPECT_LT(resident_kib() - before, kMostGrowthKib);
    expect_serving();
}

TEST_F(RobustnessTest, JsonThatParsersReadDifferentlyIsRefused) {
    for (const auto& body :
         {user(R"(,"active":true,"active":false)"), user(R"(,"active":true,"Active":false)"),
          user(",\"title\":\"a\\u0000b\""), user(std::string_view{",\"title\":\"a\0b\"", 14}),
          user(",\"title\":\"\\ud800\""), user(",\"title\":\"\xff\xfe\""), user(",\"n\":1e999"),
          user(",\"n\":NaN"), std::string{"\xef\xbb\xbf"} + user(""), user("") + "x",
          std::string{"{"}, std::string{"\"text\""}, std::string{"null"}, std::string{"[]"}}) {
        expect_refused(send("POST", "/Users", body), 400, "invalidSyntax");
    }
    EXPECT_EQ(testing::text_member(send("GET", "/Users?count=0").body, "x"), "");
    expect_serving();
}

TEST_F(RobustnessTest, NulBytesAreRefusedWhereverTheyStand) {
    EXPECT_EQ(send("GET", "/Users/%00").status, 404);
    EXPECT_EQ(send("GET", "/Users?filter=userName%20eq%20%22a%00b%22").status, 400);
    const auto head = raw(std::string{"GET /c/x HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 38},
                          std::chrono::seconds{2});
    EXPECT_TRUE(head.starts_with("HTTP/1.1 400")) << head;
    expect_serving();
}

TEST_F(RobustnessTest, IdentifiersWithControlOrDirectionCharactersAreRefused) {
    for (std::string_view name : {"a\\u202eb", "a\\nb", "a\\u0007"}) {
        const auto body = fmt::format(
            R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{}"}})",
            name);
        expect_refused(send("POST", "/Users", body), 400, "invalidValue");
    }
}

TEST_F(RobustnessTest, TooManyOperationsOrMembersAreRefused) {
    const auto patch = [&](const std::string& operations) {
        return R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[)" +
               operations + "]}";
    };
    const auto made =
        send("POST", "/Groups",
             R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g"})");
    ASSERT_EQ(made.status, 201);
    const auto path = "/Groups/" + testing::text_member(made.body, "id");
    const std::string operation = R"({"op":"add","path":"members","value":[]})";
    expect_refused(send("PATCH", path, patch(repeat(operation + ",", 1'000) + operation)), 400,
                   "tooMany");
    const std::string member = R"({"value":"x"})";
    expect_refused(send("PATCH", path,
                        patch(R"({"op":"add","path":"members","value":[)" +
                              repeat(member + ",", 100'000) + member + "]}")),
                   400, "tooMany");
    expect_serving();
}

TEST_F(RobustnessTest, ALyingContentLengthHoldsNobodyUp) {
    const auto head = fmt::format(
        "POST {} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: "
        "application/json\r\n",
        tenant_.target("/Users"), tenant_.token);
    // More promised than sent: the connection waits for the body's deadline, others are served.
    std::thread liar(
        [&] { raw(head + "Content-Length: 1000000\r\n\r\n{}", std::chrono::seconds{2}); });
    expect_serving();
    liar.join();
    for (std::string_view length : {"+5", "-1", "5, 6", "0x5", "18446744073709551617",
                                    "5\r\nContent-Length: 6", "5\r\nTransfer-Encoding: chunked"}) {
        const auto answer = raw(fmt::format("{}Content-Length: {}\r\n\r\nhello", head, length),
                                std::chrono::seconds{2});
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << length << ": " << answer;
    }
    const auto large = raw(head + "Content-Length: 99999999\r\n\r\n", std::chrono::seconds{3});
    EXPECT_TRUE(large.starts_with("HTTP/1.1 413")) << large;
    expect_serving();
}

TEST_F(RobustnessTest, StrangersCostNoBody) {
    const auto answer = raw("POST " + tenant_.target("/Users") +
                                " HTTP/1.1\r\nHost: a\r\nContent-Length: 8000000\r\n\r\n",
                            std::chrono::seconds{3});
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 401")) << answer;
    EXPECT_NE(answer.find("WWW-Authenticate"), std::string::npos);
}

TEST_F(RobustnessTest, ManySlowClientsDoNotKeepOthersWaiting) {
    std::vector<int> slow;
    const auto colon = server_.address().find(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port =
        htons(static_cast<std::uint16_t>(std::stoi(server_.address().substr(colon + 1))));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    for (int i = 0; i < 400; ++i) {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
        EXPECT_EQ(::send(fd, "GET /c", 6, MSG_NOSIGNAL), 6);
        slow.push_back(fd);
    }
    const auto before = resident_kib();
    for (int i = 0; i < 20; ++i) expect_serving();
    EXPECT_LT(resident_kib() - before, kMostGrowthKib);
    for (int fd : slow) ::close(fd);
}

// A client that named no version cannot fail for want of one, however many write at once.
TEST_F(RobustnessTest, ConcurrentChangesOfOneResourceAreAllDone) {
    const auto id = testing::text_member(send("POST", "/Users", user("")).body, "id");
    constexpr int kClients = 12;
    constexpr int kRounds = 10;
    std::vector<int> refused(kClients, 0);
    {
        std::vector<std::jthread> clients;
        for (int number = 0; number < kClients; ++number) {
            clients.emplace_back([&, number] {
                net::HttpClient client(net::Url::parse("http://" + server_.address()).value());
                for (int round = 0; round < kRounds; ++round) {
                    const bool puts = number % 3 == 0;
                    const auto title = fmt::format(R"("title":"{} {}")", number, round);
                    auto answer = client.send(
                        {.method = puts ? "PUT" : "PATCH",
                         .target = tenant_.target("/Users/" + id),
                         .headers = {{"Authorization", "Bearer " + tenant_.token},
                                     {"Content-Type", "application/scim+json"}},
                         .body = puts
                                     ? user("," + title)
                                     : fmt::format(R"({{"schemas":["urn:ietf:params:scim:api:)"
                                                   R"(messages:2.0:PatchOp"],"Operations":[{{"op":)"
                                                   R"("replace","value":{{{}}}}}]}})",
                                                   title)});
                    if (!answer || answer->status != 200)
                        ++refused[static_cast<std::size_t>(number)];
                }
            });
        }
    }
    EXPECT_EQ(std::accumulate(refused.begin(), refused.end(), 0), 0);
    EXPECT_EQ(send("DELETE", "/Users/" + id).status, 204);
}

TEST_F(RobustnessTest, ASecondProcessOnTheSameDataIsRefused) {
    const auto offline = app::Offline::open(data_);
    ASSERT_FALSE(offline);
    EXPECT_NE(offline.error().find(data_.string()), std::string::npos) << offline.error();
    const pid_t second = ::fork();
    ASSERT_GE(second, 0);
    if (second == 0) {
        ::close(STDERR_FILENO);
        ::execl(MUSTER_PROGRAM, MUSTER_PROGRAM, "serve", "--data", data_.c_str(), "--listen",
                "127.0.0.1:0", nullptr);
        ::_exit(127);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(second, &status, 0), second);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_NE(WEXITSTATUS(status), 0);
    EXPECT_NE(WEXITSTATUS(status), 127);
    expect_serving();
}

}  // namespace
}  // namespace muster
