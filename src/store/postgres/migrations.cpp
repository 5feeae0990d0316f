#include "store/postgres/migrations.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "store/postgres/node.hpp"
#include "store/postgres/session.hpp"

namespace muster::store::postgres {
namespace {

// Any number will do as long as no other program of the database takes it: "muster" in ASCII.
constexpr std::int64_t kLock = 0x6d7573746572;

// "off" where a worker of Citus has a setting off.
constexpr const char* kWorkersWithout =
    "SELECT DISTINCT result FROM run_command_on_workers('SHOW {}') WHERE result = 'off'";

// From this version on organisations are marked when they are removed, and cleared afterwards.
constexpr std::int64_t kMarksRemoved = 2;

std::unexpected<Error> refuse(std::string message) {
    return std::unexpected(Error{ErrorCode::Unavailable, std::move(message), {}, {}});
}

std::string_view text_of(std::string_view name) {
    const auto texts = schema_texts();
    const auto found = std::ranges::find(texts, name, &NamedText::name);
    return found == texts.end() ? std::string_view() : found->text;
}

Result<bool> has_citus(Session& session) {
    TRY_ASSIGN(const std::string found,
               session.run("SELECT 1 FROM pg_extension WHERE extname = 'citus'"));
    return !found.empty();
}

Result<SchemaState> state_of(Session& session) {
    SchemaState state;
    state.newest = newest_schema();
    TRY_ASSIGN(state.citus, has_citus(session));
    TRY_ASSIGN(const std::string bypasses,
               session.run("SELECT 1 FROM pg_roles WHERE rolname = current_user AND "
                           "(rolsuper OR rolbypassrls)"));
    state.bypasses_rls = !bypasses.empty();
    TRY_ASSIGN(const std::string unfinished,
               session.run(fmt::format("SELECT to_regclass('{}')::text", kUnfinished)));
    state.unfinished = !unfinished.empty();
    TRY_ASSIGN(const std::string table, session.run("SELECT to_regclass('muster_schema')::text"));
    if (table.empty()) return state;
    TRY_ASSIGN(state.current, session.number("SELECT version FROM muster_schema"));
    return state;
}

Result<void> run_each(Session& session, const std::vector<std::string>& statements) {
    for (const std::string& one : statements) TRY_VOID(session.run(one));
    return {};
}

Result<void> step(Session& session, const SchemaState& from, bool up) {
    const std::int64_t which = up ? from.current + 1 : from.current;
    std::string script = "BEGIN;\n";
    if (which == 1 && up) {
        script +=
            "CREATE TABLE muster_schema (version bigint NOT NULL);\n"
            "INSERT INTO muster_schema VALUES (0);\n";
    }
    script += text_of(fmt::format("{:04}_{}", which, up ? "up" : "down"));
    if (which == 1 && up && from.citus) script += text_of("citus");
    script += which == 1 && !up
                  ? "DROP TABLE muster_schema;\n"
                  : fmt::format("UPDATE muster_schema SET version = {};\n", up ? which : which - 1);
    script += "COMMIT;\n";
    const auto done = run_each(session, statements_of(script));
    if (done) return {};
    static_cast<void>(session.run("ROLLBACK"));
    return std::unexpected(done.error());
}

}  // namespace

std::vector<std::string> statements_of(std::string_view script) {
    std::vector<std::string> statements;
    std::string statement;
    while (!script.empty()) {
        const std::string_view line = script.substr(0, script.find('\n'));
        script.remove_prefix(std::min(line.size() + 1, script.size()));
        if (line.empty() || line.starts_with("--")) continue;
        if (!statement.empty()) statement += '\n';
        statement += line;
        if (line.ends_with(';')) statements.push_back(std::exchange(statement, {}));
    }
    return statements;
}

std::int64_t newest_schema() {
    return std::ranges::count_if(schema_texts(),
                                 [](const NamedText& one) { return one.name.ends_with("_up"); });
}

Result<SchemaState> schema_state(const std::string& conninfo) {
    TRY_ASSIGN(Session session, Session::open(conninfo));
    return state_of(session);
}

Result<SchemaState> migrate(const std::string& conninfo, std::int64_t target) {
    TRY_ASSIGN(Session session, Session::open(conninfo));
    TRY_VOID(session.run(fmt::format("SELECT pg_advisory_lock({})", kLock)));
    TRY_ASSIGN(SchemaState state, state_of(session));
    if (state.current > state.newest) {
        return refuse("the database was written by a newer version of Muster; use that version");
    }
    if (target < state.current) {
        TRY_ASSIGN(const bool served, node_runs(session));
        if (served) {
            return refuse(
                "a server runs on the database: stop it first (one that was killed counts for "
                "three minutes)");
        }
    }
    if (state.current >= kMarksRemoved && target < kMarksRemoved) {
        TRY_ASSIGN(const std::int64_t removed,
                   session.number("SELECT count(*) FROM organisation WHERE removed"));
        if (removed > 0) {
            return refuse(
                "organisations that were deleted are not cleared yet and would come back: start a "
                "server for a minute, then stop it and repeat this");
        }
    }
    while (state.current != target) {
        TRY_VOID(step(session, state, state.current < target));
        TRY_ASSIGN(state, state_of(session));
    }
    return state;
}

Result<void> check_server(const std::string& conninfo) {
    TRY_ASSIGN(Session session, Session::open(conninfo));
    TRY_ASSIGN(const bool citus, has_citus(session));
    for (const char* setting : {"fsync", "full_page_writes", "synchronous_commit"}) {
        TRY_ASSIGN(std::string value, session.run(fmt::format("SHOW {}", setting)));
        if (citus && value != "off") {
            TRY_ASSIGN(value, session.run(fmt::format(kWorkersWithout, setting)));
        }
        if (value != "off") continue;
        return refuse(fmt::format(
            "PostgreSQL{} runs with {} = {}: a crash could lose writes that were acknowledged. "
            "Set {} = on in postgresql.conf and restart it",
            citus ? ", the coordinator or a worker," : "", setting, value, setting));
    }
    return {};
}

}  // namespace muster::store::postgres
