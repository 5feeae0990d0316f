#pragma once
// The limits that an operator sets on what an organisation or a token may send.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <unordered_map>

#include "base/ids.hpp"

namespace muster::api {

/// Requests a second; 0: no limit.
struct TrafficLimits {
    std::int64_t organisation = 0;
    std::int64_t token = 0;
};

/// No limit may be smaller: identity providers need so many requests a second.
inline constexpr std::int64_t kLeastRequests = 25;

/// Thread-safe; a request costs two atomic operations where there is a limit, else nothing.
class Traffic {
  public:
    using Instant = std::chrono::steady_clock::time_point;

    explicit Traffic(TrafficLimits limits) : limits_(limits) {}

    /// Whose limit a request was one too many for, and after how many seconds (at least 1) there is
    /// room again.
    struct Refusal {
        enum class Limit : std::uint8_t { Organisation, Token };
        Limit limit = Limit::Organisation;
        int wait_s = 1;
    };
    /// A request of this organisation and token.
    [[nodiscard]] std::optional<Refusal> refuses(OrgKey org, TokenKey token, Instant now);

  private:
    /// By the generic cell rate algorithm: the time at which an allowance is whole again.
    using Meter = std::atomic<std::int64_t>;
    template <class K>
    struct Meters {
        std::shared_mutex mutex;
        std::unordered_map<K, std::unique_ptr<Meter>> all;  ///< never fewer: there are few of them
        [[nodiscard]] Meter& of(K key);
    };

    const TrafficLimits limits_;
    Meters<OrgKey> organisations_;
    Meters<TokenKey> tokens_;
};

}  // namespace muster::api
