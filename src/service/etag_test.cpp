#include "service/etag.hpp"

#include <gtest/gtest.h>

namespace muster::service {
namespace {

TEST(Etag, MatchesWeaklyInListsAndByStar) {
    EXPECT_EQ(etag_of(7), "W/\"7\"");
    for (const char* list : {"W/\"7\"", "\"7\"", "*", "W/\"6\", W/\"7\"", "  \"7\"  ", ",\"7\""}) {
        EXPECT_TRUE(etag_matches(list, 7)) << list;
    }
    for (const char* list : {"", "7", "W/7", "\"77\"", "W/\"8\",W/\"9\"", "w/\"7\"", "\"7"}) {
        EXPECT_FALSE(etag_matches(list, 7)) << list;
    }
}

}  // namespace
}  // namespace muster::service
