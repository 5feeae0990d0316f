#pragma once
// Write sets on their way to the database. Those of one organisation that wait while a commit is
// under way share the next one, in the order in which they came; organisations take turns.

#include <atomic>
#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "base/resumption.hpp"
#include "base/task.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/turns.hpp"
#include "store/postgres/write_set.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

/// Thread-safe. The pool is stopped before it goes.
class WriteQueue {
  public:
    /// `lanes`: how many of the pool's; `slot`: the counter slot of this node.
    WriteQueue(Pool& pool, std::size_t lanes, std::int64_t slot);

    /// Store::commit.
    [[nodiscard]] Task<Result<Committed>> submit(WriteSet set);

    [[nodiscard]] std::uint64_t waiting() const { return waiting_; }
    [[nodiscard]] std::uint64_t commits() const { return commits_; }

  private:
    struct Request {
        WriteSet set;
        Connection::Deadline deadline;
        Waiter<Result<Committed>> waiter;
    };
    using Requests = std::span<const Request>;

    void accept(Request request);
    [[nodiscard]] Task<void> serve(std::size_t lane);
    /// What is next of an organisation that was called, but for what it is too late for, which is
    /// refused: perhaps nothing.
    [[nodiscard]] std::vector<Request> take(OrgKey org);
    void refuse(std::vector<Request> requests, const char* why);
    void answer(std::vector<Request> requests, std::vector<Result<Committed>> results);
    [[nodiscard]] Task<std::vector<Result<Committed>>> write(std::size_t lane, Requests requests);
    [[nodiscard]] Task<Result<Committed>> write_alone(std::size_t lane, const Request& request);
    [[nodiscard]] Task<std::expected<std::vector<Committed>, Refused>> attempt(std::size_t lane,
                                                                               Requests requests);
    [[nodiscard]] Task<void> pause(int attempts);

    Pool& pool_;
    const std::int64_t slot_;
    Turns<Request> turns_;    ///< pool's thread
    std::vector<bool> busy_;  ///< which of the pool's lanes; its thread
    std::atomic<std::uint64_t> waiting_{0};
    std::atomic<std::uint64_t> commits_{0};
};

}  // namespace muster::store::postgres
