#include "store/postgres/write_queue.hpp"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace muster::store::postgres {
namespace asio = boost::asio;
namespace {

constexpr std::size_t kMostTogether = 64;
constexpr int kMostAttempts = 8;
constexpr int kMostTries = 8;  // of a batch, before each of its sets is tried by itself
constexpr const char* kTooLate = "it was too late to begin";
constexpr std::chrono::milliseconds kPause{5};
constexpr std::chrono::milliseconds kPatiencePerMutation{2};

/// A set that is large is committed by itself, and so is one that changes the directory: in a
/// transaction with others it would wait for other nodes' changes while these wait for the others.
bool stands_alone(const WriteSet& set) {
    return set.mutations.size() > 16 || set.directory_version.has_value();
}

/// `apply` as the pool wants its jobs: an error of its own kind beside the set's.
Task<Outcome<std::expected<std::vector<Committed>, Refused>>> apply_held(
    const Pool& pool, Connection& connection, Connection::Deadline deadline, Sets sets,
    std::int64_t slot) {
    // Connecting may have taken long.
    if (pool.is_too_late_for(deadline)) {
        co_return std::unexpected(Failure{.message = kTooLate});
    }
    co_return co_await apply(connection, deadline, sets, slot);
}

}  // namespace

WriteQueue::WriteQueue(Pool& pool, std::size_t lanes, std::int64_t slot)
    : pool_(pool), slot_(slot), busy_(lanes, false) {}

Task<Result<Committed>> WriteQueue::submit(WriteSet set) {
    auto initiate = [this](auto handler, WriteSet what) {
        const asio::any_io_executor where = busy_executor_of(handler);
        const auto deadline = pool_.deadline() + kPatiencePerMutation * what.mutations.size();
        Request request{std::move(what), deadline, {where, std::move(handler)}};
        ++waiting_;
        asio::post(pool_.executor(),
                   [this, request = std::move(request)]() mutable { accept(std::move(request)); });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Committed>)>(
        std::move(initiate), asio::use_awaitable, std::move(set));
}

void WriteQueue::accept(Request request) {
    const OrgKey org = request.set.org;
    if (!turns_.has_room(org)) {
        std::vector<Request> one;
        one.push_back(std::move(request));
        return refuse(std::move(one), "too many writes wait");
    }
    turns_.add(org, std::move(request));
    const auto idle = std::ranges::find(busy_, false);
    if (turns_.empty() || idle == busy_.end()) return;
    *idle = true;
    asio::co_spawn(pool_.executor(), serve(static_cast<std::size_t>(idle - busy_.begin())),
                   asio::detached);
}

std::vector<WriteQueue::Request> WriteQueue::take(OrgKey org) {
    std::vector<Request> batch;
    std::vector<Request> late;
    const std::deque<Request>& line = turns_.line(org);
    while (!line.empty() && batch.size() < kMostTogether) {
        if (pool_.is_too_late_for(line.front().deadline)) {
            late.push_back(turns_.take(org));
            continue;
        }
        const bool alone = stands_alone(line.front().set);
        if (alone && !batch.empty()) break;
        batch.push_back(turns_.take(org));
        if (alone) break;
    }
    if (!late.empty()) refuse(std::move(late), kTooLate);
    return batch;
}

void WriteQueue::refuse(std::vector<Request> requests, const char* why) {
    const Error error{ErrorCode::Unavailable, why, {}, {}};
    std::vector<Result<Committed>> results(requests.size(), std::unexpected(error));
    answer(std::move(requests), std::move(results));
}

void WriteQueue::answer(std::vector<Request> requests, std::vector<Result<Committed>> results) {
    std::vector<Resumption> resumptions;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto& waiter = requests[i].waiter;
        auto run = [resume = std::move(waiter.resume), result = std::move(results[i])]() mutable {
            resume(std::move(result));
        };
        resumptions.push_back({std::move(waiter.executor), std::move(run)});
    }
    waiting_ -= requests.size();
    resume(std::move(resumptions));
}

/// An organisation keeps its turn until its batch is done: what it wrote stays in order.
Task<void> WriteQueue::serve(std::size_t lane) {
    while (!turns_.empty()) {
        const OrgKey org = turns_.call();
        std::vector<Request> batch = take(org);
        std::vector<Result<Committed>> results = co_await write(lane, batch);
        turns_.leave(org);
        answer(std::move(batch), std::move(results));
    }
    busy_[lane] = false;
}

/// Where a set is refused, those before it are written together, then it by itself, which says why,
/// then those behind it together.
Task<std::vector<Result<Committed>>> WriteQueue::write(std::size_t lane, Requests requests) {
    std::vector<Result<Committed>> results;
    for (int tries = 0; !requests.empty();) {
        std::size_t settled = requests.size();
        if (requests.size() > 1 && tries++ < kMostTries) {
            auto done = co_await attempt(lane, requests);
            if (done) {
                std::ranges::move(*done, std::back_inserter(results));
            } else if (done.error().error.code == ErrorCode::OutcomeUnknown) {
                const Error error = std::move(done).error().error;
                results.resize(results.size() + settled, std::unexpected(error));
            } else if (const auto refused = done.error().set) {
                auto before = co_await write(lane, requests.first(*refused));
                std::ranges::move(before, std::back_inserter(results));
                results.push_back(co_await write_alone(lane, requests[*refused]));
                settled = *refused + 1;
            } else {
                settled = 0;
                if (done.error().retry) {
                    co_await pause(tries);
                } else {
                    tries = kMostTries;
                }
            }
        } else {
            results.push_back(co_await write_alone(lane, requests.front()));
            settled = 1;
        }
        requests = requests.subspan(settled);
    }
    co_return results;
}

Task<Result<Committed>> WriteQueue::write_alone(std::size_t lane, const Request& request) {
    for (int attempts = 1;; ++attempts) {
        auto done = co_await attempt(lane, Requests(&request, 1));
        if (done) co_return std::move(done->front());
        if (!done.error().retry || attempts == kMostAttempts) {
            co_return std::unexpected(std::move(done).error().error);
        }
        co_await pause(attempts);
    }
}

Task<void> WriteQueue::pause(int attempts) {
    asio::steady_timer timer(pool_.executor(), pool_.jittered(kPause * attempts));
    co_await timer.async_wait(asio::use_awaitable);
}

Task<std::expected<std::vector<Committed>, Refused>> WriteQueue::attempt(std::size_t lane,
                                                                         Requests requests) {
    std::vector<const WriteSet*> sets;
    for (const Request& request : requests) sets.push_back(&request.set);
    // They wait for a connection until the first of them has to be answered. Once something is sent
    // they have the time of the last: that of another being up leaves none of them in doubt.
    const auto [oldest, youngest] = std::ranges::minmax_element(requests, {}, &Request::deadline);
    auto job = [this, &sets, until = youngest->deadline](Connection& connection,
                                                         Connection::Deadline) {
        return apply_held(pool_, connection, until, sets, slot_);
    };
    auto done = co_await pool_.write(lane, oldest->deadline, job);
    if (!done) {
        const bool unknown = done.error().unknown;
        co_return std::unexpected(
            refused(unknown ? ErrorCode::OutcomeUnknown : ErrorCode::Unavailable,
                    std::move(done).error().message));
    }
    if (*done) ++commits_;
    co_return *std::move(done);
}

}  // namespace muster::store::postgres
