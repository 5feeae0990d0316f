#include "http/acceptor.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace muster::http {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kPause{100};
/// Connections above the limit that are told so or get another's place; still more wait in the
/// kernel's line.
constexpr std::size_t kMaxSurplus = 256;

[[noreturn]] void cannot_listen(const boost::system::error_code& ec, const std::string& address) {
    throw std::system_error(ec.value(), std::generic_category(), "cannot listen on " + address);
}

/// The client's address; nothing for a peer of the Unix socket who may not use it.
std::optional<std::string> peer_of(int descriptor,
                                   const asio::generic::stream_protocol::endpoint& endpoint) {
    if (endpoint.protocol().family() == AF_UNIX) {
        ucred peer{};
        socklen_t size = sizeof(peer);
        if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
        if (peer.uid != 0 && peer.uid != ::geteuid()) return {};
        return "unix";
    }
    asio::ip::tcp::endpoint tcp;
    if (endpoint.size() > tcp.capacity()) return {};
    std::copy_n(static_cast<const std::byte*>(static_cast<const void*>(endpoint.data())),
                endpoint.size(), static_cast<std::byte*>(static_cast<void*>(tcp.data())));
    tcp.resize(endpoint.size());
    asio::ip::address address = tcp.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return address.to_string();
}

/// A socket left behind by a process that has ended is removed; one in use is not.
void remove_stale_socket(const fs::path& path) {
    std::error_code ec;
    if (!fs::is_socket(path, ec)) return;
    asio::io_context context;
    asio::local::stream_protocol::socket probe(context);
    boost::system::error_code refused;
    probe.connect(asio::local::stream_protocol::endpoint(path.string()), refused);
    if (refused) fs::remove(path, ec);
}

}  // namespace

Acceptor::~Acceptor() { stop(); }

std::uint16_t Acceptor::listen_tcp(const std::string& address, std::uint16_t port, Handler& handler,
                                   asio::ssl::context* tls) {
    const std::string name = address + ":" + std::to_string(port);
    boost::system::error_code ec;
    asio::ip::tcp::resolver resolver(context_);
    const auto found =
        resolver.resolve(address, std::to_string(port), asio::ip::resolver_base::passive, ec);
    if (ec) {
        throw std::system_error(std::make_error_code(std::errc::address_not_available),
                                "cannot listen on " + name + ": " + ec.message());
    }
    const asio::ip::tcp::endpoint endpoint = *found.begin();
    ListeningSocket socket(context_);
    socket.open(endpoint.protocol(), ec);
    if (!ec) socket.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec) socket.bind(endpoint, ec);
    if (!ec) socket.listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) socket.non_blocking(true, ec);
    if (ec) cannot_listen(ec, name);

    asio::ip::tcp::endpoint bound;
    const auto local = socket.local_endpoint();
    std::copy_n(static_cast<const std::byte*>(static_cast<const void*>(local.data())), local.size(),
                static_cast<std::byte*>(static_cast<void*>(bound.data())));
    listeners_.push_back({std::move(socket), &handler, tls, {}});
    return bound.port();
}

void Acceptor::listen_unix(const fs::path& path, Handler& handler) {
    boost::system::error_code ec;
    if (path.string().size() >= sizeof(sockaddr_un::sun_path)) {
        cannot_listen(asio::error::name_too_long, path.string());
    }
    remove_stale_socket(path);
    ListeningSocket socket(context_);
    const asio::local::stream_protocol::endpoint endpoint(path.string());
    socket.open(endpoint.protocol(), ec);
    if (!ec) socket.bind(endpoint, ec);
    if (ec) cannot_listen(ec, path.string());
    // Nobody can connect before listen(): there is no moment with a wider mode.
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    socket.listen(asio::socket_base::max_listen_connections, ec);
    if (!ec) socket.non_blocking(true, ec);
    if (ec) cannot_listen(ec, path.string());
    listeners_.push_back({std::move(socket), &handler, nullptr, path});
}

void Acceptor::start() {
    for (Listener& listener : listeners_) {
        asio::co_spawn(context_, accept_forever(this, &listener), asio::detached);
    }
    thread_ = std::thread([this] { context_.run(); });
}

void Acceptor::stop() {
    const auto close = [this] {
        for (Listener& listener : listeners_) {
            if (!listener.socket.is_open()) continue;
            if (thread_.joinable()) accept_waiting(listener);
            listener.socket.close();
            std::error_code ignored;
            if (!listener.path.empty()) fs::remove(listener.path, ignored);
        }
    };
    if (!thread_.joinable()) return close();
    asio::post(context_, close);
    thread_.join();
}

Task<void> Acceptor::accept_forever(Acceptor* self, Listener* listener) {
    asio::steady_timer pause(self->context_);
    while (listener->socket.is_open()) {
        if (self->accept_waiting(*listener)) {
            const auto [ec] =
                co_await listener->socket.async_wait(asio::socket_base::wait_read, kToken);
            if (ec) co_return;
        } else {
            pause.expires_after(kPause);
            co_await pause.async_wait(kToken);
        }
    }
}

std::size_t Acceptor::open() const {
    std::size_t open = 0;
    for (const auto& thread : threads_) open += thread->connections();
    return open;
}

bool Acceptor::accept_waiting(Listener& listener) {
    // The operator's socket has room always.
    const bool limited = listener.path.empty();
    for (;;) {
        if (limited && open() >= limits_.max_connections + kMaxSurplus) return false;
        asio::generic::stream_protocol::endpoint endpoint;
        auto size = static_cast<socklen_t>(endpoint.capacity());
        const int descriptor = ::accept4(listener.socket.native_handle(), endpoint.data(), &size,
                                         SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) {
            if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
            const bool only_this_client =
                errno == EINTR || errno == ECONNABORTED || errno == EPROTO || errno == EPERM;
            if (!only_this_client) return false;
            continue;
        }
        endpoint.resize(size);
        std::optional<std::string> peer = peer_of(descriptor, endpoint);
        if (peer) {
            const bool surplus = limited && open() >= limits_.max_connections;
            hand_over(listener, descriptor, endpoint.protocol().family(), *std::move(peer),
                      surplus);
        } else {
            ::close(descriptor);
        }
    }
}

void Acceptor::hand_over(Listener& listener, int descriptor, int family, std::string peer,
                         bool surplus) {
    accepted_.add();
    // One above the limit goes where others make room.
    const auto chosen =
        surplus ? std::ranges::max_element(threads_, {},
                                           [](const auto& thread) { return thread->dispensable(); })
                : std::ranges::min_element(
                      threads_, {}, [](const auto& thread) { return thread->connections(); });
    IoThread& thread = **chosen;
    Socket socket(thread.context());
    boost::system::error_code ec;
    socket.assign(asio::generic::stream_protocol(family, 0), descriptor, ec);
    if (ec) {
        ::close(descriptor);
        return;
    }
    socket.non_blocking(true, ec);
    if (family != AF_UNIX) socket.set_option(asio::ip::tcp::no_delay(true), ec);

    thread.adopt({.socket = std::move(socket),
                  .peer = std::move(peer),
                  .handler = listener.handler,
                  .tls = listener.tls,
                  .surplus = surplus});
}

}  // namespace muster::http
