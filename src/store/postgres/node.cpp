#include "store/postgres/node.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/ids.hpp"
#include "base/result.hpp"
#include "store/postgres/transaction.hpp"

namespace muster::store::postgres {
namespace asio = boost::asio;
namespace {

using std::chrono::milliseconds;

// So many periods after the last renewal the number is not used until the next one: an hour. After
// two of them another node may take it.
constexpr int kTrusted = 60;
constexpr milliseconds kSoon{
    1000};  // before the next attempt of a node that may not use its number
// By the database's clock, in which all nodes agree. As of the statement: Citus takes no function
// in an UPDATE that may differ from call to call, and none at all where rows are in conflict.
#define MUSTER_NOW "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
#define MUSTER_LEASE "7200000"
#define MUSTER_RUNS "until > " MUSTER_NOW " + " MUSTER_LEASE " - 180000"

constexpr Statement kRenew{"UPDATE node SET until = " MUSTER_NOW " + " MUSTER_LEASE
                           " WHERE number = $1 AND holder = $2"};
constexpr Statement kLowerRuns{"SELECT 1 FROM node WHERE number < $1 AND " MUSTER_RUNS " LIMIT 1"};
constexpr Statement kGiveBack{"DELETE FROM node WHERE number = $1 AND holder = $2"};

constexpr int kMostAttempts = 100;
constexpr int kLastNumber = 1023;

Error unavailable(const char* message) { return {ErrorCode::Unavailable, message, {}, {}}; }

/// The lowest number without a row. Where all have one, that of the node that has been silent for
/// longest, if for long enough: whoever is only cut off keeps its number as long as there are
/// others. `rows`: number and until, by number.
std::optional<std::int64_t> number_beside(const Rows& rows, std::int64_t now) {
    int oldest = 0;
    for (int row = 0; row < rows.size(); ++row) {
        if (rows.integer(row, 0) != row) return row;
        if (rows.integer(row, 1) < rows.integer(oldest, 1)) oldest = row;
    }
    if (rows.size() <= kLastNumber) return rows.size();
    if (rows.integer(oldest, 1) > now) return std::nullopt;
    return rows.integer(oldest, 0);
}

}  // namespace

Result<NodeNumber> claim_node(const std::string& conninfo) {
    TRY_ASSIGN(Session session, Session::open(conninfo));
    const std::string holder = random_short_id(20);
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
        const auto asked = BootClock::now();
        TRY_ASSIGN(const std::int64_t now, session.number("SELECT " MUSTER_NOW));
        TRY_ASSIGN(const Rows held,
                   session.query("SELECT number, until FROM node ORDER BY number", Parameters()));
        const auto number = number_beside(held, now);
        if (!number) break;
        TRY_ASSIGN(const std::string taken,
                   session.run(fmt::format(
                       "INSERT INTO node (number, holder, until) VALUES ({0}, '{1}', {2} "
                       "+ " MUSTER_LEASE ") ON CONFLICT (number) DO UPDATE SET holder = "
                       "excluded.holder, until = excluded.until WHERE node.until <= {2} "
                       "RETURNING number",
                       *number, holder, now)));
        // Empty: another node that started at the same time was quicker.
        if (!taken.empty()) return NodeNumber{*number, holder, asked};
    }
    return std::unexpected(
        Error{ErrorCode::Unavailable,
              "all 1024 node numbers are taken, each by a node that runs or that ended in the last "
              "two hours without a stop (table node): wait, or stop nodes",
              {},
              {}});
}

Result<bool> node_runs(Session& session) {
    TRY_ASSIGN(const std::string found,
               session.run("SELECT 1 FROM node WHERE " MUSTER_RUNS " LIMIT 1"));
    return !found.empty();
}

NodeLease::NodeLease(Pool& pool, NodeNumber node, milliseconds renewal)
    : pool_(pool),
      node_(std::move(node)),
      renewal_(renewal),
      timer_(pool.executor()),
      renewed_(node_.claimed) {
    asio::co_spawn(pool_.executor(), keep(), [this](const std::exception_ptr&) {
        stopped_ = true;
        stopped_.notify_all();
    });
}

Result<void> NodeLease::held() const {
    if (lost_) {
        return std::unexpected(
            unavailable("this node could not reach the database for hours and lost its number to "
                        "another one: restart it"));
    }
    // The process may have been stopped for days, and this is the first that it does again.
    if (BootClock::now() - renewed_.load() > kTrusted * renewal_) {
        return std::unexpected(
            unavailable("this node did not reach the database for so long that another one may "
                        "take its number: it waits until it knows that none did"));
    }
    return {};
}

Task<Outcome<bool>> NodeLease::is_first() const {
    std::vector<Query> queries;
    queries.push_back({&kLowerRuns, Parameters(node_.number)});
    CO_TRY_ASSIGN(const std::vector<Rows> rows, co_await pool_.read(OrgKey{}, std::move(queries)));
    co_return rows.front().size() == 0;
}

Task<Outcome<std::int64_t>> NodeLease::run(const Statement& statement) {
    auto job = [this, &statement](Connection& connection, Connection::Deadline deadline) {
        std::vector<Query> queries;
        queries.push_back({&statement, Parameters(node_.number, node_.holder)});
        return write_once(connection, deadline, OrgKey{}, std::move(queries));
    };
    CO_TRY_ASSIGN(const std::vector<Rows> rows,
                  co_await pool_.write(pool_.housekeeping(), pool_.deadline(), job));
    co_return rows.front().affected();
}

Task<void> NodeLease::keep() {
    while (!stopping_) {
        timer_.expires_after(held() || lost_ ? renewal_ : std::min(renewal_, kSoon));
        boost::system::error_code ec;
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ec));
        if (stopping_) break;
        const auto asked = BootClock::now();
        const auto renewed = co_await run(kRenew);
        if (!renewed) continue;
        if (*renewed == 0) {
            lost_ = true;
        } else {
            renewed_ = asked;
        }
    }
    static_cast<void>(co_await run(kGiveBack));
}

void NodeLease::stop() {
    if (stopping_.exchange(true)) return;
    asio::post(pool_.executor(), [this] { timer_.cancel(); });
    stopped_.wait(false);
}

}  // namespace muster::store::postgres
