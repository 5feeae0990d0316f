#pragma once
// The connections of one node to PostgreSQL, and the thread that serves them.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.hpp"
#include "base/resumption.hpp"
#include "base/task.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/lookups.hpp"
#include "store/postgres/turns.hpp"

namespace muster::store::postgres {

/// `BEGIN` and what row-level security goes by: the organisation whose rows the transaction may
/// see. SET LOCAL, and not a function, because Citus hands only that on to its workers.
[[nodiscard]] Query begin_writing();
[[nodiscard]] Query become(OrgKey org);
[[nodiscard]] Query commit();

/// Thread-safe. Reads that arrive together travel together: up to 16 of them share a round trip,
/// and those of one organisation a transaction; organisations take turns. Writes have connections
/// of their own, and so has what nobody waits for.
class Pool {
  public:
    struct Options {
        std::vector<Host> hosts;
        std::size_t readers = 4;
        std::size_t writers = 8;
        /// For one call, waiting included; but one that was sent with younger ones has their time.
        std::chrono::milliseconds patience{10'000};
    };

    explicit Pool(Options options);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Runs `queries`, which only read, on one snapshot of one organisation's rows. Repeated where
    /// a connection is lost or what shares the transaction fails, until the patience ends.
    [[nodiscard]] Task<Outcome<std::vector<Rows>>> read(OrgKey org, std::vector<Query> queries);

    /// When a call that begins now is given up.
    [[nodiscard]] Connection::Deadline deadline() const {
        return std::chrono::steady_clock::now() + options_.patience;
    }
    /// Whether so little is left until `deadline` (half a second of ten) that nothing is begun any
    /// more: it would most likely be given up on the way, with the connection. Pool's thread.
    [[nodiscard]] bool is_too_late_for(Connection::Deadline deadline) const {
        const auto left = std::min(deadline, last_) - std::chrono::steady_clock::now();
        return left < options_.patience / 20;
    }
    /// The lane of log records, of what has become old and of the node's number: requests that
    /// write have the others, 0 to writers - 1.
    [[nodiscard]] std::size_t housekeeping() const { return options_.writers; }
    /// Runs `job(Connection&, deadline)` on the writing connection `lane`, on the pool's thread.
    /// The connection is open when the job begins, or the job fails with `lost`. It is not
    /// cancelled with who waits for it: it may be between COMMIT and the answer to that. One that
    /// throws fails with `unknown`.
    template <class Job>
    [[nodiscard]] auto write(std::size_t lane, Connection::Deadline deadline, Job job)
        -> std::invoke_result_t<Job&, Connection&, Connection::Deadline> {
        auto run = [](Pool& pool, std::size_t lane, Connection::Deadline until,
                      Job job) -> std::invoke_result_t<Job&, Connection&, Connection::Deadline> {
            try {
                CO_TRY_ASSIGN(Lease lease, co_await pool.acquire(lane, until));
                auto done = co_await job(lease.connection(), until);
                lease.job_is_done();
                if (!lease.connection().is_open()) pool.distrust();
                co_return done;
            } catch (const std::exception& error) {
                co_return std::unexpected(Failure{{}, error.what(), 0, true, true});
            }
        };
        auto task = run(*this, lane, deadline, std::move(job));
        return boost::asio::co_spawn(
            context_.get_executor(), std::move(task),
            boost::asio::bind_cancellation_slot(boost::asio::cancellation_slot(),
                                                boost::asio::use_awaitable));
    }

    [[nodiscard]] boost::asio::any_io_executor executor() { return context_.get_executor(); }
    /// Uniform in [0.5, 1.5) of `mean`. The pool's thread only.
    [[nodiscard]] std::chrono::milliseconds jittered(std::chrono::milliseconds mean);

    /// The node is about to stop: calls under way, and those still to come, end by then.
    void finish_by(Connection::Deadline last);
    /// Lets go of the connections and ends the thread. No call may be under way. Idempotent.
    void stop();

  private:
    using Instant = std::chrono::steady_clock::time_point;

    /// A connection, and who waits for it: of those for writing only the lane of housekeeping is
    /// shared. Pool's thread only.
    struct Lane {
        explicit Lane(const boost::asio::any_io_executor& executor)
            : connection(executor), taken(executor) {}
        Connection connection;
        bool busy = false;
        /// Kept by the answers of the last round trip; goes with the last of them.
        std::shared_ptr<Lane> untaken;
        boost::asio::steady_timer taken;
        std::deque<std::shared_ptr<boost::asio::steady_timer>> waiting;
    };
    /// Hands the connection on at its end; closed, where its job was not done, since answers may be
    /// on their way that the next one would take for its own.
    class Lease {
      public:
        explicit Lease(Lane& lane) : lane_(&lane) {}
        Lease(Lease&& other) noexcept : lane_(std::exchange(other.lane_, nullptr)) {}
        ~Lease();
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        [[nodiscard]] Connection& connection() const { return lane_->connection; }
        void job_is_done() { done_ = true; }

      private:
        Lane* lane_;
        bool done_ = false;
    };
    struct Read {
        OrgKey org;
        std::vector<Query> queries;
        Instant deadline;
        Waiter<Outcome<std::vector<Rows>>> waiter;
        int attempts = 0;
    };
    /// What shares a transaction: all of one organisation.
    using Reads = std::vector<Read>;

    [[nodiscard]] Task<Outcome<Lease>> acquire(std::size_t lane, Instant deadline);
    /// Connects where that is needed, as often as it takes.
    [[nodiscard]] Task<Outcome<void>> open(Lane& lane, Instant deadline);
    [[nodiscard]] Task<Outcome<void>> connect(Lane& lane, std::size_t turn, Instant deadline);
    /// After a connection was lost: those that nobody uses now have most likely gone with it, and
    /// where nothing arrives any more, that would show only when a call has waited in vain.
    void distrust();
    void close_all();

    void accept_reads();
    void wake_reader();
    [[nodiscard]] Task<void> serve(Lane& lane);
    /// What is next; refuses what it is too late for.
    [[nodiscard]] std::vector<Reads> take_reads();
    [[nodiscard]] Task<void> run(Lane& lane, std::vector<Reads>& groups);
    /// Answers what shared a transaction, or has it done again; `head`: the queries before theirs.
    void settle(Reads reads, std::size_t head, Outcome<std::vector<Rows>> outcome,
                const std::shared_ptr<Lane>& untaken);
    [[nodiscard]] Task<void> until_taken(Lane& lane);
    void repeat(Reads reads, bool at_once);
    void wait_again(Reads reads);
    static void refuse(Reads& reads, const char* why);
    static void answer(Reads& reads, std::vector<Outcome<std::vector<Rows>>> answers,
                       const std::shared_ptr<Lane>& untaken = {});
    [[nodiscard]] bool several() const { return std::chrono::steady_clock::now() < several_until_; }

    const Options options_;
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::minstd_rand random_;
    Lookups lookups_;
    std::size_t turn_ = 0;  ///< which host, and which of its addresses, is tried next
    Instant last_ = Instant::max();
    boost::asio::steady_timer closing_;
    std::vector<std::unique_ptr<Lane>> writers_;
    std::vector<std::unique_ptr<Lane>> readers_;
    Turns<Read> reads_;  ///< pool's thread
    OrgKey latest_;      ///< of the organisations that asked
    Instant several_until_ = Instant::min();
    bool waking_ = false;  ///< a reader was woken that has not taken anything yet

    std::mutex mutex_;
    std::vector<Read> arrived_;  ///< handed over, not yet seen by the pool's thread
    std::thread thread_;
};

}  // namespace muster::store::postgres
