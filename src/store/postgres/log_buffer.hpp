#pragma once
// Log records of requests that changed nothing, on their way to the database.

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include <boost/asio/steady_timer.hpp>

#include "base/resumption.hpp"
#include "base/task.hpp"
#include "store/postgres/log_portion.hpp"
#include "store/postgres/pool.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

/// Thread-safe. Writes what was handed over at the latest 100 ms later; while PostgreSQL cannot be
/// reached, or cannot take an organisation's records, it keeps up to 16 MiB and tries again.
class LogBuffer {
  public:
    explicit LogBuffer(Pool& pool);
    ~LogBuffer() { stop(); }
    LogBuffer(const LogBuffer&) = delete;
    LogBuffer& operator=(const LogBuffer&) = delete;

    /// Store::record.
    [[nodiscard]] Task<void> record(LogEntry entry);
    /// Store::offer.
    bool offer(LogEntry entry);
    /// Returns after the next attempt to write what was handed over before the call.
    [[nodiscard]] Task<void> flush();

    [[nodiscard]] std::uint64_t written() const { return written_; }
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

    /// Writes what waits, if that can be done. Idempotent.
    void stop();

  private:
    using Instant = std::chrono::steady_clock::time_point;

    /// Or no hope of it: the last attempt to write failed.
    [[nodiscard]] bool has_room();
    /// Until the next attempt to write is over.
    [[nodiscard]] Task<void> attempt(bool at_once);
    void wake();
    /// Pool's thread: one attempt after another, until there is nothing left to do.
    [[nodiscard]] Task<void> run();
    [[nodiscard]] Task<void> wait_until_due();
    /// Writes what it can of `portions`; what stays is what could not be written.
    [[nodiscard]] Task<void> write(std::vector<LogPortion>& portions);
    /// A portion is written.
    void settle(const LogPortion& portion);

    Pool& pool_;
    boost::asio::steady_timer timer_;  ///< pool's thread

    std::mutex mutex_;
    std::vector<LogEntry> entries_;
    std::size_t bytes_ = 0;  ///< in entries_ and in the portions that are being written
    Instant due_;
    bool running_ = false;
    bool failing_ = false;  ///< since the last attempt
    bool stopping_ = false;
    std::vector<Resumption> waiting_;  ///< for the next attempt
    std::vector<Resumption> writing_;  ///< for the one under way

    std::atomic<std::uint64_t> written_{0};
    std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace muster::store::postgres
