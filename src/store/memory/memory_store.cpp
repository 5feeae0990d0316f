#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <limits>
#include <mutex>
#include <ranges>
#include <set>
#include <utility>
#include <variant>

#include "base/result.hpp"
#include "base/text.hpp"
#include "store/log_json.hpp"
#include "store/memory/apply.hpp"
#include "store/memory/tables.hpp"

namespace muster::store {
namespace {

using memory::Logged;
using memory::Present;
using memory::Row;
using memory::Tables;

constexpr std::size_t kPurgeBatch = 500;

bool begins_with(const std::string& text, const std::string& prefix) {
    return text.starts_with(prefix);
}

/// The live candidates of a plan in rid order.
class Candidates {
  public:
    Candidates(const Tables& tables, OrgKey org, const TypeName& type)
        : tables_(tables), org_(org), type_(type) {}

    std::set<Rid> operator()(const ScanAll&) const {
        std::set<Rid> found;
        for (const auto& [rid, row] : tables_.resources) take(found, rid);
        return found;
    }

    std::set<Rid> operator()(const ById& access) const {
        std::set<Rid> found;
        if (const Row* row = tables_.live_row(org_, access.id)) take(found, row->record.rid);
        return found;
    }

    std::set<Rid> operator()(const ByKey& access) const {
        std::set<Rid> found;
        const auto matches = [&access](const std::string& attribute, const std::string& key) {
            return attribute == access.attribute &&
                   (access.prefix ? begins_with(key, access.key) : key == access.key);
        };
        if (access.unique) {
            const memory::AttributeKey first{org_, type_, access.attribute, access.key};
            for (auto at = tables_.unique.lower_bound(first); at != tables_.unique.end(); ++at) {
                const auto& [org, type, attribute, key] = at->first;
                if (org != org_ || type != type_ || !matches(attribute, key)) break;
                take(found, at->second);
            }
        } else {
            const auto first = std::tuple{org_, type_, access.attribute, access.key, Rid{}};
            for (auto at = tables_.indexed.lower_bound(first); at != tables_.indexed.end(); ++at) {
                const auto& [org, type, attribute, key, rid] = at->first;
                if (org != org_ || type != type_ || !matches(attribute, key)) break;
                take(found, rid);
            }
        }
        return found;
    }

    std::set<Rid> operator()(const ByMember& access) const {
        return partners(tables_.groups, access.member_id);
    }

    std::set<Rid> operator()(const ByGroup& access) const {
        std::set<Rid> found;
        const Row* row = tables_.live_row(org_, access.group_id);
        if (row == nullptr) return found;
        for (const Rid group : memory::groups_within(tables_, org_, row->record.rid)) {
            found.merge(partners(tables_.members, tables_.resources.at(group).record.id));
        }
        return found;
    }

  private:
    void take(std::set<Rid>& found, Rid rid) const {
        const Row* row = tables_.live_row(org_, rid);
        if (row != nullptr && row->record.type == type_) found.insert(rid);
    }

    std::set<Rid> partners(const std::map<std::tuple<OrgKey, Rid, Rid>, Present>& table,
                           const std::string& id) const {
        std::set<Rid> found;
        const Row* row = tables_.live_row(org_, id);
        if (row == nullptr) return found;
        const Rid rid = row->record.rid;
        for (auto at = table.lower_bound({org_, rid, Rid{}});
             at != table.end() && std::get<0>(at->first) == org_ && std::get<1>(at->first) == rid;
             ++at) {
            take(found, std::get<2>(at->first));
        }
        return found;
    }

    const Tables& tables_;
    OrgKey org_;
    const TypeName& type_;
};

Reference reference_to(const Row& row) {
    return {row.record.rid, row.record.id, row.record.type, row.display};
}

bool matches(const LogQuery& query, const Logged& entry) {
    return (!query.org || *query.org == entry.org) &&
           (!query.connector || *query.connector == entry.connector) &&
           (!query.failed_only || entry.failed) &&
           to_lower_ascii(entry.json).contains(to_lower_ascii(query.mentions));
}

template <class K, class V>
std::vector<V> values_of(const std::map<K, V>& table) {
    std::vector<V> values;
    values.reserve(table.size());
    for (const auto& [key, value] : table) values.push_back(value);
    return values;
}

class MemoryStore final : public Store {
  public:
    Task<Result<std::optional<Record>>> find(OrgKey org, std::string_view type,
                                             std::string_view id) override {
        const std::scoped_lock lock(mutex_);
        const Row* row = tables_.live_row(org, std::string(id));
        if (row == nullptr || row->record.type != type) co_return std::nullopt;
        co_return row->record;
    }

    Task<Result<std::optional<RecordWithGroups>>> find_with_groups(OrgKey org,
                                                                   std::string_view type,
                                                                   std::string_view id) override {
        const std::scoped_lock lock(mutex_);
        const Row* row = tables_.live_row(org, std::string(id));
        if (row == nullptr || row->record.type != type) co_return std::nullopt;
        const Rid rid = row->record.rid;
        co_return RecordWithGroups{row->record, groups_of(org, rid)};
    }

    Task<Result<Slice>> query(OrgKey org, const Plan& plan, Stretch stretch) override {
        const std::scoped_lock lock(mutex_);
        const std::set<Rid> found = candidates(org, plan);
        if (!stretch.backward) {
            co_return slice_of(
                std::ranges::subrange(found.upper_bound(stretch.behind), found.end()), stretch);
        }
        const auto end = stretch.behind == Rid{} ? found.end() : found.lower_bound(stretch.behind);
        co_return slice_of(std::ranges::subrange(found.begin(), end) | std::views::reverse,
                           stretch);
    }

    Task<Result<std::vector<Record>>> records(OrgKey org, std::span<const Rid> rids) override {
        const std::scoped_lock lock(mutex_);
        std::vector<Record> found;
        for (const Rid rid : rids) {
            if (const Row* row = tables_.live_row(org, rid)) found.push_back(row->record);
        }
        co_return found;
    }

    Task<Result<std::int64_t>> count(OrgKey org, const Plan& plan) override {
        const std::scoped_lock lock(mutex_);
        if (std::holds_alternative<ScanAll>(plan.access)) {
            const auto live = tables_.live.find({org, plan.type});
            co_return live == tables_.live.end() ? 0 : live->second;
        }
        co_return static_cast<std::int64_t>(candidates(org, plan).size());
    }

    Task<Result<std::vector<std::vector<Reference>>>> groups_of(
        OrgKey org, std::span<const Rid> members) override {
        const std::scoped_lock lock(mutex_);
        std::vector<std::vector<Reference>> groups;
        for (const Rid member : members) {
            groups.push_back(groups_of(org, member));
        }
        co_return groups;
    }

    Task<Result<Members>> members_of(OrgKey org, Rid group, Rid after, std::size_t limit) override {
        const std::scoped_lock lock(mutex_);
        co_return references(tables_.members, org, group, after, limit);
    }

    Task<Result<std::int64_t>> member_count(OrgKey org, Rid group) override {
        const std::scoped_lock lock(mutex_);
        const Members all = references(tables_.members, org, group, Rid{}, kNoLimit);
        co_return static_cast<std::int64_t>(all.references.size());
    }

    Task<Result<std::vector<Reference>>> resolve(OrgKey org,
                                                 std::span<const std::string> ids) override {
        const std::scoped_lock lock(mutex_);
        std::vector<Reference> found;
        for (const std::string& id : ids) {
            if (const Row* row = tables_.live_row(org, id)) found.push_back(reference_to(*row));
        }
        co_return found;
    }

    Task<Result<Committed>> commit(WriteSet set) override {
        const std::scoped_lock lock(mutex_);
        if (closed_) co_return std::unexpected(closed_error());
        CO_TRY_ASSIGN(Committed committed, memory::apply(tables_, set));
        for (LogEntry& entry : set.log) {
            std::string json = std::move(entry.json) + log_json_end(committed.applied);
            append(entry, std::move(json));
        }
        figures_.commits += 1;
        figures_.write_sets += 1;
        co_return committed;
    }

    Task<void> record(LogEntry entry) override {
        offer(std::move(entry));
        co_return;
    }

    bool offer(LogEntry entry) override {
        const std::scoped_lock lock(mutex_);
        std::string json = std::move(entry.json).append(kLogJsonEnd);
        append(entry, std::move(json));
        return true;
    }

    Task<Result<LogPage>> log(const LogQuery& query) override {
        const std::scoped_lock lock(mutex_);
        std::vector<std::string> found;
        const auto& log = tables_.log;
        auto at = query.before ? log.lower_bound(*query.before) : log.end();
        while (at != log.begin() && found.size() < query.limit) {
            --at;
            if (query.after && at->first <= *query.after) break;
            if (tables_.removed.contains(at->second.org)) continue;
            if (matches(query, at->second)) found.push_back(at->second.json);
        }
        co_return LogPage{.records = std::move(found)};
    }

    Task<Result<std::optional<std::string>>> log_entry(LogId id) override {
        const std::scoped_lock lock(mutex_);
        const auto place = tables_.log.find(id);
        if (place == tables_.log.end() || tables_.removed.contains(place->second.org)) {
            co_return std::nullopt;
        }
        co_return place->second.json;
    }

    Task<Result<std::optional<Directory>>> directory_since(std::int64_t) override {
        co_return std::nullopt;
    }
    std::int64_t node() const override { return 0; }
    Result<Directory> load_directory() override {
        const std::scoped_lock lock(mutex_);
        if (closed_) return std::unexpected(closed_error());
        return Directory{0, values_of(tables_.organisations), values_of(tables_.connectors),
                         values_of(tables_.tokens)};
    }

    Task<Result<bool>> purge(Timestamp log_before, Timestamp deleted_before) override {
        const std::scoped_lock lock(mutex_);
        const LogId first_kept{IdGenerator::first_at(log_before)};
        auto& log = tables_.log;
        for (std::size_t i = 0; i < kPurgeBatch && old_log(first_kept); ++i) log.erase(log.begin());
        const bool cleared = memory::clear_a_removed_one(tables_, kPurgeBatch);
        std::size_t room = kPurgeBatch;
        for (auto at = tables_.resources.begin(); at != tables_.resources.end();) {
            const Row& row = at->second;
            if (!row.deleted || *row.deleted >= deleted_before) {
                ++at;
            } else if (room == 0) {
                co_return true;
            } else {
                --room;
                tables_.ids.erase({row.org, row.record.id});
                at = tables_.resources.erase(at);
            }
        }
        co_return cleared || old_log(first_kept);
    }

    Task<Result<void>> healthy() override {
        const std::scoped_lock lock(mutex_);
        if (closed_) co_return std::unexpected(closed_error());
        co_return Result<void>();
    }

    Figures figures() const override {
        const std::scoped_lock lock(mutex_);
        return figures_;
    }

    void close() override {
        const std::scoped_lock lock(mutex_);
        closed_ = true;
    }

  private:
    [[nodiscard]] std::vector<Reference> groups_of(OrgKey org, Rid member) const {
        auto groups = references(tables_.groups, org, member, Rid{}, kNoLimit).references;
        std::set<Rid> above = memory::groups_above(tables_, org, member);
        above.erase(member);
        for (const Reference& group : groups) above.erase(group.rid);
        for (const Rid rid : above) {
            groups.push_back(reference_to(tables_.resources.at(rid)));
            groups.back().direct = false;
        }
        return groups;
    }

    /// What `stretch` leaves of `rids`, which are behind its start in its direction.
    template <class Range>
    [[nodiscard]] Slice slice_of(const Range& rids, const Stretch& stretch) const {
        Slice slice;
        std::size_t skip = stretch.skip;
        for (const Rid rid : rids) {
            if (skip > 0) {
                --skip;
            } else if (slice.records.size() == stretch.limit) {
                slice.more = true;
                break;
            } else {
                slice.records.push_back(tables_.resources.at(rid).record);
            }
        }
        return slice;
    }
    static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

    static Error closed_error() { return {ErrorCode::Unavailable, "the store is closed", {}, {}}; }

    bool old_log(LogId first_kept) const {
        return !tables_.log.empty() && tables_.log.begin()->first < first_kept;
    }

    std::set<Rid> candidates(OrgKey org, const Plan& plan) const {
        return std::visit(Candidates(tables_, org, plan.type), plan.access);
    }

    Members references(const std::map<std::tuple<OrgKey, Rid, Rid>, Present>& table, OrgKey org,
                       Rid of, Rid after, std::size_t limit) const {
        Members found;
        for (auto at = table.upper_bound({org, of, after});
             at != table.end() && std::get<0>(at->first) == org && std::get<1>(at->first) == of;
             ++at) {
            if (found.references.size() == limit) {
                found.more = true;
                break;
            }
            found.references.push_back(reference_to(tables_.resources.at(std::get<2>(at->first))));
        }
        return found;
    }

    void append(const LogEntry& entry, std::string json) {
        // A request may end after its organisation was removed.
        if (entry.org && !tables_.organisations.contains(entry.org)) return;
        tables_.log.insert_or_assign(
            entry.id, Logged{entry.org, entry.connector, entry.failed, std::move(json)});
        figures_.log_records += 1;
    }

    mutable std::mutex mutex_;
    Tables tables_;
    Figures figures_;
    bool closed_ = false;
};

}  // namespace

std::unique_ptr<Store> open_memory_store() { return std::make_unique<MemoryStore>(); }

}  // namespace muster::store
