#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "base/task.hpp"

namespace muster::nodes {

/// A network between a node and PostgreSQL that can be broken: a TCP proxy on 127.0.0.1.
class Proxy {
  public:
    explicit Proxy(int target_port);
    ~Proxy();
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;

    [[nodiscard]] int port() const { return port_; }
    /// From now on nothing passes, in either direction, and nobody is told; or it does again.
    void be_silent(bool silent) { silent_ = silent; }
    /// Every answer comes so much later.
    void delay(std::chrono::milliseconds time) { delay_ms_ = time.count(); }

  private:
    using Socket = boost::asio::ip::tcp::socket;
    struct Link;

    Task<void> accept();
    Task<void> serve(std::shared_ptr<Link> link);
    Task<void> carry(std::shared_ptr<Link> link, Socket& from, Socket& to, bool answers);

    boost::asio::io_context context_{1};
    boost::asio::ip::tcp::acceptor acceptor_;
    int target_port_;
    int port_;
    std::atomic<bool> silent_{false};
    std::atomic<std::int64_t> delay_ms_{0};
    std::thread thread_;
};

}  // namespace muster::nodes
