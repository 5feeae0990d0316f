#include "store/postgres/write_queue.hpp"

#include <algorithm>
#include <functional>
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
constexpr std::uint64_t kMostWaiting = 20'000;
constexpr int kMostAttempts = 8;
constexpr std::chrono::milliseconds kPause{5};
constexpr std::chrono::milliseconds kPatiencePerMutation{2};

/// A set that is large is committed by itself, and so is one that changes the directory: in a
/// transaction with others it would wait for other nodes' changes while these wait for the others.
bool stands_alone(const WriteSet& set) {
    return set.mutations.size() > 16 || set.directory_version.has_value();
}

/// `apply` as the pool wants its jobs: an error of its own kind beside the set's.
Task<Outcome<std::expected<std::vector<Committed>, Refused>>> apply_held(
    Connection& connection, Connection::Deadline deadline, Sets sets, std::int64_t slot) {
    co_return co_await apply(connection, deadline, sets, slot);
}

}  // namespace

WriteQueue::WriteQueue(Pool& pool, std::size_t lanes, std::int64_t slot)
    : pool_(pool), slot_(slot) {
    for (std::size_t i = 0; i < lanes; ++i) lanes_.push_back(std::make_unique<Lane>());
}

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
    if (waiting_ > kMostWaiting) {
        --waiting_;
        std::vector<Resumption> resumptions;
        resumptions.push_back(
            {request.waiter.executor, [resume = std::move(request.waiter.resume)]() mutable {
                 resume(std::unexpected(
                     Error{ErrorCode::Unavailable, "too many writes wait", {}, {}}));
             }});
        resume(std::move(resumptions));
        return;
    }
    const std::size_t index =
        std::hash<OrgKey>{}(request.set.org) * 0x9E3779B97F4A7C15ULL % lanes_.size();
    Lane& lane = *lanes_[index];
    lane.requests.push_back(std::move(request));
    if (std::exchange(lane.busy, true)) return;
    asio::co_spawn(pool_.executor(), drain(index), asio::detached);
}

std::vector<WriteQueue::Request> WriteQueue::take(Lane& lane) {
    std::vector<Request> batch;
    const OrgKey org = lane.requests.front().set.org;
    while (!lane.requests.empty() && batch.size() < kMostTogether &&
           lane.requests.front().set.org == org) {
        const bool alone = stands_alone(lane.requests.front().set);
        if (alone && !batch.empty()) break;
        batch.push_back(std::move(lane.requests.front()));
        lane.requests.pop_front();
        if (alone) break;
    }
    return batch;
}

Task<void> WriteQueue::drain(std::size_t index) {
    Lane& lane = *lanes_[index];
    while (!lane.requests.empty()) {
        std::vector<Request> batch = take(lane);
        std::vector<Result<Committed>> results = co_await write(index, batch);
        std::vector<Resumption> resumptions;
        for (std::size_t i = 0; i < batch.size(); ++i) {
            auto& waiter = batch[i].waiter;
            auto run = [resume = std::move(waiter.resume),
                        result = std::move(results[i])]() mutable { resume(std::move(result)); };
            resumptions.push_back({std::move(waiter.executor), std::move(run)});
        }
        waiting_ -= batch.size();
        resume(std::move(resumptions));
    }
    lane.busy = false;
}

Task<std::vector<Result<Committed>>> WriteQueue::write(std::size_t lane,
                                                       const std::vector<Request>& requests) {
    std::vector<Result<Committed>> results;
    if (requests.size() > 1) {
        std::vector<const WriteSet*> sets;
        for (const Request& request : requests) sets.push_back(&request.set);
        auto done = co_await attempt(lane, sets, requests.front().deadline);
        if (done) {
            for (Committed& one : *done) results.emplace_back(std::move(one));
            co_return results;
        }
        if (done.error().error.code == ErrorCode::OutcomeUnknown) {
            const Error error = std::move(done).error().error;
            results.resize(requests.size(), std::unexpected(error));
            co_return results;
        }
    }
    // One of several is at fault, and which one shows when each is tried by itself.
    for (const Request& request : requests) {
        results.push_back(co_await write_alone(lane, request));
    }
    co_return results;
}

Task<Result<Committed>> WriteQueue::write_alone(std::size_t lane, const Request& request) {
    const WriteSet* const one = &request.set;
    const Sets sets(&one, 1);
    asio::steady_timer pause(pool_.executor());
    for (int attempts = 1;; ++attempts) {
        auto done = co_await attempt(lane, sets, request.deadline);
        if (done) co_return std::move(done->front());
        if (!done.error().retry || attempts == kMostAttempts) {
            co_return std::unexpected(std::move(done).error().error);
        }
        pause.expires_after(pool_.jittered(kPause * attempts));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

Task<std::expected<std::vector<Committed>, Refused>> WriteQueue::attempt(
    std::size_t lane, Sets sets, Connection::Deadline deadline) {
    auto job = [this, sets](Connection& connection, Connection::Deadline until) {
        return apply_held(connection, until, sets, slot_);
    };
    auto done = co_await pool_.write(lane, deadline, job);
    if (!done) co_return std::unexpected(refused(ErrorCode::Unavailable, done.error().message));
    if (*done) ++commits_;
    co_return *std::move(done);
}

}  // namespace muster::store::postgres
