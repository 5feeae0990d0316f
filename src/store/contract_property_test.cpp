// Random histories: both stores give the same answers after each step, and their counters equal
// what a scan finds.

#include <algorithm>
#include <map>
#include <ranges>

#include "store/contract_fixture.hpp"
#include "store/contract_history.hpp"

namespace muster::store::test {
namespace {

using testing::ElementsAreArray;

std::string describe(const Record& record) {
    return fmt::format("{} {} {} v{} {} {} {} {}", record.rid.value, record.id, record.type,
                       record.version, record.created.ms, record.modified.ms, record.active,
                       record.document);
}

std::string describe(const Reference& one) {
    return fmt::format("{} {} {} {}", one.rid.value, one.id, one.type, one.display);
}

template <class T>
std::vector<std::string> describe(const std::vector<T>& all) {
    std::vector<std::string> texts;
    for (const T& one : all) texts.push_back(describe(one));
    return texts;
}

std::vector<Plan> plans(const std::string& id, const std::string& name) {
    return {{"User", ScanAll{}, true},
            {"Group", ScanAll{}, true},
            {"User", ById{id}, true},
            {"User", ByKey{true, false, "username", name}, true},
            {"User", ByKey{false, false, "username", name}, true},
            {"User", ByKey{false, true, "username", ""}, true},
            {"Group", ByKey{false, true, "displayname", name}, true},
            {"Group", ByMember{id}, true},
            {"User", ByGroup{id}, true},
            {"Group", ByGroup{id}, true}};
}

/// Everything that a reader can ask, as text.
std::vector<std::string> observe(Store& store, OrgKey org, const std::vector<Rid>& rids,
                                 std::size_t step) {
    std::vector<std::string> seen;
    const std::string name =
        History::name_of(static_cast<std::int64_t>(step / 20) % History::kNames);
    for (const Plan& plan : plans(id_of(rids[step % rids.size()]), name)) {
        const Slice slice = run(store.query(org, plan, {.limit = 1'000})).value();
        const std::int64_t count = run(store.count(org, plan)).value();
        EXPECT_EQ(count, static_cast<std::int64_t>(slice.records.size()));
        for (const Record& record : slice.records) seen.push_back(describe(record));
        const Slice mirrored =
            run(store.query(org, plan, {.backward = true, .limit = 1'000})).value();
        EXPECT_TRUE(std::ranges::equal(slice.records, mirrored.records | std::views::reverse, {},
                                       &Record::rid, &Record::rid));
        seen.push_back(fmt::format("count {}", count));
    }
    const auto groups = run(store.groups_of(org, rids)).value();
    for (const auto& of_member : groups) {
        for (std::string& text : describe(of_member)) seen.push_back("group " + text);
    }
    std::vector<std::string> ids;
    for (const Rid rid : rids) {
        ids.push_back(id_of(rid));
        const auto members = run(store.members_of(org, rid, Rid{}, 1'000)).value();
        EXPECT_EQ(run(store.member_count(org, rid)).value(),
                  static_cast<std::int64_t>(members.references.size()));
        for (std::string& text : describe(members.references)) seen.push_back("member " + text);
    }
    for (std::string& text : describe(run(store.resolve(org, ids)).value())) {
        seen.push_back("resolved " + text);
    }
    LogQuery query;
    query.org = org;
    query.limit = 20;
    for (std::string& text : run(store.log(query)).value().records) seen.push_back(std::move(text));
    return seen;
}

class RandomHistory : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(Seeds, RandomHistory, testing::Values(1U, 2U, 3U, 4U));

TEST_P(RandomHistory, Both_stores_answer_alike_and_their_counters_are_true) {
    const Opened memory(Kind::Memory);
    const Opened sqlite(Kind::Sqlite);
    History history(GetParam());
    std::map<int, int> outcomes;
    for (int step = 1; step <= 1'000; ++step) {
        const WriteSet set = history.next();
        const auto expected = run(memory->commit(set));
        const auto actual = run(sqlite->commit(set));
        ASSERT_EQ(actual.has_value(), expected.has_value()) << "step " << step;
        if (!expected) {
            ++outcomes[static_cast<int>(expected.error().code)];
            EXPECT_EQ(actual.error().code, expected.error().code) << "step " << step;
            EXPECT_EQ(actual.error().attribute, expected.error().attribute);
            EXPECT_EQ(actual.error().holder_id, expected.error().holder_id);
        } else {
            ++outcomes[-1];
            history.learn(set, *expected);
            for (std::size_t i = 0; i < expected->applied.size(); ++i) {
                const Applied& left = actual->applied[i];
                const Applied& right = expected->applied[i];
                ASSERT_EQ(left.version, right.version) << "step " << step;
                ASSERT_EQ(left.modified, right.modified) << "step " << step;
                ASSERT_EQ(left.members_added, right.members_added) << "step " << step;
                ASSERT_EQ(left.members_removed, right.members_removed) << "step " << step;
            }
        }
        if (step % 20 != 0) continue;
        for (const OrgKey org : {kOrg, kOtherOrg}) {
            const std::vector<Rid> rids = history.all_rids();
            const auto at = static_cast<std::size_t>(step);
            ASSERT_THAT(observe(*sqlite, org, rids, at),
                        ElementsAreArray(observe(*memory, org, rids, at)))
                << "step " << step;
        }
    }
    EXPECT_GT(outcomes[-1], 200) << "the history must get somewhere";
    EXPECT_GE(outcomes.size(), 5U) << "and meet most refusals";
}

}  // namespace
}  // namespace muster::store::test
