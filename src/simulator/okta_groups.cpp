#include <algorithm>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"
#include "simulator/okta.hpp"

namespace muster::simulator {

namespace {

constexpr std::size_t kBatch = 100;  // Okta's default number of changes in one PATCH

}  // namespace

json::Array OktaDay::members_of(const Group& group) const {
    json::Array members;
    for (const auto i : group.people) {
        if (people_[i].id.empty()) continue;
        members.push_back(
            json::Object{{"value", people_[i].id}, {"display", people_[i].user_name}});
    }
    return members;
}

void OktaDay::push_groups() {
    book_.begin("Push groups");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        group.id = find(session, "/Groups", "displayName", group.name).first_id();
        if (group.id.empty()) create(session, group);
        if (group.id.empty()) return;
        write_members(session, group);
        check_members(session, group);
    });
}

json::Value OktaDay::creation_of(const Group& group) const {
    return json::Object{{"schemas", json::Array{scim::kGroupSchema}},
                        {"displayName", group.name},
                        {"members", json::Array{}}};
}

/// The wizard's app sends the whole group, the catalogue's adds in batches.
void OktaDay::write_members(Session& session, const Group& group) {
    const auto path = "/Groups/" + group.id;
    const auto members = members_of(group);
    if (is_wizard()) {
        const auto put = put_merged(session, path, {{"members", members}});
        session.expect(put.status == 200, put, "PUT of a group must be answered 200");
        return;
    }
    for (std::size_t first = 0; first < members.size(); first += kBatch) {
        const auto last = std::min(first + kBatch, members.size());
        json::Array batch(members.begin() + static_cast<std::ptrdiff_t>(first),
                          members.begin() + static_cast<std::ptrdiff_t>(last));
        const auto added =
            patch(session, path,
                  {json::Object{{"op", "add"}, {"path", "members"}, {"value", std::move(batch)}}});
        expect_done(session, added, "members to add");
    }
}

void OktaDay::change_members() {
    book_.begin("Add and remove members");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty() || group.people.empty()) return;
        const auto leaver = group.people.back();
        group.people.pop_back();
        if (people_[leaver].id.empty()) return;
        if (is_wizard()) {
            write_members(session, group);
        } else {
            json::Array operations{json::Object{
                {"op", "remove"},
                {"path", fmt::format("members[value eq \"{}\"]", people_[leaver].id)}}};
            // Okta repeats the name with every change of members, and repeats members.
            operations.push_back(json::Object{
                {"op", "replace"},
                {"value", json::Object{{"id", group.id}, {"displayName", group.name}}}});
            if (!group.people.empty() && !people_[group.people.front()].id.empty()) {
                operations.push_back(json::Object{
                    {"op", "add"},
                    {"path", "members"},
                    {"value", json::Array{json::Object{{"value", people_[group.people.front()].id},
                                                       {"display", nullptr}}}}});
            }
            const auto changed = patch(session, "/Groups/" + group.id, std::move(operations));
            expect_done(session, changed, "a change of members");
        }
        check_members(session, group);
    });
}

void OktaDay::push_now() {
    book_.begin("Push Now");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty()) return;
        // Someone less, so that a server that only adds is found out.
        if (group.people.size() > 1) group.people.pop_back();
        if (is_wizard()) {
            write_members(session, group);
        } else {
            const auto replaced =
                patch(session, "/Groups/" + group.id,
                      {json::Object{
                          {"op", "replace"}, {"path", "members"}, {"value", members_of(group)}}});
            expect_done(session, replaced, "Push Now");
        }
        check_members(session, group);
    });
}

void OktaDay::empty_group() {
    book_.begin("Push an empty group");
    auto& session = first_session();
    auto& group = groups_.back();
    if (group.id.empty()) return;
    auto people = std::exchange(group.people, {});
    if (is_wizard()) {
        write_members(session, group);
    } else {
        const auto emptied =
            patch(session, "/Groups/" + group.id,
                  {json::Object{{"op", "replace"}, {"path", "members"}, {"value", json::Array{}}}});
        expect_done(session, emptied, "an empty list of members");
    }
    check_members(session, group);
    group.people = std::move(people);
    write_members(session, group);
    check_members(session, group);
}

void OktaDay::rename_groups() {
    book_.begin("Rename groups");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty()) return;
        const auto old_name = group.name;
        for (const auto& name : {old_name + " (renamed)", old_name}) {
            group.name = name;
            const auto path = "/Groups/" + group.id;
            const auto renamed =
                is_wizard()
                    ? put_merged(session, path, {{"displayName", name}})
                    : patch(session, path,
                            {json::Object{
                                {"op", "replace"},
                                {"value", json::Object{{"id", group.id}, {"displayName", name}}}}});
            expect_done(session, renamed, "a rename");
            check_members(session, group);
        }
    });
}

void OktaDay::delete_group() {
    book_.begin("Delete a group");
    auto& session = first_session();
    const auto& group = groups_.back();
    if (group.id.empty()) return;
    delete_one(session, "/Groups/" + group.id);
}

}  // namespace muster::simulator
