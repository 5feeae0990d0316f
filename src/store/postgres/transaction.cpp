#include "store/postgres/transaction.hpp"

#include <algorithm>
#include <iterator>

#include "base/result.hpp"
#include "store/postgres/pool.hpp"

namespace muster::store::postgres {
std::size_t Transaction::add(Query query, Meaning meaning) {
    queries_.push_back(std::move(query));
    meanings_.push_back(meaning);
    sets_.push_back(set_);
    return queries_.size() - 1;
}

Task<Outcome<std::vector<Rows>>> Transaction::so_far() {
    if (queries_.empty()) co_return std::vector<Rows>();
    co_return co_await send(false);
}

Task<Outcome<std::vector<Rows>>> Transaction::finish() {
    belong_to(std::nullopt);
    add(commit());
    return send(true);
}

Task<Outcome<std::vector<Rows>>> Transaction::send(bool last) {
    auto rows = co_await connection_.exchange(queries_, deadline_, last);
    if (!rows) {
        // A COMMIT may be refused and yet be done: a session that is ended while it waits for a
        // standby, a worker of Citus that goes when it was told (an internal error, XX000).
        const bool in_doubt = rows.error().at + 1 == queries_.size() &&
                              (rows.error().passing() || rows.error().is("XX000"));
        const bool went_with_it = rows.error().lost && connection_.sent_last();
        rows.error().unknown = last && (went_with_it || in_doubt);
        if (!rows.error().lost) {
            // Whatever becomes of the connection, the transaction is gone with it.
            static_cast<void>(co_await connection_.recover(deadline_, last));
        }
        co_return std::unexpected(std::move(rows).error());
    }
    queries_.clear();
    meanings_.clear();
    sets_.clear();
    co_return std::move(rows);
}

Task<Outcome<std::vector<Rows>>> write_once(Connection& connection, Connection::Deadline deadline,
                                            OrgKey org, std::vector<Query> queries) {
    Transaction transaction(connection, deadline);
    transaction.add(begin_writing());
    transaction.add(become(org));
    for (Query& query : queries) transaction.add(std::move(query));
    CO_TRY_ASSIGN(std::vector<Rows> rows, co_await transaction.finish());
    rows.pop_back();
    rows.erase(rows.begin(), rows.begin() + 2);
    co_return rows;
}

Task<std::vector<Outcome<std::vector<Rows>>>> write_each(Connection& connection,
                                                         Connection::Deadline deadline,
                                                         std::vector<Work> works) {
    std::vector<std::vector<Query>> stretches;
    std::vector<Outcome<std::vector<Rows>>> outcomes;
    for (Work& work : works) {
        std::vector<Query>& stretch = stretches.emplace_back();
        stretch.push_back(begin_writing());
        stretch.push_back(become(work.org));
        std::ranges::move(work.queries, std::back_inserter(stretch));
        // By itself: of a transaction that failed it is the end, too.
        stretches.push_back({commit()});
        outcomes.emplace_back(std::unexpected(Failure{{}, "the connection was lost", 0, true}));
    }
    Outcome<std::vector<Rows>> body;
    const Connection::Taker take = [&](std::size_t i, Outcome<std::vector<Rows>> answer) {
        if (i % 2 == 0) {
            body = std::move(answer);
            return;
        }
        if (body && !answer) body = std::move(answer);
        if (body) body->erase(body->begin(), body->begin() + 2);
        outcomes[i / 2] = std::move(body);
    };
    static_cast<void>(co_await connection.exchange_each(stretches, deadline, take));
    co_return outcomes;
}

std::optional<std::size_t> Transaction::set_of(const Failure& failure) const {
    return failure.at < sets_.size() ? sets_[failure.at] : std::nullopt;
}

const Meaning& Transaction::meaning_of(const Failure& failure) const {
    static constexpr Meaning kNone;
    if (failure.at >= meanings_.size()) return kNone;
    const Meaning& meaning = meanings_[failure.at];
    return meaning.state != nullptr && failure.state.starts_with(meaning.state) ? meaning : kNone;
}

}  // namespace muster::store::postgres
