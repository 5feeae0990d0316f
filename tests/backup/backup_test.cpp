// A backup that is taken while clients write holds what was acknowledged before it began.

#include <chrono>
#include <list>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crash/audit.hpp"
#include "node.hpp"
#include "postgres_server.hpp"
#include "support/server_process.hpp"
#include "support/storm.hpp"

namespace muster::testing {
namespace {

using Words = std::vector<std::string>;
using namespace std::chrono_literals;

constexpr int kBackups = 20;
constexpr int kClients = 4;

/// A directory that goes with the object.
class Directory {
  public:
    Directory() = default;
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_ = make_temporary_directory();
};

Ended muster(Words words) {
    words.insert(words.begin(), MUSTER_PROGRAM);
    return run(words);
}

struct Taken {
    std::string file;
    Ledger promised;  ///< when it began
};

/// Under a storm of writes, of the database that `which` names.
std::list<Taken> take_backups(const std::string& address, const Tenant& tenant,
                              const std::string& group, const Words& which,
                              const std::filesystem::path& into, Ledger& ledger) {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kClients; ++i) {
        clients.emplace_back([&, i](const std::stop_token& stop) {
            storm(stop, address, tenant, group, fmt::format("s{}", i), ledger);
        });
    }
    std::this_thread::sleep_for(200ms);
    const auto start = std::chrono::steady_clock::now();
    std::list<Taken> taken;
    for (int i = 0; i < kBackups; ++i) {
        taken.emplace_back((into / std::to_string(i)).string(), ledger);
        Words words = {"backup", "--to", taken.back().file};
        words.insert(words.end(), which.begin(), which.end());
        const Ended backup = muster(words);
        EXPECT_EQ(backup.code, 0) << backup.output;
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    const auto written = ledger.promises() - taken.front().promised.promises();
    clients.clear();
    EXPECT_TRUE(ledger.refusals().empty()) << "nobody notices a backup";
    fmt::print("{} backups in {:.1f} s under {:.0f} writes/s\n", kBackups, took.count(),
               static_cast<double>(written) / took.count());
    return taken;
}

void expect_whole(const std::list<Taken>& backups, const Ledger& later) {
    for (const Taken& backup : backups) {
        const Directory restored;
        const Ended done =
            muster({"restore", "--from", backup.file, "--data", restored.path().string()});
        ASSERT_EQ(done.code, 0) << done.output;
        const auto verdict = crash::audit(restored.path(), backup.promised);
        EXPECT_EQ(verdict.lost, 0U) << backup.file << " of " << backup.promised.promises();
        EXPECT_THAT(verdict.damages, ::testing::IsEmpty());
        if (&backup == &backups.front()) {
            EXPECT_GT(crash::audit(restored.path(), later).lost, 100U) << "the control";
        }
    }
}

TEST(Backup, OfSqliteBesideItsServerIsWhole) {
    const Directory data;
    const Directory backups;
    const Tenant tenant = make_tenant(data.path());
    ServerProcess server(MUSTER_PROGRAM, data.path());
    const auto group = make_group(server.address(), tenant);
    Ledger ledger;
    const auto taken = take_backups(server.address(), tenant, group,
                                    {"--data", data.path().string()}, backups.path(), ledger);
    expect_whole(taken, ledger);

    const Directory again;
    std::filesystem::copy(data.path() / "key", again.path() / "key");
    const Ended restored =
        muster({"restore", "--from", taken.back().file, "--data", again.path().string()});
    ASSERT_EQ(restored.code, 0) << restored.output;
    const ServerProcess second(MUSTER_PROGRAM, again.path());
    EXPECT_EQ(taken.back().promised.lost(nodes::read_all(second.address(), tenant, group)), 0U);
}

TEST(Backup, OfPostgresqlBesideItsNodesIsWhole) {
    const nodes::PostgresServer database;
    const nodes::Node node(database.url());
    const Directory backups;
    const Tenant tenant = node.make_tenant();
    const auto group = make_group(node.address(), tenant);
    Ledger ledger;
    const auto taken = take_backups(node.address(), tenant, group, {"--database", database.url()},
                                    backups.path(), ledger);
    expect_whole(taken, ledger);

    const nodes::PostgresServer fresh;
    const Ended restored = muster({"restore", "--from", taken.back().file, "--database",
                                   fresh.url(), "--data", node.data().string()});
    ASSERT_EQ(restored.code, 0) << restored.output;
    const nodes::Node second(fresh.url(), node);
    EXPECT_EQ(taken.back().promised.lost(nodes::read_all(second.address(), tenant, group)), 0U);
}

TEST(Backup, ThatDoesNotFitOnTheDiskLeavesNothingThere) {
    if (!nodes::can_mount()) GTEST_SKIP() << "needs the right to mount a file system";
    const Directory data;
    const Tenant tenant = make_tenant(data.path());
    {
        ServerProcess server(MUSTER_PROGRAM, data.path());
        Client client(server.address(), tenant);
        for (int i = 0; i < 300; ++i) {
            const auto made = client.send("POST", "/Users", user_body(fmt::format("u{}", i)));
            ASSERT_TRUE(made && made->status == 201);
        }
        EXPECT_TRUE(server.stop(10s));
    }
    // A file system of its own, which goes with the shell.
    const Directory disk;
    const Ended backup =
        run({"unshare", "--mount", "sh", "-c",
             fmt::format("mount -t tmpfs -o size=400k muster {0} && {1} backup --data {2} --to "
                         "{0}/backup; echo code $?; ls -A {0}",
                         disk.path().string(), MUSTER_PROGRAM, data.path().string())});
    EXPECT_THAT(backup.output, ::testing::HasSubstr("disk is full"));
    EXPECT_THAT(backup.output, ::testing::EndsWith("code 1\n")) << "and nothing is listed";

    const Directory limited;  // files of at most 100 KiB
    const Ended too_large = run(
        {"sh", "-c",
         fmt::format("ulimit -f 200; {0} backup --data {1} --to {2}/backup; echo code $?; ls -A "
                     "{2}",
                     MUSTER_PROGRAM, data.path().string(), limited.path().string())});
    EXPECT_THAT(too_large.output, ::testing::HasSubstr("Error: "));
    EXPECT_THAT(too_large.output, ::testing::EndsWith("code 1\n"));
}

TEST(Backup, ThatIsKilledLeavesNoFileOfItsName) {
    const Directory data;
    const Directory backups;
    static_cast<void>(make_tenant(data.path()));
    const auto file = (backups.path() / "backup").string();
    int killed = 0;
    for (auto life = 1ms; !std::filesystem::exists(file); life += 1ms) {
        Process backup({MUSTER_PROGRAM, "backup", "--data", data.path().string(), "--to", file});
        const auto status = backup.wait(life);
        if (status) {
            EXPECT_EQ(*status, 0) << "what was left is no obstacle";
            break;
        }
        backup.kill();
        ++killed;
    }
    EXPECT_GT(killed, 3);
    EXPECT_EQ(muster({"restore", "--from", file, "--data", (backups.path() / "d").string()}).code,
              0);
}

}  // namespace
}  // namespace muster::testing
