#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <vector>

#include "simulator/simulation.hpp"

namespace muster::simulator {

/// Counts what happens in each step. Thread-safe.
class StepBook {
  public:
    StepBook(Progress progress, std::uint64_t expected)
        : progress_(std::move(progress)), expected_(expected) {}

    void begin(std::string step);
    void request(std::chrono::microseconds elapsed);
    void failure(std::string example);

    /// After the last step.
    [[nodiscard]] Report finish();

  private:
    struct Step {
        StepReport report;
        std::vector<std::chrono::microseconds> times;
    };

    std::mutex mutex_;
    Progress progress_;
    std::uint64_t expected_;
    std::uint64_t done_ = 0;
    std::vector<Step> steps_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

}  // namespace muster::simulator
