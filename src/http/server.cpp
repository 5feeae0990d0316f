#include "http/server.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "base/check.hpp"
#include "http/acceptor.hpp"
#include "http/io_thread.hpp"
#include "http/tls.hpp"

namespace muster::http {
namespace {

constexpr std::chrono::milliseconds kPoll{2};
/// How long a kept-alive connection may still bring a request while the server drains: longer than
/// what is on its way takes to arrive.
constexpr std::chrono::milliseconds kIdleGrace{200};

}  // namespace

struct Server::Impl {
    Impl(Options chosen, Handler& handler) : options(std::move(chosen)) {
        MUSTER_CHECK(options.threads > 0);
        for (unsigned i = 0; i < options.threads; ++i) {
            threads.push_back(std::make_unique<IoThread>(options.limits, body_room, answer_room));
        }
        if (options.tls) tls.emplace(make_server_context(*options.tls));
        port = acceptor.listen_tcp(options.address, options.port, handler, tls ? &*tls : nullptr);
    }

    [[nodiscard]] std::size_t open() const {
        std::size_t sum = 0;
        for (const auto& thread : threads) sum += thread->connections();
        return sum;
    }

    Options options;
    MemoryRoom body_room{options.limits.max_bodies_bytes};
    MemoryRoom answer_room{options.limits.max_answers_bytes};
    std::vector<std::unique_ptr<IoThread>> threads;
    std::optional<boost::asio::ssl::context> tls;
    Acceptor acceptor{options.limits, threads};
    std::uint16_t port = 0;
    std::atomic<unsigned> next_thread{0};
    bool running = false;
};

Server::Server(Options options, Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}

Server::~Server() { stop(std::chrono::milliseconds{0}); }

std::uint16_t Server::port() const { return impl_->port; }

void Server::listen_unix(const std::filesystem::path& path, Handler& handler) {
    MUSTER_CHECK(!impl_->running);
    impl_->acceptor.listen_unix(path, handler);
}

void Server::run() {
    MUSTER_CHECK(!impl_->running);
    impl_->running = true;
    for (const auto& thread : impl_->threads) thread->start();
    impl_->acceptor.start();
}

void Server::stop(std::chrono::milliseconds grace) {
    impl_->acceptor.stop();
    if (!std::exchange(impl_->running, false)) return;

    const auto start = std::chrono::steady_clock::now();
    for (const auto& thread : impl_->threads) thread->drain();
    for (auto now = start; impl_->open() > 0 && now - start < grace;
         now = std::chrono::steady_clock::now()) {
        if (now - start >= std::min(kIdleGrace, grace / 2)) {
            for (const auto& thread : impl_->threads) thread->close_idle();
        }
        std::this_thread::sleep_for(kPoll);
    }
    for (const auto& thread : impl_->threads) thread->stop();
}

Figures Server::figures() const {
    Figures figures;
    figures.connections_open = impl_->open();
    figures.connections_total = impl_->acceptor.accepted();
    for (const auto& thread : impl_->threads) {
        figures.requests_total += thread->requests.get();
        figures.malformed_total += thread->malformed.get();
        figures.timeouts_total += thread->timeouts.get();
        figures.connections_refused += thread->refused.get();
        figures.connections_displaced += thread->displaced.get();
    }
    return figures;
}

void Server::post(std::function<Task<void>()> task) {
    const std::size_t next = impl_->next_thread++ % impl_->threads.size();
    impl_->threads[next]->post(std::move(task));
}

}  // namespace muster::http
