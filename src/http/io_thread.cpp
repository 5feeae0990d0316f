#include "http/io_thread.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "http/connection.hpp"

namespace muster::http {
namespace asio = boost::asio;

IoThread::IoThread(const Limits& limits, MemoryRoom& body_room, MemoryRoom& answer_room)
    : limits_(limits),
      body_room_(body_room),
      answer_room_(answer_room),
      work_(asio::make_work_guard(context_)),
      sweep_timer_(context_) {}

void IoThread::start() {
    sweep_every_second();
    thread_ = std::thread([this] { context_.run(); });
}

void IoThread::adopt(Accepted accepted) {
    ++connections_;
    asio::post(context_, [this, accepted = std::move(accepted)]() mutable {
        if (accepted.surplus) {
            accepted.surplus = !make_room();
            (accepted.surplus ? refused : displaced).add();
        }
        serve(*this, std::move(accepted));
    });
}

void IoThread::watch(Watched& connection) {
    connection.unlink();
    (connection.known() ? known_ : strangers_).push_back(connection);
}

// Whoever is slow or idle holds a place only as long as nobody else wants it. A request under way
// goes last, since its client sees that it was broken off.
bool IoThread::make_room() {
    const auto now = std::chrono::steady_clock::now();
    if (close_first([](Watched& connection) {
            const bool about_to_ask = connection.idle() && connection.has_input();
            return connection.dispensable() && !about_to_ask;
        })) {
        return true;
    }
    if (!close_first([now](Watched& connection) { return connection.slow_at() <= now; })) {
        return false;
    }
    slow_.store(std::max<std::int64_t>(slow_.load() - 1, 0), std::memory_order_relaxed);
    return true;
}

template <class Which>
bool IoThread::close_first(Which which) {
    for (Connections* connections : {&strangers_, &known_}) {
        const auto found = std::ranges::find_if(*connections, which);
        if (found == connections->end()) continue;
        Watched& connection = *found;
        connection.unlink();
        connection.close();
        return true;
    }
    return false;
}

void IoThread::post(std::function<Task<void>()> task) {
    asio::post(context_, [this, task = std::move(task)]() mutable {
        if (stopping_) return;
        const auto signal = tasks_.emplace(tasks_.end());
        auto finished = [this, signal](const std::exception_ptr& error) {
            if (error && !stopping_) std::rethrow_exception(error);
            // Not here: the signal is still in use by what calls this.
            asio::post(context_, [this, signal] { tasks_.erase(signal); });
        };
        asio::co_spawn(context_, std::move(task),
                       asio::bind_cancellation_slot(signal->slot(), std::move(finished)));
    });
}

void IoThread::drain() {
    asio::post(context_, [this] { draining_ = true; });
}

void IoThread::close_idle() {
    asio::post(context_, [this] {
        for_each_connection([](Watched& connection) {
            if (connection.idle() && !connection.has_input()) connection.expire();
        });
    });
}

void IoThread::stop() {
    asio::post(context_, [this] {
        draining_ = stopping_ = true;
        sweep_timer_.cancel();
        for_each_connection([](Watched& connection) { connection.close(); });
        for (asio::cancellation_signal& task : tasks_) {
            task.emit(asio::cancellation_type::terminal);
        }
    });
    work_.reset();
    if (thread_.joinable()) thread_.join();
}

void IoThread::sweep_every_second() {
    sweep_timer_.expires_after(std::chrono::seconds{1});
    sweep_timer_.async_wait([this](const boost::system::error_code& ec) {
        if (ec || stopping_) return;
        sweep();
        sweep_every_second();
    });
}

void IoThread::sweep() {
    const auto now = std::chrono::steady_clock::now();
    std::int64_t slow = 0;
    for_each_connection([&](Watched& connection) {
        if (connection.deadline() <= now) connection.expire();
        if (connection.slow_at() <= now) ++slow;
    });
    slow_.store(slow, std::memory_order_relaxed);
}

}  // namespace muster::http
