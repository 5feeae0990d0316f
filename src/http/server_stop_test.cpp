// Stopping without losing an answer, and the local socket.

#include <atomic>
#include <chrono>
#include <future>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/test_support.hpp"
#include "net/http_client.hpp"

namespace muster::http {
namespace {

using namespace http::testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ServerStop, AnswersWhatIsUnderWayAndTakesNothingNew) {
    TestServer server;
    RawClient client(server.server.port());
    client.send(get("/slow?300"));
    while (server.server.figures().requests_total < 1) std::this_thread::sleep_for(1ms);
    auto stopped = std::async(std::launch::async, [&] { server.server.stop(10s); });
    const std::string answer = client.read_answer();
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    client.close();
    ASSERT_EQ(stopped.wait_for(5s), std::future_status::ready);
    EXPECT_FALSE(RawClient(server.server.port()).connected());
    server.server.stop(10s);
    EXPECT_EQ(server.server.figures().connections_open, 0U);
}

TEST(ServerStop, AnswersARequestThatWasSentJustBefore) {
    for (int round = 0; round < 8; ++round) {
        TestServer server(Options{.threads = 2});
        RawClient kept(server.server.port()), fresh(server.server.port());
        kept.send(get("/echo"));
        ASSERT_EQ(status_of(kept.read_answer()), 200);
        kept.send(get("/echo"));
        fresh.send(get("/echo"));
        auto stopped = std::async(std::launch::async, [&] { server.server.stop(10s); });
        EXPECT_EQ(status_of(kept.read_to_end()), 200) << round;
        EXPECT_EQ(status_of(fresh.read_to_end()), 200) << round;
        kept.close();
        fresh.close();
    }
}

TEST(ServerStop, AnswersAKeptConnectionThatSpeaksWhileItDrains) {
    TestServer server;
    RawClient client(server.server.port());
    client.send(get("/echo"));
    EXPECT_EQ(status_of(client.read_answer()), 200);
    auto stopped = std::async(std::launch::async, [&] { server.server.stop(10s); });
    while (RawClient(server.server.port()).connected()) std::this_thread::sleep_for(1ms);
    // Nobody is let in any more a moment before those who are in are told.
    std::string answer;
    for (int i = 0; i < 100 && !answer.contains("\r\nConnection: close\r\n"); ++i) {
        client.send(get("/echo"));
        answer = client.read_answer();
        ASSERT_EQ(status_of(answer), 200);
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(ServerStop, LosesNoRequestOfBusyClients) {
    TestServer server(Options{.threads = 2});
    std::atomic<int> answered{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 4; ++i) {
        clients.emplace_back([&] {
            net::HttpClient client(net::Url{
                .tls = false, .host = "127.0.0.1", .port = server.server.port(), .path = {}});
            for (;;) {
                const auto answer =
                    client.send({.method = "POST", .target = "/echo", .headers = {}, .body = "x"});
                if (!answer) {
                    if (!answer.error().starts_with("cannot connect")) ++lost;
                    return;
                }
                ++answered;
            }
        });
    }
    while (answered < 200) std::this_thread::sleep_for(1ms);
    server.server.stop(10s);
    for (std::thread& client : clients) client.join();
    EXPECT_EQ(lost, 0);
}

TEST(ServerStop, ClosesIdleAndStalledConnectionsWithinTheGrace) {
    TestServer server;
    RawClient idle(server.server.port()), stalled(server.server.port());
    idle.send(get("/echo"));
    EXPECT_EQ(status_of(idle.read_answer()), 200);
    stalled.send("GET / HTTP/1.1\r\n");
    while (server.server.figures().connections_open < 2) std::this_thread::sleep_for(1ms);
    const auto start = std::chrono::steady_clock::now();
    server.server.stop(500ms);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(server.server.figures().connections_open, 0U);
}

TEST(ServerStop, WaitsForAHandlerBeyondTheGrace) {
    TestServer server;
    RawClient client(server.server.port());
    client.send(get("/slow?400"));
    while (server.server.figures().requests_total < 1) std::this_thread::sleep_for(1ms);
    const auto start = std::chrono::steady_clock::now();
    server.server.stop(50ms);
    EXPECT_GT(std::chrono::steady_clock::now() - start, 200ms);
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(ServerStop, IsNoTroubleForAServerThatNeverRan) {
    TestHandler handler;
    Server server(Options{.port = 0}, handler);
    EXPECT_GT(server.port(), 0);
    server.post([]() -> Task<void> { co_return; });
    server.stop(1s);
}

/// Serves TestHandler on a Unix socket in a folder of its own.
struct LocalServer {
    LocalServer() : server(Options{.port = 0}, handler), path(folder.path / "muster.sock") {
        server.listen_unix(path, local_handler);
        server.run();
    }

    TempFolder folder;
    TestHandler handler;
    TestHandler local_handler;
    Server server;
    std::filesystem::path path;
};

TEST(LocalSocket, ServesItsOwnHandlerToThisUserOnly) {
    LocalServer local;
    struct stat status{};
    ASSERT_EQ(::stat(local.path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);

    net::HttpClient client(local.path);
    for (int i = 0; i < 2; ++i) {
        const auto answer =
            client.send({.method = "POST", .target = "/echo", .headers = {}, .body = "b"});
        ASSERT_TRUE(answer) << answer.error();
        EXPECT_EQ(answer->body, "POST\n/echo\n\n\nunix\nb");
    }
    local.server.stop(1s);
    EXPECT_FALSE(std::filesystem::exists(local.path));
    const auto gone = client.send({});
    ASSERT_FALSE(gone);
    EXPECT_THAT(gone.error(), StartsWith("cannot connect to " + local.path.string()));
}

TEST(LocalSocket, ClosesThePeerOfAnotherUserAtOnce) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    LocalServer local;
    // The mode alone would keep them out.
    std::filesystem::permissions(local.folder.path, std::filesystem::perms::all);
    std::filesystem::permissions(local.path, std::filesystem::perms::all);
    std::string answer = "none";
    bool connected = false;
    std::thread nobody([&] {
        // The raw call changes this thread only.
        ASSERT_EQ(::syscall(SYS_setresuid, 65534, 65534, 65534), 0);
        RawClient client(local.path);
        connected = client.connected();
        client.send(get("/echo"));
        answer = client.read_to_end();
    });
    nobody.join();
    EXPECT_TRUE(connected);
    EXPECT_EQ(answer, "");
    EXPECT_EQ(local.server.figures().requests_total, 0U);
}

TEST(LocalSocket, ReplacesAStaleSocketButNotOneInUseNorAFile) {
    TempFolder folder;
    TestHandler handler;
    const auto stale = folder.path / "stale.sock";
    {
        const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        stale.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
        const void* any = &address;
        ASSERT_EQ(::bind(left, static_cast<const sockaddr*>(any), sizeof(address)), 0);
        ::close(left);
    }
    Server first(Options{.port = 0}, handler);
    first.listen_unix(stale, handler);
    first.run();
    Server second(Options{.port = 0}, handler);
    EXPECT_THROW(second.listen_unix(stale, handler), std::system_error);
    const auto file = folder.path / "file";
    ASSERT_EQ(::mknod(file.c_str(), S_IFREG | 0600, 0), 0);
    EXPECT_THROW(second.listen_unix(file, handler), std::system_error);
    EXPECT_THROW(second.listen_unix(folder.path / std::string(120, 'x'), handler),
                 std::system_error);
    EXPECT_TRUE(std::filesystem::exists(file));
    RawClient client(stale);
    client.send(get("/echo"));
    EXPECT_EQ(status_of(client.read_answer()), 200);
}

}  // namespace
}  // namespace muster::http
