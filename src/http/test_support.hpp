#pragma once
// What the server's tests share: a handler with one path for each behaviour, and a client that
// sends whatever bytes it is given.

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <netinet/in.h>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/server.hpp"

namespace muster::http::testing {

inline Response text(int status, std::string body) {
    Response response;
    response.status = status;
    response.content_type = "text/plain";
    response.body = std::move(body);
    return response;
}

/// GET or POST:
///   /echo            method, path, query, user agent, peer and body, one a line
///   /size            the body's length
///   /big?N           N bytes
///   /pieces?N        N bytes in pieces of 64 KiB, each made when the one before was sent
///   /shrinking?N     50 MB in pieces, N bytes held with the first, none with those that follow
///   /growing?N       as many as /pieces?200000 in pieces, N bytes held with all but the first
///   /done?N          as /big?N, to a request that changed something
///   /broken          two pieces, and no third
///   /throw-later     one piece, and an exception
///   /slow?MS         answers after so many milliseconds
///   /refuse          401 from admit()
///   /throw, /throw-in-admit, /bad-header, /bye (asks for the end of the connection), /empty (204)
/// Bodies may have 1 MiB. The number in Authorization is whose share of the memory they take.
class TestHandler : public Handler {
  public:
    static constexpr std::size_t kBodyLimit = 1024 * 1024;
    static constexpr std::size_t kPiece = 64 * 1024;
    std::atomic<int> slow{0};            ///< requests for /slow that came whole
    std::atomic<std::size_t> pieces{0};  ///< made
    std::atomic<int> failed{0};          ///< handlers that threw

    Admission admit(const RequestHead& head) override {
        if (head.path == "/throw-in-admit") throw std::runtime_error("a bug");
        Admission admission;
        admission.body_limit = kBodyLimit;
        admission.context = std::string("admitted");
        admission.owner = static_cast<std::int64_t>(number(head.authorization));
        if (head.path == "/refuse") admission.refusal = text(401, "who are you?");
        return admission;
    }

    Task<Response> handle(const RequestHead& head, std::string body, std::any& context) override {
        if (std::any_cast<std::string>(&context) == nullptr) co_return text(500, "no context");
        if (head.path == "/throw") throw std::runtime_error("a bug");
        if (head.path == "/size") co_return text(200, std::to_string(body.size()));
        if (head.path == "/big") co_return text(200, std::string(number(head.query), 'x'));
        if (head.path == "/done") {
            Response response = text(200, std::string(number(head.query), 'x'));
            response.headers.emplace_back("ETag", "W/\"2\"");
            response.done = true;
            co_return response;
        }
        if (head.path == "/pieces") co_return in_pieces(number(head.query));
        if (head.path == "/growing") co_return in_pieces(200'000, number(head.query));
        if (head.path == "/shrinking") {
            Response response = in_pieces(50'000'000);
            response.held = number(head.query);
            co_return response;
        }
        if (head.path == "/broken" || head.path == "/throw-later") {
            co_return broken(head.path == "/throw-later");
        }
        if (head.path == "/empty") co_return Response{.status = 204};
        if (head.path == "/slow") {
            auto executor = co_await boost::asio::this_coro::executor;
            boost::asio::steady_timer timer(executor);
            ++slow;
            timer.expires_after(std::chrono::milliseconds(number(head.query)));
            co_await timer.async_wait(boost::asio::use_awaitable);
        }
        Response response = text(200, {});
        for (const std::string_view part :
             {head.method_text, head.path, head.query, head.user_agent, head.peer}) {
            response.body.append(part).append("\n");
        }
        response.body += body;
        if (head.path == "/bad-header") response.headers.emplace_back("X-Bad", "a\r\nInjected: b");
        response.close = head.path == "/bye";
        co_return response;
    }

    Response fail(const RequestHead&, Failure failure, std::any&, std::string_view) override {
        if (failure == Failure::HandlerFailed) ++failed;
        constexpr std::array<std::pair<int, const char*>, 6> kAnswers = {
            {{413, "too large"},
             {408, "too slow"},
             {400, "malformed"},
             {503, "no room"},
             {503, "no room to answer"},
             {500, "failed"}}};
        const auto& [status, body] = kAnswers[static_cast<std::size_t>(failure)];
        return text(status, body);
    }

    Response malformed(int status, std::string_view reason, std::string_view) override {
        return text(status, std::string(reason));
    }

  private:
    Response in_pieces(std::size_t size, std::size_t held = 0) {
        Response response = text(200, std::string(std::min(size, kPiece), 'x'));
        ++pieces;
        response.rest = [this, held,
                         left =
                             size - response.body.size()]() mutable -> Task<std::optional<Piece>> {
            Piece piece{.text = std::string(std::min(left, kPiece), 'x'), .held = held};
            left -= piece.text.size();
            ++pieces;
            co_return piece;
        };
        return response;
    }
    static Response broken(bool by_throwing) {
        Response response = text(200, "first");
        response.rest = [by_throwing, made = 0]() mutable -> Task<std::optional<Piece>> {
            if (by_throwing) throw std::runtime_error("a bug");
            if (made++ > 0) co_return std::nullopt;
            co_return Piece{.text = "second"};
        };
        return response;
    }
    static std::size_t number(std::string_view digits) {
        return digits.empty() ? 0 : std::stoul(std::string(digits));
    }
};

/// Port 0 of the loopback address with one I/O thread, running.
class TestServer {
  public:
    explicit TestServer(Options options = {})
        : server(with_free_port(std::move(options)), handler) {
        server.run();
    }

    TestHandler handler;
    Server server;

  private:
    static Options with_free_port(Options options) {
        options.port = 0;
        return options;
    }
};

class RawClient {
  public:
    static constexpr int kPatienceMs = 20'000;

    explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connect(&address, sizeof(address));
    }
    explicit RawClient(const std::filesystem::path& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
        connect(&address, sizeof(address));
    }
    ~RawClient() { close(); }
    RawClient(RawClient&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
    RawClient& operator=(RawClient&&) = delete;

    [[nodiscard]] bool connected() const { return connected_; }
    [[nodiscard]] int descriptor() const { return fd_; }

    /// False where the connection broke before all of it was sent.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void finish_sending() { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    }

    /// One answer, whole by its Content-Length; what came where the connection ended before.
    std::string read_answer(bool with_body = true) {
        for (;;) {
            if (const std::size_t size = answer_size(with_body); size > 0) {
                std::string answer = received_.substr(0, size);
                received_.erase(0, size);
                return answer;
            }
            if (!receive()) return std::exchange(received_, {});
        }
    }
    std::string read_to_end() {
        while (receive()) {
        }
        return std::exchange(received_, {});
    }
    /// True where nothing arrives for so long and the connection stays.
    [[nodiscard]] bool stays_silent_for(std::chrono::milliseconds time) {
        pollfd poll{.fd = fd_, .events = POLLIN, .revents = 0};
        return ::poll(&poll, 1, static_cast<int>(time.count())) == 0;
    }

  private:
    void connect(const void* address, socklen_t size) {
        connected_ = ::connect(fd_, static_cast<const sockaddr*>(address), size) == 0;
    }

    bool receive() {
        pollfd poll{.fd = fd_, .events = POLLIN, .revents = 0};
        if (::poll(&poll, 1, kPatienceMs) != 1) return false;
        std::array<char, 65536> bytes;
        const ssize_t count = ::recv(fd_, bytes.data(), bytes.size(), 0);
        if (count <= 0) return false;
        received_.append(bytes.data(), static_cast<std::size_t>(count));
        return true;
    }

    /// 0: not there yet.
    [[nodiscard]] std::size_t answer_size(bool with_body) const {
        const std::size_t head = received_.find("\r\n\r\n");
        if (head == std::string::npos) return 0;
        std::size_t size = head + 4;
        const std::size_t length = received_.find("\r\nContent-Length: ");
        if (with_body && length < head) size += std::stoul(received_.substr(length + 18));
        return size <= received_.size() ? size : 0;
    }

    int fd_;
    bool connected_ = false;
    std::string received_;
};

inline std::string get(std::string_view target, std::string_view more_headers = {}) {
    return std::string("GET ")
        .append(target)
        .append(" HTTP/1.1\r\nHost: h\r\n")
        .append(more_headers)
        .append("\r\n");
}

inline std::string post(std::string_view target, std::string_view body,
                        std::string_view more_headers = {}) {
    return std::string("POST ")
        .append(target)
        .append(" HTTP/1.1\r\nHost: h\r\nContent-Length: ")
        .append(std::to_string(body.size()))
        .append("\r\n")
        .append(more_headers)
        .append("\r\n")
        .append(body);
}

/// "HTTP/1.1 200 OK\r\n…" → 200
inline int status_of(std::string_view answer) {
    return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string(answer.substr(9, 3))) : 0;
}

inline std::string_view body_of(std::string_view answer) {
    const std::size_t head = answer.find("\r\n\r\n");
    return head == std::string_view::npos ? std::string_view() : answer.substr(head + 4);
}

/// A new folder of its own, gone afterwards.
class TempFolder {
  public:
    TempFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "muster-http-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(std::strerror(errno));
        path = name;
    }
    ~TempFolder() { std::filesystem::remove_all(path); }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;

    std::filesystem::path path;
};

}  // namespace muster::http::testing
