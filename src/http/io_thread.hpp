#pragma once
// One thread with an event loop of its own. A connection lives and dies on the one that adopted it.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <string>
#include <string_view>
#include <thread>

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>

#include "http/memory_room.hpp"
#include "http/response_head.hpp"
#include "http/server.hpp"

namespace muster::http {

/// TCP or Unix.
using Socket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                boost::asio::io_context::executor_type>;

/// A connection as the acceptor hands it over.
struct Accepted {
    Socket socket;
    std::string peer;
    Handler* handler = nullptr;
    boost::asio::ssl::context* tls = nullptr;  ///< none: plain
    bool surplus = false;  ///< above the limit: another one goes, or it is answered 503
};

/// A figure that one thread counts and others read; no bus lock.
class Counter {
  public:
    void add() { value_.store(get() + 1, std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// What a thread knows of its connections: the deadline of what they wait for, and how to end it.
/// All calls on the connection's thread.
class Watched : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  public:
    using Time = std::chrono::steady_clock::time_point;
    virtual ~Watched() = default;

    /// Ends the wait under way; the connection then sees expired().
    void expire() {
        expired_ = true;
        deadline_ = Time::max();
        cancel();
    }
    [[nodiscard]] Time deadline() const { return deadline_; }
    /// Between requests, or waiting for the client to close.
    [[nodiscard]] bool idle() const {
        return waits_ == Waits::ForRequest || waits_ == Waits::ForClose;
    }
    /// Nothing was promised: no request of it has arrived whole.
    [[nodiscard]] bool dispensable() const { return waits_ != Waits::ForNothing; }
    /// From then on its client counts as slow in taking its answer, or in sending its body.
    [[nodiscard]] Time slow_at() const { return slow_at_; }
    /// One of its requests was admitted.
    [[nodiscard]] bool known() const { return known_; }
    /// Bytes have arrived that were not read yet.
    [[nodiscard]] virtual bool has_input() = 0;
    /// At once, whatever goes on.
    virtual void close() = 0;

  protected:
    /// Bounds the waits that follow. Forgets that an earlier one expired.
    void wait_until(Time deadline) {
        deadline_ = deadline;
        expired_ = false;
    }
    [[nodiscard]] bool expired() const { return expired_; }

    /// What the client owes.
    enum class Waits : std::uint8_t { ForNothing, ForRequest, ForRestOfHead, ForClose };
    void set_waits(Waits waits) { waits_ = waits; }
    void set_known() { known_ = true; }

    /// While it lives the client has something to take or to send.
    class Pace {
      public:
        Pace(Watched& client, std::chrono::seconds patience)
            : slow_at_(client.slow_at_), patience_(patience) {
            slow_at_ = std::chrono::steady_clock::now() + patience_;
        }
        ~Pace() { slow_at_ = Time::max(); }
        Pace(const Pace&) = delete;
        Pace& operator=(const Pace&) = delete;

        /// So much of it has gone. Haste is not saved up: who stops is slow soon.
        void moved(std::size_t bytes) {
            constexpr std::int64_t kBytesPerSecond = 32 * 1024;
            constexpr std::chrono::nanoseconds kSecond = std::chrono::seconds{1};
            const auto earned = kSecond * static_cast<std::int64_t>(bytes) / kBytesPerSecond;
            slow_at_ = std::min(slow_at_ + earned, std::chrono::steady_clock::now() + patience_);
        }

      private:
        Time& slow_at_;
        std::chrono::seconds patience_;
    };

  private:
    virtual void cancel() = 0;

    Time deadline_ = Time::max();
    Time slow_at_ = Time::max();
    bool expired_ = false;
    bool known_ = false;
    Waits waits_ = Waits::ForNothing;
};

class IoThread {
  public:
    IoThread(const Limits& limits, MemoryRoom& body_room, MemoryRoom& answer_room);
    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;

    // From any thread:
    void start();
    [[nodiscard]] boost::asio::io_context& context() { return context_; }
    [[nodiscard]] std::size_t connections() const { return connections_.load(); }
    /// How many of them would make room; of the slow ones, those of the last sweep.
    [[nodiscard]] std::int64_t dispensable() const { return waiting_.load() + slow_.load(); }
    void adopt(Accepted accepted);
    /// Runs `task` here. An exception that leaves it ends the process, unless it was cancelled.
    void post(std::function<Task<void>()> task);
    /// From now on every answer ends its connection.
    void drain();
    /// Closes the connections that wait for a request, but for those whose request has arrived.
    void close_idle();
    /// Closes all connections, cancels the posted tasks and returns when the thread has ended.
    void stop();

    // From this thread:
    [[nodiscard]] const Limits& limits() const { return limits_; }
    [[nodiscard]] MemoryRoom& body_room() const { return body_room_; }
    [[nodiscard]] MemoryRoom& answer_room() const { return answer_room_; }
    [[nodiscard]] bool draining() const { return draining_; }
    [[nodiscard]] std::string_view date() { return date_.now(); }
    /// Puts the connection behind the others of its kind. The front goes first where room is made:
    /// strangers in the order of their arrival, then known ones, the longest idle first; then, in
    /// the same order, those whose client is slow over a request.
    void watch(Watched& connection);
    void count_waiting(int change) {
        waiting_.store(waiting_.load() + change, std::memory_order_relaxed);
    }
    void forget() { --connections_; }

    Counter requests;
    Counter malformed;
    Counter timeouts;
    Counter refused;
    Counter displaced;

  private:
    using Connections =
        boost::intrusive::list<Watched, boost::intrusive::constant_time_size<false>>;

    template <class Act>
    void for_each_connection(Act act) {
        for (Connections* connections : {&strangers_, &known_}) {
            for (Watched& connection : *connections) act(connection);
        }
    }
    /// Ends a connection for which nothing is under way, else a slow one; false where there is
    /// none.
    bool make_room();
    template <class Which>
    bool close_first(Which which);
    void sweep_every_second();
    void sweep();

    const Limits& limits_;
    MemoryRoom& body_room_;
    MemoryRoom& answer_room_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    boost::asio::steady_timer sweep_timer_;
    Connections strangers_;
    Connections known_;
    std::list<boost::asio::cancellation_signal> tasks_;
    DateCache date_;
    std::atomic<std::size_t> connections_{0};
    // Written by this thread only:
    std::atomic<std::int64_t> waiting_{0};  ///< dispensable ones
    std::atomic<std::int64_t> slow_{0};
    bool draining_ = false;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace muster::http
