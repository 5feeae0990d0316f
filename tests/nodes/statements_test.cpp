// What is asked of PostgreSQL names its organisation, is found by its keys whatever was known of
// the tables when it was planned, and needs nothing that a sharded PostgreSQL does not have.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <libpq-fe.h>
#include <memory>
#include <regex>
#include <string>
#include <utility>
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

/// A statement's texts between parentheses, each without those within it, and what stands outside.
std::vector<std::string> levels_of(const std::string& sql) {
    std::vector<std::string> closed;
    std::vector<std::string> open(1);
    for (const char c : sql) {
        if (c == ')' && open.size() > 1) {
            closed.push_back(std::move(open.back()));
            open.pop_back();
        }
        open.back() += c;
        if (c == '(') open.emplace_back();
    }
    closed.insert(closed.end(), open.begin(), open.end());
    return closed;
}

/// Where one level of a statement reads or changes a table of organisations, and the name that the
/// table has there.
std::vector<std::string> references_in(const std::string& level) {
    static const std::regex reference(
        R"((FROM|JOIN|UPDATE|USING|,) (?:ONLY )?(resource|uniq|attr|member|counter|log_segment)\b)"
        R"((?=(?: AS)?(?: (\w+))?))");
    static const std::regex keyword(
        "WHERE|ON|SET|CROSS|INNER|LEFT|RIGHT|FULL|NATURAL|JOIN|ORDER|GROUP|LIMIT|UNION|FOR|OFFSET|"
        "RETURNING|USING");
    std::vector<std::string> names;
    for (std::sregex_iterator at(level.begin(), level.end(), reference), end; at != end; ++at) {
        const std::string alias = (*at)[3].str();
        const bool bare = alias.empty() || std::regex_match(alias, keyword);
        // A column among others: in a list of tables another word or the condition follows.
        const bool column = (*at)[1] == "," && (bare ? alias != "WHERE" : alias == "FROM");
        if (!column) names.push_back(bare ? (*at)[2].str() : alias);
    }
    return names;
}

/// The first table of organisations in a statement whose rows it does not bind to one, $1, by
/// equality; empty where there is none. An INSERT names it first of all.
std::string unbound_in(const std::string& sql) {
    static const std::regex insert(
        R"(INSERT INTO (resource|uniq|attr|member|counter|log_segment)\b)");
    static const std::regex first(
        R"(INSERT INTO \w+ \(org, [^)]*\) (VALUES \(\$1|SELECT \$1::bigint)[,)])");
    std::smatch found;
    if (std::regex_search(sql, found, insert) && !std::regex_search(sql, first)) return found.str();
    for (const std::string& level : levels_of(sql)) {
        const auto names = references_in(level);
        // Beside an OR an equality binds nothing.
        const bool binds = level.find(" OR ") == std::string::npos;
        for (const std::string& name : names) {
            const std::regex own(fmt::format(R"(\b{}\.org = \$1(?!\d))", name));
            static const std::regex only(R"([^.\w]org = \$1(?!\d))");
            const bool bound = std::regex_search(level, own) ||
                               (names.size() == 1 && std::regex_search(level, only));
            if (!binds || !bound) return name;
        }
    }
    return "";
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
        EXPECT_EQ(unbound_in(statement->sql), "") << statement->sql;
        EXPECT_EQ(unportable_in(statement->sql), "") << statement->sql;
    }
}

TEST(StatementsTest, ATableWithoutItsOrganisationIsFoundWhereverItStands) {
    const std::pair<const char*, const char*> unbound[] = {
        {"SELECT id FROM resource WHERE rid = $1", "resource"},
        {"SELECT id FROM resource WHERE org = $12", "resource"},
        {"SELECT id FROM resource WHERE org = $1 OR rid = $2", "resource"},
        {"INSERT INTO uniq (rid, org) VALUES ($1, $2)", "INSERT INTO uniq"},
        {"UPDATE resource SET version = 2 WHERE rid = $1", "resource"},
        {"DELETE FROM member USING resource r WHERE member.org = $1 AND r.rid = member.grp", "r"},
        {"SELECT r.id FROM uniq u JOIN resource r ON r.rid = u.rid WHERE u.org = $1", "r"},
        {"SELECT r.id FROM uniq u JOIN resource r ON r.rid = u.rid WHERE org = $1", "u"},
        {"SELECT r.id FROM uniq u, resource r WHERE u.org = $1 AND r.rid = u.rid", "r"},
        {"SELECT rid FROM uniq, resource WHERE uniq.org = $1", "resource"},
        {"SELECT m.grp FROM member m CROSS JOIN LATERAL (SELECT rid FROM resource o WHERE o.rid = "
         "m.member LIMIT 1) AS r WHERE m.org = $1",
         "o"},
        {"DELETE FROM uniq WHERE org = $1 AND NOT EXISTS (SELECT 1 FROM resource r WHERE r.rid = "
         "uniq.rid)",
         "r"},
    };
    for (const auto& [sql, table] : unbound) EXPECT_EQ(unbound_in(sql), table) << sql;
    EXPECT_EQ(unbound_in("SELECT grp, member FROM member WHERE org = $1 ORDER BY grp, member"), "");
    EXPECT_EQ(unbound_in("SELECT key FROM organisation"), "") << "all organisations share it";
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

    /// For this transaction.
    void tear_down_the_second_wall() {
        for (const char* table : {"resource", "uniq", "attr", "member", "counter", "log_segment"}) {
            run(fmt::format("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", table));
        }
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
        const bool bitmap = kind == "Bitmap Heap Scan";
        const std::string condition(
            json::string_or_empty(object, bitmap ? "Recheck Cond" : "Index Cond"));
        if (kind == "Seq Scan") return "reads all of " + table;
        const bool by_key = table == "uniq" && condition.find("key = ") != std::string::npos;
        if (!by_key && std::regex_search(filter, key)) return table + " by a filter: " + filter;
        // (org, type, rid) finds a rid only where the type is known as well.
        if (json::string_or_empty(object, "Index Name") == "resource_live" &&
            condition.find("rid = ") != std::string::npos &&
            condition.find("type = ") == std::string::npos) {
            return "reads all live rows: " + condition;
        }
        if (condition.find("org = ") == std::string::npos) {
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
    // The second time by their own conditions alone: the policies' would find rows as well.
    for (const bool walled : {true, false}) {
        for (const Statement* statement : all_statements()) {
            EXPECT_EQ(waste_in(session.plan_of(statement->sql)), "")
                << (walled ? "with policies: " : "without: ") << statement->sql;
        }
        if (walled) session.tear_down_the_second_wall();
    }
    EXPECT_NE(waste_in(session.plan_of("SELECT r.id FROM uniq u JOIN resource r ON r.rid = u.rid "
                                       "WHERE u.org = $1 AND u.type = $2 AND u.attribute = $3 AND "
                                       "u.key = $4")),
              "");
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
