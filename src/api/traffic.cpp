#include "api/traffic.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace muster::api {
namespace {

using std::chrono::microseconds;

constexpr std::int64_t kSecondUs = 1'000'000;  // an allowance is a second's worth

/// Takes one request out of the allowance, or says for how long there is none.
std::optional<microseconds> take(std::atomic<std::int64_t>& whole_at, std::int64_t rate,
                                 Traffic::Instant now) {
    const std::int64_t interval = kSecondUs / rate;
    const auto at = std::chrono::duration_cast<microseconds>(now.time_since_epoch()).count();
    std::int64_t whole = whole_at.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t next = std::max(whole, at) + interval;
        if (next - at > kSecondUs) return microseconds(next - at - kSecondUs);
        if (whole_at.compare_exchange_weak(whole, next, std::memory_order_relaxed)) {
            return std::nullopt;
        }
    }
}

}  // namespace

template <class K>
Traffic::Meter& Traffic::Meters<K>::of(K key) {
    {
        const std::shared_lock lock(mutex);
        if (const auto known = all.find(key); known != all.end()) return *known->second;
    }
    const std::unique_lock lock(mutex);
    auto& meter = all[key];
    if (!meter) meter = std::make_unique<Meter>(0);
    return *meter;
}

std::optional<Traffic::Refusal> Traffic::refuses(OrgKey org, TokenKey token, Instant now) {
    auto limit = Refusal::Limit::Organisation;
    std::optional<microseconds> wait;
    if (limits_.organisation > 0) wait = take(organisations_.of(org), limits_.organisation, now);
    if (!wait && limits_.token > 0 && token) {
        limit = Refusal::Limit::Token;
        wait = take(tokens_.of(token), limits_.token, now);
    }
    if (!wait) return std::nullopt;
    return Refusal{limit,
                   static_cast<int>(std::ceil(std::chrono::duration<double>(*wait).count()))};
}

}  // namespace muster::api
