#pragma once
// Invariants that stay checked in every build. A failed check is a bug of ours: it ends the process
// with the place and the reason, because a wrong answer is worse than none.

namespace muster {

[[noreturn]] void check_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace muster

#define MUSTER_CHECK(condition)                                                   \
    do {                                                                          \
        if (!(condition)) ::muster::check_failed(#condition, __FILE__, __LINE__); \
    } while (false)
