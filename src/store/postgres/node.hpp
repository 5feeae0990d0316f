#pragma once
// The number of a node among those that share a database: identifiers carry it, so that no two
// nodes ever make the same one.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

#include <boost/asio/steady_timer.hpp>

#include "base/clock.hpp"
#include "base/task.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/session.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

/// A number and the word by which its row is recognised as this node's.
struct NodeNumber {
    std::int64_t number = 0;
    std::string holder;
    BootClock::time_point claimed;
};

/// Takes the lowest number (0 to 1023) that was never held or was given back. Where there is none,
/// that of the node which has been silent for longest, two hours at least. Blocking.
[[nodiscard]] Result<NodeNumber> claim_node(const std::string& conninfo);

/// Whether a node runs: one that has a number and renewed it in the last three minutes. Blocking.
[[nodiscard]] Result<bool> node_runs(Session& session);

/// Keeps a number: renews it every so often and gives it back at the end.
class NodeLease {
  public:
    /// `renewal`: a minute. The number is not used where 60 of them passed without one.
    NodeLease(Pool& pool, NodeNumber node, std::chrono::milliseconds renewal);
    ~NodeLease() { stop(); }
    NodeLease(const NodeLease&) = delete;
    NodeLease& operator=(const NodeLease&) = delete;

    /// The error: it was away for so long that another node has its number, or may have it soon.
    [[nodiscard]] Result<void> held() const;
    /// Whether no node with a lower number runs (node_runs). What one node is enough for is done by
    /// the first; for a moment there may be two, or none.
    [[nodiscard]] Task<Outcome<bool>> is_first() const;
    /// Idempotent.
    void stop();

  private:
    [[nodiscard]] Task<void> keep();
    [[nodiscard]] Task<Outcome<std::int64_t>> run(const Statement& statement);

    Pool& pool_;
    const NodeNumber node_;
    const std::chrono::milliseconds renewal_;
    boost::asio::steady_timer timer_;             ///< pool's thread
    std::atomic<BootClock::time_point> renewed_;  ///< when it was asked for
    std::atomic<bool> lost_{false};
    std::atomic<bool> stopping_{false};
    std::atomic<bool> stopped_{false};
};

}  // namespace muster::store::postgres
