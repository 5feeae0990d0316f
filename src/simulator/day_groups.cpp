#include <algorithm>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"
#include "simulator/day.hpp"

namespace muster::simulator {

namespace {

constexpr std::size_t kBatch = 100;  // Okta's default number of changes in one PATCH

std::set<std::string> member_ids(const Reply& reply) {
    std::set<std::string> ids;
    const auto* members =
        reply.object() == nullptr ? nullptr : reply.object()->if_contains("members");
    if (members == nullptr || !members->is_array()) return ids;
    for (const auto& member : members->get_array()) {
        if (member.is_object()) ids.emplace(json::string_or_empty(member.get_object(), "value"));
    }
    return ids;
}

bool answered(const Reply& reply) { return reply.status == 200 || reply.status == 204; }

}  // namespace

json::Array Day::members_of(const Group& group) const {
    json::Array members;
    for (const auto i : group.people) {
        if (people_[i].id.empty()) continue;
        members.push_back(
            json::Object{{"value", people_[i].id}, {"display", people_[i].user_name}});
    }
    return members;
}

void Day::push_groups() {
    book_.begin("Push groups");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        const auto match = session.send("GET", "/Groups" + match_query("displayName", group.name));
        expect_list(session, match);
        if (match.number("totalResults") >= 1 && !match.resources().empty() &&
            match.resources().front().is_object()) {
            group.id = json::string_or_empty(match.resources().front().get_object(), "id");
        } else {
            create_group(session, group);
        }
        if (group.id.empty()) return;
        write_members(session, group);
        check_members(session, group);
    });
}

void Day::create_group(Session& session, Group& group) {
    const json::Value body = json::Object{{"schemas", json::Array{scim::kGroupSchema}},
                                          {"displayName", group.name},
                                          {"members", json::Array{}}};
    const auto created = session.send("POST", "/Groups", &body);
    if (!session.expect(created.status == 201, created,
                        "a group without members must be accepted with 201")) {
        return;
    }
    group.id = created.text("id");
    session.expect(!group.id.empty(), created,
                   "the answer has no id, so Okta cannot link the group");
    session.expect(created.text("displayName") == group.name, created,
                   "displayName came back in another spelling than it was sent");
}

/// The wizard's app sends the whole group, the catalogue's adds in batches.
void Day::write_members(Session& session, const Group& group) {
    const auto path = "/Groups/" + group.id;
    const auto members = members_of(group);
    if (options_.app == App::Wizard) {
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
        session.expect(answered(added), added, "members to add must be answered 200 or 204");
    }
}

void Day::check_members(Session& session, const Group& group) {
    const auto read = session.send("GET", "/Groups/" + group.id);
    if (!session.expect(read.status == 200, read, "a pushed group must be readable")) return;
    std::set<std::string> wanted;
    for (const auto i : group.people) {
        if (!people_[i].id.empty()) wanted.insert(people_[i].id);
    }
    const auto found = member_ids(read);
    session.expect(found == wanted, read,
                   fmt::format("the group \"{}\" has {} members where Okta pushed {}, or others: "
                               "people gain or lose access that nobody gave or took",
                               group.name, found.size(), wanted.size()));
    session.expect(read.text("displayName") == group.name, read, "the group has another name");
}

void Day::change_members() {
    book_.begin("Add and remove members");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty() || group.people.empty()) return;
        const auto leaver = group.people.back();
        group.people.pop_back();
        if (people_[leaver].id.empty()) return;
        if (options_.app == App::Wizard) {
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
            session.expect(answered(changed), changed,
                           "a change of members must be answered 200 or 204");
        }
        check_members(session, group);
    });
}

void Day::push_now() {
    book_.begin("Push Now");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty()) return;
        // Someone less, so that a server that only adds is found out.
        if (group.people.size() > 1) group.people.pop_back();
        if (options_.app == App::Wizard) {
            write_members(session, group);
        } else {
            const auto replaced =
                patch(session, "/Groups/" + group.id,
                      {json::Object{
                          {"op", "replace"}, {"path", "members"}, {"value", members_of(group)}}});
            session.expect(answered(replaced), replaced, "Push Now must be answered 200 or 204");
        }
        check_members(session, group);
    });
}

void Day::empty_group() {
    book_.begin("Push an empty group");
    auto& session = *sessions_.front();
    auto& group = groups_.back();
    if (group.id.empty()) return;
    auto people = std::exchange(group.people, {});
    if (options_.app == App::Wizard) {
        write_members(session, group);
    } else {
        const auto emptied =
            patch(session, "/Groups/" + group.id,
                  {json::Object{{"op", "replace"}, {"path", "members"}, {"value", json::Array{}}}});
        session.expect(answered(emptied), emptied, "an empty list of members must be accepted");
    }
    check_members(session, group);
    group.people = std::move(people);
    write_members(session, group);
    check_members(session, group);
}

void Day::rename_groups() {
    book_.begin("Rename groups");
    each(groups_.size(), [this](Session& session, std::size_t g) {
        auto& group = groups_[g];
        if (group.id.empty()) return;
        const auto old_name = group.name;
        for (const auto& name : {old_name + " (renamed)", old_name}) {
            group.name = name;
            const auto path = "/Groups/" + group.id;
            const auto renamed =
                options_.app == App::Wizard
                    ? put_merged(session, path, {{"displayName", name}})
                    : patch(session, path,
                            {json::Object{
                                {"op", "replace"},
                                {"value", json::Object{{"id", group.id}, {"displayName", name}}}}});
            session.expect(answered(renamed), renamed, "a rename must be answered 200 or 204");
            check_members(session, group);
        }
    });
}

void Day::delete_group() {
    book_.begin("Delete a group");
    auto& session = *sessions_.front();
    const auto& group = groups_.back();
    if (group.id.empty()) return;
    const auto deleted = session.send("DELETE", "/Groups/" + group.id);
    session.expect(deleted.status == 204 || deleted.status == 200, deleted,
                   "the deletion of a group must be answered 204");
    const auto read = session.send("GET", "/Groups/" + group.id);
    session.expect(read.status == 404, read, "a deleted group must be gone");
}

}  // namespace muster::simulator
