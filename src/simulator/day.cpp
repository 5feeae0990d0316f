#include "simulator/day.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"

namespace muster::simulator {

namespace {

std::string upper(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return text;
}

/// Sorted; whoever is in it twice comes twice.
std::vector<std::string> member_ids(const Reply& reply) {
    std::vector<std::string> ids;
    const auto* members =
        reply.object() == nullptr ? nullptr : reply.object()->if_contains("members");
    if (members == nullptr || !members->is_array()) return ids;
    for (const auto& member : members->get_array()) {
        if (!member.is_object()) continue;
        ids.emplace_back(json::string_or_empty(member.get_object(), "value"));
    }
    std::ranges::sort(ids);
    return ids;
}

}  // namespace

json::Object name_of(const Person& person) {
    return {{"givenName", person.given_name}, {"familyName", person.family_name}};
}

Day::Day(const Options& options, StepBook& book)
    : options_(options),
      book_(book),
      client_(manners_of(options.client).name),
      people_(make_people(options.users, options.seed)) {
    for (unsigned g = 0; g < options.groups; ++g) {
        Group group{.name = fmt::format("Team {} of seed {}", g, options.seed),
                    .external_id = {},
                    .id = {},
                    .people = {}};
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

Reply Day::create(Session& session, Person& person) const {
    const auto body = creation_of(person);
    auto created = session.send("POST", "/Users", &body);
    if (!session.expect(created.status == 201, created, "a new person must be answered 201"))
        return created;
    if (!session.expect(created.object() != nullptr, created,
                        fmt::format("the answer is empty, so {} does not learn the id", client_))) {
        return created;
    }
    person.id = created.text("id");
    session.expect(!person.id.empty(), created,
                   fmt::format("the answer has no id, so {} cannot link the person", client_));
    session.expect(created.text("userName") == person.user_name, created,
                   "userName came back in another spelling than it was sent");
    check_active(session, created, true);
    return created;
}

Reply Day::create(Session& session, Group& group) const {
    const auto body = creation_of(group);
    auto created = session.send("POST", "/Groups", &body);
    if (!session.expect(created.status == 201, created,
                        "a group without members must be accepted with 201")) {
        return created;
    }
    group.id = created.text("id");
    session.expect(!group.id.empty(), created,
                   fmt::format("the answer has no id, so {} cannot link the group", client_));
    session.expect(created.text("displayName") == group.name, created,
                   "displayName came back in another spelling than it was sent");
    return created;
}

Reply Day::patch(Session& session, const std::string& path, json::Array operations) {
    const json::Value body = json::Object{{"schemas", json::Array{scim::kPatchOp}},
                                          {"Operations", std::move(operations)}};
    return session.send("PATCH", path, &body);
}

Reply Day::read_after(Session& session, const Reply& written, const std::string& path) {
    auto read = session.send("GET", path);
    read.request = fmt::format("{}, then {}", written.request, read.request);
    return read;
}

void Day::delete_one(Session& session, const std::string& path) {
    const auto deleted = session.send("DELETE", path);
    session.expect(deleted.status == 204 || deleted.status == 200, deleted,
                   "a deletion must be answered 204");
    const auto read = session.send("GET", path);
    session.expect(read.status == 404, read, "what was deleted must be gone");
}

bool Day::expect_list(Session& session, const Reply& reply) const {
    if (!session.expect(reply.status == 200, reply,
                        fmt::format("a list is answered 200, an empty one too: {} takes anything "
                                    "else for a broken endpoint",
                                    client_))) {
        return false;
    }
    const auto* schemas =
        reply.object() == nullptr ? nullptr : reply.object()->if_contains("schemas");
    const bool named = schemas != nullptr &&
                       json::to_text(*schemas).find(scim::kListResponse) != std::string::npos;
    session.expect(named, reply, "schemas does not name ListResponse");
    return session.expect(reply.number("totalResults") >= 0, reply,
                          fmt::format("totalResults is missing or no JSON number, so {} cannot "
                                      "tell what it matched",
                                      client_));
}

bool Day::expect_done(Session& session, const Reply& reply, std::string_view what) {
    return session.expect(reply.status == 200 || reply.status == 204, reply,
                          fmt::format("{} must be answered 200 or 204", what));
}

void Day::refuse_strangers(Session& session, const std::string& path) const {
    const auto stranger = session.send_as("Bearer not-the-token", path);
    session.expect(
        stranger.status == 401, stranger,
        fmt::format("a wrong token must be answered 401, or {} saves credentials that do not work",
                    client_));
}

void Day::refuse_duplicates() {
    book_.begin("Refuse duplicates, match any case");
    auto& session = first_session();
    const auto creation = creation_of(people_.front());
    const auto again = session.send("POST", "/Users", &creation);
    session.expect(again.status == 409, again,
                   "the same userName again must be answered 409, or two accounts exist for one "
                   "person");
    const auto match = find(session, "/Users", "userName", upper(people_.front().user_name));
    session.expect(match.number("totalResults") == 1, match,
                   "userName must match without regard to case (RFC 7643 §4.1.1)");
}

void Day::check_active(Session& session, const Reply& read, bool active) const {
    const auto* value = read.object() == nullptr ? nullptr : read.object()->if_contains("active");
    session.expect(value != nullptr && value->is_bool() && value->get_bool() == active, read,
                   active ? std::string{"active is not true: the person cannot sign in"}
                          : fmt::format("active is not false: {} shows the person as switched off "
                                        "while they can still sign in",
                                        client_));
}

void Day::check_members(Session& session, const Group& group) const {
    const auto read = session.send("GET", "/Groups/" + group.id);
    if (!session.expect(read.status == 200, read, "a pushed group must be readable")) return;
    std::vector<std::string> wanted;
    for (const auto i : group.people) {
        if (!people_[i].id.empty()) wanted.push_back(people_[i].id);
    }
    std::ranges::sort(wanted);
    const auto found = member_ids(read);
    session.expect(found == wanted, read,
                   fmt::format("the group \"{}\" has {} members where {} pushed {}, or others: "
                               "people gain or lose access that nobody gave or took",
                               group.name, found.size(), client_, wanted.size()));
    session.expect(read.text("displayName") == group.name, read, "the group has another name");
}

}  // namespace muster::simulator
