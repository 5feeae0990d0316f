#include "simulator/entra.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"

namespace muster::simulator {

namespace {

/// Numbers of ids that belong to nobody.
constexpr std::size_t kNobody = 0xFFFF'FFFF;

bool holds_null(const json::Value& value) {
    if (value.is_null()) return true;
    if (value.is_array()) return std::ranges::any_of(value.get_array(), holds_null);
    return value.is_object() && std::ranges::any_of(value.get_object(), [](const auto& member) {
               return holds_null(member.value());
           });
}

bool names_schema(const Reply& schemas, std::string_view id) {
    return std::ranges::any_of(schemas.resources(), [id](const json::Value& schema) {
        return schema.is_object() && json::string_or_empty(schema.get_object(), "id") == id;
    });
}

}  // namespace

EntraDay::EntraDay(const Options& options, StepBook& book)
    : Day(options, book), form_(options.client == Client::EntraFlagged) {
    for (std::size_t g = 0; g < groups_.size(); ++g) groups_[g].external_id = guid(g);
}

std::uint64_t EntraDay::expected_requests(const Options& options) {
    const std::uint64_t users = options.users;
    const std::uint64_t groups = options.groups;
    return 40 + users * 10 + users / 5 * 27 + groups * 23 + users / 50;
}

void EntraDay::play() {
    // Entra does not save an endpoint with which it cannot speak.
    if (!test_connection()) return;
    read_schemas();
    match_and_create_people();
    refuse_duplicates();
    update_people();
    fill_what_is_empty();
    set_managers();
    clear_attributes();
    assign_roles();
    match_and_create_groups();
    add_members();
    remove_members();
    rename_groups();
    disable_people();
    restore_people();
    provision_on_demand();
    delete_people();
    delete_group();
}

std::string EntraDay::guid(std::size_t number) const {
    return fmt::format("{:08x}-5c1d-4e00-8000-{:012x}", options_.seed & 0xFFFF'FFFFU, number);
}

Reply EntraDay::find(Session& session, std::string_view endpoint, std::string_view attribute,
                     std::string_view value) {
    // Groups are never asked for with their members, lest the answer be large.
    const auto excluded = endpoint == "/Groups" ? "excludedAttributes=members&" : "";
    auto reply = session.send(
        "GET", fmt::format("{}?{}{}", endpoint, excluded, filter_query(equals(attribute, value))));
    expect_list(session, reply);
    return reply;
}

void EntraDay::expect_kept(Session& session, const Reply& read, const json::Object& kept) {
    if (!session.expect(read.status == 200 && read.object() != nullptr, read,
                        "Entra reads a resource before and after it writes it")) {
        return;
    }
    std::string wrong;
    for (const auto& [path, value] : kept) {
        const auto* found = value_at(*read.object(), path);
        const bool unassigned = value.is_null();
        const bool same =
            unassigned ? found == nullptr || found->is_null() : found != nullptr && *found == value;
        if (same) continue;
        wrong += fmt::format("{} is {} where {} is due; ", std::string_view{path},
                             found == nullptr ? "not there, or twice," : json::to_text(*found),
                             unassigned ? "nothing" : json::to_text(value));
    }
    session.expect(wrong.empty(), read, wrong + "Entra writes it again in every cycle");
}

void EntraDay::check_reference(Session& session, std::string_view endpoint, std::string_view id,
                               std::string_view attribute, std::string_view target, bool holds) {
    const auto filter = equals("id", id) + " and " + equals(attribute, target);
    const auto reply =
        session.send("GET", fmt::format("{}?{}&attributes=id", endpoint, filter_query(filter)));
    if (!expect_list(session, reply)) return;
    session.expect(reply.number("totalResults") == (holds ? 1 : 0), reply,
                   fmt::format("{} {} is {}a value of {}, so {} is due", attribute, target,
                               holds ? "" : "not ", id, holds ? "one match" : "no match"));
}

bool EntraDay::test_connection() {
    book_.begin("Test connection");
    auto& session = first_session();
    const auto nobody = find(session, "/Users", "userName", guid(kNobody));
    constexpr std::array kHopeless = {0, 401, 403, 404};
    if (std::ranges::find(kHopeless, nobody.status) != kHopeless.end()) return false;
    for (const auto& none : {nobody, find(session, "/Users", "externalId", guid(kNobody)),
                             find(session, "/Groups", "displayName", guid(kNobody))}) {
        session.expect(none.number("totalResults") == 0 && none.resources().empty(), none,
                       "a filter that matches nobody must not return anybody");
    }
    refuse_strangers(session, "/Users?" + filter_query(equals("userName", guid(kNobody))));
    const auto unknown = session.send("GET", "/Users/" + guid(kNobody));
    session.expect(unknown.status == 404, unknown, "an unknown id must be answered 404");
    return true;
}

void EntraDay::read_schemas() {
    book_.begin("Read the schemas");
    auto& session = first_session();
    const auto schemas = session.send("GET", "/Schemas");
    if (!expect_list(session, schemas)) return;
    session.expect(!holds_null(schemas.document), schemas,
                   "what has no value is left out of /Schemas, not null");
    session.expect(names_schema(schemas, scim::kUserSchema), schemas, "User is not among them");
    session.expect(names_schema(schemas, scim::kGroupSchema) || groups_.empty(), schemas,
                   "Group is not among them: Microsoft's tests of groups fail");
}

}  // namespace muster::simulator
