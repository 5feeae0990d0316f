#include "api/turns.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace muster::api {
namespace asio = boost::asio;
namespace {

// After so long the loop looks for what has arrived meanwhile, so that nobody waits unseen.
constexpr std::chrono::microseconds kStretch{200};
constexpr std::size_t kLongestLine = 2'000;

}  // namespace

Turns& Turns::of(const asio::any_io_executor& executor) {
    return asio::use_service<Turns>(asio::query(executor, asio::execution::context));
}

std::optional<int> Turns::refuses(OrgKey org) const {
    const auto line = lines_.find(org);
    if (line == lines_.end() || line->second.waiting.size() < kLongestLine) return std::nullopt;
    const auto wait = std::chrono::duration<double>(usual_) *
                      static_cast<double>(line->second.waiting.size() * lines_.size());
    return std::max(1, static_cast<int>(std::ceil(wait.count())));
}

Task<void> Turns::take(OrgKey org) {
    if (taken_ || !lines_.empty()) {
        co_await wait(org);
        co_return;
    }
    open_loop();
}

/// What else the loop has found ready by now stands behind this request, and then in line.
void Turns::open_loop() {
    taken_ = true;
    asio::post(context_, [this] { taken_ = false; });
}

Task<void> Turns::wait(OrgKey org) {
    auto initiate = [this, org](auto handler) {
        const auto [line, fresh] = lines_.try_emplace(org);
        if (fresh) line->second.had = least_;
        const asio::any_io_executor executor = asio::get_associated_executor(handler);
        line->second.waiting.push_back({executor, std::move(handler)});
        if (!std::exchange(calling_, true)) asio::post(context_, [this] { call_next(); });
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                       asio::use_awaitable);
}

void Turns::call_next() {
    const Clock::time_point began = Clock::now();
    while (!lines_.empty() && Clock::now() - began < kStretch) run_one();
    calling_ = !lines_.empty();
    if (calling_) asio::post(context_, [this] { call_next(); });
}

void Turns::run_one() {
    const auto next =
        std::ranges::min_element(lines_, {}, [](const auto& entry) { return entry.second.had; });
    const OrgKey org = next->first;
    least_ = next->second.had;
    Resumption turn = std::move(next->second.waiting.front());
    next->second.waiting.pop_front();

    const Clock::time_point began = Clock::now();
    turn.resume();
    const Clock::duration used = Clock::now() - began;
    usual_ = (usual_ * 15 + used) / 16;

    // The request may have changed the lines: its organisation's is looked up again.
    const auto line = lines_.find(org);
    if (line == lines_.end()) return;
    line->second.had += used;
    if (line->second.waiting.empty()) lines_.erase(line);
}

void Turns::shutdown() { lines_.clear(); }

}  // namespace muster::api
