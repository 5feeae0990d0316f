#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace muster::cli {

/// One line on a terminal that is drawn over itself. Draws nothing where it is not visible.
/// Not thread-safe.
class ProgressBar {
  public:
    /// Does not own the stream, which must outlive it.
    ProgressBar(std::ostream& terminal, bool visible) : terminal_(terminal), visible_(visible) {}
    ~ProgressBar() { clear(); }
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    /// Cheap where the percentage and the words stay the same.
    void show(std::uint64_t done, std::uint64_t total, std::string_view words);
    void clear();

  private:
    std::ostream& terminal_;
    bool visible_;
    std::string shown_;
};

}  // namespace muster::cli
