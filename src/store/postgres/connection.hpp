#pragma once
// One asynchronous connection to PostgreSQL in pipeline mode. Used by one coroutine at a time, on
// the executor that it was made with.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"
#include "store/postgres/values.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

/// Why an exchange did not go through. Nothing in it repeats a password.
struct Failure {
    std::string state;  ///< SQLSTATE; empty where the server did not answer
    std::string message;
    std::size_t at = 0;    ///< which of the queries failed
    bool lost = false;     ///< the connection is gone
    bool unknown = false;  ///< COMMIT may have been sent before: done or not, nobody knows

    [[nodiscard]] bool is(std::string_view sqlstate) const { return state == sqlstate; }
    /// The server goes or is not up yet, or one behind it is away (a worker of Citus).
    [[nodiscard]] bool passing() const {
        return state.starts_with("57P") || state.starts_with("08");
    }
};

template <class T>
using Outcome = std::expected<T, Failure>;

class Connection {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    explicit Connection(boost::asio::any_io_executor executor);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Closes what was open and connects anew. Names in `conninfo` are looked up by libpq, which
    /// blocks.
    [[nodiscard]] Task<Outcome<void>> connect(const std::string& conninfo, Deadline deadline);

    /// Open, and nothing came from the server that says it hung up. No round trip.
    [[nodiscard]] bool usable();

    [[nodiscard]] bool is_open() const { return connection_ != nullptr; }

    /// Sends `queries` and waits for their answers, in one round trip for each 128 of them. What
    /// follows a failed one is not executed. With `ends`, the pipeline ends here: after a failure
    /// the server takes commands again, in the failed transaction if one was begun. Without,
    /// further queries of the same pipeline may follow, and after a failure `recover` must. A
    /// server that writes no more, since it became a standby, is left: the connection is closed.
    [[nodiscard]] Task<Outcome<std::vector<Rows>>> exchange(std::span<const Query> queries,
                                                            Deadline deadline, bool ends = true);
    /// Whether the last of the queries of the last `exchange` may have been sent.
    [[nodiscard]] bool sent_last() const { return sent_last_; }
    /// Takes the answers to each stretch, or why it failed; by its index.
    using Taker = std::function<void(std::size_t, Outcome<std::vector<Rows>>)>;
    /// Sends all `stretches` at once, the pipeline ending behind each: where one fails, the server
    /// skips the rest of that one only, and begins the next (in the failed transaction, if one was
    /// begun and not ended). `take` is called in their order as soon as each is answered. The
    /// error: the connection went before all were.
    [[nodiscard]] Task<Outcome<void>> exchange_each(std::span<const std::vector<Query>> stretches,
                                                    Deadline deadline, const Taker& take);
    /// Rolls back what was begun and failed; the connection can be used again.
    [[nodiscard]] Task<Outcome<void>> recover(Deadline deadline, bool ended);

    void close();

  private:
    struct Finish {
        void operator()(PGconn* freed) const noexcept { PQfinish(freed); }
    };
    enum class Ready : std::uint8_t { Read, Write, ReadOrWrite };

    [[nodiscard]] Task<Outcome<void>> wait(Ready ready, Deadline deadline);
    [[nodiscard]] Task<Outcome<void>> flush(Deadline deadline);
    /// The next answer; null where one answer's results end.
    [[nodiscard]] Task<Outcome<PGresult*>> next(Deadline deadline);
    /// An answer that is to come: of the preparing of a statement, or of a query itself.
    struct Expected {
        const Statement* prepares;
        std::size_t index;  ///< of the query
    };
    /// Where the server does not know the statement yet, nor will by what is expected.
    [[nodiscard]] Outcome<void> prepare(const Query& query, std::vector<Expected>& expected,
                                        std::size_t index);
    [[nodiscard]] Outcome<void> execute(const Query& query, std::vector<Expected>& expected,
                                        std::size_t index);
    [[nodiscard]] Outcome<void> end_pipeline();
    /// The answers to one stretch of queries. The value: the failure that ended it, if one did.
    [[nodiscard]] Task<Outcome<std::optional<Failure>>> read(std::span<const Expected> expected,
                                                             std::vector<Rows>& answers,
                                                             Deadline deadline, bool ends);
    /// Reads up to the end of the pipeline.
    [[nodiscard]] Task<Outcome<void>> sync(Deadline deadline);
    [[nodiscard]] Failure lost();

    boost::asio::any_io_executor executor_;
    std::unique_ptr<PGconn, Finish> connection_;
    boost::asio::posix::stream_descriptor socket_;
    boost::asio::steady_timer timer_;
    std::unordered_set<const Statement*> prepared_;  ///< by name_of
    bool sent_last_ = false;
};

}  // namespace muster::store::postgres
