#include "service/query.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "service/dialect.hpp"
#include "service/steps.hpp"

namespace muster::service {

/// A request understood: what is searched, and how it is shown.
struct Query::Walk {
    ListRequest request;
    Search search;
    std::vector<View> views;  ///< of each part
    std::string name;         ///< all that a cursor is bound to

    /// Counting matches is counting rows.
    [[nodiscard]] bool exact() const {
        return std::ranges::all_of(search.parts, [](const Part& part) { return part.plan.exact; });
    }
};

namespace {

/// Several types are searched at once: what one of them knows is known (RFC 7644 §3.4.2.1). What
/// none of them knows is refused in the first one's words.
scim::Result<Part> part_of(const scim::ResourceType& type, Query::Types types,
                           const ListRequest& request, const Limits& limits) {
    Part part{.type = &type, .filter = {}, .sort_by = {}, .plan = {}};
    if (request.filter) {
        TRY_ASSIGN(part.filter, scim::parse_filter(type, *request.filter, limits.filter, types));
    }
    part.plan = store::make_plan(type, part.filter ? &*part.filter : nullptr);
    if (request.sort_by.empty()) return part;
    auto sort_by = scim::parse_sort_by(type, request.sort_by);
    if (sort_by) {
        part.sort_by = *sort_by;
        return part;
    }
    const bool elsewhere = std::ranges::any_of(types, [&](const scim::ResourceType* other) {
        return scim::parse_sort_by(*other, request.sort_by).has_value();
    });
    if (!elsewhere) return std::unexpected(std::move(sort_by).error());
    return part;
}

scim::Result<Search> search_of(const scim::Catalog& catalog, Query::Types types,
                               const ListRequest& request, const Limits& limits) {
    Search search{.catalog = &catalog, .parts = {}};
    for (const scim::ResourceType* type : types) {
        TRY_ASSIGN(Part part, part_of(*type, types, request, limits));
        search.parts.push_back(std::move(part));
    }
    TRY_ASSIGN(search.descending, scim::is_descending(request.sort_order));
    search.sorted = !request.sort_by.empty();
    return search;
}

/// Two requests with one name see the same matches in the same order.
std::string name_of(const Call& call, const Search& search, const ListRequest& request) {
    std::string name =
        fmt::format("{} {}", call.org().value, call.principal.connector->connector.id);
    for (const Part& part : search.parts) name.append(" ").append(part.type->endpoint);
    const auto& filter = search.parts.front().filter;
    name.append("\nfilter ").append(filter ? filter->to_string() : "");
    if (search.sorted) {
        name.append(search.descending ? "\ndown " : "\nup ").append(request.sort_by);
    }
    return name;
}

std::size_t page_size(const ListRequest& request, const Limits& limits) {
    const auto asked = request.count.value_or(static_cast<std::int64_t>(limits.default_page));
    const auto most = static_cast<std::int64_t>(limits.max_page);
    return static_cast<std::size_t>(std::clamp<std::int64_t>(asked, 0, most));
}

Position position_of(const Match& match) { return {match.part, match.key, match.record.rid}; }

}  // namespace

Query::Query(const Core& core, const Resources& resources)
    : core_(core),
      resources_(resources),
      finder_(core, resources),
      seal_([&core](std::string_view text) { return core.registry.hash(text); },
            core.limits.cursor_lifetime_s) {}

Task<scim::Result<Answer>> Query::search(Call& call, Types types, std::string body) const {
    CO_TRY_ASSIGN(const auto value, parse_body(call, core_.limits, body));
    // A filter on what is hidden is refused, but the log must not hold what it guesses. One that is
    // not refused is told of as it was understood.
    if (call.catalog().hides_attributes()) call.record.request_body(body, nullptr);
    CO_TRY_ASSIGN(auto request, parse_search(value));
    co_return co_await list(call, types, std::move(request));
}

Task<scim::Result<Answer>> Query::list(Call& call, Types types, ListRequest request) const {
    if (request.filter) {
        CO_TRY_VOID(rewrite_filter(call, *types.front(), *request.filter));
    }
    Walk walk;
    CO_TRY_ASSIGN(walk.search, search_of(call.catalog(), types, request, core_.limits));
    for (const scim::ResourceType* type : types) {
        CO_TRY_ASSIGN(auto projection, scim::Projection::parse(*type, request.attributes,
                                                               request.excluded_attributes));
        walk.views.push_back({.type = type, .projection = std::move(projection)});
    }
    if (const auto& filter = walk.search.parts.front().filter) {
        call.record.filter(filter->to_string());
    }
    walk.name = name_of(call, walk.search, request);
    walk.request = std::move(request);
    if (walk.request.cursor) co_return co_await by_cursor(call, std::move(walk));
    co_return co_await by_index(call, std::move(walk));
}

Task<scim::Result<Answer>> Query::by_index(Call& call, Walk walk) const {
    const auto start = std::max<std::int64_t>(walk.request.start_index.value_or(1), 1);
    Window window{.skip = static_cast<std::size_t>(start) - 1,
                  .size = page_size(walk.request, core_.limits)};
    const std::size_t skip = window.skip;
    if (skip > 0) window.behind = places_.recall(key_of(walk), skip, core_.clock.now());
    if (window.behind) window.skip = 0;
    CO_TRY_ASSIGN(auto found, co_await find(call, walk, window));
    if (found.more) {
        places_.remember(key_of(walk), skip, skip + found.matches.size(),
                         position_of(found.matches.back()), core_.clock.now());
    }
    auto opening = fmt::format(
        R"({{"schemas":["{}"],"totalResults":{},"startIndex":{},"itemsPerPage":{},"Resources":[)",
        scim::kListResponse, found.total, start, found.matches.size());
    co_return co_await answer(call, std::move(walk), std::move(found), std::move(opening));
}

// By its hash: a walk's name holds a filter, which may be long.
std::string Query::key_of(const Walk& walk) const {
    const auto digest = core_.registry.hash("walk by index " + walk.name);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Task<scim::Result<Answer>> Query::by_cursor(Call& call, Walk walk) const {
    if (walk.request.start_index) {
        co_return std::unexpected(
            scim::invalid_value("startIndex and cursor are two ways to page; send one of them."));
    }
    if (walk.request.count && *walk.request.count < 1) {
        co_return std::unexpected(
            scim::Error{400, scim::ScimType::InvalidCount,
                        fmt::format("count must be between 1 and {}.", core_.limits.max_page)});
    }
    const auto now = core_.clock.now();
    Window window{.size = page_size(walk.request, core_.limits)};
    if (!walk.request.cursor->empty()) {
        CO_TRY_ASSIGN(auto cursor, seal_.open(*walk.request.cursor, walk.name, now));
        window.behind = std::move(cursor.behind);
        window.backward = cursor.backward;
        if (!walk.exact()) window.total = cursor.total;
    }
    CO_TRY_ASSIGN(auto found, co_await find(call, walk, window));

    std::string cursors;
    const auto add_cursor = [&](std::string_view name, const Match& match, bool backward) {
        const Cursor cursor{position_of(match), backward, found.total, now};
        cursors += fmt::format(R"("{}":"{}",)", name, seal_.seal(cursor, walk.name));
    };
    if (!found.matches.empty()) {
        // A page reached backwards has one behind it, from which it was reached; and so forwards.
        const bool before = window.backward ? found.more : window.behind.has_value();
        const bool after = window.backward || found.more;
        if (before) add_cursor("previousCursor", found.matches.front(), true);
        if (after) add_cursor("nextCursor", found.matches.back(), false);
    }
    auto opening =
        fmt::format(R"({{"schemas":["{}"],"totalResults":{},"itemsPerPage":{},{}"Resources":[)",
                    scim::kListResponse, found.total, found.matches.size(), cursors);
    co_return co_await answer(call, std::move(walk), std::move(found), std::move(opening));
}

Task<scim::Result<Found>> Query::find(Call& call, const Walk& walk, const Window& window) const {
    auto found = co_await finder_.find(call.org(), walk.search, window);
    if (!found) co_return refuse_store(call, found.error());
    if (found->gave_up == GaveUp::Rows) {
        co_return std::unexpected(scim::too_many(
            "This search would have to look at too many resources. Filter by userName, externalId, "
            "emails.value or id, which are indexed, or walk in order of creation."));
    }
    if (found->gave_up == GaveUp::Members) {
        co_return std::unexpected(scim::too_many(fmt::format(
            "This search would have to look at each of more than {} members of a group. Look for "
            "members by members.value eq, and read the groups with excludedAttributes=members.",
            core_.limits.max_members_held)));
    }
    call.record.step("matched", found->by);
    call.record.step("answered",
                     fmt::format("{} of {} resources", found->matches.size(), found->total));
    co_return *std::move(found);
}

Task<scim::Result<Answer>> Query::answer(Call& call, Walk walk, Found found,
                                         std::string opening) const {
    auto resources = co_await shown(call.org(), walk, std::move(found));
    if (!resources) co_return refuse_store(call, resources.error());
    auto pieces = std::make_shared<Pieces>(core_, call, std::move(walk.views),
                                           std::move(*resources), std::move(opening), "]}");
    Answer answer;
    const auto begun = co_await show(answer, std::move(pieces));
    if (!begun) co_return refuse_store(call, begun.error());
    co_return answer;
}

Task<store::Result<std::vector<Shown>>> Query::shown(OrgKey org, const Walk& walk,
                                                     Found found) const {
    std::vector<Shown> resources;
    resources.reserve(found.matches.size());
    for (Match& match : found.matches) {
        resources.push_back(
            {.view = match.part, .record = std::move(match.record), .relations = {}});
    }
    // Part by part, so that the groups of all people are read at once.
    for (std::size_t index = 0; index < walk.views.size(); ++index) {
        const View& view = walk.views[index];
        std::vector<Shown*> places;
        std::vector<const store::Record*> records;
        for (Shown& one : resources) {
            if (one.view != index) continue;
            places.push_back(&one);
            records.push_back(&one.record);
        }
        if (places.empty()) continue;
        CO_TRY_ASSIGN(auto related,
                      co_await resources_.relations(org, *view.type, records, view.projection));
        for (std::size_t i = 0; i < places.size(); ++i)
            places[i]->relations = std::move(related[i]);
    }
    co_return resources;
}

}  // namespace muster::service
