// What can be seen of Citus without Citus: that the migrations keep to its rules
// (citus_double.sql), and that failures of a worker, as the coordinator reports them, are taken for
// what they are.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node.hpp"
#include "postgres_server.hpp"
#include "store/postgres/migrations.hpp"
#include "support/process.hpp"

namespace muster::nodes {
namespace {

using namespace std::chrono_literals;
using store::postgres::statements_of;
using testing::Client;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST(StatementsOfTest, EachEndsAtTheEndOfALine) {
    EXPECT_THAT(statements_of("-- one; two\nBEGIN;\n\nCREATE TABLE t (\n    a bigint\n);\nCOMMIT;"),
                ElementsAre("BEGIN;", "CREATE TABLE t (\n    a bigint\n);", "COMMIT;"));
    EXPECT_THAT(statements_of(""), ElementsAre());
    for (const auto& [name, text] : store::postgres::schema_texts()) {
        const auto last = text.find_last_not_of('\n');
        EXPECT_EQ(text[last], ';') << name << ": its last statement would be left out";
        EXPECT_EQ(text.find("$$"), std::string_view::npos) << name;
    }
}

class CitusTest : public ::testing::Test {
  protected:
    CitusTest() {
        database.sql(text_of(std::filesystem::path(MUSTER_SOURCE) / "tests/nodes/citus_double.sql"),
                     "muster");
    }

    testing::Ended muster(std::vector<std::string> words) {
        words.insert(words.begin(), {"timeout", "3", MUSTER_PROGRAM});
        words.insert(words.end(), {"--database", database.url()});
        return testing::run(words);
    }
    std::string done(const std::string& where) {
        return database.sql(
            "SELECT string_agg(done, ', ' ORDER BY place) FROM double_of_citus "
            "WHERE done " +
                where,
            "muster");
    }

    PostgresServer database;
};

TEST_F(CitusTest, AnOrdinaryRoleDistributesEveryTable) {
    const auto up = muster({"migrate", "up"});
    ASSERT_EQ(up.code, 0) << up.output;
    EXPECT_EQ(done("LIKE 'reference %'"),
              "reference organisation, reference connector, reference token, "
              "reference directory_version, reference instance_key, reference node");
    EXPECT_EQ(done("LIKE '% by %'"),
              "resource by org beside default, uniq by org beside resource, "
              "attr by org beside resource, member by org beside resource, "
              "counter by org beside resource, log_segment by org beside resource");
    EXPECT_EQ(database.sql("SELECT count(*) FROM pg_constraint WHERE contype = 'f'", "muster"),
              "3");
    const auto down = muster({"migrate", "down", "--to", "0", "--yes"});
    EXPECT_EQ(down.code, 0) << down.output;
}

TEST_F(CitusTest, TheDoubleRefusesWhatCitusRefuses) {
    const auto refused = [this](const std::string& sql, const char* why) {
        const std::string prepared =
            "SET citus.multi_shard_modify_mode = 'sequential'; "
            "SET citus.propagate_set_commands = 'local'";
        EXPECT_THAT([&] { database.sql(prepared + "; " + sql, "muster"); },
                    ThrowsMessage<std::runtime_error>(HasSubstr(why)));
    };
    database.sql("CREATE TABLE a (org bigint, k bigint PRIMARY KEY)", "muster");
    refused("ALTER TABLE a ADD UNIQUE (org)", "multiple utility events");
    EXPECT_THAT([&] { database.sql("SELECT create_distributed_table('a', 'org')", "muster"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("not part of it")));
    EXPECT_THAT([&] { database.sql("SELECT create_reference_table('a')", "muster"); },
                ThrowsMessage<std::runtime_error>(HasSubstr("multi_shard_modify_mode")));
}

TEST_F(CitusTest, AWorkerThatMayLoseWritesIsRefused) {
    database.sql("INSERT INTO worker VALUES ('fsync', 'off')", "muster");
    const auto data = testing::make_temporary_directory();
    const std::vector<std::string> serve = {"serve", "--data", data, "--listen", "127.0.0.1:0"};
    const auto refused = muster(serve);
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(refused.output, HasSubstr("a worker, runs with fsync = off"));
    database.sql("DELETE FROM worker", "muster");
    EXPECT_THAT(muster(serve).output, HasSubstr("serves")) << "the control";
    std::filesystem::remove_all(data);
}

/// A function and a trigger that raise an error of the SQLSTATE `state` until `fault.until`.
void make_faults(const PostgresServer& database) {
    for (const char* statement :
         {"CREATE TABLE fault (until timestamptz)", "INSERT INTO fault VALUES (now())",
          "GRANT SELECT ON fault TO PUBLIC",
          "CREATE FUNCTION away(state text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN "
          "IF clock_timestamp() < (SELECT until FROM fault) "
          "THEN RAISE 'connection to the remote node failed' USING ERRCODE = state; END IF; "
          "RETURN true; END $$",
          "CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          "PERFORM away(TG_ARGV[0]); RETURN NEW; END $$"}) {
        database.sql(statement, "muster");
    }
}

TEST(WorkerTest, WhatAWorkerThatGoesAwayLeavesIsAnsweredForWhatItIs) {
    const PostgresServer database;
    Node node(database.url());
    const auto tenant = node.make_tenant();
    Client client(node.address(), tenant);
    make_faults(database);
    const auto fail_for = [&](const char* time) {
        database.sql(fmt::format("UPDATE fault SET until = now() + '{}'", time), "muster");
    };
    const auto fails_at = [&](const std::string& when, const char* state) {
        database.sql("DROP TRIGGER IF EXISTS away ON resource", "muster");
        database.sql(fmt::format("CREATE {} FOR EACH ROW EXECUTE FUNCTION away('{}')", when, state),
                     "muster");
    };
    int number = 0;
    const auto create = [&] {
        return client.send("POST", "/Users", testing::user_body(fmt::format("p{}", ++number)));
    };
    const auto look_for = [&](int who) {
        return client.send("GET", fmt::format("/Users?filter=userName%20eq%20%22p{}%22", who));
    };

    // Before COMMIT nothing is done: once more, unseen by the client.
    for (const char* state : {"08006", "57P01"}) {
        fails_at("TRIGGER away BEFORE INSERT ON resource", state);
        fail_for("50 ms");
        const auto began = std::chrono::steady_clock::now();
        EXPECT_EQ(create()->status, 201) << state;
        EXPECT_GT(std::chrono::steady_clock::now() - began, 40ms) << "nothing failed";
    }
    // At COMMIT nobody knows, and nothing is sent twice.
    for (const char* state : {"08006", "57P01", "XX000"}) {
        fails_at("CONSTRAINT TRIGGER away AFTER INSERT ON resource DEFERRABLE INITIALLY DEFERRED",
                 state);
        fail_for("1 day");
        const auto answer = create();
        EXPECT_EQ(answer->status, 503) << state;
        EXPECT_THAT(answer->body, HasSubstr("may or may not")) << state;
        EXPECT_THAT(look_for(number)->body, HasSubstr("\"totalResults\":0"));
    }
    database.sql("DROP TRIGGER away ON resource", "muster");
    // A read is repeated while there is time.
    database.sql("CREATE POLICY away ON resource AS RESTRICTIVE USING (away('08006'))", "muster");
    fail_for("300 ms");
    const auto began = std::chrono::steady_clock::now();
    EXPECT_THAT(look_for(1)->body, HasSubstr("\"totalResults\":1"));
    EXPECT_GT(std::chrono::steady_clock::now() - began, 250ms) << "nothing failed";
}

}  // namespace
}  // namespace muster::nodes
