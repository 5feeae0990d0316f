// A network that swallows everything, or takes seconds: every request is answered in time.

#include <algorithm>
#include <chrono>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "node.hpp"
#include "postgres_server.hpp"
#include "proxy.hpp"

namespace muster::nodes {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::Tenant;

constexpr auto kMostWaiting = 12s;
constexpr auto kMostRecovery = 5s;
constexpr auto kMostStopping = 15s;

struct Timed {
    int status = 0;
    std::string log_id;  ///< of a refusal
    steady_clock::duration took{};
};

/// Requests of every kind at once, of more clients than share a commit.
class Crowd {
  public:
    Crowd(const Node& node, const Tenant& tenant, const std::string& group,
          const std::string& prefix, int clients = 80) {
        for (int i = 0; i < clients; ++i) {
            answers_.push_back(std::async(std::launch::async, [=, address = node.address()] {
                testing::Client client(address, tenant);
                const auto began = steady_clock::now();
                const auto answer =
                    i % 4 == 0 ? client.send("GET", "/Users?count=1")
                    : i % 4 == 1
                        ? client.send("PATCH", "/Groups/" + group,
                                      testing::patch_body(R"({"op":"replace","path":"displayName",)"
                                                          R"("value":"Everyone"})"))
                        : client.send("POST", "/Users",
                                      testing::user_body(fmt::format("{}-{}", prefix, i)));
                return Timed{answer ? answer->status : 0,
                             answer && answer->status >= 400 ? testing::log_id(answer->body) : "",
                             steady_clock::now() - began};
            }));
        }
    }
    std::vector<Timed> answers() {
        std::vector<Timed> all;
        for (auto& one : answers_) all.push_back(one.get());
        return all;
    }

  private:
    std::vector<std::future<Timed>> answers_;
};

steady_clock::duration slowest(const std::vector<Timed>& answers) {
    return std::ranges::max(answers, {}, &Timed::took).took;
}

std::map<int, int> statuses(const std::vector<Timed>& answers) {
    std::map<int, int> counts;
    for (const auto& answer : answers) ++counts[answer.status];
    return counts;
}

using Counts = std::map<int, int>;
const Counts kAllServed = {{200, 20}, {201, 40}, {204, 20}};

TEST(NetworkTest, SilenceIsAnsweredInTime) {
    const PostgresServer database;
    Proxy proxy(database.port());
    const auto through = fmt::format("postgres://muster@127.0.0.1:{}/muster", proxy.port());
    // To this one, the proxied address is a primary that went dark and the other one its heir.
    const auto both = fmt::format(
        "postgres://muster@127.0.0.1:{},127.0.0.1:{}/muster?target_session_attrs=read-write",
        proxy.port(), database.port());
    Node node(through);
    const Node other(both, node);
    Node leaving(through, node);
    const Tenant tenant = node.make_tenant();
    const auto group = testing::make_group(node.address(), tenant);
    std::this_thread::sleep_for(1s);
    EXPECT_EQ(statuses(Crowd(node, tenant, group, "before").answers()), kAllServed);
    EXPECT_EQ(statuses(Crowd(other, tenant, group, "other").answers()), kAllServed);

    proxy.be_silent(true);
    Crowd crowd(node, tenant, group, "silent");
    Crowd others(other, tenant, group, "others");
    const auto silenced = steady_clock::now();
    // It is asked all the time, and nobody waits for what it says.
    steady_clock::duration longest{0};
    for (int ready = 200; ready == 200 && steady_clock::now() - silenced < 5s;) {
        const auto asked = steady_clock::now();
        ready = node.readiness();
        longest = std::max(longest, steady_clock::now() - asked);
    }
    EXPECT_EQ(node.readiness(), 503);
    EXPECT_LT(steady_clock::now() - silenced, 3s);
    EXPECT_LT(longest, 500ms);
    auto stopped = std::async(std::launch::async, [&] {
        const auto began = steady_clock::now();
        const bool well = leaving.stop(30s);
        return std::pair(well, steady_clock::now() - began);
    });
    const auto answers = crowd.answers();
    EXPECT_EQ(statuses(answers), (Counts{{503, 80}}));
    EXPECT_LT(slowest(answers), kMostWaiting);
    EXPECT_LT(slowest(others.answers()), kMostWaiting);
    EXPECT_LT(time_to_serve(other.address(), tenant), kMostRecovery);

    const auto [well, took] = stopped.get();
    EXPECT_TRUE(well);
    EXPECT_LT(took, kMostStopping);

    proxy.be_silent(false);
    EXPECT_LT(time_to_serve(node.address(), tenant), kMostRecovery);
    EXPECT_TRUE(node.is_soon(200));
    EXPECT_EQ(statuses(Crowd(node, tenant, group, "after").answers()), kAllServed);

    // What was refused is in the log, as every node sees it, once the attempt to write it that was
    // under way is given up and repeated.
    const auto last = steady_clock::now() + kMostWaiting + 3s;
    for (const auto& answer : answers) {
        const std::string target = "/admin/v1/log/" + answer.log_id;
        while (other.call("GET", target).first != 200 && steady_clock::now() < last) {
            std::this_thread::sleep_for(100ms);
        }
        EXPECT_EQ(other.call("GET", target).first, 200) << answer.log_id;
    }
}

TEST(NetworkTest, SlownessIsAnsweredInTime) {
    const PostgresServer database;
    Proxy proxy(database.port());
    const Node node(fmt::format("postgres://muster@127.0.0.1:{}/muster", proxy.port()));
    const Tenant tenant = node.make_tenant();
    const auto group = testing::make_group(node.address(), tenant);
    static_cast<void>(Crowd(node, tenant, group, "before").answers());

    proxy.delay(5s);
    const auto answers = Crowd(node, tenant, group, "slow").answers();
    EXPECT_LT(slowest(answers), 2 * kMostWaiting) << "one read and one write";
    Counts counts = statuses(answers);
    EXPECT_GT(counts[200] + counts[201] + counts[204], 0) << "five seconds are within the patience";
    EXPECT_EQ(counts[200] + counts[201] + counts[204] + counts[503], 80);
    proxy.delay(0s);
    EXPECT_LT(time_to_serve(node.address(), tenant), 5s + kMostRecovery) << "what is late comes";
}

}  // namespace
}  // namespace muster::nodes
