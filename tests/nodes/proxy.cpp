#include "proxy.hpp"

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace muster::nodes {
namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::steady_clock;

namespace {

constexpr std::chrono::milliseconds kTick{10};
const tcp::endpoint kLoopback(asio::ip::address_v4::loopback(), 0);

}  // namespace

struct Proxy::Link {
    Socket client;
    Socket server;

    void close() {
        boost::system::error_code ignored;
        client.close(ignored);
        server.close(ignored);
    }
};

Proxy::Proxy(int target_port)
    : acceptor_(context_, kLoopback),
      target_port_(target_port),
      port_(acceptor_.local_endpoint().port()) {
    asio::co_spawn(context_, accept(), asio::detached);
    thread_ = std::thread([this] { context_.run(); });
}

Proxy::~Proxy() {
    context_.stop();
    thread_.join();
}

Task<void> Proxy::accept() {
    for (;;) {
        Socket client = co_await acceptor_.async_accept(asio::use_awaitable);
        auto link = std::make_shared<Link>(std::move(client), Socket(context_));
        asio::co_spawn(context_, serve(link), asio::detached);
    }
}

Task<void> Proxy::serve(std::shared_ptr<Link> link) {
    boost::system::error_code ec;
    const tcp::endpoint target(kLoopback.address(), static_cast<std::uint16_t>(target_port_));
    co_await link->server.async_connect(target, asio::redirect_error(asio::use_awaitable, ec));
    if (ec) co_return;
    asio::co_spawn(context_, carry(link, link->client, link->server, false), asio::detached);
    asio::co_spawn(context_, carry(link, link->server, link->client, true), asio::detached);
}

/// What arrives passes on when its time has come; the end of a stream too.
Task<void> Proxy::carry(std::shared_ptr<Link> link, Socket& from, Socket& to, bool answers) {
    struct Piece {
        steady_clock::time_point due;
        std::string bytes;  ///< empty: the end
    };
    const auto pieces = std::make_shared<std::deque<Piece>>();
    auto read = [](Proxy& proxy, std::shared_ptr<Link> held, Socket& source, bool late,
                   std::shared_ptr<std::deque<Piece>> out) -> Task<void> {
        std::array<char, 65536> buffer;
        for (boost::system::error_code ec; !ec;) {
            const auto size = co_await source.async_read_some(
                asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, ec));
            const std::chrono::milliseconds wait{late ? proxy.delay_ms_.load() : 0};
            out->push_back({steady_clock::now() + wait, std::string(buffer.data(), ec ? 0 : size)});
        }
    };
    asio::co_spawn(context_, read(*this, link, from, answers, pieces), asio::detached);
    asio::steady_timer timer(context_);
    for (boost::system::error_code ec; !ec;) {
        if (silent_ || pieces->empty() || pieces->front().due > steady_clock::now()) {
            timer.expires_after(kTick);
            co_await timer.async_wait(asio::use_awaitable);
            continue;
        }
        const Piece piece = std::move(pieces->front());
        pieces->pop_front();
        if (piece.bytes.empty()) break;
        co_await asio::async_write(to, asio::buffer(piece.bytes),
                                   asio::redirect_error(asio::use_awaitable, ec));
    }
    link->close();
}

}  // namespace muster::nodes
