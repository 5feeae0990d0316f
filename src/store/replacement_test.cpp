#include "store/replacement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<Rid> rids(std::initializer_list<std::int64_t> numbers) {
    std::vector<Rid> all;
    for (const std::int64_t number : numbers) all.push_back(Rid{number});
    return all;
}

TEST(Replacement, Those_who_go_form_stretches_between_those_who_stay) {
    const auto change = replacement_of(rids({1, 2, 4, 5, 7, 9}), rids({4, 8, 0, 8}));
    EXPECT_THAT(change.add, ElementsAre(Rid{0}, Rid{8}));
    EXPECT_THAT(change.remove,
                ElementsAre(MemberRange{Rid{1}, Rid{2}}, MemberRange{Rid{5}, Rid{9}}));
}

TEST(Replacement, The_same_list_changes_nothing) {
    const auto change = replacement_of(rids({1, 2, 3}), rids({3, 1, 2, 2}));
    EXPECT_THAT(change.add, IsEmpty());
    EXPECT_THAT(change.remove, IsEmpty());
}

TEST(Replacement, Everybody_goes_in_one_stretch) {
    const auto change = replacement_of(rids({1, 20, 300}), {});
    EXPECT_THAT(change.add, IsEmpty());
    EXPECT_THAT(change.remove, ElementsAre(MemberRange{Rid{1}, Rid{300}}));
}

TEST(Replacement, Into_an_empty_group_everybody_comes) {
    EXPECT_THAT(replacement_of({}, rids({2, 1})).add, ElementsAre(Rid{1}, Rid{2}));
}

}  // namespace
}  // namespace muster::store
