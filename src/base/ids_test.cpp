#include "base/ids.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(IdGenerator, RisesAndNeverRepeatsAcrossThreads) {
    const SystemClock clock;
    IdGenerator ids(clock, 3);
    std::vector<std::vector<std::int64_t>> made(4);
    std::vector<std::thread> threads;
    for (auto& mine : made) {
        threads.emplace_back([&ids, &mine] {
            for (int i = 0; i < 20'000; ++i) mine.push_back(ids.next());
        });
    }
    for (auto& thread : threads) thread.join();
    std::set<std::int64_t> all;
    for (const auto& mine : made) {
        EXPECT_TRUE(std::ranges::is_sorted(mine));
        all.insert(mine.begin(), mine.end());
    }
    EXPECT_EQ(all.size(), 80'000U);
    EXPECT_GT(*all.begin(), 0);
}

TEST(IdGenerator, SurvivesAClockThatGoesBack) {
    ManualClock clock({1'800'000'000'000});
    IdGenerator ids(clock, 0);
    const auto first = ids.next();
    clock.advance_ms(-3'600'000);
    EXPECT_GT(ids.next(), first);
}

TEST(IdGenerator, KeepsToItsNodeWhenTheClockStandsStill) {
    const ManualClock clock({1'800'000'000'000});
    for (const std::int64_t node : {0, 3, 1023}) {
        IdGenerator ids(clock, node);
        std::int64_t before = 0;
        for (int i = 0; i < 10'000; ++i) {
            const std::int64_t number = ids.next();
            ASSERT_GT(number, before);
            ASSERT_EQ((number >> 12) & 0x3FF, node);
            before = number;
        }
    }
}

TEST(IdGenerator, TellsItsTime) {
    const ManualClock clock({1'800'000'000'123});
    IdGenerator ids(clock, 1023);
    EXPECT_EQ(IdGenerator::time_of(ids.next()).ms, 1'800'000'000'123);
    EXPECT_LE(IdGenerator::first_at({1'800'000'000'123}), ids.next());
}

TEST(Base32, RoundTripsAndSortsAsTheNumber) {
    for (std::int64_t number : {std::int64_t{1}, std::int64_t{31}, std::int64_t{1} << 40,
                                std::numeric_limits<std::int64_t>::max()}) {
        const auto text = to_base32(number);
        EXPECT_EQ(text.size(), 13U);
        EXPECT_EQ(from_base32(text), number);
    }
    EXPECT_LT(to_base32(99), to_base32(1000));
    EXPECT_EQ(from_base32("000000000000O"), 0);
    for (const char* bad : {"", "1", "zzzzzzzzzzzzz", "00000000000u0", "00000000000000"}) {
        EXPECT_FALSE(from_base32(bad)) << bad;
    }
}

TEST(Uuid, HasVersionAndVariant) {
    const auto id = uuid_v7({1'800'000'000'000});
    ASSERT_EQ(id.size(), 36U);
    EXPECT_EQ(id[14], '7');
    EXPECT_NE(std::string{"89ab"}.find(id[19]), std::string::npos);
    EXPECT_NE(id, uuid_v7({1'800'000'000'000}));
    EXPECT_LT(id.substr(0, 13), uuid_v7({1'800'000'000'001}).substr(0, 13));
}

TEST(ShortId, HasNoUnderscoreAndBeginsWithALetter) {
    for (int i = 0; i < 1000; ++i) {
        const auto id = random_short_id(10);
        ASSERT_EQ(id.size(), 10U);
        ASSERT_TRUE(id.front() >= 'a' && id.front() <= 'z') << id;
        ASSERT_EQ(id.find_first_not_of("abcdefghjkmnpqrstuvwxyz23456789"), std::string::npos) << id;
    }
}

}  // namespace
}  // namespace muster
