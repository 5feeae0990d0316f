#include "service/finder.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/result.hpp"

namespace muster::service {

namespace {

/// Candidates looked at before other requests of the same thread get their turn.
constexpr std::size_t kSlice = 256;
/// Places that one sorted page may have to keep; about 10 MB.
constexpr std::size_t kMostSorted = 100'000;
/// Members of a group that are read rather than looked up one by one.
constexpr std::size_t kFewMembers = 100;

std::string words_for(const Search& search) {
    if (search.parts.size() > 1) return "over all resource types";
    const store::Plan& plan = search.parts.front().plan;
    if (const auto* key = std::get_if<store::ByKey>(&plan.access)) {
        return "by the index of " + key->attribute;
    }
    if (std::holds_alternative<store::ById>(plan.access)) return "by id";
    if (std::holds_alternative<store::ScanAll>(plan.access)) {
        return plan.exact && !search.sorted ? "in order of creation"
                                            : "by looking at every resource";
    }
    return "by membership";
}

/// Whether an attribute has to be seen to filter and sort.
bool needs(const Part& part, std::string_view name) {
    const bool filtered = part.filter && part.filter->mentions(name);
    return filtered || (part.sort_by && part.sort_by->attribute->name == name);
}

/// The ids of members whose presence is all that the filter asks of a group's.
std::optional<std::vector<std::string>> members_sought_by(const Part& part) {
    const bool sorts = part.sort_by && part.sort_by->attribute->name == "members";
    return part.filter && !sorts ? part.filter->only_values_of("members") : std::nullopt;
}

/// Which rows of others have to be seen.
scim::Projection needed_by(const Part& part) {
    std::string wanted = "id";
    for (std::string_view name : {"groups", "manager"}) {
        if (needs(part, name)) wanted.append(",").append(name);
    }
    return scim::Projection::parse(*part.type, wanted, {}).value_or(scim::Projection{});
}

bool precedes(const Search& search, const Position& a, const Position& b) {
    if (search.sorted && a.key != b.key) return search.descending ? a.key > b.key : a.key < b.key;
    return std::tie(a.part, a.rid) < std::tie(b.part, b.rid);
}

/// Whether an earlier page of the walk, which is in order of creation, had the match.
bool is_before(const Window& window, const Match& match) {
    if (!window.behind) return false;
    const auto place = std::tuple(match.part, match.record.rid);
    const auto begin = std::tuple(window.behind->part, window.behind->rid);
    return window.backward ? place >= begin : place <= begin;
}

Task<void> give_way() {
    const auto executor = co_await boost::asio::this_coro::executor;
    co_await boost::asio::post(executor, boost::asio::use_awaitable);
}

}  // namespace

/// The matches of one part in order of creation, a slice of candidates at a time.
class Finder::Rows {
  public:
    Rows(const Finder& finder, OrgKey org, const Search& search, std::size_t part,
         const Window& window)
        : finder_(finder),
          org_(org),
          search_(search),
          index_(part),
          part_(search.parts[part]),
          renderer_(*search.catalog, ""),
          needs_(needed_by(part_)),
          needs_members_(part_.type->find("members") != nullptr && needs(part_, "members")),
          looks_for_(members_sought_by(part_)),
          stretch_{.backward = window.backward, .limit = kSlice} {
        // Whoever counts by looking has to begin at the beginning.
        const bool counts = !window.total && !part_.plan.exact;
        const bool within = !search.sorted && window.behind && window.behind->part == part;
        if (within && !counts) stretch_.behind = window.behind->rid;
    }

    [[nodiscard]] bool more() const { return more_; }
    [[nodiscard]] std::size_t looked_at() const { return looked_at_; }
    /// `before`: rows looked at in other parts.
    [[nodiscard]] GaveUp gave_up(std::size_t before) const {
        if (crowded_) return GaveUp::Members;
        const bool many = before + looked_at_ > finder_.core_.limits.max_scanned_rows;
        return many ? GaveUp::Rows : GaveUp::No;
    }
    void skip(std::size_t candidates) { stretch_.skip = candidates; }

    /// The next ones of at most `limit` candidates.
    [[nodiscard]] Task<store::Result<std::vector<Match>>> next(std::size_t limit) {
        if (looked_at_ > 0) co_await give_way();
        stretch_.limit = std::min(limit, kSlice);
        CO_TRY_ASSIGN(auto slice, co_await finder_.core_.store.query(org_, part_.plan, stretch_));
        stretch_.skip = 0;
        more_ = slice.more;
        looked_at_ += slice.records.size();
        if (!slice.records.empty()) stretch_.behind = slice.records.back().rid;

        const bool looks_inside = !part_.plan.exact || part_.sort_by;
        std::vector<Relations> related;
        if (looks_inside) {
            std::vector<const store::Record*> records;
            for (const store::Record& record : slice.records) records.push_back(&record);
            CO_TRY_ASSIGN(
                related, co_await finder_.resources_.relations(org_, *part_.type, records, needs_));
        }
        std::vector<Match> matches;
        for (std::size_t i = 0; i < slice.records.size(); ++i) {
            if (looks_inside && needs_members_) {
                // One group's at a time: together they may be many.
                CO_TRY_ASSIGN(auto members, co_await members_of(slice.records[i].rid));
                crowded_ = !members;
                if (crowded_) co_return matches;
                related[i].members = *std::move(members);
            }
            Match match{.part = index_, .key = {}, .record = std::move(slice.records[i])};
            if (looks_inside && !take(match, std::exchange(related[i], {}))) continue;
            if (search_.sorted && !part_.sort_by) match.key = scim::missing_sort_key();
            matches.push_back(std::move(match));
        }
        co_return matches;
    }

  private:
    /// Of a group, all that matter; nothing where they are too many.
    [[nodiscard]] Task<store::Result<std::optional<std::vector<store::Reference>>>> members_of(
        Rid group) {
        if (!looks_for_) co_return co_await finder_.resources_.members_of(org_, group);
        store::Store& store = finder_.core_.store;
        CO_TRY_ASSIGN(auto first, co_await store.members_of(org_, group, Rid{}, kFewMembers));
        if (!first.more) co_return std::move(first.references);
        if (!sought_) {
            CO_TRY_ASSIGN(sought_, co_await store.resolve(org_, *looks_for_));
        }
        std::vector<store::Reference> members;
        for (const store::Reference& one : *sought_) {
            CO_TRY_ASSIGN(auto next,
                          co_await store.members_of(org_, group, Rid{one.rid.value - 1}, 1));
            const bool is_member = !next.references.empty() && next.references[0].rid == one.rid;
            if (is_member) members.push_back(one);
        }
        co_return members;
    }

    /// Whether the filter lets it through; gives it its key.
    bool take(Match& match, const Relations& related) const {
        const auto object = renderer_.object(*part_.type, match.record, related);
        if (!part_.plan.exact && !part_.filter->matches(object)) return false;
        if (part_.sort_by) match.key = scim::sort_key(*part_.sort_by, object);
        return true;
    }

    const Finder& finder_;
    OrgKey org_;
    const Search& search_;
    std::size_t index_;
    const Part& part_;
    Renderer renderer_;
    scim::Projection needs_;
    bool needs_members_;
    std::optional<std::vector<std::string>> looks_for_;    ///< the members that are asked for
    std::optional<std::vector<store::Reference>> sought_;  ///< those of them that there are
    store::Stretch stretch_;
    bool more_ = true;
    std::size_t looked_at_ = 0;
    bool crowded_ = false;  ///< a group had more members than may be held
};

Task<store::Result<Found>> Finder::find(OrgKey org, const Search& search,
                                        const Window& window) const {
    // Where only the number is asked for, order does not matter.
    const bool sorts = search.sorted && window.size > 0;
    auto found = sorts ? co_await by_sorting(org, search, window)
                       : co_await in_creation_order(org, search, window);
    if (found) {
        found->by = words_for(search);
        if (window.backward) std::ranges::reverse(found->matches);
    }
    co_return found;
}

Task<store::Result<Found>> Finder::in_creation_order(OrgKey org, const Search& search,
                                                     const Window& window) const {
    Found found{.total = window.total.value_or(0)};
    // One match beyond the page tells whether there are more.
    const std::size_t wanted = window.size > 0 ? window.size + 1 : 0;
    // What begins at the start and ends within the page needs no counting.
    const bool from_start = window.skip == 0 && !window.behind && wanted > 0;
    std::size_t skip = window.skip;
    std::size_t looked_at = 0;
    for (std::size_t step = 0; step < search.parts.size(); ++step) {
        const std::size_t index = window.backward ? search.parts.size() - 1 - step : step;
        const Part& part = search.parts[index];
        const bool counts = !window.total;
        const bool counts_rows = counts && part.plan.exact;
        if (counts_rows && !from_start) {
            CO_TRY_ASSIGN(const auto rows, co_await core_.store.count(org, part.plan));
            found.total += rows;
            if (skip >= static_cast<std::size_t>(rows)) {
                skip -= static_cast<std::size_t>(rows);
                continue;
            }
        }
        const bool passed = window.behind && (window.backward ? index > window.behind->part
                                                              : index < window.behind->part);
        const bool counts_matches = counts && !part.plan.exact;
        if (passed && !counts_matches) continue;

        Rows rows(*this, org, search, index, window);
        if (part.plan.exact) rows.skip(std::exchange(skip, 0));
        while (rows.more() && (counts_matches || found.matches.size() < wanted)) {
            const std::size_t limit = part.plan.exact ? wanted - found.matches.size() : kSlice;
            CO_TRY_ASSIGN(auto matches, co_await rows.next(limit));
            for (Match& match : matches) {
                if (counts_matches) ++found.total;
                if (!search.sorted && is_before(window, match)) continue;
                if (skip > 0) {
                    --skip;
                } else if (found.matches.size() < wanted) {
                    found.matches.push_back(std::move(match));
                }
            }
            found.gave_up = rows.gave_up(looked_at);
            if (found.gave_up != GaveUp::No) co_return found;
        }
        looked_at += rows.looked_at();
        if (counts_rows && from_start) {
            auto number = static_cast<std::int64_t>(rows.looked_at());
            if (rows.more()) {
                CO_TRY_ASSIGN(number, co_await core_.store.count(org, part.plan));
            }
            found.total += number;
        }
    }
    found.more = window.size > 0 && found.matches.size() == wanted;
    if (found.more) found.matches.pop_back();
    co_return found;
}

Task<store::Result<Found>> Finder::by_sorting(OrgKey org, const Search& search,
                                              const Window& window) const {
    Found found;
    const std::size_t keep = window.skip + window.size + 1;
    if (window.skip > kMostSorted) {
        found.gave_up = GaveUp::Rows;
        co_return found;
    }
    const auto before = [&](const Position& a, const Position& b) {
        return window.backward ? precedes(search, b, a) : precedes(search, a, b);
    };
    // The best `keep` positions so far, the last of them on top.
    std::vector<Position> best;
    std::size_t looked_at = 0;
    for (std::size_t index = 0; index < search.parts.size(); ++index) {
        Rows rows(*this, org, search, index, {});
        while (rows.more()) {
            CO_TRY_ASSIGN(auto matches, co_await rows.next(kSlice));
            found.total += static_cast<std::int64_t>(matches.size());
            for (Match& match : matches) {
                Position position{index, std::move(match.key), match.record.rid};
                if (window.behind && !before(*window.behind, position)) continue;
                if (best.size() == keep && !before(position, best.front())) continue;
                best.push_back(std::move(position));
                std::ranges::push_heap(best, before);
                if (best.size() <= keep) continue;
                std::ranges::pop_heap(best, before);
                best.pop_back();
            }
            found.gave_up = rows.gave_up(looked_at);
            if (found.gave_up != GaveUp::No) co_return found;
        }
        looked_at += rows.looked_at();
    }
    std::ranges::sort_heap(best, before);
    found.more = best.size() == keep;
    if (found.more) best.pop_back();
    best.erase(best.begin(),
               best.begin() + static_cast<std::ptrdiff_t>(std::min(window.skip, best.size())));

    std::vector<Rid> rids;
    for (const Position& position : best) rids.push_back(position.rid);
    CO_TRY_ASSIGN(auto records, co_await core_.store.records(org, rids));
    // Who was deleted meanwhile is missing from the records.
    auto record = records.begin();
    for (Position& position : best) {
        if (record == records.end() || record->rid != position.rid) continue;
        found.matches.push_back(
            {.part = position.part, .key = std::move(position.key), .record = std::move(*record)});
        ++record;
    }
    co_return found;
}

}  // namespace muster::service
