#pragma once
// Random writes as clients make them, some of them from stale news.

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <random>

#include "store/contract_fixture.hpp"

namespace muster::store::test {

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

}  // namespace muster::store::test
