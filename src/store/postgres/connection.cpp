#include "store/postgres/connection.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/result.hpp"

namespace muster::store::postgres {
namespace asio = boost::asio;
namespace {

using std::chrono::steady_clock;
using Wait = asio::posix::stream_descriptor;

// So many queries go out before their answers are read: what the server says to them fits the
// sockets' buffers, so that neither side waits for the other to read.
constexpr std::size_t kStretch = 128;
// So many go together at the end at least: what is looked at just before COMMIT, and COMMIT.
constexpr std::size_t kEnding = 32;
// What wrote to a server that has become a standby. Who connects anew finds the primary.
constexpr const char* kReadOnly = "25006";

Failure failure_of(const PGresult* result, std::size_t at) {
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return {state == nullptr ? "" : state, message == nullptr ? "" : message, at};
}

/// What the server knows a statement by.
std::string name_of(const Statement& statement) {
    return fmt::format("{:x}", reinterpret_cast<std::uintptr_t>(&statement));
}

std::size_t next_stretch(std::size_t left) {
    if (left <= kStretch) return left;
    return std::min(kStretch, left - kEnding);
}

}  // namespace

Connection::Connection(asio::any_io_executor executor)
    : executor_(std::move(executor)), socket_(executor_), timer_(executor_) {}

Connection::~Connection() { close(); }

void Connection::close() {
    // The descriptor belongs to libpq, which closes it.
    if (socket_.is_open()) socket_.release();
    connection_.reset();
    prepared_.clear();
}

Failure Connection::lost() {
    std::string message = connection_ ? PQerrorMessage(connection_.get()) : "not connected";
    while (message.ends_with('\n')) message.pop_back();
    if (message.empty()) message = "the server closed the connection";
    close();
    return {{}, std::move(message), 0, true};
}

// ---- connecting ------------------------------------------------------------------------------

Task<Outcome<void>> Connection::connect(const std::string& conninfo, Deadline deadline) {
    close();
    connection_.reset(PQconnectStart(conninfo.c_str()));
    if (!connection_ || PQstatus(connection_.get()) == CONNECTION_BAD) {
        co_return std::unexpected(lost());
    }
    // What a server says in passing (NOTICE, WARNING) is for people at a terminal.
    PQsetNoticeProcessor(connection_.get(), [](void*, const char*) {}, nullptr);
    // libpq tries the hosts of the URL in turn, on sockets of its own making.
    for (PostgresPollingStatusType step = PGRES_POLLING_WRITING; step != PGRES_POLLING_OK;
         step = PQconnectPoll(connection_.get())) {
        if (step == PGRES_POLLING_FAILED) co_return std::unexpected(lost());
        if (socket_.is_open()) socket_.release();
        socket_.assign(PQsocket(connection_.get()));
        const Ready ready = step == PGRES_POLLING_READING ? Ready::Read : Ready::Write;
        CO_TRY_VOID(co_await wait(ready, deadline));
    }
    if (socket_.is_open()) socket_.release();
    socket_.assign(PQsocket(connection_.get()));
    if (PQsetnonblocking(connection_.get(), 1) != 0 ||
        PQenterPipelineMode(connection_.get()) != 1) {
        co_return std::unexpected(lost());
    }
    co_return Outcome<void>();
}

bool Connection::usable() {
    if (!connection_) return false;
    // A server that ends says so before it hangs up: first its words are read, then the end.
    for (int reads = 0; reads < 2; ++reads) {
        if (PQconsumeInput(connection_.get()) != 1 ||
            PQstatus(connection_.get()) != CONNECTION_OK) {
            close();
            return false;
        }
    }
    return true;
}

// ---- waiting ---------------------------------------------------------------------------------

Task<Outcome<void>> Connection::wait(Ready ready, Deadline deadline) {
    for (;;) {
        if (steady_clock::now() >= deadline) {
            close();
            co_return std::unexpected(Failure{{}, "PostgreSQL did not answer in time", 0, true});
        }
        timer_.expires_at(deadline);
        timer_.async_wait([this](boost::system::error_code ec) {
            if (!ec && socket_.is_open()) socket_.cancel();
        });
        if (ready == Ready::ReadOrWrite) {
            socket_.async_wait(Wait::wait_read, [this](boost::system::error_code ec) {
                if (!ec && socket_.is_open()) socket_.cancel();
            });
        }
        boost::system::error_code ec;
        const auto kind = ready == Ready::Read ? Wait::wait_read : Wait::wait_write;
        co_await socket_.async_wait(kind, asio::redirect_error(asio::use_awaitable, ec));
        timer_.cancel();
        if (ec && ec != asio::error::operation_aborted) co_return std::unexpected(lost());
        if (ready == Ready::ReadOrWrite) {
            // The other wait. Where that one ended this one, there is something to read. Where
            // close() did, nothing is left to be waited for.
            if (socket_.is_open()) socket_.cancel();
            co_return Outcome<void>();
        }
        if (!ec) co_return Outcome<void>();
        // What is left of an earlier wait may have come late; the deadline decides.
    }
}

Task<Outcome<void>> Connection::flush(Deadline deadline) {
    for (;;) {
        const int left = PQflush(connection_.get());
        if (left < 0) co_return std::unexpected(lost());
        if (left == 0) co_return Outcome<void>();
        CO_TRY_VOID(co_await wait(Ready::ReadOrWrite, deadline));
        // A server whose answers nobody takes stops taking questions.
        if (PQconsumeInput(connection_.get()) != 1) co_return std::unexpected(lost());
    }
}

Task<Outcome<PGresult*>> Connection::next(Deadline deadline) {
    while (PQisBusy(connection_.get()) != 0) {
        CO_TRY_VOID(co_await wait(Ready::Read, deadline));
        if (PQconsumeInput(connection_.get()) != 1) co_return std::unexpected(lost());
    }
    PGresult* result = PQgetResult(connection_.get());
    if (result == nullptr && PQstatus(connection_.get()) != CONNECTION_OK) {
        co_return std::unexpected(lost());
    }
    co_return result;
}

// ---- queries ---------------------------------------------------------------------------------

Outcome<void> Connection::prepare(const Query& query, std::vector<Expected>& expected,
                                  std::size_t index) {
    const Statement* statement = query.statement;
    const bool known = statement == nullptr || prepared_.contains(statement) ||
                       std::ranges::any_of(expected, [&](const Expected& one) {
                           return one.prepares == statement;
                       });
    if (known) return {};
    if (PQsendPrepare(connection_.get(), name_of(*statement).c_str(), statement->sql, 0, nullptr) !=
        1) {
        return std::unexpected(lost());
    }
    expected.push_back({statement, index});
    return {};
}

Outcome<void> Connection::execute(const Query& query, std::vector<Expected>& expected,
                                  std::size_t index) {
    PGconn* connection = connection_.get();
    int sent = 0;
    if (query.statement == nullptr) {
        sent = PQsendQueryParams(connection, query.text.c_str(), 0, nullptr, nullptr, nullptr,
                                 nullptr, 1);
    } else {
        const Parameters::Wire wire = query.parameters.wire();
        sent = PQsendQueryPrepared(connection, name_of(*query.statement).c_str(),
                                   query.parameters.count(), wire.values.data(),
                                   wire.lengths.data(), wire.formats.data(), 1);
    }
    if (sent != 1) return std::unexpected(lost());
    expected.push_back({nullptr, index});
    return {};
}

Outcome<void> Connection::end_pipeline() {
    if (PQpipelineSync(connection_.get()) != 1) return std::unexpected(lost());
    return {};
}

Task<Outcome<std::vector<Rows>>> Connection::exchange(std::span<const Query> queries,
                                                      Deadline deadline, bool ends) {
    sent_last_ = false;
    if (!connection_) co_return std::unexpected(lost());
    std::vector<Rows> answers;
    answers.reserve(queries.size());
    std::optional<Failure> failure;
    for (std::size_t done = 0, count = 0; !failure; done += count) {
        count = next_stretch(queries.size() - done);
        const bool last = done + count == queries.size();
        std::vector<Expected> expected;
        sent_last_ = last;
        for (std::size_t i = done; i < done + count; ++i) {
            CO_TRY_VOID(prepare(queries[i], expected, i));
            CO_TRY_VOID(execute(queries[i], expected, i));
        }
        const int asked = last && ends ? PQpipelineSync(connection_.get())
                                       : PQsendFlushRequest(connection_.get());
        if (asked != 1) co_return std::unexpected(lost());
        CO_TRY_VOID(co_await flush(deadline));
        CO_TRY_ASSIGN(failure, co_await read(expected, answers, deadline, last && ends));
        if (last) break;
        if (failure && ends) {
            CO_TRY_VOID(end_pipeline());
            CO_TRY_VOID(co_await flush(deadline));
        }
    }
    if (ends) CO_TRY_VOID(co_await sync(deadline));
    if (!failure) co_return answers;
    if (failure->is(kReadOnly)) close();
    co_return std::unexpected(*std::move(failure));
}

Task<Outcome<void>> Connection::exchange_each(std::span<const std::vector<Query>> stretches,
                                              Deadline deadline, const Taker& take) {
    if (!connection_) co_return std::unexpected(lost());
    // Before them all: what is prepared in one that fails would be missing in the next.
    std::vector<Expected> prepared;
    for (const auto& stretch : stretches) {
        for (const Query& query : stretch) CO_TRY_VOID(prepare(query, prepared, 0));
    }
    if (!prepared.empty()) CO_TRY_VOID(end_pipeline());
    std::vector<std::vector<Expected>> expected(stretches.size());
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        for (std::size_t q = 0; q < stretches[i].size(); ++q) {
            CO_TRY_VOID(execute(stretches[i][q], expected[i], q));
        }
        CO_TRY_VOID(end_pipeline());
    }
    CO_TRY_VOID(co_await flush(deadline));

    std::optional<Failure> unprepared;
    if (!prepared.empty()) {
        std::vector<Rows> none;
        CO_TRY_ASSIGN(unprepared, co_await read(prepared, none, deadline, true));
        CO_TRY_VOID(co_await sync(deadline));
    }
    bool read_only = false;
    for (std::size_t i = 0; i < stretches.size(); ++i) {
        std::vector<Rows> answers;
        CO_TRY_ASSIGN(std::optional<Failure> failure,
                      co_await read(expected[i], answers, deadline, true));
        CO_TRY_VOID(co_await sync(deadline));
        if (!failure) {
            take(i, std::move(answers));
            continue;
        }
        read_only = read_only || failure->is(kReadOnly);
        // That a statement is not known says less than why it could not be made known.
        if (unprepared) failure->message = unprepared->message;
        take(i, std::unexpected(*std::move(failure)));
    }
    if (read_only) close();
    co_return Outcome<void>();
}

Task<Outcome<std::optional<Failure>>> Connection::read(std::span<const Expected> expected,
                                                       std::vector<Rows>& answers,
                                                       Deadline deadline, bool ends) {
    std::optional<Failure> failure;
    for (const Expected& one : expected) {
        CO_TRY_ASSIGN(PGresult * result, co_await next(deadline));
        if (result == nullptr) co_return std::unexpected(lost());
        Rows rows(result);
        if (!rows.succeeded()) {
            // The first error is the cause; what follows it was skipped.
            if (!failure) failure = failure_of(result, one.index);
        } else if (one.prepares != nullptr) {
            prepared_.insert(one.prepares);
        } else {
            answers.push_back(std::move(rows));
        }
        CO_TRY_ASSIGN(PGresult * end, co_await next(deadline));
        if (end != nullptr) {
            PQclear(end);
            co_return std::unexpected(lost());
        }
        // Until the pipeline ends, the server says nothing about what it skips.
        if (failure && !ends) break;
    }
    co_return failure;
}

Task<Outcome<void>> Connection::sync(Deadline deadline) {
    for (;;) {
        CO_TRY_ASSIGN(PGresult * result, co_await next(deadline));
        const Rows rows(result);
        if (result != nullptr && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            co_return Outcome<void>();
        }
    }
}

Task<Outcome<void>> Connection::recover(Deadline deadline, bool ended) {
    if (!connection_) co_return std::unexpected(lost());
    if (!ended) {
        CO_TRY_VOID(end_pipeline());
        CO_TRY_VOID(co_await flush(deadline));
        CO_TRY_VOID(co_await sync(deadline));
    }
    const Query rollback{.text = "ROLLBACK"};
    const auto rolled = co_await exchange(std::span(&rollback, 1), deadline);
    if (!rolled) co_return std::unexpected(lost());
    co_return Outcome<void>();
}

}  // namespace muster::store::postgres
