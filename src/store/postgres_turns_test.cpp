// Calls that share a node's connections: none waits for another organisation's crowd, or for what
// fails, or is told what another asked.

#include <array>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include "store/contract_fixture.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/transaction.hpp"
#include "store/postgres/turns.hpp"

namespace muster::store::test {
namespace {

using namespace std::chrono_literals;
using postgres::Connection;
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
        called.push_back(turns.take(org));
        turns.leave(org);
    }
    EXPECT_THAT(called, ElementsAre(11, 21, 12, 13));
}

TEST(TurnsTest, WhoKeepsItsTurnIsNotCalled) {
    postgres::Turns<int> turns;
    turns.add(OrgKey{1}, 11);
    EXPECT_EQ(turns.call(), OrgKey{1});
    EXPECT_EQ(turns.take(OrgKey{1}), 11);
    turns.add(OrgKey{1}, 12);
    EXPECT_TRUE(turns.empty());
    turns.put_back(OrgKey{1}, 11);
    turns.leave(OrgKey{1});
    EXPECT_EQ(turns.call(), OrgKey{1});
    EXPECT_THAT(turns.line(OrgKey{1}), ElementsAre(11, 12));
    EXPECT_EQ(turns.take(OrgKey{1}), 11);
    EXPECT_EQ(turns.take(OrgKey{1}), 12);
    turns.leave(OrgKey{1});
    EXPECT_TRUE(turns.empty());
}

TEST(TurnsTest, AFullLineLeavesTheOthersRoom) {
    postgres::Turns<int> turns;
    const auto fill = [&](OrgKey org) {
        std::size_t added = 0;
        for (; turns.has_room(org); ++added) turns.add(org, 1);
        return added;
    };
    EXPECT_EQ(fill(OrgKey{1}), turns.kLongestLine);
    EXPECT_EQ(fill(OrgKey{2}), turns.kLongestLine);
    std::size_t all = 2 * turns.kLongestLine;
    for (std::int64_t key = 3; turns.has_room(OrgKey{key}); ++key) all += fill(OrgKey{key});
    EXPECT_EQ(all, turns.kMostWaiting);
    EXPECT_EQ(turns.call(), OrgKey{1});
    EXPECT_EQ(turns.take(OrgKey{1}), 1);
    EXPECT_TRUE(turns.has_room(OrgKey{1}));
}

// ---- connections
// -----------------------------------------------------------------------------------

/// Lets a client in as PostgreSQL does, and reads nothing more.
class DeafServer {
  public:
    DeafServer() : acceptor_(context_, boost::asio::ip::tcp::v4()), socket_(context_) {
        // More than a few megabytes then find no room between the two.
        acceptor_.set_option(boost::asio::socket_base::receive_buffer_size(4096));
        acceptor_.bind({boost::asio::ip::address_v4::loopback(), 0});
        acceptor_.listen();
        thread_ = std::jthread([this] {
            acceptor_.accept(socket_);
            std::array<char, 4> length{};
            boost::asio::read(socket_, boost::asio::buffer(length));
            std::string startup(static_cast<std::uint8_t>(length[3]) - length.size(), '\0');
            boost::asio::read(socket_, boost::asio::buffer(startup));
            constexpr std::string_view kWelcome("R\0\0\0\x8\0\0\0\0Z\0\0\0\x5I", 15);
            boost::asio::write(socket_, boost::asio::buffer(kWelcome));
        });
    }
    [[nodiscard]] std::string url() const {
        return fmt::format("postgres://nobody@127.0.0.1:{}/none?sslmode=disable&gssencmode=disable",
                           acceptor_.local_endpoint().port());
    }

  private:
    boost::asio::io_context context_;
    boost::asio::ip::tcp::acceptor acceptor_;
    boost::asio::ip::tcp::socket socket_;
    std::jthread thread_;
};

class PoolTest : public ::testing::Test {
  protected:
    struct Answer {
        OrgKey org;
        std::string what;
        bool served;
        steady_clock::duration after;
    };

    Pool::Options options(std::size_t readers, std::chrono::milliseconds patience = 10s) {
        return options(database_.url(), readers, patience);
    }
    static Pool::Options options(const std::string& url, std::size_t readers,
                                 std::chrono::milliseconds patience = 10s) {
        return {.hosts = postgres::hosts_of(value_of(postgres::with_settings(url, {}))),
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

    /// Asks on the connection for writing.
    static Task<Outcome<std::vector<Rows>>> ask(Pool& pool, std::string sql) {
        auto job = [sql = std::move(sql)](
                       Connection& connection,
                       Connection::Deadline deadline) -> Task<Outcome<std::vector<Rows>>> {
            const Query query{.text = sql};
            co_return co_await connection.exchange(std::span(&query, 1), deadline);
        };
        co_return co_await pool.write(0, pool.deadline(), std::move(job));
    }
    static std::int64_t number(Pool& pool, const std::string& sql) {
        const auto rows = run(ask(pool, sql));
        return rows ? rows->front().number() : -1;
    }

    TemporaryDatabase database_;
};

// ---- writes ----------------------------------------------------------------------------------

TEST_F(PoolTest, WhoComesAfterAJobThatThrewGetsAnswersOfHisOwn) {
    Pool pool(options(1));
    auto job = [](Connection& connection,
                  Connection::Deadline deadline) -> Task<Outcome<std::vector<Rows>>> {
        const std::vector<std::vector<Query>> asked(2, {{.text = "SELECT 1::bigint"}});
        const Connection::Taker take = [](std::size_t, const Outcome<std::vector<Rows>>&) {
            throw std::runtime_error("before the second answer is read");
        };
        static_cast<void>(co_await connection.exchange_each(asked, deadline, take));
        co_return std::vector<Rows>();
    };
    const auto thrown = run(pool.write(0, pool.deadline(), job));
    ASSERT_FALSE(thrown);
    EXPECT_TRUE(thrown.error().unknown);
    EXPECT_EQ(number(pool, "SELECT 2::bigint"), 2);
}

TEST_F(PoolTest, WhoComesAfterACallThatWasCancelledGetsAnswersOfHisOwn) {
    Pool pool(options(1));
    boost::asio::io_context context;
    boost::asio::cancellation_signal stop;
    bool done = false;
    boost::asio::co_spawn(
        context, ask(pool, "SELECT 1::bigint FROM pg_sleep(0.5)"),
        boost::asio::bind_cancellation_slot(
            stop.slot(), [&](const std::exception_ptr&, const Outcome<std::vector<Rows>>& rows) {
                done = rows.has_value();
            }));
    boost::asio::steady_timer timer(context, 200ms);
    timer.async_wait(
        [&](boost::system::error_code) { stop.emit(boost::asio::cancellation_type::terminal); });
    context.run();
    EXPECT_TRUE(done);
    EXPECT_EQ(number(pool, "SELECT 2::bigint"), 2);
}

TEST_F(PoolTest, AJobEndsWithThePoolThoughThePeerReadsNothing) {
    const DeafServer server;
    Pool pool(options(server.url(), 1));
    pool.finish_by(steady_clock::now() + 500ms);
    const auto began = steady_clock::now();
    const auto lost = run(ask(pool, "SELECT '" + std::string(std::size_t{8} << 20, 'x') + "'"));
    EXPECT_LT(steady_clock::now() - began, 2s);
    ASSERT_FALSE(lost);
    EXPECT_TRUE(lost.error().lost);
    EXPECT_EQ(lost.error().message, "not connected");
}

TEST_F(PoolTest, NoOutcomeIsUnknownWhereCommitWasNotSent) {
    Pool pool(options(1, 400ms));
    const auto outcome = [&](std::size_t queries) {
        auto job = [queries](Connection& connection,
                             Connection::Deadline deadline) -> Task<Outcome<std::vector<Rows>>> {
            postgres::Transaction transaction(connection, deadline);
            transaction.add({.text = "SELECT pg_sleep(1)"});
            while (transaction.add({.text = "SELECT 1"}) < queries) continue;
            co_return co_await transaction.finish();
        };
        return run(pool.write(0, pool.deadline(), job));
    };
    const auto long_one = outcome(200);
    ASSERT_FALSE(long_one);
    EXPECT_TRUE(long_one.error().lost);
    EXPECT_FALSE(long_one.error().unknown);
    const auto short_one = outcome(2);
    ASSERT_FALSE(short_one);
    EXPECT_TRUE(short_one.error().unknown);
}

// ---- reads -----------------------------------------------------------------------------------

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

TEST_F(PoolTest, OneWhoseTimeIsUpCostsTheOthersNothing) {
    Pool pool(options(1, 1000ms));
    const auto began = steady_clock::now();
    std::jthread first([&] { read_at_once(pool, {{kOrg, "first", "SELECT pg_sleep(0.7)"}}); });
    std::this_thread::sleep_for(100ms);
    std::jthread older([&] {
        for (const Answer& answer : read_at_once(pool, {{kOrg, "older"}})) {
            EXPECT_TRUE(answer.served);
        }
    });
    std::this_thread::sleep_for(500ms);
    for (const Answer& answer : read_at_once(pool, {{kOrg, "younger", "SELECT pg_sleep(0.6)"}})) {
        EXPECT_TRUE(answer.served);
    }
    EXPECT_LT(steady_clock::now() - began, 1500ms) << "once, on the connection that was there";
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
