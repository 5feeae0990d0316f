// What is asked of PostgreSQL names its organisation, is found by its keys whatever was known of
// the tables when it was planned, and needs nothing that a sharded PostgreSQL does not have.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <libpq-fe.h>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "json/json.hpp"
#include "postgres_server.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/reads.hpp"
#include "store/postgres/write_statements.hpp"

namespace muster::nodes {
namespace {

using store::postgres::Statement;

const std::regex kTenantTable(
    R"((FROM|JOIN|INTO|UPDATE) (resource|uniq|attr|member|counter|log_segment)\b)");

std::vector<const Statement*> all_statements() {
    auto all = store::postgres::read_statements();
    const auto writes = store::postgres::write_statements();
    all.insert(all.end(), writes.begin(), writes.end());
    return all;
}

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether a statement on the tables of organisations names one: $1, by equality or first of all.
bool names_organisation(const std::string& sql) {
    static const std::regex first(
        R"(INSERT INTO \w+ \(org, [^)]*\) (VALUES \(\$1|SELECT \$1::bigint,))");
    return sql.find("org = $1") != std::string::npos || std::regex_search(sql, first) ||
           !std::regex_search(sql, kTenantTable);
}

/// What Citus, CockroachDB or YugabyteDB lack or cannot route, and what a text has of it.
std::string unportable_in(const std::string& text) {
    static const std::regex lacking(
        R"(\b(SERIAL|BIGSERIAL|SEQUENCE|NEXTVAL|TRIGGER|GENERATED|DEFERRABLE|IDENTITY)\b|USING GIN|WITH [^;]*AS \((INSERT|UPDATE|DELETE))",
        std::regex::icase);
    // What Citus refuses where rows are written: functions that may differ from call to call, and
    // rows that it would send by COPY through row-level security.
    static const std::regex fickle(
        R"(^(INSERT|UPDATE|DELETE)[^;]*\b(clock_timestamp|statement_timestamp|now|random)\()",
        std::regex::icase);
    static const std::regex copied(R"(^INSERT INTO [^;]* SELECT (?![^;]* ON CONFLICT))");
    static const std::regex comment("--[^\n]*");
    const std::string code = std::regex_replace(text, comment, "");
    std::smatch found;
    for (const auto& expression : {lacking, fickle, copied}) {
        if (std::regex_search(code, found, expression)) return found.str();
    }
    return "";
}

TEST(StatementsTest, EachNamesItsOrganisation) {
    for (const Statement* statement : all_statements()) {
        EXPECT_TRUE(names_organisation(statement->sql)) << statement->sql;
        EXPECT_EQ(unportable_in(statement->sql), "") << statement->sql;
    }
    EXPECT_FALSE(names_organisation("SELECT id FROM resource WHERE rid = $1")) << "the control";
    EXPECT_FALSE(names_organisation("INSERT INTO uniq (rid, org) VALUES ($1, $2)"));
}

TEST(StatementsTest, TheSchemaNeedsNothingThatShardedServersLack) {
    for (const auto& [name, text] : store::postgres::schema_texts()) {
        EXPECT_EQ(unportable_in(std::string(text)), "") << name;
    }
    EXPECT_NE(unportable_in("CREATE TABLE t (k bigserial)"), "") << "the control";
    EXPECT_NE(unportable_in("WITH a AS (INSERT INTO t VALUES (1)) SELECT 1"), "");
    EXPECT_NE(unportable_in("UPDATE t SET at = now()"), "");
    EXPECT_NE(unportable_in("INSERT INTO t (org) SELECT key FROM organisation"), "");
}

TEST(StatementsTest, CitusGetsPoliciesWithoutSubqueries) {
    const auto folder = std::filesystem::path(MUSTER_SOURCE) / "src/store/postgres/schema";
    const std::string citus = text_of(folder / "citus.sql");
    const std::string schema = text_of(folder / "0001_up.sql");
    static const std::regex policy(R"(CREATE POLICY tenant ON (\w+))");
    int seen = 0;
    for (std::sregex_iterator at(schema.begin(), schema.end(), policy), end; at != end; ++at) {
        ++seen;
        const auto altered = fmt::format(
            "ALTER POLICY tenant ON {} USING (org = current_setting('app.tenant')::bigint);",
            (*at)[1].str());
        const auto place = citus.find(altered);
        ASSERT_NE(place, std::string::npos) << altered;
        EXPECT_LT(place, citus.find(fmt::format("create_distributed_table('{}'", (*at)[1].str())));
    }
    EXPECT_EQ(seen, 6);
}

TEST(StatementsTest, NoneIsMissingHere) {
    const std::filesystem::path folder =
        std::filesystem::path(MUSTER_SOURCE) / "src/store/postgres";
    const std::string lists =
        text_of(folder / "reads.cpp") + text_of(folder / "write_statements.hpp");
    static const std::regex definition(R"(constexpr Statement (k\w+))");
    int seen = 0;
    for (const char* file : {"reads.cpp", "write_statements.hpp"}) {
        const std::string text = text_of(folder / file);
        for (std::sregex_iterator at(text.begin(), text.end(), definition), end; at != end; ++at) {
            ++seen;
            EXPECT_NE(lists.find(fmt::format("&{}", (*at)[1].str())), std::string::npos)
                << (*at)[1];
        }
    }
    EXPECT_GT(seen, 40);
    // Elsewhere only the small table of nodes is written to; transfer.cpp makes its statements from
    // the list of tables.
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const auto name = entry.path().filename();
        if (entry.is_directory() || name == "reads.cpp" || name == "write_statements.hpp" ||
            name == "transfer.cpp") {
            continue;
        }
        EXPECT_FALSE(std::regex_search(text_of(entry.path()), kTenantTable)) << name;
    }
}

/// A session as Muster's, in the organisation 1.
class Session {
  public:
    explicit Session(const std::string& url)
        : connection_(PQconnectdb((url + "?options=-c%20enable_seqscan%3Doff%20-c%20"
                                         "plan_cache_mode%3Dforce_generic_plan")
                                      .c_str()),
                      &PQfinish) {
        static_cast<void>(run("BEGIN"));
        static_cast<void>(run("SET LOCAL app.tenant = '1'"));
    }

    std::string run(const std::string& sql) {
        const Result result(PQexec(connection_.get(), sql.c_str()), &PQclear);
        const auto status = PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            throw std::runtime_error(sql + ": " + PQerrorMessage(connection_.get()));
        }
        return PQntuples(result.get()) == 0 ? "" : PQgetvalue(result.get(), 0, 0);
    }
    json::Value plan_of(const std::string& sql) {
        const std::string name = fmt::format("s{}", ++prepared_);
        run(fmt::format("PREPARE {} AS {}", name, sql));
        const Result described(PQdescribePrepared(connection_.get(), name.c_str()), &PQclear);
        std::string nulls;
        for (int i = 0; i < PQnparams(described.get()); ++i) nulls += i == 0 ? "(NULL" : ", NULL";
        if (!nulls.empty()) nulls += ")";
        return json::parse(run(fmt::format("EXPLAIN (FORMAT JSON) EXECUTE {}{}", name, nulls)))
            .value();
    }

  private:
    using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
    int prepared_ = 0;
};

/// What a plan does that its statement's keys would spare it: empty where it does nothing of it.
std::string waste_in(const json::Value& node) {
    static const std::regex tenant("resource|uniq|attr|member|counter|log_segment");
    // Columns that keys begin with, and the range of a key; `type` and `deleted` are looked at in a
    // row that was found.
    static const std::regex key(
        R"(\b(org|rid|id|grp|member|attribute|first_id|slot) = [^c]|\bkey <)");
    if (node.is_array()) {
        for (const auto& one : node.get_array()) {
            if (auto waste = waste_in(one); !waste.empty()) return waste;
        }
        return {};
    }
    if (!node.is_object()) return {};
    const auto& object = node.get_object();
    const std::string kind(json::string_or_empty(object, "Node Type"));
    const std::string table(json::string_or_empty(object, "Relation Name"));
    if (std::regex_match(table, tenant) && kind.find("Scan") != std::string::npos) {
        const std::string filter(json::string_or_empty(object, "Filter"));
        const std::string condition(json::string_or_empty(object, "Index Cond"));
        if (kind == "Seq Scan") return "reads all of " + table;
        const bool by_key = table == "uniq" && condition.find("key = ") != std::string::npos;
        if (!by_key && std::regex_search(filter, key)) return table + " by a filter: " + filter;
        // (org, type, rid) finds a rid only where the type is known as well.
        if (json::string_or_empty(object, "Index Name") == "resource_live" &&
            condition.find("rid = ") != std::string::npos &&
            condition.find("type = ") == std::string::npos) {
            return "reads all live rows: " + condition;
        }
        if (kind != "Bitmap Heap Scan" && condition.find("org = ") == std::string::npos) {
            return table + " without its organisation: " + condition;
        }
    }
    for (const auto& [name, value] : object) {
        if (auto waste = waste_in(value); !waste.empty()) return waste;
    }
    return {};
}

TEST(StatementsTest, EachIsFoundByItsKeysFromTheFirstDay) {
    const PostgresServer database;
    ASSERT_TRUE(store::postgres::migrate(database.url(), store::postgres::newest_schema()));
    Session session(database.url());
    for (const Statement* statement : all_statements()) {
        EXPECT_EQ(waste_in(session.plan_of(statement->sql)), "") << statement->sql;
    }
    // The control: a condition that no index helps with.
    EXPECT_NE(
        waste_in(session.plan_of("SELECT rid FROM uniq WHERE org = $1 AND type = $2 AND rid = $3")),
        "");
    EXPECT_NE(waste_in(session.plan_of("SELECT rid FROM attr WHERE org = $1 AND type = $2 AND "
                                       "attribute = $3 AND ($4::bytea IS NULL OR key < $4)")),
              "");
}

// A statement that forgot its organisation: the rows' own policy is the second wall.
TEST(StatementsTest, TN_07_RowsOfAnotherOrganisationAreNotThere) {
    const PostgresServer database;
    ASSERT_TRUE(store::postgres::migrate(database.url(), store::postgres::newest_schema()));
    Session session(database.url());
    session.run("INSERT INTO organisation VALUES (1, 'a', 'A', 0, ''), (2, 'b', 'B', 0, '')");
    session.run("INSERT INTO member VALUES (1, 1, 1)");
    session.run("SET LOCAL app.tenant = '2'");
    session.run("INSERT INTO member VALUES (2, 2, 2)");
    EXPECT_EQ(session.run("SELECT count(*) FROM member"), "1") << "its own";
    EXPECT_EQ(session.run("UPDATE member SET is_group = true WHERE grp = 1 RETURNING 1"), "");
    EXPECT_THROW(session.run("INSERT INTO member VALUES (1, 3, 3)"), std::runtime_error);
}

}  // namespace
}  // namespace muster::nodes
