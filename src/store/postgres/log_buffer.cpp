#include "store/postgres/log_buffer.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <map>
#include <ranges>
#include <span>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

namespace muster::store::postgres {
namespace asio = boost::asio;
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kDelay{100};
constexpr milliseconds kRetryDelay{1000};
constexpr std::size_t kRoomBytes = std::size_t{16} << 20;
constexpr std::size_t kFlushBytes = std::size_t{2} << 20;
constexpr std::size_t kPortionsTogether = 16;  // share a round trip, and its deadline
constexpr int kMostWaits = 3;                  // for room, an attempt to write each

std::size_t size_of(const LogEntry& entry) { return sizeof(LogEntry) + entry.json.size(); }

/// What failed is tried last: it may fail again, and take its time over it.
void add(std::vector<LogPortion>& failed, std::vector<LogEntry> entries) {
    std::map<OrgKey, std::vector<LogEntry>> by_org;
    for (LogEntry& entry : entries) by_org[entry.org].push_back(std::move(entry));
    for (LogPortion& portion : failed) {
        const auto later = by_org.find(portion.org);
        if (later == by_org.end()) continue;
        portion.batches.push_back(std::move(later->second));
        by_org.erase(later);
    }
    std::vector<LogPortion> portions;
    for (auto& [org, records] : by_org) {
        portions.emplace_back(org).batches.push_back(std::move(records));
    }
    std::ranges::move(failed, std::back_inserter(portions));
    failed = std::move(portions);
}

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
    std::vector<LogPortion> portions;
    for (;;) {
        co_await wait_until_due();
        std::vector<LogEntry> entries;
        {
            const std::scoped_lock lock(mutex_);
            entries.swap(entries_);
            std::ranges::move(waiting_, std::back_inserter(writing_));
            waiting_.clear();
        }
        add(portions, std::move(entries));
        co_await write(portions);

        std::vector<Resumption> resumptions;
        bool more = false;
        {
            const std::scoped_lock lock(mutex_);
            failing_ = !portions.empty();
            const bool again = failing_ && !stopping_;
            if (again) due_ = steady_clock::now() + kRetryDelay;
            more = again || !entries_.empty();
            // Also where it failed: who waits counts the attempts.
            resumptions.swap(writing_);
            if (again || !more) {
                std::ranges::move(waiting_, std::back_inserter(resumptions));
                waiting_.clear();
            }
            if (!more) {
                for (const LogPortion& portion : portions) {
                    for (const auto& batch : portion.batches) dropped_ += batch.size();
                }
            }
            running_ = more;
        }
        resume(std::move(resumptions));
        if (!more) co_return;
    }
}

Task<void> LogBuffer::wait_until_due() {
    for (;;) {
        Instant due;
        {
            const std::scoped_lock lock(mutex_);
            due = due_;
        }
        if (steady_clock::now() >= due) co_return;
        timer_.expires_at(due);
        boost::system::error_code woken;  // the time may have been changed
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
}

Task<void> LogBuffer::write(std::vector<LogPortion>& portions) {
    std::vector<LogPortion> failed;
    for (std::span<LogPortion> left = portions; !left.empty();) {
        const auto some = left.first(std::min(left.size(), kPortionsTogether));
        auto job = [some](Connection& connection, Connection::Deadline deadline) {
            return write_log(connection, deadline, some);
        };
        const auto done = co_await pool_.write(pool_.housekeeping(), pool_.deadline(), job);
        // Nothing can be reached, and trying the others would not be quicker.
        const auto tried = done ? some : left;
        std::vector<LogPortion> again;
        for (std::size_t i = 0; i < tried.size(); ++i) {
            if (done && (*done)[i]) {
                settle(tried[i]);
            } else {
                again.push_back(std::move(tried[i]));
            }
        }
        // The first of them may be what kept the others from being written in time.
        if (again.size() > 1) std::ranges::rotate(again, std::next(again.begin()));
        std::ranges::move(again, std::back_inserter(failed));
        left = left.subspan(tried.size());
    }
    portions = std::move(failed);
}

void LogBuffer::settle(const LogPortion& portion) {
    const std::scoped_lock lock(mutex_);
    for (const LogEntry& entry : std::views::join(portion.batches)) {
        bytes_ -= size_of(entry);
        ++written_;
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
