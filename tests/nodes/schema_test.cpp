// Steps of the schema that are cut short.

#include <chrono>
#include <csignal>
#include <random>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node.hpp"
#include "postgres_server.hpp"
#include "support/process.hpp"

namespace muster::nodes {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class SchemaTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { database = std::make_unique<PostgresServer>(); }
    static void TearDownTestSuite() { database.reset(); }
    static inline std::unique_ptr<PostgresServer> database;

    static std::vector<std::string> migrate(std::vector<std::string> words) {
        words.insert(words.begin(), {MUSTER_PROGRAM, "migrate"});
        words.insert(words.end(), {"--database", database->url()});
        return words;
    }
    static std::string checked() {
        return testing::run({MUSTER_PROGRAM, "doctor", "--database", database->url()}).output;
    }
    /// How many of Muster's tables there are, and whether the version goes with it.
    static int tables() {
        return std::stoi(
            database->sql("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", "muster"));
    }
};

constexpr int kAllTables = 13;

TEST_F(SchemaTest, AStepThatIsCutShortNeverHappened) {
    std::mt19937 random(std::random_device{}());
    int begun = 0;
    for (int round = 0; round < 30; ++round) {
        const bool up = tables() == 0;
        testing::Process process(up ? migrate({"up"}) : migrate({"down", "--to", "0", "--yes"}));
        std::this_thread::sleep_for(
            std::chrono::milliseconds(std::uniform_int_distribution<int>(0, 60)(random)));
        if (round % 2 == 0) {
            process.kill();
        } else {
            begun += std::stoi(database->sql(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = "
                "'muster'"));
            process.wait(10s);
        }
        // What the server is still doing for a process that is gone comes to its end.
        while (database->sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'muster'") !=
               "0") {
            std::this_thread::sleep_for(5ms);
        }
        const int left = tables();
        ASSERT_TRUE(left == 0 || left == kAllTables) << left;
        const auto status = testing::run(migrate({"status", "--json"}));
        EXPECT_EQ(status.code, 0) << status.output;
        EXPECT_EQ(status.output.contains("\"version\":0"), left == 0) << status.output;
    }
    EXPECT_GT(begun, 0) << "no session was ended under way";
    const auto last = testing::run(migrate({"up"}));
    EXPECT_EQ(last.code, 0) << last.output;
    EXPECT_EQ(tables(), kAllTables);
}

TEST_F(SchemaTest, NothingIsTakenAwayUnderAServer) {
    ASSERT_EQ(testing::run(migrate({"up"})).code, 0);
    {
        Node node(database->url());
        const auto ended = testing::run(migrate({"down", "--to", "0", "--yes"}));
        EXPECT_EQ(ended.code, 5);
        EXPECT_THAT(ended.output, HasSubstr("a server runs on the database"));
        EXPECT_EQ(tables(), kAllTables);
        EXPECT_TRUE(node.stop(10s));
    }
    EXPECT_EQ(testing::run(migrate({"down", "--to", "0", "--yes"})).code, 0);
}

TEST_F(SchemaTest, AnOlderBinaryRefusesNewerTables) {
    ASSERT_EQ(testing::run(migrate({"up"})).code, 0);
    const auto data = testing::make_temporary_directory();
    const std::vector<std::string> serve = {
        "timeout", "3",        MUSTER_PROGRAM, "serve",      "--data",
        data,      "--listen", "127.0.0.1:0",  "--database", database->url()};
    EXPECT_THAT(testing::run(serve).output, HasSubstr("serves")) << "the control";
    database->sql("UPDATE muster_schema SET version = version + 1", "muster");
    for (const auto& [command, code] : {std::pair{serve, 1}, {migrate({"up"}), 4}}) {
        const auto ended = testing::run(command);
        EXPECT_EQ(ended.code, code);
        EXPECT_THAT(ended.output, HasSubstr("newer version of Muster"));
    }
    EXPECT_THAT(checked(), HasSubstr("database: Use the Muster that wrote it."));
    database->sql("UPDATE muster_schema SET version = version - 1", "muster");
    database->sql("REVOKE ALL ON muster_schema FROM muster", "muster");
    EXPECT_THAT(checked(), HasSubstr("GRANT"));
    database->sql("GRANT ALL ON muster_schema TO muster", "muster");
    EXPECT_THAT(checked(), ::testing::Not(HasSubstr("\ndatabase: ")));
    std::filesystem::remove_all(data);
}

TEST_F(SchemaTest, AServerThatMayLoseWritesIsRefused) {
    const auto data = testing::make_temporary_directory();
    for (const char* setting : {"fsync", "full_page_writes", "synchronous_commit"}) {
        database->set(setting, "off");
        const auto ended = testing::run({"timeout", "3", MUSTER_PROGRAM, "serve", "--data", data,
                                         "--listen", "127.0.0.1:0", "--database", database->url()});
        EXPECT_EQ(ended.code, 1);
        EXPECT_THAT(ended.output, HasSubstr(fmt::format("Set {} = on", setting)));
        EXPECT_THAT(checked(), HasSubstr("RESET takes that back"));
        database->set(setting, "on");
    }
    std::filesystem::remove_all(data);
}

}  // namespace
}  // namespace muster::nodes
