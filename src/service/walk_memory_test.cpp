#include "service/walk_memory.hpp"

#include <string>

#include <gtest/gtest.h>

namespace muster::service {
namespace {

constexpr Timestamp kNow{1'800'000'000'000};

Position at(std::int64_t rid) { return {.part = 0, .key = "k", .rid = Rid{rid}}; }

TEST(WalkMemory, RecallsThePlaceOfOneWalkForAWhile) {
    WalkMemory memory;
    memory.remember("a", 0, 20, at(7), kNow);
    EXPECT_EQ(memory.recall("a", 20, kNow)->rid, Rid{7});
    EXPECT_EQ(memory.recall("a", 20, kNow)->key, "k");
    EXPECT_FALSE(memory.recall("a", 21, kNow));
    EXPECT_FALSE(memory.recall("b", 20, kNow));
    EXPECT_TRUE(memory.recall("a", 20, {kNow.ms + WalkMemory::kLifetimeMs}));
    EXPECT_FALSE(memory.recall("a", 20, {kNow.ms + WalkMemory::kLifetimeMs + 1}));
}

TEST(WalkMemory, APageCanBeAskedForAgain) {
    WalkMemory memory;
    memory.remember("a", 0, 20, at(7), kNow);
    memory.remember("a", 20, 40, at(8), kNow);
    memory.remember("a", 20, 40, at(9), kNow);
    EXPECT_EQ(memory.recall("a", 20, kNow)->rid, Rid{7});
    EXPECT_EQ(memory.recall("a", 40, kNow)->rid, Rid{9});
}

TEST(WalkMemory, ANewWalkForgetsThePlacesOfTheOldOne) {
    WalkMemory memory;
    memory.remember("a", 0, 20, at(7), kNow);
    memory.remember("a", 20, 40, at(8), kNow);
    memory.remember("a", 0, 15, at(6), kNow);
    EXPECT_EQ(memory.recall("a", 15, kNow)->rid, Rid{6});
    EXPECT_FALSE(memory.recall("a", 20, kNow));
    EXPECT_FALSE(memory.recall("a", 40, kNow));
}

TEST(WalkMemory, ForgetsTheOldestWhenItIsFull) {
    WalkMemory memory;
    for (std::size_t i = 0; i <= WalkMemory::kMostWalks; ++i) {
        memory.remember(std::to_string(i), 0, 20, at(1), kNow);
    }
    EXPECT_FALSE(memory.recall("0", 20, kNow));
    EXPECT_TRUE(memory.recall("1", 20, kNow));
    for (std::size_t page = 0; page <= WalkMemory::kMostPlaces; ++page) {
        memory.remember("1", page, page + 1, at(1), kNow);
    }
    EXPECT_FALSE(memory.recall("1", 1, kNow));
    EXPECT_TRUE(memory.recall("1", 2, kNow));
}

}  // namespace
}  // namespace muster::service
