#include "service/walk_memory.hpp"

#include <gtest/gtest.h>

namespace muster::service {
namespace {

constexpr Timestamp kNow{1'800'000'000'000};

TEST(WalkMemory, RecallsThePlaceOfOneWalkForAWhile) {
    WalkMemory memory;
    memory.remember("a", 2000, Rid{7}, kNow);
    EXPECT_EQ(memory.recall("a", 2000, kNow), Rid{7});
    EXPECT_FALSE(memory.recall("a", 2001, kNow));
    EXPECT_FALSE(memory.recall("b", 2000, kNow));
    EXPECT_TRUE(memory.recall("a", 2000, {kNow.ms + WalkMemory::kLifetimeMs}));
    EXPECT_FALSE(memory.recall("a", 2000, {kNow.ms + WalkMemory::kLifetimeMs + 1}));
    memory.remember("a", 2000, Rid{8}, kNow);
    EXPECT_EQ(memory.recall("a", 2000, kNow), Rid{8});
}

TEST(WalkMemory, NearPagesAreCountedOut) {
    WalkMemory memory;
    memory.remember("a", WalkMemory::kLeastSkip - 1, Rid{7}, kNow);
    EXPECT_FALSE(memory.recall("a", WalkMemory::kLeastSkip - 1, kNow));
}

TEST(WalkMemory, ForgetsTheOldestWhenItIsFull) {
    WalkMemory memory;
    for (std::size_t i = 0; i <= WalkMemory::kMost; ++i) {
        memory.remember("a", 2000 + i, Rid{1}, kNow);
    }
    EXPECT_FALSE(memory.recall("a", 2000, kNow));
    EXPECT_TRUE(memory.recall("a", 2001, kNow));
    EXPECT_TRUE(memory.recall("a", 2000 + WalkMemory::kMost, kNow));
}

}  // namespace
}  // namespace muster::service
