#include "cli/admin_client.hpp"

#include <cstring>
#include <filesystem>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_world.hpp"

namespace muster::cli {
namespace {

using testing::HasSubstr;

/// A directory of its own, removed in the end.
class Directory {
  public:
    Directory() {
        std::string name = (std::filesystem::temp_directory_path() / "muster-cli-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// A listening socket that answers one connection with fixed bytes.
class OneAnswer {
  public:
    OneAnswer(const std::filesystem::path& socket, std::string answer)
        : listener_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
        std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address),
                  0);
        EXPECT_EQ(::listen(listener_, 1), 0);
        thread_ = std::thread([this, text = std::move(answer)] {
            const int connection = ::accept(listener_, nullptr, nullptr);
            char buffer[4096];
            const auto size = ::read(connection, buffer, sizeof buffer);
            request_.assign(buffer, size > 0 ? static_cast<std::size_t>(size) : 0);
            EXPECT_EQ(::write(connection, text.data(), text.size()),
                      static_cast<ssize_t>(text.size()));
            ::close(connection);
        });
    }
    ~OneAnswer() {
        thread_.join();
        ::close(listener_);
    }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;
    /// The request's bytes; only after the answer was read.
    [[nodiscard]] const std::string& request() const { return request_; }

  private:
    int listener_;
    std::string request_;
    std::thread thread_;
};

/// A socket file behind which nobody listens, as a crashed server leaves it.
void leave_stale_socket(const std::filesystem::path& socket) {
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
    ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(descriptor);
}

ClientResult never() {
    ADD_FAILURE() << "opened offline";
    return std::unexpected(std::string{"never"});
}

TEST(AdminClient, EncodesTargets) {
    EXPECT_EQ(target_of({"tokens"}), "/tokens");
    EXPECT_EQ(target_of({"tokens", "a b/ü?"}, {{"org", ""}}), "/tokens/a%20b%2F%C3%BC%3F");
    EXPECT_EQ(target_of({"log"}, {{"org", "a&b=c"}, {"failed", ""}, {"limit", "5"}}),
              "/log?org=a%26b%3Dc&limit=5");
}

TEST(AdminClient, TakesOnlyJsonObjectsAsAnswers) {
    EXPECT_EQ(admin_response(201, R"({"a":1})")->body.at("a"), 1);
    EXPECT_EQ(admin_response(201, R"({"a":1})")->status, 201);
    for (const std::string_view text : {"", "[]", "<html>", "{", "{}x"}) {
        const auto response = admin_response(502, text);
        ASSERT_FALSE(response) << text;
        EXPECT_EQ(response.error(),
                  "the answer (status 502) is no JSON object; is it a Muster server?");
    }
}

TEST(AdminClient, SpeaksHttpOverTheSocketOfARunningServer) {
    const Directory directory;
    const auto socket = directory.path() / "muster.sock";
    const OneAnswer server{socket,
                           "HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\n"
                           "Content-Length: 20\r\n\r\n{\"title\":\"Conflict\"}"};
    const auto client = socket_client(socket);
    const auto response = client->call("POST", "/organisations", {{"name", "A"}});
    ASSERT_TRUE(response) << response.error();
    EXPECT_TRUE(client->live());
    EXPECT_EQ(response->status, 409);
    EXPECT_EQ(response->body.at("title"), "Conflict");
    EXPECT_THAT(server.request(), testing::StartsWith("POST /admin/v1/organisations HTTP/1.1\r\n"));
    EXPECT_THAT(server.request(), testing::EndsWith("\r\n\r\n{\"name\":\"A\"}"));
}

TEST(AdminClient, PrefersTheRunningServer) {
    const Directory directory;
    const OneAnswer server{directory.path() / "muster.sock",
                           "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"};
    const auto client = connect(directory.path(), false, never);
    ASSERT_TRUE(client) << client.error();
    EXPECT_TRUE((*client)->live());
}

TEST(AdminClient, WorksOnTheDirectoryWhereNoServerAnswers) {
    const Directory directory;
    leave_stale_socket(directory.path() / "muster.sock");
    FakeApi api{.live = false};
    const auto client = connect(directory.path(), false, [&]() -> ClientResult {
        return std::make_unique<FakeClient>(api);
    });
    ASSERT_TRUE(client) << client.error();
    EXPECT_FALSE((*client)->live());
}

TEST(AdminClient, SaysWhatToDoWhereTheDirectoryIsLockedButNobodyAnswers) {
    const Directory directory;
    leave_stale_socket(directory.path() / "muster.sock");
    const auto locked = []() -> ClientResult {
        return std::unexpected(std::string{"It is locked."});
    };
    const auto client = connect(directory.path(), false, locked);
    ASSERT_FALSE(client);
    EXPECT_THAT(client.error(), testing::StartsWith("It is locked. No server answers on "));
    EXPECT_THAT(client.error(), HasSubstr("try again in a moment"));

    std::filesystem::remove(directory.path() / "muster.sock");
    EXPECT_EQ(connect(directory.path(), false, locked).error(), "It is locked.");
}

TEST(AdminClient, MakesNoDirectoryForAQuestion) {
    const Directory directory;
    const auto missing = directory.path() / "none";
    const auto client = connect(missing, false, never);
    ASSERT_FALSE(client);
    EXPECT_THAT(client.error(), testing::StartsWith("There is no data directory " +
                                                    missing.string() + ". Name it with --data"));
    FakeApi api;
    EXPECT_TRUE(connect(missing, true,
                        [&]() -> ClientResult { return std::make_unique<FakeClient>(api); }));
}

}  // namespace
}  // namespace muster::cli
