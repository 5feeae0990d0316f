#include "simulator/day.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"

namespace muster::simulator {

Day::Day(const OktaOptions& options, StepBook& book)
    : options_(options), book_(book), people_(make_people(options.users, options.seed)) {
    for (unsigned g = 0; g < options.groups; ++g) {
        Group group{
            .name = fmt::format("Team {} of seed {}", g, options.seed), .id = {}, .people = {}};
        // The first group holds everyone, as "Everyone" does in Okta; the others share the people.
        for (std::size_t i = 0; i < people_.size(); ++i) {
            if (g == 0 || i % options.groups == g) group.people.push_back(i);
        }
        groups_.push_back(std::move(group));
    }
    for (unsigned i = 0; i < std::max(options.concurrency, 1U); ++i) {
        sessions_.push_back(std::make_unique<Session>(options, book));
    }
}

std::uint64_t Day::expected_requests(const OktaOptions& options) {
    const std::uint64_t users = options.users;
    const std::uint64_t groups = options.groups;
    const std::uint64_t batches = groups == 0 ? 0 : 2 * users / 100 + groups;
    return 8 + users * 6 + users / 5 * 6 + 2 * users / 100 + groups * 14 + batches * 2;
}

void Day::play() {
    // Okta does not let an app be saved with which it cannot speak.
    if (!test_credentials()) return;
    match_and_create();
    refuse_duplicates();
    update_profiles();
    switch_off();
    switch_on();
    push_passwords();
    std::set<std::string> known;
    for (const auto& person : people_) known.insert(person.id);
    import("Import people", "/Users", known);
    if (groups_.empty()) return;
    push_groups();
    change_members();
    push_now();
    empty_group();
    rename_groups();
    known.clear();
    for (const auto& group : groups_) known.insert(group.id);
    import("Import groups", "/Groups", known);
    delete_group();
}

void Day::each(std::size_t count, const Work& work) {
    std::atomic<std::size_t> next{0};
    std::vector<std::jthread> threads;
    for (auto& session : sessions_) {
        threads.emplace_back([&] {
            for (auto i = next.fetch_add(1); i < count; i = next.fetch_add(1)) work(*session, i);
        });
    }
}

std::vector<std::size_t> Day::every_fifth() const {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < people_.size(); i += 5) chosen.push_back(i);
    return chosen;
}

Reply Day::put_merged(Session& session, const std::string& path, const json::Object& changes) {
    auto current = session.send("GET", path);
    if (!session.expect(current.status == 200 && current.object() != nullptr, current,
                        "Okta reads a resource before it writes it")) {
        return current;
    }
    // Everything that GET returned goes back, read-only attributes too.
    auto merged = current.document;
    for (const auto& [name, value] : changes) merged.get_object()[name] = value;
    return session.send("PUT", path, &merged);
}

Reply Day::patch(Session& session, const std::string& path, json::Array operations) {
    const json::Value body = json::Object{{"schemas", json::Array{scim::kPatchOp}},
                                          {"Operations", std::move(operations)}};
    return session.send("PATCH", path, &body);
}

void Day::expect_list(Session& session, const Reply& reply) {
    if (!session.expect(reply.status == 200, reply,
                        "a list is answered 200, an empty one too: Okta takes anything else for a "
                        "broken connector")) {
        return;
    }
    const auto* schemas =
        reply.object() == nullptr ? nullptr : reply.object()->if_contains("schemas");
    session.expect(schemas != nullptr &&
                       json::to_text(*schemas).find(scim::kListResponse) != std::string::npos,
                   reply, "schemas does not name ListResponse");
    session.expect(
        reply.number("totalResults") >= 0, reply,
        "totalResults is missing or no JSON number, so Okta cannot tell what it matched");
    if (reply.number("totalResults") == 0) return;
    session.expect(reply.number("startIndex") >= 1, reply, "startIndex is no JSON number");
    session.expect(
        reply.number("itemsPerPage") == static_cast<std::int64_t>(reply.resources().size()), reply,
        "itemsPerPage is not the number of resources returned; Okta's reviewers refuse "
        "apps that echo the requested count");
}

bool Day::test_credentials() {
    book_.begin("Test credentials");
    auto& session = *sessions_.front();
    const auto first = session.send("GET", "/Users?startIndex=1&count=2");
    expect_list(session, first);
    constexpr std::array kHopeless = {0, 401, 403, 404};
    if (std::ranges::find(kHopeless, first.status) != kHopeless.end()) return false;
    expect_list(session, session.send("GET", "/Groups?startIndex=1&count=100"));
    const auto stranger = session.send_as("Bearer not-the-token", "/Users?startIndex=1&count=2");
    session.expect(
        stranger.status == 401, stranger,
        "a wrong token must be answered 401, or Okta saves credentials that do not work");
    const auto nobody = session.send("GET", "/Users/00919288221112222");
    session.expect(nobody.status == 404, nobody, "an unknown id must be answered 404");
    const auto no_match =
        session.send("GET", "/Users" + match_query("userName", "abcdefgh@atko.com"));
    expect_list(session, no_match);
    session.expect(no_match.number("totalResults") == 0, no_match,
                   "a filter that matches nobody must not return anybody");
    return true;
}

void Day::import(std::string step, std::string endpoint, const std::set<std::string>& known) {
    book_.begin(std::move(step));
    auto& session = *sessions_.front();
    constexpr std::int64_t kPage = 100;
    std::set<std::string> seen;
    std::int64_t total = 0;
    std::int64_t start = 1;
    Reply reply;
    do {
        reply =
            session.send("GET", fmt::format("{}?startIndex={}&count={}", endpoint, start, kPage));
        expect_list(session, reply);
        if (reply.status != 200 || reply.resources().empty()) break;
        if (start == 1) total = reply.number("totalResults");
        for (const auto& resource : reply.resources()) {
            const auto id = resource.is_object()
                                ? std::string{json::string_or_empty(resource.get_object(), "id")}
                                : std::string{};
            session.expect(seen.insert(id).second, reply,
                           fmt::format("{} was on an earlier page too: pages overlap, so Okta "
                                       "counts others as removed",
                                       id));
        }
        start += static_cast<std::int64_t>(reply.resources().size());
    } while (start <= total);

    std::size_t missing = 0;
    for (const auto& id : known) missing += seen.contains(id) ? 0 : 1;
    session.expect(missing == 0, reply,
                   fmt::format("{} of {} were not imported: Okta would count them as removed",
                               missing, known.size()));
    session.expect(static_cast<std::int64_t>(seen.size()) == total, reply,
                   fmt::format("totalResults promised {}, the pages held {}", total, seen.size()));
    const auto beyond =
        session.send("GET", fmt::format("{}?startIndex={}&count={}", endpoint, total + 1, kPage));
    session.expect(beyond.status == 200 && beyond.resources().empty() &&
                       std::max<std::int64_t>(beyond.number("itemsPerPage"), 0) == 0,
                   beyond, "the page behind the last one must be empty, with itemsPerPage 0");
}

}  // namespace muster::simulator
