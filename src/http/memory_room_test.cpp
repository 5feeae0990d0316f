#include "http/memory_room.hpp"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace muster::http {
namespace {

using Share = MemoryRoom::Share;
constexpr std::size_t kFree = MemoryRoom::kFree;

TEST(MemoryRoom, LeavesAsMuchToOthersAsOneOwnerTakes) {
    MemoryRoom room(800);
    Share first(room, 1), again(room, 1), other(room, 2), third(room, 3);
    EXPECT_FALSE(first.holds(kFree + 401));
    EXPECT_TRUE(first.holds(kFree + 300));
    EXPECT_FALSE(again.holds(kFree + 101));
    EXPECT_TRUE(again.holds(kFree + 100));
    EXPECT_FALSE(other.holds(kFree + 201));
    EXPECT_TRUE(other.holds(kFree + 200));
    EXPECT_FALSE(third.holds(kFree + 101));
    EXPECT_TRUE(third.holds(kFree + 100));
}

TEST(MemoryRoom, TakesBackWhatIsNoLongerHeld) {
    MemoryRoom room(800);
    Share first(room, 1);
    EXPECT_TRUE(first.holds(kFree + 400));
    EXPECT_TRUE(first.holds(kFree + 150));
    {
        Share again(room, 1);
        EXPECT_TRUE(again.holds(kFree + 250));
        EXPECT_FALSE(first.holds(kFree + 151)) << "and it keeps what it had";
        EXPECT_FALSE(again.holds(kFree + 251));
    }
    EXPECT_TRUE(first.holds(kFree + 400));
    first.release();
    Share other(room, 2);
    EXPECT_TRUE(other.holds(kFree + 400));
}

TEST(MemoryRoom, HasRoomForWhatIsSmallAlways) {
    MemoryRoom room(0);
    std::vector<std::unique_ptr<Share>> many;
    for (int i = 0; i < 100; ++i) {
        many.push_back(std::make_unique<Share>(room, 1));
        EXPECT_TRUE(many.back()->holds(kFree));
        EXPECT_FALSE(many.back()->holds(kFree + 1));
    }
}

}  // namespace
}  // namespace muster::http
