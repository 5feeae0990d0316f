// Organisations that share a node's connections for reading: none waits for another's crowd, or for
// what fails.

#include <chrono>
#include <string>
#include <vector>

#include "store/contract_fixture.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/turns.hpp"

namespace muster::store::test {
namespace {

using namespace std::chrono_literals;
using postgres::Outcome;
using postgres::Pool;
using postgres::Query;
using postgres::Rows;
using std::chrono::steady_clock;
using ::testing::ElementsAre;

TEST(TurnsTest, OrganisationsAreCalledInTurn) {
    postgres::Turns<int> turns;
    for (const int one : {11, 12, 13}) turns.add(OrgKey{1}, one);
    turns.add(OrgKey{2}, 21);
    std::vector<int> called;
    while (!turns.empty()) {
        const OrgKey org = turns.call();
        called.push_back(turns.line(org).front());
        turns.line(org).pop_front();
        turns.leave(org);
    }
    EXPECT_THAT(called, ElementsAre(11, 21, 12, 13));
}

TEST(TurnsTest, WhoKeepsItsTurnIsNotCalled) {
    postgres::Turns<int> turns;
    turns.add(OrgKey{1}, 11);
    EXPECT_EQ(turns.call(), OrgKey{1});
    turns.line(OrgKey{1}).pop_front();
    turns.add(OrgKey{1}, 12);
    EXPECT_TRUE(turns.empty());
    turns.put_back(OrgKey{1}, 11);
    turns.leave(OrgKey{1});
    EXPECT_EQ(turns.call(), OrgKey{1});
    EXPECT_THAT(turns.line(OrgKey{1}), ElementsAre(11, 12));
    turns.line(OrgKey{1}).clear();
    turns.leave(OrgKey{1});
    EXPECT_TRUE(turns.empty());
}

// ---- reads -----------------------------------------------------------------------------------

class PoolTest : public ::testing::Test {
  protected:
    struct Answer {
        OrgKey org;
        std::string what;
        bool served;
        steady_clock::duration after;
    };

    Pool::Options options(std::size_t readers, std::chrono::milliseconds patience = 10s) {
        return {.hosts = postgres::hosts_of(value_of(postgres::with_settings(database_.url(), {}))),
                .readers = readers,
                .writers = 1,
                .patience = patience};
    }
    /// Reads that arrive at once; their answers in the order in which they came.
    struct Ask {
        OrgKey org;
        std::string what;
        std::string sql = "SELECT 1";
    };
    static std::vector<Answer> read_at_once(Pool& pool, const std::vector<Ask>& asks) {
        std::vector<Answer> answers;
        boost::asio::io_context context;
        const auto began = steady_clock::now();
        for (const Ask& ask : asks) {
            std::vector<Query> queries;
            queries.push_back({.text = ask.sql});
            boost::asio::co_spawn(
                context, pool.read(ask.org, std::move(queries)),
                [&, ask](const std::exception_ptr&, const Outcome<std::vector<Rows>>& outcome) {
                    answers.push_back(
                        {ask.org, ask.what, outcome.has_value(), steady_clock::now() - began});
                });
        }
        context.run();
        return answers;
    }

    TemporaryDatabase database_;
};

TEST_F(PoolTest, AReadIsNotBehindAnotherOrganisationsCrowd) {
    Pool pool(options(1));
    std::vector<Ask> asks(300, {kOrg, "crowd"});
    asks.push_back({kOtherOrg, "neighbour"});
    const auto answers = read_at_once(pool, asks);
    ASSERT_EQ(answers.size(), 301U);
    const auto neighbour = std::ranges::find(answers, "neighbour", &Answer::what);
    EXPECT_LE(neighbour - answers.begin(), 2 * 16) << "those under way when it came, at most";
}

TEST_F(PoolTest, OneThatFailsTakesNoTimeFromTheOthers) {
    Pool pool(options(1, 1000ms));
    const std::string fails_late = "SELECT 1 / (pg_sleep(0.7) IS NULL)::int";
    const auto answers = read_at_once(pool, {{kOrg, "fails", fails_late},
                                             {kOrg, "beside"},
                                             {kOrg, "beside"},
                                             {kOtherOrg, "neighbour"},
                                             {kOtherOrg, "neighbour"}});
    ASSERT_EQ(answers.size(), 5U);
    for (const Answer& answer : answers) {
        EXPECT_EQ(answer.served, answer.what != "fails") << answer.what;
        EXPECT_LT(answer.after, 950ms) << answer.what;
    }
}

TEST_F(PoolTest, AnyNumberMayFailBesideOthers) {
    Pool pool(options(1));
    std::vector<Ask> asks;
    for (int i = 0; i < 40; ++i) asks.push_back({kOrg, "fails", "SELECT 1 / 0"});
    for (int i = 0; i < 40; ++i) asks.push_back({kOtherOrg, "neighbour"});
    for (const Answer& answer : read_at_once(pool, asks)) {
        EXPECT_EQ(answer.served, answer.what != "fails");
    }
}

}  // namespace
}  // namespace muster::store::test
