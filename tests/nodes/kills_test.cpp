// What was acknowledged is there, whoever was killed: a node, PostgreSQL, the primary of two.

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node.hpp"
#include "postgres_server.hpp"

namespace muster::nodes {
namespace {

using namespace std::chrono_literals;
using testing::Ledger;
using testing::Tenant;

constexpr auto kMostRecovery = 5s;

/// Clients that write through each of the nodes.
class Storm {
  public:
    static constexpr int kClients = 3;  // a node

    Storm(std::vector<const Node*> nodes, const Tenant& tenant, const std::string& group,
          const std::string& prefix, Ledger& ledger) {
        for (std::size_t node = 0; node < nodes.size(); ++node) {
            for (int i = 0; i < kClients; ++i) {
                clients_.emplace_back(
                    [address = nodes[node]->address(), &tenant, &group, &ledger,
                     name = fmt::format("{}-{}-{}", prefix, node, i)](const std::stop_token& stop) {
                        testing::storm(stop, address, tenant, group, name, ledger);
                    });
            }
        }
    }
    void end() {
        for (auto& client : clients_) client.request_stop();
        clients_.clear();
    }

  private:
    std::vector<std::jthread> clients_;
};

/// Only 503 may stand in for a success while the database is away.
void expect_only_503(const Ledger& ledger) {
    for (const auto& [status, times] : ledger.refusals()) {
        EXPECT_EQ(status, 503) << times << " times";
    }
}

TEST(KillsTest, WhatANodeAcknowledgedIsThereAfterItsDeath) {
    const PostgresServer database;
    const Node first(database.url());
    Node second(database.url(), first);
    const Tenant tenant = first.make_tenant();
    const auto group = testing::make_group(first.address(), tenant);
    std::this_thread::sleep_for(1s);  // the other node learns of the connector

    Ledger ledger;
    Storm storm({&first, &second}, tenant, group, "k", ledger);
    std::this_thread::sleep_for(1s);
    second.kill();
    std::this_thread::sleep_for(500ms);
    storm.end();
    EXPECT_GT(ledger.promises(), 100U);
    EXPECT_EQ(ledger.lost(read_all(first.address(), tenant, group)), 0U);
    EXPECT_TRUE(ledger.refusals().empty()) << "the other node goes on";
}

TEST(KillsTest, WhatWasAcknowledgedSurvivesPostgresItself) {
    PostgresServer database;
    const Node first(database.url());
    const Node second(database.url(), first);
    const Tenant tenant = first.make_tenant();
    const auto group = testing::make_group(first.address(), tenant);
    std::this_thread::sleep_for(1s);

    Ledger ledger;
    {
        Storm storm({&first, &second}, tenant, group, "p", ledger);
        std::this_thread::sleep_for(1s);
        database.kill();
        EXPECT_TRUE(first.is_soon(503));
        database.start();
        for (const Node* node : {&first, &second}) {
            EXPECT_LT(time_to_serve(node->address(), tenant), kMostRecovery);
            EXPECT_TRUE(node->is_soon(200));
        }
        std::this_thread::sleep_for(300ms);
        storm.end();
    }
    EXPECT_GT(ledger.promises(), 100U);
    EXPECT_EQ(ledger.lost(read_all(first.address(), tenant, group)), 0U);
    EXPECT_EQ(ledger.lost(read_all(second.address(), tenant, group)), 0U);
    expect_only_503(ledger);

    // An orderly restart between two requests is not even noticed.
    database.stop();
    database.start();
    testing::Client client(first.address(), tenant);
    const auto made = client.send("POST", "/Users", testing::user_body("after-restart"));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->status, 201) << made->body;

    // The control: without durable commits the same storm loses. Muster's sessions have a setting
    // of their own, so that it is a trigger that takes it from each transaction: of every table, as
    // one durable commit makes all before it durable. The settings keep PostgreSQL's own writer of
    // the log from doing that.
    database.set("wal_writer_delay", "10s");
    database.set("wal_writer_flush_after", "1GB");
    for (const char* statement :
         {"CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
          "PERFORM set_config('synchronous_commit', 'off', true); RETURN NULL; END $$",
          "DO $$ DECLARE name regclass; BEGIN "
          "FOR name IN SELECT oid FROM pg_class WHERE relkind = 'r' "
          "AND relnamespace = 'public'::regnamespace LOOP "
          "EXECUTE format('CREATE TRIGGER lose AFTER INSERT OR UPDATE OR DELETE ON %s "
          "FOR EACH STATEMENT EXECUTE FUNCTION lose()', name); END LOOP; END $$"}) {
        database.sql(statement, "muster");
    }
    Ledger control;
    Storm storm({&first, &second}, tenant, group, "c", control);
    std::this_thread::sleep_for(700ms);
    database.kill();
    database.start();
    storm.end();
    time_to_serve(first.address(), tenant);
    EXPECT_GT(control.promises(), 0U);
    EXPECT_GT(control.lost(read_all(first.address(), tenant, group)), 0U);
}

/// A primary, its standby, and a node that knows both.
struct Pair {
    PostgresServer primary;
    PostgresServer standby{PostgresServer::StandbyOf{primary}};
    std::string url = fmt::format(
        "postgres://muster@127.0.0.1:{},127.0.0.1:{}/muster?target_session_attrs=read-write",
        primary.port(), standby.port());

    explicit Pair(bool synchronous) {
        if (synchronous) primary.set("synchronous_standby_names", "*");
    }
    /// The standby hears nothing any more.
    void separate() const { standby.set("primary_conninfo", ""); }
    void fail_over() {
        primary.kill();
        standby.promote();
    }
};

TEST(KillsTest, WhatWasAcknowledgedIsOnThePromotedStandby) {
    Pair pair(true);
    const Node node(pair.url);
    const Tenant tenant = node.make_tenant();
    const auto group = testing::make_group(node.address(), tenant);
    Ledger ledger;
    Storm storm({&node}, tenant, group, "s", ledger);
    std::this_thread::sleep_for(1s);
    pair.fail_over();
    EXPECT_LT(time_to_serve(node.address(), tenant), kMostRecovery);
    storm.end();
    EXPECT_GT(ledger.promises(), 50U);
    EXPECT_EQ(ledger.lost(read_all(node.address(), tenant, group)), 0U);
    expect_only_503(ledger);
}

TEST(KillsTest, WithoutSynchronousReplicationAFailoverLoses) {
    Pair pair(false);
    const Node node(pair.url);
    const Tenant tenant = node.make_tenant();
    const auto group = testing::make_group(node.address(), tenant);
    std::this_thread::sleep_for(300ms);
    pair.separate();

    // With it, what no standby has is not acknowledged, however long it takes.
    pair.primary.set("synchronous_standby_names", "*");
    testing::Client client(node.address(), tenant);
    const auto began = std::chrono::steady_clock::now();
    const auto waiting = client.send("POST", "/Users", testing::user_body("alone"));
    ASSERT_TRUE(waiting);
    EXPECT_EQ(waiting->status, 503);
    EXPECT_THAT(waiting->body, ::testing::HasSubstr("may or may not"));
    EXPECT_LT(std::chrono::steady_clock::now() - began, 12s);

    // Nor is it called undone where an operator ends the session that waits.
    auto ended = std::async(std::launch::async, [&] {
        return testing::Client(node.address(), tenant)
            .send("POST", "/Users", testing::user_body("ended"));
    });
    std::this_thread::sleep_for(500ms);
    pair.primary.sql(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'muster'");
    const auto answer = ended.get();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 503);
    EXPECT_THAT(answer->body, ::testing::HasSubstr("may or may not"));

    pair.primary.set("synchronous_standby_names", "");
    Ledger ledger;
    Storm storm({&node}, tenant, group, "a", ledger);
    std::this_thread::sleep_for(500ms);
    pair.fail_over();
    time_to_serve(node.address(), tenant);
    storm.end();
    EXPECT_GT(ledger.lost(read_all(node.address(), tenant, group)), 0U);
}

TEST(KillsTest, AFullDiskRefusesAndLosesNothing) {
    if (!can_mount()) GTEST_SKIP() << "needs the right to mount a file system (run as root)";
    const PostgresServer database(200);
    const Node node(database.url());
    const Tenant tenant = node.make_tenant();
    const auto group = testing::make_group(node.address(), tenant);
    Ledger ledger;
    const auto ballast = database.data().parent_path() / "ballast";
    {
        Storm storm({&node}, tenant, group, "d", ledger);
        std::this_thread::sleep_for(300ms);
        static_cast<void>(testing::run({"dd", "if=/dev/zero", "of=" + ballast.string(), "bs=1M"}));
        std::this_thread::sleep_for(1500ms);
        storm.end();
    }
    EXPECT_FALSE(ledger.refusals().empty()) << "the disk was not full";
    expect_only_503(ledger);
    std::filesystem::remove(ballast);
    EXPECT_LT(time_to_serve(node.address(), tenant), kMostRecovery);
    EXPECT_EQ(ledger.lost(read_all(node.address(), tenant, group)), 0U);
}

}  // namespace
}  // namespace muster::nodes
