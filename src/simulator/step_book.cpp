#include "simulator/step_book.hpp"

#include <algorithm>

namespace muster::simulator {

namespace {

constexpr std::size_t kMostExamples = 5;

std::chrono::microseconds percentile(const std::vector<std::chrono::microseconds>& sorted,
                                     double share) {
    if (sorted.empty()) return {};
    const auto last = static_cast<double>(sorted.size() - 1);
    return sorted[static_cast<std::size_t>(last * share + 0.5)];
}

}  // namespace

void StepBook::begin(std::string step) {
    const std::lock_guard lock(mutex_);
    steps_.push_back({.report = {.step = std::move(step), .examples = {}}, .times = {}});
    if (progress_) progress_(done_, std::max(expected_, done_), steps_.back().report.step);
}

void StepBook::request(std::chrono::microseconds elapsed) {
    const std::lock_guard lock(mutex_);
    auto& step = steps_.back();
    ++step.report.requests;
    step.times.push_back(elapsed);
    ++done_;
    if (progress_) progress_(done_, std::max(expected_, done_), step.report.step);
}

void StepBook::failure(std::string example) {
    const std::lock_guard lock(mutex_);
    auto& report = steps_.back().report;
    ++report.failures;
    if (report.examples.size() < kMostExamples) report.examples.push_back(std::move(example));
}

Report StepBook::finish() {
    const std::lock_guard lock(mutex_);
    Report report;
    for (auto& step : steps_) {
        std::ranges::sort(step.times);
        step.report.p50 = percentile(step.times, 0.50);
        step.report.p99 = percentile(step.times, 0.99);
        report.requests += step.report.requests;
        report.failures += step.report.failures;
        report.steps.push_back(std::move(step.report));
    }
    if (progress_ && !report.steps.empty()) {
        progress_(done_, done_, report.steps.back().step);
    }
    report.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - began_);
    return report;
}

}  // namespace muster::simulator
