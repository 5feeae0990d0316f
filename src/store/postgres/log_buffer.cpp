#include "store/postgres/log_buffer.hpp"

#include <future>
#include <iterator>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "store/postgres/write_set.hpp"

namespace muster::store::postgres {
namespace asio = boost::asio;
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kDelay{100};
constexpr milliseconds kRetryDelay{1000};
constexpr std::size_t kRoomBytes = std::size_t{16} << 20;
constexpr std::size_t kFlushBytes = std::size_t{2} << 20;
constexpr int kMostWaits = 3;  // for room, an attempt to write each

std::size_t size_of(const LogEntry& entry) { return sizeof(LogEntry) + entry.json.size(); }

}  // namespace

LogBuffer::LogBuffer(Pool& pool) : pool_(pool), timer_(pool.executor()) {}

bool LogBuffer::offer(LogEntry entry) {
    bool begin = false;
    bool plenty = false;
    {
        const std::scoped_lock lock(mutex_);
        if (stopping_ || bytes_ > kRoomBytes) {
            ++dropped_;
            return false;
        }
        if (entries_.empty()) due_ = std::max(due_, steady_clock::now() + kDelay);
        bytes_ += size_of(entry);
        entries_.push_back(std::move(entry));
        plenty = bytes_ >= kFlushBytes && due_ > steady_clock::now() + kDelay / 2;
        if (plenty) due_ = steady_clock::now();
        begin = !std::exchange(running_, true);
    }
    if (begin) {
        asio::co_spawn(pool_.executor(), run(), asio::detached);
    } else if (plenty) {
        wake();
    }
    return true;
}

Task<void> LogBuffer::record(LogEntry entry) {
    for (int waited = 0; waited < kMostWaits && !has_room(); ++waited) co_await attempt(false);
    offer(std::move(entry));
}

Task<void> LogBuffer::flush() { return attempt(true); }

bool LogBuffer::has_room() {
    const std::scoped_lock lock(mutex_);
    return bytes_ <= kRoomBytes || stopping_ || failing_;
}

void LogBuffer::wake() {
    asio::post(pool_.executor(), [this] { timer_.cancel(); });
}

Task<void> LogBuffer::attempt(bool at_once) {
    auto initiate = [this, at_once](auto handler) {
        const asio::any_io_executor where = busy_executor_of(handler);
        std::vector<Resumption> nothing_to_wait_for;
        {
            const std::scoped_lock lock(mutex_);
            // What is being written counts as handed over only when its turn is done.
            auto& list = !running_ ? nothing_to_wait_for : entries_.empty() ? writing_ : waiting_;
            list.push_back({where, std::move(handler)});
            if (running_ && at_once) due_ = std::min(due_, steady_clock::now());
        }
        if (nothing_to_wait_for.empty() && at_once) wake();
        resume(std::move(nothing_to_wait_for));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                       asio::use_awaitable);
}

Task<void> LogBuffer::run() {
    // What could not be written is tried again as it was: it may have been written, without an
    // answer, and then its segments are recognised. Later records must not hide in them.
    std::vector<LogEntry> batch;
    std::size_t bytes = 0;
    for (;;) {
        Instant due;
        {
            const std::scoped_lock lock(mutex_);
            due = due_;
        }
        if (steady_clock::now() < due) {
            timer_.expires_at(due);
            boost::system::error_code ec;
            co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
            if (ec) continue;  // woken: the time may have been changed
        }
        if (batch.empty()) {
            const std::scoped_lock lock(mutex_);
            batch.swap(entries_);
            bytes = bytes_;
            std::ranges::move(waiting_, std::back_inserter(writing_));
            waiting_.clear();
        }
        auto job = [&batch](Connection& connection, Connection::Deadline deadline) {
            return write_log(connection, deadline, batch);
        };
        const auto done = co_await pool_.write(pool_.housekeeping(), pool_.deadline(), job);

        std::vector<Resumption> resumptions;
        bool more = false;
        {
            const std::scoped_lock lock(mutex_);
            failing_ = !done;
            if (done) {
                bytes_ -= bytes;
                written_ += batch.size();
                batch.clear();
            } else {
                due_ = steady_clock::now() + kRetryDelay;
            }
            // Also where it failed: who waits counts the attempts.
            resumptions.swap(writing_);
            more = !(batch.empty() && entries_.empty()) && !(stopping_ && !done);
            if (!done || !more) {
                std::ranges::move(waiting_, std::back_inserter(resumptions));
                waiting_.clear();
            }
            if (!more) dropped_ += batch.size() + entries_.size();
            running_ = more;
        }
        resume(std::move(resumptions));
        if (!more) co_return;
    }
}

void LogBuffer::stop() {
    {
        const std::scoped_lock lock(mutex_);
        if (std::exchange(stopping_, true)) return;
    }
    std::promise<void> done;
    asio::co_spawn(pool_.executor(), flush(),
                   [&done](const std::exception_ptr&) { done.set_value(); });
    done.get_future().wait();
}

}  // namespace muster::store::postgres
