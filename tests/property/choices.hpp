#pragma once
// Random cases: a string of bytes, read as choices. Short strings and small bytes are simple cases,
// so that RapidCheck finds the simplest counterexample by shortening; a choice costs nanoseconds.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace muster::property {

class Choices {
  public:
    explicit Choices(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}

    /// Below `count`; 0 where the bytes are used up.
    std::size_t below(std::size_t count) {
        return next_ < bytes_.size() ? bytes_[next_++] % count : 0;
    }
    /// Once in `count` times.
    bool once_in(std::size_t count) { return below(count) == count - 1; }
    template <class Container>
    const auto& of(const Container& container) {
        return container.begin()[static_cast<std::ptrdiff_t>(below(container.size()))];
    }

  private:
    std::vector<std::uint8_t> bytes_;
    std::size_t next_ = 0;
};

/// How many cases all laws together are tried on: MUSTER_CASES.
[[nodiscard]] double cases();

/// Tries a law on `share` of the cases. The law says what is wrong, in words that name the
/// case; "" where it holds. A failure prints what to set to see it again. Cases that build on those
/// before them are not made simpler.
enum class Each : std::uint8_t { Alone, AfterTheOthers };
void hold(double share, const std::function<std::string(Choices&)>& law, Each each = Each::Alone);

}  // namespace muster::property
