#include "api/traffic.hpp"

#include <gtest/gtest.h>

namespace muster::api {
namespace {

constexpr OrgKey kOrg{1};
constexpr Traffic::Instant kStart{std::chrono::hours(1)};

/// How many of one request a millisecond, for ten seconds, are granted.
int granted(Traffic& traffic, OrgKey org, std::int64_t tokens, std::int64_t first = 1) {
    int count = 0;
    for (int i = 0; i < 10'000; ++i) {
        const auto wait = traffic.refuses(org, TokenKey{first + i % tokens},
                                          kStart + std::chrono::milliseconds(i));
        if (wait) EXPECT_GE(wait->wait_s, 1);
        count += wait ? 0 : 1;
    }
    return count;
}

TEST(Traffic, WithoutLimitsEverythingIsGranted) {
    Traffic traffic{{}};
    EXPECT_EQ(granted(traffic, kOrg, 1), 10'000);
}

TEST(Traffic, ATokenGetsItsRateAndASecondsWorthAtOnce) {
    Traffic traffic{{.organisation = 0, .token = 50}};
    EXPECT_NEAR(granted(traffic, kOrg, 1), 550, 2);
}

TEST(Traffic, TokensOfAnOrganisationShareItsRate) {
    Traffic traffic{{.organisation = 100, .token = 50}};
    // Which token asks is left to chance, so that a little of the organisation's rate is wasted on
    // tokens that have nothing left.
    EXPECT_NEAR(granted(traffic, kOrg, 7), 1'000, 100);
    EXPECT_NEAR(granted(traffic, OrgKey{2}, 7, 100), 1'000, 100)
        << "another one has a rate of its own";
}

TEST(Traffic, SaysWhoseLimitItIs) {
    using Limit = Traffic::Refusal::Limit;
    const auto first_refused = [](TrafficLimits limits) {
        Traffic traffic{limits};
        for (;;) {
            if (const auto refused = traffic.refuses(kOrg, TokenKey{1}, kStart)) {
                return refused->limit;
            }
        }
    };
    EXPECT_EQ(first_refused({.organisation = 25, .token = 50}), Limit::Organisation);
    EXPECT_EQ(first_refused({.organisation = 50, .token = 25}), Limit::Token);
}

TEST(Traffic, AfterTheTimeThatWasToldThereIsRoom) {
    Traffic traffic{{.organisation = 25, .token = 0}};
    auto now = kStart;
    int asked = 0;
    std::optional<Traffic::Refusal> wait;
    while (!(wait = traffic.refuses(kOrg, {}, now))) ++asked;
    EXPECT_EQ(asked, 25);
    EXPECT_FALSE(traffic.refuses(kOrg, {}, now + std::chrono::seconds(wait->wait_s)));
}

}  // namespace
}  // namespace muster::api
