#pragma once
// What a piece of work costs this process: CPU time of all its threads, and how far the live memory
// of operator new rises above where it was, less what the work leaves behind: the store's, and here
// in memory, are the resources and the log records.

#include <cstddef>

namespace muster::cost {

class Meter {
  public:
    Meter();
    [[nodiscard]] double cpu_ms() const;
    [[nodiscard]] std::size_t peak_bytes() const;

  private:
    double began_ms_;
    std::ptrdiff_t live_;
};

/// How many times longer a fixed piece of work takes just now than it took where the bounds were
/// set; at least 1. Neighbours slow a shared machine to half for minutes, and that is not what a
/// bound is for.
[[nodiscard]] double slowness();

}  // namespace muster::cost
