#pragma once
// The one place that reads the clocks; everything else is handed a Clock.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace muster {

/// Milliseconds since 1970-01-01T00:00:00Z, the resolution of every stored time.
struct Timestamp {
    std::int64_t ms = 0;
    friend auto operator<=>(const Timestamp&, const Timestamp&) = default;
};

class Clock {
  public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const = 0;
};

/// The operating system's clock. Thread-safe.
class SystemClock final : public Clock {
  public:
    [[nodiscard]] Timestamp now() const override;
};

/// A clock that a test sets by hand. Not thread-safe.
class ManualClock final : public Clock {
  public:
    explicit ManualClock(Timestamp start) : now_(start) {}
    [[nodiscard]] Timestamp now() const override { return now_; }
    void advance_ms(std::int64_t ms) { now_.ms += ms; }

  private:
    Timestamp now_;
};

/// A steady clock as the standard wants them (TrivialClock) that goes on while the machine is
/// suspended, which std::chrono::steady_clock does not.
struct BootClock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now() noexcept;
};

/// RFC 3339 in UTC with milliseconds: 2026-11-22T08:15:30.123Z. Years 0000 to 9999.
[[nodiscard]] std::string to_rfc3339(Timestamp time);

/// Parses an RFC 3339 / xsd:dateTime with optional fraction (cut to ms) and Z or ±hh:mm offset; a
/// date-time without an offset is read as UTC. Nothing for anything else, 60th seconds included.
[[nodiscard]] std::optional<Timestamp> from_rfc3339(std::string_view text);

}  // namespace muster
