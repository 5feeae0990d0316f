#include "api/turns.hpp"

#include <algorithm>
#include <map>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace muster::api {
namespace {

namespace asio = boost::asio;
using std::chrono::microseconds;

constexpr OrgKey kLoud{1};
constexpr OrgKey kQuiet{2};

class TurnsTest : public testing::Test {
  protected:
    /// A request that keeps the loop busy for `work` and notes when it was done.
    void request(OrgKey org, microseconds work = microseconds(50)) {
        auto run = [](TurnsTest& test, OrgKey of, microseconds busy) -> Task<void> {
            co_await test.turns_.take(of);
            const auto until = std::chrono::steady_clock::now() + busy;
            while (std::chrono::steady_clock::now() < until) {
            }
            test.order_.push_back(of);
        };
        asio::co_spawn(context_, run(*this, org, work), asio::detached);
    }
    /// How many were done before the first of `org`.
    std::ptrdiff_t place_of_first(OrgKey org) const {
        return std::ranges::find(order_, org) - order_.begin();
    }

    asio::io_context context_{1};
    Turns& turns_ = asio::use_service<Turns>(context_);
    std::vector<OrgKey> order_;
};

TEST_F(TurnsTest, EverybodyIsServed) {
    for (int i = 0; i < 100; ++i) request(OrgKey{1 + i % 7});
    context_.run();
    EXPECT_EQ(order_.size(), 100U);
}

TEST_F(TurnsTest, ALatecomerDoesNotWaitForTheCrowd) {
    for (int i = 0; i < 500; ++i) request(kLoud);
    request(kQuiet);
    context_.run();
    EXPECT_LT(place_of_first(kQuiet), 20);
    EXPECT_EQ(order_.size(), 501U);
}

TEST_F(TurnsTest, TimeIsSharedNotTheNumberOfRequests) {
    for (int i = 0; i < 100; ++i) request(kLoud, microseconds(900));
    for (int i = 0; i < 100; ++i) request(kQuiet, microseconds(100));
    context_.run();
    // By the time that the cheap ones are done, the dear ones had about as much time: a ninth of
    // them.
    const auto last = std::ranges::find(order_.rbegin(), order_.rend(), kQuiet);
    const auto before = std::count(last, order_.rend(), kLoud);
    EXPECT_LT(before, 40);
}

TEST_F(TurnsTest, WhoWasAwayGetsNoTimeInHindsight) {
    for (int i = 0; i < 200; ++i) request(kLoud);
    context_.run();
    order_.clear();
    context_.restart();
    for (int i = 0; i < 100; ++i) request(kQuiet);
    for (int i = 0; i < 100; ++i) request(kLoud);
    context_.run();
    EXPECT_LT(place_of_first(kLoud), 20) << "nor is what it had before held against it";
}

TEST_F(TurnsTest, ALineThatIsTooLongIsRefusedForItsOwnOrganisation) {
    for (int i = 0; i < 2'002; ++i) request(kLoud, microseconds(1));
    std::map<OrgKey, bool> refused;
    asio::post(context_, [&] {
        refused[kLoud] = turns_.refuses(kLoud).has_value();
        refused[kQuiet] = turns_.refuses(kQuiet).has_value();
    });
    context_.run();
    EXPECT_TRUE(refused[kLoud]);
    EXPECT_FALSE(refused[kQuiet]);
    EXPECT_EQ(order_.size(), 2'002U);
}

}  // namespace
}  // namespace muster::api
