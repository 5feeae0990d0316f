// Random histories: both stores give the same answers after each step, and their counters equal
// what a scan finds.

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <random>
#include <ranges>

#include "store/contract_fixture.hpp"

namespace muster::store::test {
namespace {

using testing::ElementsAreArray;

/// What a client knows of a resource: enough to compute the next change, perhaps from stale news.
struct Known {
    CreateResource created;
    std::int64_t version = 1;
};

class History {
  public:
    explicit History(unsigned seed) : random_(seed) {}

    WriteSet next() {
        WriteSet set = write(pick(10) == 0 ? kOtherOrg : kOrg);
        const int mutations = pick(4) == 0 ? 3 : 1;
        for (int i = 0; i < mutations; ++i) set.mutations.push_back(mutation());
        set.log.push_back({LogId{++log_}, set.org, ConnectorKey{1 + pick(3)}, pick(3) == 0,
                           R"({"n":)" + std::to_string(log_)});
        return set;
    }

    /// Takes note of what a committed set did.
    void learn(const WriteSet& set, const Committed& committed) {
        for (std::size_t i = 0; i < set.mutations.size(); ++i) {
            const std::int64_t version = committed.applied[i].version;
            if (const auto* remove = std::get_if<DeleteResource>(&set.mutations[i])) {
                // Sometimes the news of a deletion gets lost.
                if (pick(4) != 0) ++generation_[slot_of(remove->rid)];
            } else if (const auto* create = std::get_if<CreateResource>(&set.mutations[i])) {
                known_[create->rid] = {*create, version};
            } else if (const auto* update = std::get_if<UpdateResource>(&set.mutations[i])) {
                Known& known = known_[update->rid];
                known.version = version;
                if (update->document) {
                    known.created.unique = update->document->unique_added;
                    known.created.index = update->document->index_added;
                }
            }
        }
    }

    /// A row that exists or is to be created next, of one of the slots.
    Rid any_rid() {
        const auto slot = static_cast<std::size_t>(pick(kSlots));
        return Rid{1 + static_cast<std::int64_t>(slot) + kSlots * generation_[slot]};
    }
    /// Every row that ever was.
    std::vector<Rid> all_rids() const {
        std::vector<Rid> all;
        for (std::int64_t slot = 0; slot < kSlots; ++slot) {
            const std::int64_t last = generation_[static_cast<std::size_t>(slot)];
            for (std::int64_t at = 0; at <= last; ++at) all.push_back(Rid{1 + slot + kSlots * at});
        }
        return all;
    }
    std::string any_name() { return name_of(pick(kNames)); }
    static std::string name_of(std::int64_t number) { return fmt::format("n{:02}", number); }
    static constexpr std::int64_t kNames = 30;

  private:
    static constexpr std::int64_t kSlots = 24;
    static std::size_t slot_of(Rid rid) {
        return static_cast<std::size_t>((rid.value - 1) % kSlots);
    }

    std::int64_t pick(std::int64_t below) {
        return std::uniform_int_distribution<std::int64_t>(0, below - 1)(random_);
    }
    static bool is_group_slot(Rid rid) { return slot_of(rid) >= 16; }
    static std::vector<Rid> groups_among(const std::vector<Rid>& rids) {
        std::vector<Rid> groups;
        std::ranges::copy_if(rids, std::back_inserter(groups), is_group_slot);
        return groups;
    }
    std::vector<Rid> some_rids() {
        std::vector<Rid> rids;
        for (std::int64_t n = pick(3); n > 0; --n) rids.push_back(any_rid());
        return rids;
    }

    Mutation mutation() {
        const Rid rid = any_rid();
        const bool is_group = is_group_slot(rid);
        const auto known = known_.find(rid);
        if (known == known_.end() || pick(8) == 0) {
            CreateResource create = is_group ? group(rid, any_name()) : user(rid, any_name());
            if (is_group && pick(2) == 0) {
                create.members = some_rids();
                create.groups = groups_among(create.members);
            }
            create.now = Timestamp{++time_};
            return create;
        }
        const std::int64_t choice = pick(10);
        if (choice < 2) return deletion(known->second);
        if (is_group && choice < 8) return membership(rid, known->second);
        return document(rid, known->second);
    }

    Mutation deletion(const Known& known) {
        DeleteResource remove = removal(known.created, pick(2) == 0);
        remove.now = Timestamp{++time_};
        if (pick(2) == 0) remove.expected_version = known.version;
        return remove;
    }

    Mutation membership(Rid rid, const Known& known) {
        MembersChange change{pick(3) == 0, some_rids(), some_rids()};
        change.groups = groups_among(change.add);
        UpdateResource update = change_members(rid, std::move(change));
        update.now = Timestamp{++time_};
        if (pick(3) == 0) update.expected_version = known.version;
        return update;
    }

    Mutation document(Rid rid, const Known& known) {
        const std::string name = any_name();
        UpdateResource update = rename(rid, known.version, "", name);
        update.type = known.created.type;
        update.now = Timestamp{++time_};
        update.document->active = pick(2) == 0;
        update.document->unique_removed = known.created.unique;
        update.document->index_removed = known.created.index;
        if (known.created.type == "Group") update.document->unique_added.clear();
        return update;
    }

    std::mt19937 random_;
    std::map<Rid, Known> known_;
    std::array<std::int64_t, kSlots> generation_{};
    std::int64_t time_ = kStart.ms;
    std::int64_t log_ = 0;
};

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
    for (std::string& text : run(store.log(query)).value()) seen.push_back(std::move(text));
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
