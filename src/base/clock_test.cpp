#include "base/clock.hpp"

#include <thread>

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Rfc3339, RoundTripsMilliseconds) {
    for (std::int64_t ms : {std::int64_t{0}, std::int64_t{951'782'400'123},
                            std::int64_t{1'795'343'730'999}, std::int64_t{-1}}) {
        const auto parsed = from_rfc3339(to_rfc3339({ms}));
        ASSERT_TRUE(parsed) << ms;
        EXPECT_EQ(parsed->ms, ms);
    }
    EXPECT_EQ(to_rfc3339({1'795'335'330'123}), "2026-11-22T08:15:30.123Z");
}

TEST(Rfc3339, ReadsOffsetsAndFractions) {
    const auto utc = from_rfc3339("2026-11-22T08:15:30Z");
    ASSERT_TRUE(utc);
    for (const char* same :
         {"2026-11-22T09:15:30+01:00", "2026-11-22T03:45:30-04:30", "2026-11-22t08:15:30z",
          "2026-11-22T08:15:30.0009Z", "2026-11-22T08:15:30"}) {
        EXPECT_EQ(from_rfc3339(same), utc) << same;
    }
    EXPECT_EQ(from_rfc3339("2026-11-22T08:15:30.5Z")->ms, utc->ms + 500);
}

TEST(Rfc3339, RefusesWhatIsNoInstant) {
    for (const char* bad :
         {"", "2026", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-22",
          "2026-11-22T24:00:00Z", "2026-11-22T08:60:00Z", "2026-11-22T08:15:60Z",
          "2026-11-22T08:15:30.Z", "2026-11-22T08:15:30+0100", "2026-11-22T08:15:30Zjunk",
          "-026-11-22T08:15:30Z"}) {
        EXPECT_FALSE(from_rfc3339(bad)) << bad;
    }
}

TEST(BootClock, GoesOn) {
    const auto before = BootClock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
    EXPECT_GE(BootClock::now() - before, std::chrono::milliseconds{2});
}

}  // namespace
}  // namespace muster
