#pragma once
// Takes connections from the listening sockets and hands each to the least-loaded I/O thread.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>

#include "http/io_thread.hpp"

namespace muster::http {

class Acceptor {
  public:
    Acceptor(const Limits& limits, std::vector<std::unique_ptr<IoThread>>& threads)
        : limits_(limits), threads_(threads) {}
    ~Acceptor();
    Acceptor(const Acceptor&) = delete;
    Acceptor& operator=(const Acceptor&) = delete;

    // Before start(); both throw std::system_error with the address in its text. What listen_tcp
    // returns is the port.
    std::uint16_t listen_tcp(const std::string& address, std::uint16_t port, Handler& handler,
                             boost::asio::ssl::context* tls);
    void listen_unix(const std::filesystem::path& path, Handler& handler);

    void start();
    /// Hands over what the kernel has accepted already, then closes the listening sockets.
    void stop();

    [[nodiscard]] std::uint64_t accepted() const { return accepted_.get(); }

  private:
    using ListeningSocket =
        boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol,
                                           boost::asio::io_context::executor_type>;
    struct Listener {
        ListeningSocket socket;
        Handler* handler;
        boost::asio::ssl::context* tls;
        std::filesystem::path path;  ///< of a Unix socket
    };

    static Task<void> accept_forever(Acceptor* self, Listener* listener);
    /// False where there is no room for a connection that waits: no descriptor, no memory, or more
    /// than enough of them above the limit.
    bool accept_waiting(Listener& listener);
    [[nodiscard]] std::size_t open() const;
    void hand_over(Listener& listener, int descriptor, int family, std::string peer, bool surplus);

    const Limits& limits_;
    std::vector<std::unique_ptr<IoThread>>& threads_;
    boost::asio::io_context context_{1};
    std::list<Listener> listeners_;
    Counter accepted_;
    std::thread thread_;
};

}  // namespace muster::http
