#include <fmt/format.h>

#include "base/text.hpp"
#include "scim/schema/schema.hpp"
#include "simulator/day.hpp"

namespace muster::simulator {

namespace {

json::Object name_of(const Person& person) {
    return {{"givenName", person.given_name}, {"familyName", person.family_name}};
}

json::Value creation_of(const Person& person) {
    return json::Object{
        {"schemas", json::Array{scim::kUserSchema}},
        {"userName", person.user_name},
        {"name", name_of(person)},
        {"emails", json::Array{json::Object{
                       {"primary", true}, {"value", person.user_name}, {"type", "work"}}}},
        {"displayName", person.given_name + " " + person.family_name},
        {"locale", "en-US"},
        {"externalId", person.okta_id},
        {"groups", json::Array{}},
        // Sent even where password sync is off.
        {"password", "1mz050nq"},
        {"active", true}};
}

bool is_active(const Reply& reply, bool wanted) {
    const auto* active =
        reply.object() == nullptr ? nullptr : reply.object()->if_contains("active");
    return active != nullptr && active->is_bool() && active->get_bool() == wanted;
}

std::string upper(std::string text) {
    for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return text;
}

}  // namespace

void Day::match_and_create() {
    book_.begin("Match and create people");
    each(people_.size(), [this](Session& session, std::size_t i) {
        auto& person = people_[i];
        const auto match =
            session.send("GET", "/Users" + match_query("userName", person.user_name));
        expect_list(session, match);
        if (match.number("totalResults") < 1 || match.resources().empty()) {
            return create_person(session, person);
        }
        const auto& found = match.resources().front();
        if (found.is_object()) person.id = json::string_or_empty(found.get_object(), "id");
        set_active(session, person, true);
    });
}

void Day::create_person(Session& session, Person& person) {
    const auto body = creation_of(person);
    const auto created = session.send("POST", "/Users", &body);
    if (!session.expect(created.status == 201, created, "a new person must be answered 201"))
        return;
    if (!session.expect(created.object() != nullptr, created,
                        "the answer is empty: Okta fails with \"Create new user returned empty "
                        "user\"")) {
        return;
    }
    person.id = created.text("id");
    session.expect(!person.id.empty(), created,
                   "the answer has no id, so Okta cannot link the person");
    session.expect(created.text("userName") == person.user_name, created,
                   "userName came back in another spelling than it was sent");
    session.expect(is_active(created, true), created, "active is not true");
    session.expect(created.object()->if_contains("password") == nullptr, created,
                   "the password was sent back");
    session.expect(created.raw.find("1mz050nq") == std::string::npos, created,
                   "the password was sent back");
}

void Day::refuse_duplicates() {
    book_.begin("Refuse duplicates, match any case");
    if (people_.empty()) return;
    auto& session = *sessions_.front();
    const auto& person = people_.front();
    const auto body = creation_of(person);
    const auto again = session.send("POST", "/Users", &body);
    session.expect(again.status == 409, again,
                   "the same userName again must be answered 409, or two accounts exist for one "
                   "person");
    const auto match =
        session.send("GET", "/Users" + match_query("userName", upper(person.user_name)));
    expect_list(session, match);
    session.expect(match.number("totalResults") == 1, match,
                   "userName is compared without case: its upper-case spelling must match");
}

void Day::update_person(Session& session, const Person& person, json::Object changes) {
    const auto path = "/Users/" + person.id;
    Reply reply;
    if (options_.app == App::Wizard) {
        reply = put_merged(session, path, changes);
    } else {
        reply =
            patch(session, path, {json::Object{{"op", "replace"}, {"value", std::move(changes)}}});
    }
    const bool done = reply.status == 200 || (reply.status == 204 && options_.app == App::Catalog);
    session.expect(done, reply, "an update must be answered 200 with the person, PATCH also 204");
}

void Day::update_profiles() {
    book_.begin("Update profiles");
    each(people_.size(), [this](Session& session, std::size_t i) {
        const auto& person = people_[i];
        if (person.id.empty()) return;
        update_person(
            session, person,
            {{"title", person.title},
             {"name", name_of(person)},
             {scim::kEnterpriseUserSchema, json::Object{{"department", person.department}}}});
        const auto read = session.send("GET", "/Users/" + person.id);
        session.expect(read.status == 200 && read.text("title") == person.title, read,
                       "the new title was not kept although the update was answered with success");
        session.expect(read.text("userName") == person.user_name, read,
                       "an update of the title changed userName");
        session.expect(read.text("externalId") == person.okta_id, read,
                       "externalId was lost: Okta finds people by it");
    });
}

void Day::set_active(Session& session, const Person& person, bool active) {
    update_person(session, person, {{"active", active}});
    const auto read = session.send("GET", "/Users/" + person.id);
    session.expect(read.status == 200, read, "a deactivated person must stay readable by id");
    if (read.status != 200) return;
    session.expect(is_active(read, active), read,
                   active ? "active is still false: the person cannot sign in again"
                          : "active is still true: Okta shows the person as deactivated while they "
                            "can still sign in");
}

void Day::switch_off() {
    book_.begin("Deactivate people");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (!person.id.empty()) set_active(session, person, false);
    });
}

void Day::switch_on() {
    book_.begin("Reactivate people");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (person.id.empty()) return;
        const auto match =
            session.send("GET", "/Users" + match_query("userName", person.user_name));
        expect_list(session, match);
        const bool found = match.number("totalResults") == 1 && match.resources().size() == 1 &&
                           match.resources().front().is_object();
        session.expect(found, match, "a deactivated person must still be found by userName");
        if (!found) return;
        set_active(session, person, true);
        const auto read = session.send("GET", "/Users" + match_query("userName", person.user_name));
        const bool same =
            read.resources().size() == 1 && read.resources().front().is_object() &&
            json::string_or_empty(read.resources().front().get_object(), "id") == person.id;
        session.expect(same, read,
                       "the person has another id after reactivation, so Okta lost them");
    });
}

void Day::push_passwords() {
    book_.begin("Push password placeholder");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (person.id.empty()) return;
        update_person(session, person, {{"password", "x7Placeholder"}});
        const auto read = session.send("GET", "/Users/" + person.id);
        session.expect(read.raw.find("x7Placeholder") == std::string::npos, read,
                       "the password was sent back");
    });
}

}  // namespace muster::simulator
