#include "simulator/okta.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace muster::simulator {

std::uint64_t OktaDay::expected_requests(const Options& options) {
    const std::uint64_t users = options.users;
    const std::uint64_t groups = options.groups;
    const std::uint64_t batches = groups == 0 ? 0 : 2 * users / 100 + groups;
    return 8 + users * 6 + users / 5 * 6 + 2 * users / 100 + groups * 14 + batches * 2;
}

void OktaDay::play() {
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

Reply OktaDay::put_merged(Session& session, const std::string& path, const json::Object& changes) {
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

Reply OktaDay::find(Session& session, std::string_view endpoint, std::string_view attribute,
                    std::string_view value) {
    auto reply = session.send("GET", fmt::format("{}?{}&startIndex=1&count=100", endpoint,
                                                 filter_query(equals(attribute, value))));
    expect_page(session, reply);
    return reply;
}

void OktaDay::expect_page(Session& session, const Reply& reply) const {
    if (!expect_list(session, reply) || reply.number("totalResults") == 0) return;
    session.expect(reply.number("startIndex") >= 1, reply, "startIndex is no JSON number");
    session.expect(
        reply.number("itemsPerPage") == static_cast<std::int64_t>(reply.resources().size()), reply,
        "itemsPerPage is not the number of resources returned; Okta's reviewers refuse "
        "apps that echo the requested count");
}

bool OktaDay::test_credentials() {
    book_.begin("Test credentials");
    auto& session = first_session();
    const auto first = session.send("GET", "/Users?startIndex=1&count=2");
    expect_page(session, first);
    constexpr std::array kHopeless = {0, 401, 403, 404};
    if (std::ranges::find(kHopeless, first.status) != kHopeless.end()) return false;
    expect_page(session, session.send("GET", "/Groups?startIndex=1&count=100"));
    refuse_strangers(session, "/Users?startIndex=1&count=2");
    const auto nobody = session.send("GET", "/Users/00919288221112222");
    session.expect(nobody.status == 404, nobody, "an unknown id must be answered 404");
    const auto no_match = find(session, "/Users", "userName", "abcdefgh@atko.com");
    session.expect(no_match.number("totalResults") == 0, no_match,
                   "a filter that matches nobody must not return anybody");
    return true;
}

void OktaDay::import(std::string step, std::string endpoint, const std::set<std::string>& known) {
    book_.begin(std::move(step));
    auto& session = first_session();
    constexpr std::int64_t kPage = 100;
    std::set<std::string> seen;
    std::int64_t total = 0;
    std::int64_t start = 1;
    Reply reply;
    do {
        reply =
            session.send("GET", fmt::format("{}?startIndex={}&count={}", endpoint, start, kPage));
        expect_page(session, reply);
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
