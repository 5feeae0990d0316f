#pragma once
// Whether the store serves, for /readyz: looked at in the background, so that asking costs nothing.

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/task.hpp"
#include "store/types.hpp"

namespace muster::api {

/// Ready from the start: whoever makes one has opened the store.
class Readiness {
  public:
    using Clock = std::chrono::steady_clock;
    using Probe = std::function<Task<store::Result<void>>()>;

    static constexpr std::chrono::milliseconds kPeriod{500};
    /// A store that takes longer to answer does not serve.
    static constexpr std::chrono::seconds kPatience{1};

    explicit Readiness(Probe probe) : probe_(std::move(probe)) {}

    /// Why requests would not be served, or nothing. As of 1.5 s ago at most, while keep_fresh
    /// runs. Any thread; does not wait.
    [[nodiscard]] std::optional<std::string> trouble(Clock::time_point now = Clock::now()) const;

    /// Probes, waits, and begins again, until it is cancelled.
    [[nodiscard]] Task<void> keep_fresh();

  private:
    [[nodiscard]] Task<void> look();

    Probe probe_;
    mutable std::mutex mutex_;
    std::optional<std::string> trouble_;      ///< what the last probe found
    std::optional<Clock::time_point> asked_;  ///< when the probe that is under way began
};

}  // namespace muster::api
