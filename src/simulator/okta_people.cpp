#include <fmt/format.h>

#include "scim/schema/schema.hpp"
#include "simulator/okta.hpp"

namespace muster::simulator {

json::Value OktaDay::creation_of(const Person& person) const {
    return json::Object{
        {"schemas", json::Array{scim::kUserSchema}},
        {"userName", person.user_name},
        {"name", name_of(person)},
        {"emails", json::Array{json::Object{
                       {"primary", true}, {"value", person.user_name}, {"type", "work"}}}},
        {"displayName", person.given_name + " " + person.family_name},
        {"locale", "en-US"},
        {"externalId", person.external_id},
        {"groups", json::Array{}},
        // Sent even where password sync is off.
        {"password", "1mz050nq"},
        {"active", true}};
}

void OktaDay::match_and_create() {
    book_.begin("Match and create people");
    each(people_.size(), [this](Session& session, std::size_t i) {
        auto& person = people_[i];
        const auto match = find(session, "/Users", "userName", person.user_name);
        if (match.number("totalResults") < 1 || match.resources().empty()) {
            return create_person(session, person);
        }
        person.id = match.first_id();
        set_active(session, person, true);
    });
}

void OktaDay::create_person(Session& session, Person& person) {
    const auto created = create(session, person);
    const bool echoed = created.raw.find("1mz050nq") != std::string::npos ||
                        (created.object() != nullptr && created.object()->contains("password"));
    session.expect(!echoed, created, "the password was sent back");
}

void OktaDay::update_person(Session& session, const Person& person, json::Object changes) {
    const auto path = "/Users/" + person.id;
    Reply reply;
    if (is_wizard()) {
        reply = put_merged(session, path, changes);
    } else {
        reply =
            patch(session, path, {json::Object{{"op", "replace"}, {"value", std::move(changes)}}});
    }
    const bool done = reply.status == 200 || (reply.status == 204 && !is_wizard());
    session.expect(done, reply, "an update must be answered 200 with the person, PATCH also 204");
}

void OktaDay::update_profiles() {
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
        session.expect(read.text("externalId") == person.external_id, read,
                       "externalId was lost: Okta finds people by it");
    });
}

void OktaDay::set_active(Session& session, const Person& person, bool active) {
    update_person(session, person, {{"active", active}});
    const auto read = session.send("GET", "/Users/" + person.id);
    session.expect(read.status == 200, read, "a deactivated person must stay readable by id");
    if (read.status != 200) return;
    check_active(session, read, active);
}

void OktaDay::switch_off() {
    book_.begin("Deactivate people");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (!person.id.empty()) set_active(session, person, false);
    });
}

void OktaDay::switch_on() {
    book_.begin("Reactivate people");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (person.id.empty()) return;
        const auto match = find(session, "/Users", "userName", person.user_name);
        const bool found = match.number("totalResults") == 1 && !match.first_id().empty();
        session.expect(found, match, "a deactivated person must still be found by userName");
        if (!found) return;
        set_active(session, person, true);
        const auto read = find(session, "/Users", "userName", person.user_name);
        session.expect(read.first_id() == person.id, read,
                       "the person has another id after reactivation, so Okta lost them");
    });
}

void OktaDay::push_passwords() {
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
