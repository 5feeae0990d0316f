// What is done on one node holds on the other.

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "json/json.hpp"
#include "net/http_client.hpp"
#include "node.hpp"
#include "postgres_server.hpp"
#include "store/postgres/node.hpp"

namespace muster::nodes {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::Client;
using ::testing::HasSubstr;
using testing::Tenant;
using testing::text_member;

constexpr auto kSecond = 1s;

/// Asks until the answer is the wanted one; how long that took, at most ten seconds.
template <class Ask>
steady_clock::duration time_until(Ask ask) {
    const auto began = steady_clock::now();
    while (!ask() && steady_clock::now() - began < 10s) std::this_thread::sleep_for(5ms);
    return steady_clock::now() - began;
}

/// Two nodes that all tests share, each with organisations of its own.
class AgreementTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() { world = std::make_unique<World>(); }
    static void TearDownTestSuite() { world.reset(); }

    struct World {
        PostgresServer database;
        Node a{database.url()};
        Node b{database.url(), a};
    };
    static inline std::unique_ptr<World> world;

    /// A tenant that works on both nodes.
    static Tenant tenant_of_both(const std::string& name) {
        Tenant tenant = world->a.make_tenant(name);
        Client client(world->b.address(), tenant);
        time_until([&] { return status(client, "GET", "/Users?count=0") == 200; });
        return tenant;
    }
    static int status(Client& client, const std::string& method, const std::string& path,
                      const std::string& body = {}) {
        const auto answer = client.send(method, path, body);
        return answer ? answer->status : 0;
    }
    static int create(Client& client, const std::string& name) {
        return status(client, "POST", "/Users", testing::user_body(name));
    }
    static void must(const Node& node, const std::string& method, const std::string& path) {
        const auto [code, body] = node.call(method, "/admin/v1" + path);
        ASSERT_EQ(code, 200) << path << ": " << body;
    }
    /// What stands before the dot of a token's secret is its id.
    static std::string token_id(const Tenant& tenant) {
        const auto [code, body] =
            world->a.call("GET", "/admin/v1/tokens?connector=" + tenant.connector);
        const auto list = json::parse(body).value();
        return std::string(json::string_or_empty(list.at("tokens").at(0).get_object(), "id"));
    }
};

TEST_F(AgreementTest, ATokenThatWasSwitchedOffEndsEverywhere) {
    const Tenant tenant = tenant_of_both("Tokens");
    const auto token = "/tokens/" + token_id(tenant);
    Client client(world->b.address(), tenant);
    for (int round = 0; round < 5; ++round) {
        ASSERT_EQ(create(client, fmt::format("before-{}", round)), 201);
        must(world->a, "POST", token + "/deactivate");
        EXPECT_EQ(create(client, fmt::format("after-{}", round)), 401) << "the very next write";
        EXPECT_LT(time_until([&] { return status(client, "GET", "/Users") == 401; }), kSecond);
        must(world->a, "POST", token + "/activate");
        EXPECT_LT(time_until([&] { return status(client, "GET", "/Users") == 200; }), kSecond);
    }
    Client reader(world->a.address(), tenant);
    const auto after = reader.send("GET", R"(/Users?filter=userName%20sw%20%22after%22)");
    ASSERT_TRUE(after);
    EXPECT_THAT(after->body, HasSubstr("\"totalResults\":0"));
}

TEST_F(AgreementTest, ANodeThatStoodStillLearnsBeforeItAnswers) {
    const Tenant tenant = tenant_of_both("Sleepers");
    const auto token = "/tokens/" + token_id(tenant);
    constexpr std::size_t kReaders = 8;
    for (int round = 0; round < 3; ++round) {
        std::vector<Client> clients;
        for (std::size_t i = 0; i < kReaders; ++i) {
            clients.emplace_back(world->b.address(), tenant);
            EXPECT_EQ(status(clients.back(), "GET", "/Users?count=0"), 200);
        }
        world->b.suspend();
        must(world->a, "POST", token + "/deactivate");
        std::vector<std::future<int>> answers;
        for (Client& client : clients) {
            answers.push_back(
                std::async(std::launch::async, [&] { return status(client, "GET", "/Users"); }));
        }
        std::this_thread::sleep_for(1200ms);
        world->b.resume();
        for (auto& answer : answers) EXPECT_EQ(answer.get(), 401);
        must(world->a, "POST", token + "/activate");
        EXPECT_LT(time_until([&] { return status(clients.front(), "GET", "/Users") == 200; }),
                  kSecond);
    }
}

TEST_F(AgreementTest, ANodeThatStoodStillLetsNobodyInByWhatItKnew) {
    const Tenant tenant = tenant_of_both("Dozers");
    Client known(world->b.address(), tenant);
    ASSERT_EQ(create(known, "ann"), 201);
    const auto found = known.send("GET", "/Users");
    const auto list = json::parse(found->body).value();
    const auto& ann = list.at("Resources").at(0).as_object();
    const auto path = "/Users/" + std::string(json::string_or_empty(ann, "id"));
    const auto ask = [&](const Tenant& who, const std::string& method, const std::string& target,
                         const std::string& body) {
        return std::async(std::launch::async, [=] {
            Client client(world->b.address(), who);
            return status(client, method, target, body);
        });
    };
    const auto same = testing::user_body("ann");
    const std::string nothing =
        R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[)"
        R"({"op":"replace","path":"userName","value":")" +
        std::string(json::string_or_empty(ann, "userName")) + "\"}]}";
    ASSERT_EQ(ask(tenant, "PATCH", path, nothing).get(), 200);
    ASSERT_EQ(ask(tenant, "POST", "/Users", same).get(), 409);

    world->b.suspend();
    must(world->a, "POST", "/tokens/" + token_id(tenant) + "/deactivate");
    const Tenant fresh = world->a.make_tenant("Late");
    std::this_thread::sleep_for(1200ms);
    std::vector<std::future<int>> refused;
    refused.push_back(ask(tenant, "PATCH", path, nothing));
    refused.push_back(ask(tenant, "POST", "/Users", same));
    refused.push_back(ask(tenant, "DELETE", "/Users/nobody", ""));
    auto unknown = ask(fresh, "GET", "/Users", "");
    std::this_thread::sleep_for(300ms);
    world->b.resume();
    for (auto& answer : refused) EXPECT_EQ(answer.get(), 401);
    EXPECT_THAT(unknown.get(), ::testing::AnyOf(200, 503)) << "refused as if it were wrong";
    Client again(world->b.address(), fresh);
    EXPECT_LT(time_until([&] { return status(again, "GET", "/Users") == 200; }), kSecond);
}

TEST_F(AgreementTest, ANodeThatStoodStillHidesWhatIsHiddenByNow) {
    const Tenant tenant = tenant_of_both("Hiders");
    const auto define = [&](const std::string& returned) {
        const auto [code, body] = world->a.call(
            "PUT", "/admin/v1/organisations/hiders/definitions",
            R"({"schemas":[{"id":"urn:x:Safe","attributes":[{"name":"pin","returned":")" +
                returned +
                R"("}]}],"resourceTypes":[{"name":"Safe","endpoint":"/Safes","schema":"urn:x:Safe"}]})");
        ASSERT_EQ(code, 200) << body;
    };
    define("default");
    Client client(world->b.address(), tenant);
    int made = 0;
    time_until([&] {
        made = status(client, "POST", "/Safes", R"({"schemas":["urn:x:Safe"],"pin":"4711"})");
        return made == 201;
    });
    ASSERT_EQ(made, 201);
    world->b.suspend();
    define("never");
    std::this_thread::sleep_for(1200ms);
    auto answer = std::async(std::launch::async, [&] { return client.send("GET", "/Safes"); });
    std::this_thread::sleep_for(300ms);
    world->b.resume();
    const auto shown = answer.get();
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->status, 200);
    EXPECT_THAT(shown->body, ::testing::Not(HasSubstr("4711")));
}

TEST_F(AgreementTest, AChangeThatWaitsForALockHoldsUpNoReads) {
    const Tenant tenant = tenant_of_both("Waiters");
    Client client(world->b.address(), tenant);
    const auto token = "/tokens/" + token_id(tenant_of_both("Waited"));
    auto lock = std::async(std::launch::async, [] {
        world->database.sql(
            "BEGIN; UPDATE directory_version SET number = number; SELECT pg_sleep(3); COMMIT",
            "muster");
    });
    std::this_thread::sleep_for(200ms);
    auto change = std::async(std::launch::async, [&] {
        must(world->b, "POST", token + "/deactivate");
        return steady_clock::now();
    });
    const auto began = steady_clock::now();
    while (lock.wait_for(0s) != std::future_status::ready) {
        const auto asked = steady_clock::now();
        EXPECT_EQ(status(client, "GET", "/Users?count=0"), 200);
        EXPECT_LT(steady_clock::now() - asked, 500ms);
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_GT(change.get() - began, 2s) << "it did not wait";
}

TEST_F(AgreementTest, APausedConnectorRestsEverywhere) {
    const Tenant tenant = tenant_of_both("Pauses");
    const auto connector = "/connectors/" + tenant.connector;
    Client client(world->b.address(), tenant);
    for (int round = 0; round < 3; ++round) {
        ASSERT_EQ(create(client, fmt::format("before-{}", round)), 201);
        must(world->a, "POST", connector + "/pause");
        const auto next = client.send("POST", "/Users", testing::user_body("after"));
        ASSERT_TRUE(next);
        EXPECT_EQ(next->status, 429) << "the very next write";
        EXPECT_EQ(next->header("Retry-After"), "300");
        EXPECT_LT(time_until([&] { return status(client, "GET", "/Users") == 429; }), kSecond);
        must(world->a, "POST", connector + "/resume");
        EXPECT_LT(time_until([&] { return status(client, "GET", "/Users") == 200; }), kSecond);
    }
}

TEST_F(AgreementTest, NobodyWritesByOlderSchemas) {
    const Tenant tenant = tenant_of_both("Schemas");
    const auto set = [&](std::string_view attribute) {
        const auto definitions = fmt::format(
            R"({{"schemas":[{{"id":"urn:x:T","attributes":[{{"name":"n"{}}}]}}],)"
            R"("resourceTypes":[{{"name":"Thing","endpoint":"/Things","schema":"urn:x:T"}}]}})",
            attribute);
        return world->a.call("PUT", "/admin/v1/organisations/schemas/definitions", definitions)
            .first;
    };
    Client client(world->b.address(), tenant);
    const std::string thing = R"({"schemas":["urn:x:T"],"n":"same"})";
    ASSERT_EQ(set(""), 200);
    ASSERT_LT(time_until([&] { return status(client, "GET", "/Things") == 200; }), kSecond);
    ASSERT_EQ(set(R"(,"uniqueness":"server")"), 200);
    EXPECT_EQ(status(client, "POST", "/Things", thing), 503) << "the very next write";
    EXPECT_LT(time_until([&] { return status(client, "POST", "/Things", thing) == 201; }), kSecond);
    EXPECT_EQ(status(client, "POST", "/Things", thing), 409);
}

TEST_F(AgreementTest, WhatIsMadeOnOneWorksOnTheOther) {
    const Tenant tenant = world->a.make_tenant("Fresh");
    Client client(world->b.address(), tenant);
    EXPECT_LT(time_until([&] { return create(client, "fresh") == 201; }), kSecond);
    Client other(world->a.address(), tenant);
    EXPECT_EQ(create(other, "fresh"), 409) << "one name space";
}

// Whoever renews a token writes the whole of it, as this node remembers it.
TEST_F(AgreementTest, ATokenIsNotSwitchedOnAgainByAnotherChange) {
    int renewed = 0;
    int refused = 0;
    for (int round = 0; round < 10; ++round) {
        const Tenant tenant = tenant_of_both(fmt::format("Round {}", round));
        const auto path = "/admin/v1/tokens/" + token_id(tenant);
        std::jthread renewing([&](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                const auto [code, body] = world->b.call("POST", path + "/renew");
                (code < 300 ? renewed : refused) += 1;
            }
        });
        std::this_thread::sleep_for(20ms);
        while (world->a.call("POST", path + "/deactivate").first != 200) {
        }
        std::this_thread::sleep_for(20ms);
        renewing.request_stop();
        renewing.join();
        EXPECT_EQ(world->database.sql(fmt::format("SELECT active FROM token WHERE id = '{}'",
                                                  path.substr(path.rfind('/') + 1)),
                                      "muster"),
                  "f");
    }
    EXPECT_GT(renewed, 0) << "nothing was concurrent";
    EXPECT_GT(refused, 0) << "nothing was concurrent";
}

TEST_F(AgreementTest, NoSizeIsReportedThatNobodyKnows) {
    net::HttpClient client(net::Url::parse("http://" + world->a.address()).value());
    const auto metrics = client.send({.target = "/metrics"});
    ASSERT_TRUE(metrics) << metrics.error();
    EXPECT_THAT(metrics->body, HasSubstr("muster_store_commits_total"));
    EXPECT_THAT(metrics->body, ::testing::Not(HasSubstr("muster_store_database_bytes")));
    EXPECT_THAT(world->a.call("GET", "/admin/v1/status").second,
                ::testing::Not(HasSubstr("database_bytes")));
}

TEST_F(AgreementTest, NodesHaveNumbersOfTheirOwn) {
    std::vector<std::future<std::int64_t>> claims;
    for (int i = 0; i < 12; ++i) {
        claims.push_back(std::async(std::launch::async, [] {
            return store::postgres::claim_node(world->database.url()).value().number;
        }));
    }
    std::set<std::int64_t> numbers;
    for (auto& claim : claims) numbers.insert(claim.get());
    EXPECT_EQ(numbers.size(), 12U);
    EXPECT_EQ(world->database.sql("SELECT count(*) FROM node", "muster"), "14");
    world->database.sql("DELETE FROM node WHERE number > 1", "muster");

    Node third(world->database.url(), world->a);
    EXPECT_EQ(world->database.sql("SELECT max(number) FROM node", "muster"), "2");
    third.kill();
    third.start();
    EXPECT_EQ(world->database.sql("SELECT max(number) FROM node", "muster"), "3")
        << "nobody knows that the first one is dead";
    EXPECT_TRUE(third.stop(5s));
    EXPECT_EQ(world->database.sql("SELECT max(number) FROM node", "muster"), "2")
        << "a number was not given back";
}

TEST_F(AgreementTest, NumbersDoNotRunOutWhereNodesAreKilled) {
    const auto sql = [](const std::string& text) { return world->database.sql(text, "muster"); };
    const auto claim = [] { return store::postgres::claim_node(world->database.url()); };
    // Hours ago a thousand nodes were killed, each a while after the one before it.
    sql("DELETE FROM node WHERE number > 1");
    sql("INSERT INTO node SELECT n, 'gone', n FROM generate_series(2, 1022) n");
    EXPECT_EQ(claim().value().number, 1023) << "one that may come back keeps its number";
    EXPECT_EQ(claim().value().number, 2) << "who has been silent for longest";
    EXPECT_EQ(claim().value().number, 3);
    sql("UPDATE node SET until = 9e15 WHERE holder = 'gone'");
    const auto none = claim();
    ASSERT_FALSE(none);
    EXPECT_THAT(none.error().message, HasSubstr("1024"));
    sql("DELETE FROM node WHERE number = 500");
    EXPECT_EQ(claim().value().number, 500);
    sql("DELETE FROM node WHERE number > 1");
}

TEST_F(AgreementTest, AnotherKeyIsRefused) {
    const auto data = testing::make_temporary_directory();
    std::string key;
    std::getline(std::ifstream(world->a.data() / "key"), key);
    const auto start = [&](std::string text) {
        std::filesystem::remove(data / "key");
        std::ofstream(data / "key") << text << '\n';
        std::filesystem::permissions(data / "key", std::filesystem::perms::owner_read);
        return testing::run({"timeout", "3", MUSTER_PROGRAM, "serve", "--data", data, "--listen",
                             "127.0.0.1:0", "--database", world->database.url()});
    };
    EXPECT_THAT(start(key).output, HasSubstr("serves")) << "the control";
    std::ranges::reverse(key);
    const auto ended = start(key);
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.output, HasSubstr("the key file is not the one by which"));
    const auto checked = testing::run(
        {MUSTER_PROGRAM, "doctor", "--data", data, "--database", world->database.url()});
    EXPECT_EQ(checked.code, 1);
    EXPECT_THAT(checked.output, HasSubstr("not the key by which"));
    std::filesystem::remove_all(data);
}

TEST_F(AgreementTest, ACommandThatDoesNotFindTheKeyMakesNone) {
    const auto place = testing::make_temporary_directory();
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.begin(), MUSTER_PROGRAM);
        words.insert(words.end(), {"--data", place / "data", "--config", place / "muster.toml"});
        return testing::run(words);
    };
    std::ofstream(place / "muster.toml")
        << fmt::format("database = \"{}\"\n", world->database.url());
    const auto made = run({"org", "create", "X"});
    EXPECT_EQ(made.code, 5);
    EXPECT_THAT(made.output, HasSubstr("is missing, but tokens were made with it"));
    EXPECT_FALSE(std::filesystem::exists(place / "data"));
    const auto checked = run({"doctor"});
    EXPECT_EQ(checked.code, 1);
    EXPECT_THAT(checked.output, HasSubstr("is missing, but tokens were made with it"));
    const auto saved = run({"backup", "--to", place / "backup"});
    EXPECT_EQ(saved.code, 0) << saved.output;
    EXPECT_THAT(saved.output, HasSubstr("keep that of the database's servers"));
    EXPECT_FALSE(std::filesystem::exists(place / "data"));

    // A node has its directory for itself, though its data are elsewhere.
    const auto restored = testing::run(
        {MUSTER_PROGRAM, "restore", "--data", world->a.data(), "--from", place / "backup"});
    EXPECT_EQ(restored.code, 5) << restored.output;
    EXPECT_FALSE(std::filesystem::exists(world->a.data() / "muster.db"));
    std::filesystem::remove_all(place);
}

TEST_F(AgreementTest, TheLogOfBothIsVisibleOnBoth) {
    const Tenant tenant = tenant_of_both("Log");
    for (const Node* from : {&world->a, &world->b}) {
        Client client(from->address(), tenant);
        const auto missing = client.send("GET", "/Users/nobody");
        ASSERT_TRUE(missing);
        const auto id = testing::log_id(missing->body);
        for (const Node* to : {&world->a, &world->b}) {
            EXPECT_LT(
                time_until([&] { return to->call("GET", "/admin/v1/log/" + id).first == 200; }),
                kSecond);
            EXPECT_THAT(to->call("GET", "/admin/v1/log?connector=" + tenant.connector).second,
                        HasSubstr(id));
        }
    }
    const auto [status, refusal] = world->a.call("GET", "/admin/v1/log?limit=many");
    EXPECT_EQ(status, 400);
    EXPECT_THAT(refusal, HasSubstr("limit must be a whole number"));
}

TEST_F(AgreementTest, ACursorOfOneIsGoodOnTheOther) {
    const Tenant tenant = tenant_of_both("Cursors");
    Client a(world->a.address(), tenant);
    Client b(world->b.address(), tenant);
    for (int i = 0; i < 7; ++i) ASSERT_EQ(create(a, fmt::format("c{}", i)), 201);
    std::set<std::string> seen;
    std::string cursor;
    for (int page = 0; page < 7; ++page) {
        const auto answer = (page % 2 == 0 ? a : b).send("GET", "/Users?count=2&cursor=" + cursor);
        ASSERT_TRUE(answer);
        ASSERT_EQ(answer->status, 200) << answer->body;
        const auto list = json::parse(answer->body).value();
        for (const auto& one : list.at("Resources").get_array()) {
            EXPECT_TRUE(
                seen.insert(std::string(json::string_or_empty(one.get_object(), "id"))).second);
        }
        cursor = text_member(answer->body, "nextCursor");
        if (cursor.empty()) break;
    }
    EXPECT_EQ(seen.size(), 7U);
}

// A load balancer that sends a request to the other node only where a connection is refused.
TEST_F(AgreementTest, ARollingRestartLeavesNoRequestUnanswered) {
    const Tenant tenant = tenant_of_both("Rolling");
    Node c(world->database.url(), world->a);
    Node d(world->database.url(), world->a);
    const std::array addresses = {c.address(), d.address()};
    std::atomic<int> answered{0};
    std::atomic<int> refused{0};
    std::atomic<int> failed{0};
    std::atomic<int> elsewhere{0};
    std::vector<std::jthread> clients;
    const auto began = steady_clock::now();
    for (std::size_t i = 0; i < 10; ++i) {
        clients.emplace_back([&, i](const std::stop_token& stop) {
            std::size_t at = i % 2;
            auto client = std::make_unique<Client>(addresses[at], tenant);
            for (int n = 0; !stop.stop_requested(); ++n) {
                const bool writes = n % 2 == 0;
                auto answer = client->send(
                    writes ? "POST" : "GET", writes ? "/Users" : "/Users?count=1",
                    writes ? testing::user_body(fmt::format("r{}-{}", i, n)) : std::string());
                if (!answer && answer.error().ends_with("refused")) {
                    ++elsewhere;
                    at = 1 - at;
                    client = std::make_unique<Client>(addresses[at], tenant);
                    --n;
                    continue;
                }
                if (!answer) {
                    ++failed;
                    ADD_FAILURE() << answer.error();
                    client = std::make_unique<Client>(addresses[at], tenant);
                } else {
                    ++(answer->status < 300 ? answered : refused);
                }
                // Half of them connect anew each time.
                if (i >= 5) client = std::make_unique<Client>(addresses[at], tenant);
                std::this_thread::sleep_for(15ms);
            }
        });
    }
    for (Node* node : {&c, &d}) {
        std::this_thread::sleep_for(1s);
        EXPECT_TRUE(node->stop(10s));
        node->start();
    }
    std::this_thread::sleep_for(500ms);
    const auto took = std::chrono::duration<double>(steady_clock::now() - began).count();
    clients.clear();
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(refused, 0);
    EXPECT_GT(elsewhere, 0) << "no node was ever away";
    EXPECT_GT(answered / took, 200) << "requests a second";
    RecordProperty("requests", answered);
}

}  // namespace
}  // namespace muster::nodes
