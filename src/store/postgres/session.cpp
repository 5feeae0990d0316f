#include "store/postgres/session.hpp"

#include <charconv>

#include "base/result.hpp"
#include "store/postgres/conninfo.hpp"

namespace muster::store::postgres {
namespace {

std::unexpected<Error> refuse(std::string message) {
    return std::unexpected(Error{ErrorCode::Unavailable, std::move(message), {}, {}});
}

}  // namespace

Result<Session> Session::open(const std::string& conninfo) {
    Session session;
    // A host that does not answer is passed over.
    TRY_ASSIGN(const std::string patient, with_settings(conninfo, {{"connect_timeout", "5"}}));
    session.connection_.reset(PQconnectdb(patient.c_str()));
    if (PQstatus(session.connection_.get()) != CONNECTION_OK) {
        return refuse("PostgreSQL cannot be reached: " + session.message());
    }
    PQsetNoticeProcessor(session.connection_.get(), [](void*, const char*) {}, nullptr);
    return session;
}

Result<std::string> Session::run(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection_.get(), sql.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) return refuse(message());
    if (PQntuples(result.get()) == 0) return std::string();
    return std::string(PQgetvalue(result.get(), 0, 0));
}

Result<std::int64_t> Session::number(const std::string& sql) {
    TRY_ASSIGN(const std::string text, run(sql));
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

Result<Rows> Session::query(const std::string& sql, const Parameters& parameters) {
    const Parameters::Wire wire = parameters.wire();
    Rows rows(PQexecParams(connection_.get(), sql.c_str(), parameters.count(), nullptr,
                           wire.values.data(), wire.lengths.data(), wire.formats.data(), 1));
    if (!rows.succeeded()) return refuse(message());
    return rows;
}

std::string Session::message() const {
    // On one line: a second one says more of the same, indented.
    std::string line;
    for (const char c : std::string_view(PQerrorMessage(connection_.get()))) {
        const bool space = c == '\n' || c == '\t' || c == ' ';
        if (!space) {
            line += c;
        } else if (!line.empty() && line.back() != ' ') {
            line += ' ';
        }
    }
    if (line.ends_with(' ')) line.pop_back();
    return line;
}

}  // namespace muster::store::postgres
