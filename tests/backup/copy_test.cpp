// A copy that is killed at any moment is completed by the next one.

#include <chrono>
#include <memory>
#include <random>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "postgres_server.hpp"
#include "support/server_process.hpp"
#include "support/storm.hpp"

namespace muster::testing {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

/// What tells a server that its data are there.
std::vector<std::string> served_from(const std::string& place, const std::string& scratch) {
    if (place.starts_with("postgres:")) return {"--database", place, "--data", scratch};
    return {"--data", place};
}

Ended muster(std::vector<std::string> words, const std::vector<std::string>& more = {}) {
    words.insert(words.begin(), MUSTER_PROGRAM);
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
}

struct Kills {
    int all = 0;
    int half = 0;  ///< that left half a copy
};

/// Kills the copy until it comes through. No server starts on half of one.
Kills copy_with_kills(const std::string& from, const std::string& to, const std::string& scratch,
                      unsigned seed) {
    std::mt19937 random(seed);
    const auto target = served_from(to, scratch);
    for (Kills kills; kills.all < 500; ++kills.all) {
        Process copy({MUSTER_PROGRAM, "copy", "--from", from, "--to", to});
        // Each attempt lives a little longer: some end within the copy, however long it takes to
        // begin, and one of them comes through.
        const milliseconds life{10 + 6 * kills.all + std::uniform_int_distribution<>(0, 6)(random)};
        if (const auto status = copy.wait(life)) {
            // Killed behind its last commit, it left a database that is whole, and not empty.
            const bool was_whole = kills.half > 0 && WEXITSTATUS(*status) == 4;
            EXPECT_TRUE(*status == 0 || was_whole) << "exit code " << WEXITSTATUS(*status);
            return kills;
        }
        copy.kill();
        if (!muster({"doctor"}, target).output.contains("copy that was not finished")) continue;
        ++kills.half;
        const Ended serving = muster({"serve", "--listen", "127.0.0.1:0"}, target);
        EXPECT_GT(serving.code, 0) << serving.output;
        EXPECT_TRUE(serving.output.contains("not finished")) << serving.output;
    }
    ADD_FAILURE() << "it never came through";
    return {};
}

using Connection = std::unique_ptr<sqlite3, decltype(&sqlite3_close)>;

std::vector<std::string> column(const Connection& db, const std::string& sql) {
    std::vector<std::string> values;
    const int status = sqlite3_exec(
        db.get(), sql.c_str(),
        [](void* into, int, char** row, char**) {
            static_cast<std::vector<std::string>*>(into)->emplace_back(*row);
            return 0;
        },
        &values, nullptr);
    if (status != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(db.get()));
    return values;
}

/// Rows that only one of the two databases has; how many there are in the first.
int expect_same_rows(const std::filesystem::path& left, const std::filesystem::path& right) {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open((left / "muster.db").c_str(), &handle), SQLITE_OK);
    const Connection db(handle, &sqlite3_close);
    column(db, fmt::format("ATTACH '{}' AS other", (right / "muster.db").string()));
    int rows = 0;
    for (const auto& table :
         column(db, "SELECT name FROM main.sqlite_schema WHERE type = 'table'")) {
        // The numbers of log segments are each file's own.
        const auto columns =
            column(db, fmt::format(
                           "SELECT group_concat(name) FROM pragma_table_info('{}') WHERE name <> "
                           "'seq'",
                           table))
                .front();
        const auto differing = [&](const char* one, const char* than) {
            return column(db, fmt::format("SELECT count(*) FROM (SELECT {0} FROM {1}.{2} EXCEPT "
                                          "SELECT {0} FROM {3}.{2})",
                                          columns, one, table, than))
                .front();
        };
        EXPECT_EQ(differing("main", "other"), "0") << table;
        EXPECT_EQ(differing("other", "main"), "0") << table;
        rows += std::stoi(column(db, "SELECT count(*) FROM main." + table).front());
    }
    return rows;
}

TEST(Copy, KilledAgainAndAgainLosesNothing) {
    const auto data = make_temporary_directory();
    const auto back = make_temporary_directory();
    const auto scratch = make_temporary_directory();
    {
        const Tenant tenant = make_tenant(data);
        ServerProcess server(MUSTER_PROGRAM, data);
        const auto group = make_group(server.address(), tenant);
        Ledger ledger;
        std::vector<std::jthread> clients;
        for (int i = 0; i < 4; ++i) {
            clients.emplace_back([&, i](const std::stop_token& stop) {
                storm(stop, server.address(), tenant, group, fmt::format("s{}", i), ledger);
            });
        }
        std::this_thread::sleep_for(4s);
        clients.clear();
        EXPECT_EQ(muster({"copy", "--from", data.string(), "--to", back.string()}).code, 5)
            << "a server runs on the source";
        EXPECT_TRUE(server.stop(10s));
    }
    const nodes::PostgresServer database;
    const unsigned seed = std::random_device{}();
    const auto there = copy_with_kills(data.string(), database.url(), scratch.string(), seed);
    EXPECT_EQ(muster({"copy", "--from", data.string(), "--to", database.url()}).code, 4)
        << "nothing is overwritten";
    const auto home = copy_with_kills(database.url(), back.string(), scratch.string(), seed + 1);
    const int rows = expect_same_rows(data, back);
    fmt::print("{} rows there and back; {} and {} kills (seed {})\n", rows, there.all, home.all,
               seed);
    EXPECT_GT(rows, 2'000);
    EXPECT_GT(there.half, 0);
    EXPECT_GT(home.half, 0);
    std::filesystem::remove_all(scratch);
    std::filesystem::remove_all(data);
    std::filesystem::remove_all(back);
}

}  // namespace
}  // namespace muster::testing
