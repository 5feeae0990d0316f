#include "api/readiness.hpp"

#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace muster::api {

std::optional<std::string> Readiness::trouble(Clock::time_point now) const {
    const std::scoped_lock lock(mutex_);
    if (!trouble_ && asked_ && now - *asked_ > kPatience) return "the store does not answer";
    return trouble_;
}

Task<void> Readiness::keep_fresh() {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    while (true) {
        co_await look();
        timer.expires_after(kPeriod);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

Task<void> Readiness::look() {
    {
        const std::scoped_lock lock(mutex_);
        asked_ = Clock::now();
    }
    auto healthy = co_await probe_();
    const std::scoped_lock lock(mutex_);
    asked_.reset();
    trouble_.reset();
    if (!healthy) trouble_ = std::move(healthy).error().message;
}

}  // namespace muster::api
