#include "store/postgres/transfer.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/node.hpp"
#include "store/postgres/session.hpp"

namespace muster::store::postgres {
namespace {

using transfer::Column;
using transfer::Kind;
using transfer::Reading;
using transfer::Row;
using transfer::Table;

// "mustec": as the lock of the migrations (migrations.cpp), and another one.
constexpr std::int64_t kLock = 0x6d7573746563;

std::unexpected<Error> refuse(ErrorCode code, std::string message) {
    return std::unexpected(Error{code, std::move(message), {}, {}});
}

// ---- statements ------------------------------------------------------------------------------
//
// Numbers and truths travel as bigint, texts and bytes as bytea.

std::string_view type_of(const Column& column) { return column.is_number() ? "bigint" : "bytea"; }

/// How many live resources there are is kept in slots here, and what counts is their sum; a
/// negative slot counts nothing (write_statements.hpp).
constexpr std::string_view kCounter =
    "(SELECT org, type, sum(live)::bigint AS live FROM counter WHERE slot >= 0 GROUP BY org, type) "
    "AS counter";

bool has_slots(const Table& table) { return table.name == "counter"; }

std::string from(const Table& table, OrgKey org) {
    const std::string_view rows = has_slots(table) ? kCounter : table.name;
    if (table.shared) return fmt::format("FROM {} WHERE true", rows);
    return fmt::format("FROM {} WHERE org = {}", rows, org.value);
}

std::string names(std::span<const Column> columns, std::string_view after = {}) {
    std::string list;
    for (const Column& column : columns) {
        list.append(list.empty() ? "" : ", ").append(column.name).append(after);
    }
    return list;
}

std::string selected(std::span<const Column> columns) {
    std::string list;
    for (const Column& column : columns) {
        list.append(list.empty() ? "" : ", ").append(column.name);
        if (column.kind == Kind::Truth) list += "::int::bigint";
    }
    return list;
}

std::string read_sql(const Table& table, OrgKey org) {
    // An organisation that was removed is not taken along, nor is anything of it.
    const bool marked = table.name == "organisation";
    return fmt::format("DECLARE reading NO SCROLL CURSOR FOR SELECT {} {}{} ORDER BY {}",
                       selected(table.columns), from(table, org), marked ? " AND NOT removed" : "",
                       names(table.key_columns()));
}

std::string count_sql(const Table& table, OrgKey org) {
    return "SELECT count(*) " + from(table, org);
}

std::string last_key_sql(const Table& table, OrgKey org) {
    const auto key = table.key_columns();
    return fmt::format("SELECT {} {} ORDER BY {} LIMIT 1", selected(key), from(table, org),
                       names(key, " DESC"));
}

/// COPY would be quicker, but does not write where row-level security holds. ON CONFLICT, though
/// there is none, keeps Citus from sending the rows by COPY; what was written is counted and
/// compared afterwards.
std::string insert_sql(const Table& table, OrgKey org) {
    std::string values;
    std::string arrays;
    std::string cells;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        const Column& column = table.columns[i];
        const char* comma = i == 0 ? "" : ", ";
        values += fmt::format("{}c{}{}", comma, i, column.kind == Kind::Truth ? " <> 0" : "");
        arrays += fmt::format("{}${}::{}[]", comma, i + 1, type_of(column));
        cells += fmt::format("{}c{}", comma, i);
    }
    return fmt::format(
        "INSERT INTO {} ({}{}{}) SELECT {}{}{} FROM unnest({}) AS w ({}) "
        "ON CONFLICT DO NOTHING",
        table.name, table.shared ? "" : "org, ", has_slots(table) ? "slot, " : "",
        names(table.columns), table.shared ? "" : fmt::format("{}, ", org.value),
        has_slots(table) ? "0, " : "", values, arrays, cells);
}

// ---- values ----------------------------------------------------------------------------------

void take(const Rows& rows, int at, std::span<const Column> columns, Row& row) {
    row.clear();
    for (const Column& column : columns) {
        const int cell = static_cast<int>(row.size());
        if (rows.is_null(at, cell)) {
            row.emplace_back();
        } else if (column.is_number()) {
            row.emplace_back(rows.integer(at, cell));
        } else {
            row.emplace_back(std::string(rows.text(at, cell)));
        }
    }
}

/// One array a column.
Parameters arrays_of(const Table& table, std::span<const Row> rows) {
    Parameters parameters;
    std::vector<std::optional<std::int64_t>> numbers(rows.size());
    std::vector<std::optional<std::string_view>> texts(rows.size());
    for (std::size_t column = 0; column < table.columns.size(); ++column) {
        if (table.columns[column].is_number()) {
            std::ranges::transform(rows, numbers.begin(), [column](const Row& row) {
                const auto* number = std::get_if<std::int64_t>(&row[column]);
                return number != nullptr ? std::optional(*number) : std::nullopt;
            });
            parameters.add(std::span(std::as_const(numbers)));
        } else {
            std::ranges::transform(rows, texts.begin(), [column](const Row& row) {
                const auto* text = std::get_if<std::string>(&row[column]);
                return text != nullptr ? std::optional<std::string_view>(*text) : std::nullopt;
            });
            parameters.add(std::span(std::as_const(texts)));
        }
    }
    return parameters;
}

/// By a cursor, so that no more than a few rows are in memory.
class RowReading final : public Reading {
  public:
    RowReading(Session& session, const Table& table) : session_(session), table_(table) {}
    ~RowReading() override { static_cast<void>(session_.run("CLOSE reading")); }
    RowReading(const RowReading&) = delete;
    RowReading& operator=(const RowReading&) = delete;

    Result<bool> next(Row& row) override {
        if (at_ == rows_.size()) {
            TRY_ASSIGN(rows_, session_.query(kFetch));
            at_ = 0;
        }
        if (rows_.size() == 0) return false;
        take(rows_, at_++, table_.columns, row);
        return true;
    }

  private:
    static constexpr const char* kFetch = "FETCH 100 FROM reading";

    Session& session_;
    const Table& table_;
    Rows rows_;
    int at_ = 0;
};

// ---- the two ends ----------------------------------------------------------------------------

class Ends final : public transfer::Target {
  public:
    explicit Ends(Session session) : session_(std::move(session)) {}

    /// From here on everything is read as it was at the first read.
    Result<void> fix_moment() { return begin_reading("REPEATABLE READ"); }

    Result<std::unique_ptr<Reading>> read(const Table& table, OrgKey org) override {
        TRY_VOID(look_at(org));
        TRY_VOID(session_.run(read_sql(table, org)));
        return std::make_unique<RowReading>(session_, table);
    }

    Result<std::int64_t> count(const Table& table, OrgKey org) override {
        TRY_VOID(look_at(org));
        return session_.number(count_sql(table, org));
    }

    Result<bool> begin(std::string_view source) override {
        const Parameters name(source);
        TRY_ASSIGN(const std::string unfinished,
                   session_.run(fmt::format("SELECT to_regclass('{}')::text", kUnfinished)));
        if (!unfinished.empty()) {
            TRY_ASSIGN(const Rows same,
                       session_.query(fmt::format("SELECT 1::bigint FROM {} WHERE source = "
                                                  "$1::bytea",
                                                  kUnfinished),
                                      name));
            if (same.size() > 0) return true;
            return refuse(ErrorCode::Unfit,
                          "a copy of another source into this database was not finished: finish "
                          "that one, or make the database anew");
        }
        TRY_VOID(require_empty());
        TRY_VOID(session_.run("BEGIN"));
        TRY_VOID(session_.run(fmt::format("CREATE TABLE {} (source bytea NOT NULL)", kUnfinished)));
        TRY_VOID(
            session_.query(fmt::format("INSERT INTO {} VALUES ($1::bytea)", kUnfinished), name));
        TRY_VOID(session_.run(fmt::format("DELETE FROM {}", transfer::kInstanceKeyTable)));
        TRY_VOID(session_.run("COMMIT"));
        return false;
    }

    Result<void> write(const Table& table, OrgKey org, std::span<const Row> rows) override {
        TRY_VOID(end_reading());
        TRY_VOID(session_.run("BEGIN"));
        TRY_VOID(session_.run(become(org)));
        const auto written = session_.query(insert_sql(table, org), arrays_of(table, rows));
        if (written) {
            TRY_VOID(session_.run("COMMIT"));
            return {};
        }
        static_cast<void>(session_.run("ROLLBACK"));
        return std::unexpected(written.error());
    }

    Result<Row> last_key(const Table& table, OrgKey org) override {
        TRY_VOID(look_at(org));
        TRY_ASSIGN(const Rows rows, session_.query(last_key_sql(table, org), {}));
        Row key;
        if (rows.size() > 0) take(rows, 0, table.key_columns(), key);
        return key;
    }

    // The batches did not wait for the disk; this commit does, and all before it with it.
    Result<void> finish(const Digest&) override {
        TRY_VOID(end_reading());
        TRY_VOID(session_.run("SET synchronous_commit = on"));
        TRY_VOID(session_.run(fmt::format("DROP TABLE {}", kUnfinished)));
        return {};
    }

    /// Rows of an organisation need its own row; only the log of requests without one does not.
    Result<void> require_empty() {
        for (const Table& table : transfer::tables()) {
            TRY_ASSIGN(const std::int64_t rows, count(table, OrgKey{}));
            if (rows == 0 || table.name == transfer::kInstanceKeyTable) continue;
            return refuse(ErrorCode::Unfit,
                          fmt::format("the database is not empty: it has rows in {}, and nothing "
                                      "is overwritten",
                                      table.name));
        }
        return end_reading();
    }

  private:
    static std::string become(OrgKey org) {
        return fmt::format("SET LOCAL app.tenant = '{}'", org.value);
    }

    Result<void> begin_reading(std::string_view isolation) {
        TRY_VOID(session_.run(fmt::format("BEGIN ISOLATION LEVEL {} READ ONLY", isolation)));
        reading_ = true;
        return {};
    }

    Result<void> look_at(OrgKey org) {
        if (!reading_) TRY_VOID(begin_reading("READ COMMITTED"));
        TRY_VOID(session_.run(become(org)));
        return {};
    }

    Result<void> end_reading() {
        if (std::exchange(reading_, false)) TRY_VOID(session_.run("COMMIT"));
        return {};
    }

    Session session_;
    bool reading_ = false;  ///< in a transaction that reads
};

Result<Session> connect(const std::string& url, bool citus) {
    // Batches need not be on disk one by one: what a crash of the server takes is copied again.
    std::string options =
        "-c synchronous_commit=off -c jit=off -c statement_timeout=0 "
        "-c idle_in_transaction_session_timeout=0 -c client_min_messages=error -c timezone=UTC";
    if (citus) options += kTellWorkers;
    TRY_ASSIGN(const std::string conninfo,
               with_settings(url, {{"options", options},
                                   {"application_name", "muster transfer"},
                                   {"connect_timeout", "5"}}));
    return Session::open(conninfo);
}

Result<void> require_version(const SchemaState& schema) {
    if (schema.current == schema.newest) return {};
    return refuse(
        ErrorCode::Unfit,
        fmt::format("the database has version {} of the tables, and this Muster needs "
                    "version {}: use the Muster that wrote it, or run `muster migrate up`",
                    schema.current, schema.newest));
}

Result<void> require_rest(Session& session) {
    TRY_ASSIGN(const bool runs, node_runs(session));
    if (!runs) return {};
    return refuse(ErrorCode::Locked,
                  "a server runs on the database: stop it first (one that was killed counts for "
                  "three minutes)");
}

}  // namespace

Result<std::unique_ptr<transfer::Source>> open_source(const std::string& url,
                                                      transfer::Servers servers) {
    TRY_ASSIGN(const SchemaState schema, schema_state(url));
    if (schema.unfinished) {
        return refuse(ErrorCode::Unfit, "the database is itself a copy that was not finished");
    }
    TRY_VOID(require_version(schema));
    TRY_ASSIGN(Session session, connect(url, schema.citus));
    if (servers == transfer::Servers::MustRest) TRY_VOID(require_rest(session));
    auto source = std::make_unique<Ends>(std::move(session));
    TRY_VOID(source->fix_moment());
    return source;
}

Result<std::unique_ptr<transfer::Target>> open_target(const std::string& url) {
    TRY_VOID(check_server(url));
    TRY_ASSIGN(SchemaState schema, schema_state(url));
    if (schema.current == 0) {
        TRY_ASSIGN(schema, migrate(url, schema.newest));
    }
    TRY_ASSIGN(Session session, connect(url, schema.citus));
    // A copy that was killed has it until the server notices.
    TRY_VOID(session.run("SET lock_timeout = '2s'"));
    if (!session.run(fmt::format("SELECT pg_advisory_lock({})", kLock))) {
        return refuse(ErrorCode::Locked, "another process copies into this database");
    }
    TRY_VOID(session.run("RESET lock_timeout"));
    TRY_VOID(require_rest(session));
    auto target = std::make_unique<Ends>(std::move(session));
    // Also a copy that was killed between two steps of the schema is completed.
    if (schema.current < schema.newest && !schema.unfinished) {
        TRY_VOID(target->require_empty());
        TRY_ASSIGN(schema, migrate(url, schema.newest));
    }
    TRY_VOID(require_version(schema));
    return target;
}

}  // namespace muster::store::postgres
