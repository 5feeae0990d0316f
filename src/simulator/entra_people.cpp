#include <fmt/format.h>

#include "scim/schema/schema.hpp"
#include "simulator/entra.hpp"

namespace muster::simulator {

namespace {

const std::string kWorkMail = "emails[type eq \"work\"].value";

std::string enterprise(std::string_view attribute) {
    return fmt::format("{}:{}", scim::kEnterpriseUserSchema, attribute);
}

/// A person as the directory has them in the cycles after the first.
json::Object profile_of(const Person& person) {
    return {{"displayName", person.family_name + ", " + person.given_name},
            {kWorkMail, "mail." + person.user_name},
            {"name.givenName", person.given_name},
            {"name.familyName", person.family_name},
            {"title", person.title},
            {enterprise("employeeNumber"), person.external_id},
            {enterprise("department"), person.department}};
}

}  // namespace

json::Value EntraDay::creation_of(const Person& person) const {
    auto name = name_of(person);
    name["formatted"] = person.given_name + " " + person.family_name;
    return json::Object{
        {"schemas", json::Array{scim::kUserSchema, scim::kEnterpriseUserSchema}},
        {"externalId", person.external_id},
        {"userName", person.user_name},
        {"active", true},
        {"displayName", person.given_name + " " + person.family_name},
        {"emails", json::Array{json::Object{
                       {"primary", true}, {"type", "work"}, {"value", person.user_name}}}},
        {"meta", json::Object{{"resourceType", "User"}}},
        {"name", std::move(name)},
        {"nickName", nullptr},
        {"roles", json::Array{}}};
}

void EntraDay::change_person(Session& session, const Person& person, json::Array operations,
                             const json::Object& kept) {
    const auto path = "/Users/" + person.id;
    const auto before = session.send("GET", path);
    session.expect(before.status == 200, before, "Entra reads a person before it writes them");
    const auto written = patch(session, path, std::move(operations));
    if (!expect_done(session, written, "PATCH of a person")) return;
    const auto after = read_after(session, written, path);
    expect_kept(session, after, kept);
    session.expect(after.text("userName") == person.user_name, after,
                   "userName changed although nothing was said of it");
    session.expect(after.text("externalId") == person.external_id, after,
                   "externalId was lost: Entra may find people by it");
}

void EntraDay::match_and_create_people() {
    book_.begin("Match and create people");
    each(people_.size(), [this](Session& session, std::size_t i) {
        auto& person = people_[i];
        person.id = find(session, "/Users", "userName", person.user_name).first_id();
        if (!person.id.empty()) {
            auto changes = profile_of(person);
            changes["active"] = true;
            return change_person(session, person, form_.replace(changes), changes);
        }
        const auto created = create(session, person);
        if (person.id.empty()) return;
        session.expect(created.text("externalId") == person.external_id, created,
                       "externalId did not come back as it was sent");
        expect_kept(session, session.send("GET", "/Users/" + person.id),
                    {{kWorkMail, person.user_name}, {"name.givenName", person.given_name}});
        const auto by_id = find(session, "/Users", "externalId", person.external_id);
        session.expect(by_id.number("totalResults") == 1 && by_id.first_id() == person.id, by_id,
                       "externalId must find the person who was created with it, alone");
    });
}

void EntraDay::update_people() {
    book_.begin("Update people");
    each(people_.size(), [this](Session& session, std::size_t i) {
        const auto& person = people_[i];
        if (person.id.empty()) return;
        const auto changes = profile_of(person);
        change_person(session, person, form_.replace(changes), changes);
    });
}

/// Paths to elements that are not there create them, and all of one filter land in the same one
/// (thomaspoignant/scim-patch#176, pingidentity/scim2#213); Entra also writes Replace where it
/// believes that something is (Captain-P-Goldfish/SCIM-SDK#416).
void EntraDay::fill_what_is_empty() {
    book_.begin("Fill what is empty");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (person.id.empty()) return;
        const json::Object added{{"nickName", person.given_name},
                                 {"addresses[type eq \"work\"].streetAddress", "1 Main St"},
                                 {"addresses[type eq \"work\"].locality", "Springfield"},
                                 {"phoneNumbers[type eq \"mobile\"].value", "+15550100"}};
        change_person(session, person, form_.add(added), added);
        const json::Object replaced{{"addresses[type eq \"home\"].country", "US"}};
        change_person(session, person, form_.replace(replaced), replaced);
    });
}

/// The manager comes as an id alone (Captain-P-Goldfish/SCIM-SDK#541, #686), or as a list of one
/// (MicrosoftDocs/azure-docs#11784). What is returned must be the object of RFC 7643 §4.3: at a
/// text Entra cannot read the person at all (Budibase/budibase#15369).
void EntraDay::set_managers() {
    book_.begin("Set managers");
    const auto& manager = people_.front();
    if (manager.id.empty()) return;
    const json::Object kept{{enterprise("manager.value"), manager.id}};
    each(people_.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[i];
        if (i == 0 || person.id.empty()) return;
        const json::Object alone{{enterprise("manager"), manager.id}};
        const json::Object list{
            {"manager",
             json::Array{json::Object{{"$ref", options_.base_url + "/Users/" + manager.id},
                                      {"value", manager.id}}}}};
        change_person(session, person, form_.add(i % 2 == 0 ? alone : list), kept);
        if (i > 2) return;
        change_person(session, person, form_.replace(i % 2 == 0 ? list : alone), kept);
        check_reference(session, "/Users", person.id, "manager", manager.id, true);
    });
}

/// Microsoft's tests clear by an empty text and by null, Entra's cycles by Remove.
void EntraDay::clear_attributes() {
    book_.begin("Clear attributes");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (person.id.empty()) return;
        const auto clear = [&](json::Array operations, std::string_view path) {
            change_person(session, person, std::move(operations), {{path, nullptr}});
        };
        clear(form_.replace({{"nickName", ""}}), "nickName");
        clear(form_.replace({{"title", nullptr}}), "title");
        clear(form_.remove(enterprise("department")), enterprise("department"));
        if (chosen[i] == 0) return;
        clear(form_.remove(enterprise("manager")), enterprise("manager"));
    });
}

/// How one role is mapped, in Microsoft's guide to attribute mappings.
void EntraDay::assign_roles() {
    book_.begin("Assign roles");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (person.id.empty()) return;
        const json::Object role{{"roles[primary eq \"True\"].value", "admin"}};
        change_person(session, person, form_.add(role), role);
    });
}

void EntraDay::set_active(Session& session, const Person& person, bool active,
                          const EntraPatch& form) {
    const auto path = "/Users/" + person.id;
    const auto written = patch(session, path, form.replace({{"active", active}}));
    if (!expect_done(session, written, active ? "a restoration" : "a soft deletion")) return;
    check_active(session, read_after(session, written, path), active);
    const auto match = find(session, "/Users", "userName", person.user_name);
    if (!session.expect(match.first_id() == person.id, match,
                        "whoever is switched off or on must be found by userName under the same "
                        "id, until they are deleted")) {
        return;
    }
    const auto* listed = match.first_resource()->if_contains("active");
    session.expect(listed != nullptr && *listed == json::Value(active), match,
                   fmt::format("active in the list is not {}", active));
}

void EntraDay::disable_people() {
    book_.begin("Disable people");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (!person.id.empty()) set_active(session, person, false, form_);
    });
    // Memberships outlast it: at a restoration Entra does not send them again.
    if (!groups_.empty() && !groups_.front().id.empty())
        check_members(first_session(), groups_.front());
}

void EntraDay::restore_people() {
    book_.begin("Restore people");
    const auto chosen = every_fifth();
    each(chosen.size(), [&](Session& session, std::size_t i) {
        const auto& person = people_[chosen[i]];
        if (!person.id.empty()) set_active(session, person, true, form_);
    });
    if (!groups_.empty() && !groups_.front().id.empty())
        check_members(first_session(), groups_.front());
}

/// The flag does not hold on demand, so this comes in the default form in both modes.
void EntraDay::provision_on_demand() {
    book_.begin("Provision on demand");
    const EntraPatch form{false};
    auto& session = first_session();
    const auto& person = people_.back();
    if (find(session, "/Users", "userName", person.user_name).first_id() == person.id &&
        !person.id.empty()) {
        const auto changes = profile_of(person);
        change_person(session, person, form.replace(changes), changes);
        set_active(session, person, false, form);
        set_active(session, person, true, form);
    }
    if (groups_.empty() || groups_.front().id.empty()) return;
    find(session, "/Groups", "displayName", groups_.front().name);
    leave_and_return(session, groups_.front(), form);
}

/// Thirty days after the soft deletion, or at once where the directory's own was for good.
void EntraDay::delete_people() {
    book_.begin("Delete people");
    auto& session = first_session();
    auto& person = people_.back();
    if (person.id.empty()) return;
    set_active(session, person, false, form_);
    delete_one(session, "/Users/" + person.id);
    const auto match = find(session, "/Users", "userName", person.user_name);
    session.expect(match.number("totalResults") == 0, match,
                   "who was deleted must not be found any more");
    person.id.clear();
    if (!groups_.empty() && !groups_.front().id.empty()) check_members(session, groups_.front());
}

}  // namespace muster::simulator
