#include "cli/progress_bar.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

namespace muster::cli {

void ProgressBar::show(std::uint64_t done, std::uint64_t total, std::string_view words) {
    if (!visible_) return;
    constexpr std::uint64_t kCells = 24;
    const auto percent = total == 0 ? 0 : std::min<std::uint64_t>(done * 100 / total, 100);
    const auto full = percent * kCells / 100;
    auto line =
        fmt::format("[{:#<{}}{:.<{}}] {:3} %  {}", "", full, "", kCells - full, percent, words);
    if (line == shown_) return;
    // Carriage return and "erase to the end of the line" (ECMA-48 EL).
    terminal_ << '\r' << line << "\x1b[K" << std::flush;
    shown_ = std::move(line);
}

void ProgressBar::clear() {
    if (!shown_.empty()) terminal_ << "\r\x1b[K" << std::flush;
    shown_.clear();
}

}  // namespace muster::cli
