#include <algorithm>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"
#include "simulator/entra.hpp"

namespace muster::simulator {

namespace {

/// Microsoft recommends that many members be taken in one PATCH and says no number; Okta's.
constexpr std::ptrdiff_t kBatch = 100;
constexpr std::string_view kGroupSchemaOfMicrosoft =
    "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

}  // namespace

json::Value EntraDay::creation_of(const Group& group) const {
    return json::Object{{"schemas", json::Array{scim::kGroupSchema, kGroupSchemaOfMicrosoft}},
                        {"externalId", group.external_id},
                        {"displayName", group.name},
                        {"meta", json::Object{{"resourceType", "Group"}}}};
}

std::vector<std::string> EntraDay::ids_of(const Group& group) const {
    std::vector<std::string> ids;
    for (const auto i : group.people) {
        if (!people_[i].id.empty()) ids.push_back(people_[i].id);
    }
    return ids;
}

/// Where members come although they were excluded, Entra goes over to replacing them all, and each
/// change of one empties the group of the others (Infisical/infisical#6525).
void EntraDay::expect_no_members(Session& session, const Reply& read, const json::Object* group) {
    session.expect(group != nullptr && !group->contains("members"), read,
                   "excludedAttributes=members was not honoured: Entra then replaces the members "
                   "instead of adding to them");
}

void EntraDay::change_group(Session& session, const Group& group, json::Array operations) {
    const auto path = "/Groups/" + group.id;
    const auto before = session.send("GET", path + "?excludedAttributes=members");
    session.expect(before.status == 200, before, "Entra reads a group before it writes it");
    expect_no_members(session, before, before.object());
    const auto written = patch(session, path, std::move(operations));
    if (expect_done(session, written, "PATCH of a group")) check_members(session, group);
}

void EntraDay::match_and_create_groups() {
    book_.begin("Match and create groups");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        const auto match = find(session, "/Groups", "displayName", group.name);
        group.id = match.first_id();
        if (!group.id.empty()) return expect_no_members(session, match, match.first_resource());
        const auto created = create(session, group);
        if (group.id.empty()) return;
        session.expect(created.text("externalId") == group.external_id, created,
                       "externalId did not come back as it was sent");
        const auto body = creation_of(group);
        const auto again = session.send("POST", "/Groups", &body);
        session.expect(again.status == 409, again,
                       "the same displayName again must be answered 409: Entra matches groups by "
                       "it");
    });
}

void EntraDay::add_members() {
    book_.begin("Add members");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        const auto& group = groups_[g];
        const auto ids = ids_of(group);
        if (group.id.empty() || ids.empty()) return;
        const auto path = "/Groups/" + group.id;
        for (auto first = ids.begin(); first != ids.end();) {
            const auto last = first + std::min(kBatch, ids.end() - first);
            expect_done(session, patch(session, path, form_.add_members({first, last})),
                        "members to add");
            first = last;
        }
        check_members(session, group);
        // Again: adds are repeated after an error, and must not double anybody.
        change_group(session, group, form_.add_members({ids.front()}));
    });
}

void EntraDay::leave_and_return(Session& session, Group& group, const EntraPatch& form) {
    const auto everyone = group.people;
    const auto ids = ids_of(group);
    if (ids.empty()) return;
    std::erase_if(group.people, [&](std::size_t i) { return people_[i].id == ids.back(); });
    change_group(session, group, form.remove_members({ids.back()}));
    check_reference(session, "/Groups", group.id, "members", ids.back(), false);
    group.people = everyone;
    change_group(session, group, form.add_members({ids.back()}));
    check_reference(session, "/Groups", group.id, "members", ids.back(), true);
}

void EntraDay::remove_members() {
    book_.begin("Remove members");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (!group.id.empty()) leave_and_return(session, group, form_);
    });
}

void EntraDay::rename_groups() {
    book_.begin("Rename groups");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty()) return;
        const auto name = group.name;
        group.name = name + " (renamed)";
        change_group(session, group, form_.replace({{"displayName", group.name}}));
        const auto old = find(session, "/Groups", "displayName", name);
        session.expect(old.number("totalResults") == 0, old,
                       "the group is still found by the name that it had");
        group.name = name;
        change_group(session, group, form_.replace({{"displayName", group.name}}));
    });
}

void EntraDay::delete_group() {
    if (groups_.empty()) return;
    book_.begin("Delete a group");
    auto& session = first_session();
    const auto& group = groups_.back();
    if (group.id.empty()) return;
    delete_one(session, "/Groups/" + group.id);
    const auto match = find(session, "/Groups", "displayName", group.name);
    session.expect(match.number("totalResults") == 0, match,
                   "what was deleted must not be found any more");
}

}  // namespace muster::simulator
