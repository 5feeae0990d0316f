#pragma once
// HTTP/1.1 over TCP, TLS or a Unix socket.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/message.hpp"

namespace muster::http {

struct Limits {
    std::size_t max_header_bytes = 16 * 1024;
    /// Above: one that is slow or idle makes room, a stranger first and a request under way last;
    /// where all are busy the new one gets 503. A Unix socket's are not limited.
    std::size_t max_connections = 10'000;
    /// Of the bodies under way, but for the first 64 KiB of each, and for one owner
    /// (Handler::Admission) what it leaves to others, at most half; above: 503.
    std::size_t max_bodies_bytes = std::size_t{128} << 20;
    /// The same of answers: their bodies, and what makes the rest of one keeps.
    std::size_t max_answers_bytes = std::size_t{256} << 20;
    std::chrono::seconds header_timeout{10};  ///< first byte of a request to end of its head
    std::chrono::seconds body_timeout{60};    ///< end of head to end of body
    std::chrono::seconds write_timeout{60};
    std::chrono::seconds idle_timeout{65};  ///< between requests; above Okta's 60 s
    /// Who has taken or sent less than 32 KiB a second for so long makes room for others.
    std::chrono::seconds slow_after{5};
};

struct Tls {
    std::filesystem::path certificate;  ///< PEM chain
    std::filesystem::path key;          ///< PEM
};

struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8080;  ///< 0: any free one
    unsigned threads = 1;
    Limits limits;
    std::optional<Tls> tls;  ///< TLS 1.2 and 1.3 only
};

/// Figures for /metrics.
struct Figures {
    std::uint64_t connections_open = 0;
    std::uint64_t connections_total = 0;
    std::uint64_t connections_refused = 0;    ///< all others were busy
    std::uint64_t connections_displaced = 0;  ///< slow or idle, for a new one
    std::uint64_t requests_total = 0;
    std::uint64_t malformed_total = 0;
    std::uint64_t timeouts_total = 0;
};

/// One acceptor hands sockets to the least-loaded of `threads` I/O threads, each with an io_context
/// of its own; a connection stays on its thread. Accepting survives EMFILE (it pauses 100 ms).
/// Bodies are read only after Handler::admit; a refused request with an unread body closes the
/// connection. Framing errors (Content-Length with Transfer-Encoding, broken chunks, obs-fold, NUL,
/// bare LF where Beast refuses it) are answered 400 and close. HEAD sends no body.
/// `Expect: 100-continue` is answered after admission.
class Server {
  public:
    /// Binds at once; throws std::system_error with the address in its text where it cannot.
    Server(Options options, Handler& handler);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::uint16_t port() const;

    /// Also serves `handler` on a Unix stream socket with mode 0600, whose peers must have this
    /// process's uid or be root (SO_PEERCRED); others are closed at once. Call before run(). A
    /// socket that nobody listens on any more is replaced. Throws std::system_error as the
    /// constructor.
    void listen_unix(const std::filesystem::path& path, Handler& handler);

    /// Starts the threads and returns.
    void run();

    /// Stops accepting, lets requests under way be answered (with `Connection: close`) for at most
    /// `grace`, closes the rest, joins the threads. Handlers under way are awaited even beyond the
    /// grace, posted tasks are cancelled (they see operation_aborted). Idempotent; not from an I/O
    /// thread.
    void stop(std::chrono::milliseconds grace);

    [[nodiscard]] Figures figures() const;

    /// Runs `task` on an I/O thread; for periodic work and for commands of the local socket. An
    /// exception that leaves it ends the process, unless stop() caused it. Thread-safe.
    void post(std::function<Task<void>()> task);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::http
