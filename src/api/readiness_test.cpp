#include "api/readiness.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

namespace muster::api {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class ReadinessTest : public testing::Test {
  protected:
    ReadinessTest() {
        asio::co_spawn(context_, readiness_.keep_fresh(),
                       asio::bind_cancellation_slot(end_.slot(), [](const std::exception_ptr&) {}));
    }
    ~ReadinessTest() override {
        end_.emit(asio::cancellation_type::terminal);
        context_.run();
    }
    Task<store::Result<void>> probe() {
        ++probes_;
        asio::steady_timer timer(co_await asio::this_coro::executor, takes_);
        co_await timer.async_wait(asio::use_awaitable);
        if (fails_) {
            co_return std::unexpected(
                store::Error{store::ErrorCode::Unavailable, "the disk is gone", {}, {}});
        }
        co_return store::Result<void>();
    }

    asio::io_context context_{1};
    asio::cancellation_signal end_;
    std::chrono::milliseconds takes_{0};
    bool fails_ = false;
    int probes_ = 0;
    Readiness readiness_{[this] { return probe(); }};
};

TEST_F(ReadinessTest, FollowsTheStore) {
    EXPECT_EQ(readiness_.trouble(), std::nullopt) << "it was opened";
    context_.run_for(100ms);
    EXPECT_EQ(readiness_.trouble(), std::nullopt);
    fails_ = true;
    context_.run_for(Readiness::kPeriod + 100ms);
    EXPECT_EQ(readiness_.trouble(), "the disk is gone");
    fails_ = false;
    context_.run_for(Readiness::kPeriod + 100ms);
    EXPECT_EQ(readiness_.trouble(), std::nullopt);
}

TEST_F(ReadinessTest, DoesNotWaitForAStoreThatDoesNotAnswer) {
    takes_ = 10min;
    context_.run_for(100ms);
    const auto now = Readiness::Clock::now();
    EXPECT_EQ(readiness_.trouble(now), std::nullopt) << "it has some time";
    EXPECT_EQ(readiness_.trouble(now + Readiness::kPatience), "the store does not answer");
}

TEST_F(ReadinessTest, AsksTheStoreOnceAPeriod) {
    context_.run_for(2 * Readiness::kPeriod + 100ms);
    EXPECT_EQ(probes_, 3);
}

}  // namespace
}  // namespace muster::api
