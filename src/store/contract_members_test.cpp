// Memberships: rows, not lists.

#include <algorithm>
#include <bit>
#include <chrono>
#include <numeric>

#include "store/contract_fixture.hpp"

namespace muster::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MemberContract : public ContractTest {
  protected:
    MemberContract() {
        for (std::int64_t rid = 1; rid <= 6; ++rid) {
            given(user(Rid{rid}, "user" + std::to_string(rid)));
        }
        given(group(Rid{20}, "staff"));
    }
    Applied change(MembersChange members) {
        return given(change_members(Rid{20}, std::move(members))).applied.at(0);
    }
    std::int64_t version() { return find_group(Rid{20}).value().version; }
};
MUSTER_FOR_EACH_STORE(MemberContract);

TEST_P(MemberContract, Adding_and_removing_are_idempotent_and_counted) {
    Applied applied = change({false, {Rid{2}, Rid{1}, Rid{2}}, {}});
    EXPECT_EQ(applied.members_added, 2);
    EXPECT_EQ(applied.members_removed, 0);
    EXPECT_EQ(applied.version, 2);
    EXPECT_EQ(applied.modified.ms, kStart.ms + 1);
    EXPECT_EQ(find_group(Rid{20}).value().modified.ms, kStart.ms + 1);

    applied = change({false, {Rid{1}}, {Rid{3}}});
    EXPECT_EQ(applied.members_added, 0);
    EXPECT_EQ(applied.members_removed, 0);
    EXPECT_EQ(applied.version, 2) << "nothing changed, so the version stays";
    EXPECT_EQ(version(), 2);

    applied = change({false, {Rid{3}}, {Rid{1}, Rid{1}}});
    EXPECT_EQ(applied.members_added, 1);
    EXPECT_EQ(applied.members_removed, 1);
    EXPECT_EQ(applied.version, 3);
    EXPECT_THAT(members_of(Rid{20}), ElementsAre(2, 3));
}

TEST_P(MemberContract, SM_01_members_that_64_add_and_remove_at_once_are_the_right_ones) {
    std::vector<std::int64_t> stayed;
    for (std::int64_t i = 0; i < 64; ++i) {
        given(user(Rid{100 + i}, "many" + std::to_string(i)));
        stayed.push_back(100 + i);
    }
    change({false, {Rid{1}, Rid{2}}, {}});
    std::int64_t added = 0;
    std::int64_t removed = 0;
    for (const auto& result : commit_64_at_once([](std::int64_t i) {
             return change_members(Rid{20}, {false, {Rid{100 + i}}, {Rid{1 + i % 2}}});
         })) {
        ASSERT_TRUE(result) << result.error().message;
        added += result->applied.at(0).members_added;
        removed += result->applied.at(0).members_removed;
    }
    EXPECT_EQ(members_of(Rid{20}), stayed);
    EXPECT_EQ(added, 64);
    EXPECT_EQ(removed, 2);
    EXPECT_EQ(version(), 2 + 64) << "one for each change";
}

TEST_P(MemberContract, A_member_both_removed_and_added_stays) {
    change({false, {Rid{1}}, {}});
    change({false, {Rid{1}}, {Rid{1}}});
    EXPECT_THAT(members_of(Rid{20}), ElementsAre(1));
}

TEST_P(MemberContract, Replacing_writes_only_differences) {
    change({false, {Rid{1}, Rid{2}, Rid{3}}, {}});
    Applied applied = change({true, {Rid{4}, Rid{3}, Rid{2}, Rid{2}}, {}});
    EXPECT_EQ(applied.members_added, 1);
    EXPECT_EQ(applied.members_removed, 1);
    EXPECT_EQ(applied.version, 3);
    EXPECT_THAT(members_of(Rid{20}), ElementsAre(2, 3, 4));

    applied = change({true, {Rid{2}, Rid{3}, Rid{4}}, {}});
    EXPECT_EQ(applied.version, 3) << "the same members again";
    applied = change({true, {}, {}});
    EXPECT_EQ(applied.members_removed, 3);
    EXPECT_THAT(members_of(Rid{20}), IsEmpty());
}

TEST_P(MemberContract, Replacing_leads_from_any_list_to_any_other) {
    const auto list = [](unsigned mask) {
        std::vector<Rid> rids;
        for (std::int64_t rid = 1; rid <= 6; ++rid) {
            if ((mask >> (rid - 1) & 1U) != 0) rids.push_back(Rid{rid});
        }
        return rids;
    };
    unsigned before = 0;
    for (unsigned step = 1; step <= 64; ++step) {
        const unsigned after = step * 37 % 64;  // each once
        const Applied applied = change({true, list(after), {}});
        EXPECT_EQ(applied.members_added, std::popcount(after & ~before)) << before << ' ' << after;
        EXPECT_EQ(applied.members_removed, std::popcount(before & ~after))
            << before << ' ' << after;
        std::vector<std::int64_t> wanted;
        for (const Rid rid : list(after)) wanted.push_back(rid.value);
        ASSERT_EQ(members_of(Rid{20}), wanted) << before << ' ' << after;
        before = after;
    }
}

TEST_P(MemberContract, Only_live_resources_become_members) {
    given(removal(user(Rid{5}, "user5")), removal(user(Rid{6}, "user6"), true));
    ASSERT_TRUE(commit_in(kOtherOrg, user(Rid{7}, "stranger")));
    for (const Rid gone : {Rid{5}, Rid{6}, Rid{7}, Rid{99}, Rid{}}) {
        for (const bool replace : {false, true}) {
            const auto refused = commit(change_members(Rid{20}, {replace, {Rid{1}, gone}, {}}));
            ASSERT_FALSE(refused) << gone.value;
            EXPECT_EQ(refused.error().code, ErrorCode::MemberGone);
        }
        const auto refused = commit(group(Rid{21}, "more", {Rid{1}, gone}));
        ASSERT_FALSE(refused) << gone.value;
        EXPECT_EQ(refused.error().code, ErrorCode::MemberGone);
    }
    EXPECT_THAT(members_of(Rid{20}), IsEmpty());
    EXPECT_EQ(version(), 1);
    EXPECT_FALSE(find_group(Rid{21}));
}

TEST_P(MemberContract, Document_and_members_change_together_as_one_version) {
    UpdateResource update = change_members(Rid{20}, {false, {Rid{1}}, {}});
    update.expected_version = 1;
    DocumentChange document;
    document.display = "crew";
    document.document = R"({"displayName":"crew"})";
    document.index_removed = {{"displayname", "staff"}};
    document.index_added = {{"displayname", "crew"}};
    update.document = document;
    const Applied applied = given(update).applied.at(0);
    EXPECT_EQ(applied.version, 2);
    EXPECT_EQ(applied.members_added, 1);
    EXPECT_EQ(version(), 2);
}

TEST_P(MemberContract, A_failed_member_change_takes_the_document_change_with_it) {
    UpdateResource update = change_members(Rid{20}, {false, {Rid{99}}, {}});
    update.document = DocumentChange{true, "crew", R"({"displayName":"crew"})", {}, {}, {}, {}};
    EXPECT_EQ(commit(update).error().code, ErrorCode::MemberGone);
    EXPECT_EQ(find_group(Rid{20}).value().document, R"({"displayName":"staff"})");
}

TEST_P(MemberContract, Members_are_listed_in_slices_with_what_a_reference_shows) {
    change({false, {Rid{1}, Rid{2}, Rid{3}, Rid{4}}, {}});
    const Members first = run(store->members_of(kOrg, Rid{20}, Rid{}, 3)).value();
    ASSERT_EQ(first.references.size(), 3U);
    EXPECT_TRUE(first.more);
    EXPECT_EQ(first.references[1].rid, Rid{2});
    EXPECT_EQ(first.references[1].id, "id-2");
    EXPECT_EQ(first.references[1].type, "User");
    EXPECT_EQ(first.references[1].display, "user2");

    const Members rest = run(store->members_of(kOrg, Rid{20}, Rid{3}, 3)).value();
    ASSERT_EQ(rest.references.size(), 1U);
    EXPECT_FALSE(rest.more);
    EXPECT_EQ(rest.references[0].rid, Rid{4});
    EXPECT_FALSE(run(store->members_of(kOrg, Rid{20}, Rid{}, 4)).value().more);
    EXPECT_EQ(run(store->member_count(kOrg, Rid{20})).value(), 4);
}

TEST_P(MemberContract, Groups_of_a_resource_show_their_display_of_the_moment) {
    given(group(Rid{22}, "second", {Rid{1}, Rid{20}}), group(Rid{21}, "first", {Rid{1}}));
    given(rename(Rid{1}, 1, "user1", "renamed"));
    const auto groups = groups_of(Rid{1});
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].rid, Rid{21});
    EXPECT_EQ(groups[0].display, "first");
    EXPECT_EQ(groups[0].type, "Group");
    EXPECT_EQ(groups[1].id, "id-22");
    EXPECT_EQ(groups_of(Rid{20}).size(), 1U) << "direct groups only";
    const auto whole = run(store->find_with_groups(kOrg, "User", id_of(Rid{1}))).value();
    ASSERT_TRUE(whole);
    EXPECT_EQ(whole->record.rid, Rid{1});
    EXPECT_EQ(whole->groups.size(), groups.size());
    EXPECT_FALSE(run(store->find_with_groups(kOrg, "Group", id_of(Rid{1}))).value());
    EXPECT_FALSE(run(store->find_with_groups(kOtherOrg, "User", id_of(Rid{1}))).value());
    EXPECT_EQ(run(store->members_of(kOrg, Rid{21}, Rid{}, 9)).value().references[0].display,
              "renamed");
}

TEST_P(MemberContract, A_group_in_a_group_makes_its_members_indirect_ones) {
    const auto inside = [this](Rid outer, Rid inner) {
        return commit(change_members(outer, {false, {inner}, {}, {inner}}));
    };
    given(group(Rid{21}, "inner", {Rid{1}}), group(Rid{22}, "middle"), group(Rid{23}, "outer"));
    ASSERT_TRUE(inside(Rid{22}, Rid{21}));
    ASSERT_TRUE(inside(Rid{23}, Rid{22}));
    change({false, {Rid{1}, Rid{2}}, {}});  // group 20
    ASSERT_TRUE(inside(Rid{23}, Rid{20}));

    const auto groups = groups_of(Rid{1});
    std::vector<std::pair<std::int64_t, bool>> seen;
    for (const Reference& one : groups) seen.emplace_back(one.rid.value, one.direct);
    using Seen = std::vector<std::pair<std::int64_t, bool>>;
    EXPECT_EQ(seen, (Seen{{20, true}, {21, true}, {22, false}, {23, false}}));
    EXPECT_EQ(run(store->find_with_groups(kOrg, "User", id_of(Rid{1}))).value()->groups.size(), 4U);
    EXPECT_THAT(rids({"User", ByGroup{"id-23"}, true}), ElementsAre(1, 2));
    EXPECT_THAT(rids({"User", ByGroup{"id-22"}, true}), ElementsAre(1));
    EXPECT_THAT(rids({"User", ByGroup{"id-23"}, true}, Rid{1}), ElementsAre(2));
    EXPECT_EQ(count({"User", ByGroup{"id-23"}, true}), 2);
    EXPECT_THAT(rids({"Group", ByMember{"id-1"}, true}), ElementsAre(20, 21)) << "direct ones";

    for (const auto& [outer, inner] : {std::pair{21, 23}, {21, 22}, {22, 22}, {20, 23}}) {
        const auto refused = inside(Rid{outer}, Rid{inner});
        ASSERT_FALSE(refused) << outer << " holds " << inner;
        EXPECT_EQ(refused.error().code, ErrorCode::Circle);
    }
    const auto early = commit(change_members(Rid{21}, {false, {Rid{404}, Rid{23}}, {}, {Rid{23}}}));
    EXPECT_EQ(early.error().code, ErrorCode::Circle) << "before members are looked at";
    EXPECT_EQ(groups_of(Rid{1}).size(), 4U) << "a refusal changes nothing";

    ASSERT_TRUE(commit(change_members(Rid{23}, {true, {Rid{20}}, {}, {Rid{20}}})));
    EXPECT_EQ(groups_of(Rid{1}).size(), 4U) << "by way of 20 still";
    ASSERT_TRUE(commit(change_members(Rid{23}, {true, {}, {}})));
    EXPECT_EQ(groups_of(Rid{1}).size(), 3U);
    EXPECT_THAT(rids({"User", ByGroup{"id-23"}, true}), IsEmpty());
    ASSERT_TRUE(inside(Rid{21}, Rid{23})) << "no circle any more";
}

TEST_P(MemberContract, Deleting_a_member_raises_the_groups_that_lose_it) {
    for (const bool erase : {false, true}) {
        const Rid leaver = erase ? Rid{1} : Rid{2};
        const CreateResource created = user(leaver, "user" + std::to_string(leaver.value));
        const std::int64_t before = version();
        change({false, {leaver, Rid{3}}, {}});
        const Committed committed = given(removal(created, erase));
        EXPECT_EQ(committed.applied[0].members_removed, 1);
        EXPECT_EQ(version(), before + 2);
        EXPECT_EQ(find_group(Rid{20}).value().modified.ms, kStart.ms + 2);
        EXPECT_THAT(members_of(Rid{20}), ElementsAre(3));
        EXPECT_THAT(groups_of(leaver), IsEmpty());
        change({false, {}, {Rid{3}}});
    }
}

TEST_P(MemberContract, Deleting_a_group_frees_its_members_and_leaves_its_own_groups) {
    change({false, {Rid{1}, Rid{2}}, {}});
    given(group(Rid{21}, "parent", {Rid{20}}));
    const Committed committed = given(removal(group(Rid{20}, "staff")));
    EXPECT_EQ(committed.applied[0].members_removed, 3) << "two members and one membership";
    EXPECT_THAT(groups_of(Rid{1}), IsEmpty());
    EXPECT_EQ(find_group(Rid{21}).value().version, 2);
    EXPECT_THAT(members_of(Rid{21}), IsEmpty());
    EXPECT_EQ(find_user(Rid{1}).value().version, 1) << "a user does not change with its groups";
    EXPECT_EQ(count({"Group", ByMember{"id-1"}}), 0);
}

TEST_P(MemberContract, Groups_may_contain_each_other_and_themselves) {
    given(group(Rid{21}, "loop", {Rid{20}, Rid{21}}));
    change({false, {Rid{21}}, {}});
    EXPECT_THAT(members_of(Rid{21}), ElementsAre(20, 21));
    const Committed committed = given(removal(group(Rid{21}, "loop")));
    EXPECT_EQ(committed.applied[0].version, 2);
    EXPECT_EQ(committed.applied[0].members_removed, 3);
    EXPECT_THAT(members_of(Rid{20}), IsEmpty());
    EXPECT_EQ(version(), 3);
}

TEST_P(MemberContract, Members_and_groups_are_ways_to_find_resources) {
    change({false, {Rid{1}, Rid{2}, Rid{3}}, {}});
    given(group(Rid{21}, "parent", {Rid{20}, Rid{1}}, {Rid{20}}));
    EXPECT_THAT(rids({"Group", ByMember{"id-1"}}), ElementsAre(20, 21));
    EXPECT_THAT(rids({"Group", ByMember{"id-1"}}, Rid{20}), ElementsAre(21));
    EXPECT_THAT(rids({"Group", ByMember{"id-20"}}), ElementsAre(21));
    EXPECT_THAT(rids({"Group", ByMember{"nobody"}}), IsEmpty());
    EXPECT_THAT(rids({"User", ByMember{"id-1"}}), IsEmpty());
    EXPECT_THAT(rids({"User", ByGroup{"id-20"}}), ElementsAre(1, 2, 3));
    EXPECT_THAT(rids({"User", ByGroup{"id-20"}}, Rid{1}, 1, 5), ElementsAre(3));
    EXPECT_THAT(rids({"User", ByGroup{"id-21"}}), ElementsAre(1, 2, 3));
    EXPECT_THAT(rids({"Group", ByGroup{"id-21"}}), ElementsAre(20));
    EXPECT_EQ(count({"User", ByGroup{"id-20"}}), 3);
}

constexpr int kChanges = 200;

/// The median time of a set that adds and removes one member many times: long enough for the sync
/// that ends it not to matter.
std::chrono::nanoseconds median_change(Store& store, Rid group, Rid member) {
    using Clock = std::chrono::steady_clock;
    std::vector<std::chrono::nanoseconds> times;
    for (int round = 0; round < 15; ++round) {
        WriteSet set = write(kOrg);
        for (int i = 0; i < kChanges / 2; ++i) {
            set.mutations.emplace_back(change_members(group, {false, {member}, {}}));
            set.mutations.emplace_back(change_members(group, {false, {}, {member}}));
        }
        const auto start = Clock::now();
        const auto committed = run(store.commit(std::move(set)));
        times.push_back(Clock::now() - start);
        if (!committed || committed->applied.back().version != 1 + (round + 1) * kChanges) {
            throw std::runtime_error("change");
        }
    }
    std::ranges::nth_element(times, times.begin() + 7);
    return times[7];
}

TEST_P(MemberContract, A_change_costs_the_same_in_a_small_and_in_a_large_group) {
    constexpr std::int64_t kFirst = 1'000;
    constexpr std::int64_t kMany = 20'000;
    std::vector<Rid> everybody;
    WriteSet set = write(kOrg);
    for (std::int64_t i = 0; i < kMany; ++i) {
        everybody.push_back(Rid{kFirst + i});
        set.mutations.emplace_back(user(everybody.back(), "many" + std::to_string(i)));
    }
    const std::vector<Rid> few(everybody.begin(), everybody.begin() + 10);
    set.mutations.emplace_back(group(Rid{100'000}, "small", few));
    set.mutations.emplace_back(group(Rid{100'001}, "large", everybody));
    ASSERT_TRUE(run(store->commit(std::move(set))));
    ASSERT_EQ(run(store->member_count(kOrg, Rid{100'001})).value(), kMany);

    const auto small = median_change(*store, Rid{100'000}, Rid{1});
    const auto large = median_change(*store, Rid{100'001}, Rid{1});
    EXPECT_LT(large, 3 * small) << small.count() << " ns and " << large.count() << " ns";
}

TEST_P(MemberContract, Replacing_in_a_large_group_counts_exactly) {
    std::vector<Rid> everybody;
    WriteSet set = write(kOrg);
    for (std::int64_t i = 0; i < 3'000; ++i) {
        everybody.push_back(Rid{1'000 + i});
        set.mutations.emplace_back(user(everybody.back(), "many" + std::to_string(i)));
    }
    ASSERT_TRUE(run(store->commit(std::move(set))));
    EXPECT_EQ(change({true, everybody, {}}).members_added, 3'000);
    std::vector<Rid> later(everybody.begin() + 500, everybody.end());
    later.push_back(Rid{1});
    const Applied applied = change({true, later, {}});
    EXPECT_EQ(applied.members_added, 1);
    EXPECT_EQ(applied.members_removed, 500);
    EXPECT_EQ(run(store->member_count(kOrg, Rid{20})).value(), 2'501);
}

}  // namespace
}  // namespace muster::store::test
