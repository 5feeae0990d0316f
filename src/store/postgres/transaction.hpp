#pragma once
// One writing transaction as it is sent: statements are gathered and travel together, up to the
// point where what follows depends on what they did.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/task.hpp"
#include "store/postgres/connection.hpp"

namespace muster::store::postgres {

/// What it means that a statement fails with an SQLSTATE that begins with `state`.
/// A guard is a statement that divides by zero where its condition does not hold, so that all that
/// follows it in the pipeline is refused by the server without another round trip.
struct Meaning {
    const char* state = nullptr;  ///< none: the failure is the database's, not the write set's
    ErrorCode code = ErrorCode::Unavailable;
    std::size_t mutation = 0;  ///< which one the statement belongs to
};

inline constexpr const char* kGuard = "22012";            // division_by_zero
inline constexpr const char* kUniqueViolation = "23505";  // unique_violation
inline constexpr const char* kForeignKey = "23503";       // foreign_key_violation
inline constexpr const char* kAnyConstraint = "23";

class Transaction {
  public:
    Transaction(Connection& connection, Connection::Deadline deadline)
        : connection_(connection), deadline_(deadline) {}

    /// Of which of several write sets that is which is added from now on; none: of all together.
    void belong_to(std::optional<std::size_t> set) { set_ = set; }
    /// Its place among the answers to what is sent next.
    std::size_t add(Query query, Meaning meaning = {});
    /// Sends what was gathered. The value: the answers to it, in order.
    [[nodiscard]] Task<Outcome<std::vector<Rows>>> so_far();
    /// Sends what was gathered and COMMIT. After it the work is durable.
    [[nodiscard]] Task<Outcome<std::vector<Rows>>> finish();

    /// After a failure: what the statement that failed meant.
    [[nodiscard]] const Meaning& meaning_of(const Failure& failure) const;
    /// After a failure: the write set that the statement belongs to.
    [[nodiscard]] std::optional<std::size_t> set_of(const Failure& failure) const;

  private:
    [[nodiscard]] Task<Outcome<std::vector<Rows>>> send(bool last);

    Connection& connection_;
    Connection::Deadline deadline_;
    std::vector<Query> queries_;
    std::vector<Meaning> meanings_;
    std::vector<std::optional<std::size_t>> sets_;
    std::optional<std::size_t> set_;
};

/// One transaction of one organisation that is sent at once. The value: the answers to `queries`.
[[nodiscard]] Task<Outcome<std::vector<Rows>>> write_once(Connection& connection,
                                                          Connection::Deadline deadline, OrgKey org,
                                                          std::vector<Query> queries);

/// What one organisation's transaction consists of, between BEGIN and COMMIT.
struct Work {
    OrgKey org;
    std::vector<Query> queries;
};
/// Several such transactions that are sent at once, each done or not whatever becomes of the
/// others. The values: their outcomes, in order; `lost` where none was learnt.
[[nodiscard]] Task<std::vector<Outcome<std::vector<Rows>>>> write_each(
    Connection& connection, Connection::Deadline deadline, std::vector<Work> works);

}  // namespace muster::store::postgres
