// muster user, muster group: what was provisioned. Both are lists and pages of SCIM resources.

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

constexpr std::array kUserColumns{
    Column{"ID", "id"},
    Column{"USER NAME", "userName"},
    Column{"NAME", "displayName"},
    Column{"EMAIL", "email"},
    Column{"ACTIVE", "active", Format::State},
    Column{"SOURCE", "source"},
    Column{"MODIFIED", "modified", Format::Time},
};

constexpr std::array kGroupColumns{
    Column{"ID", "id"},
    Column{"NAME", "displayName"},
    Column{"MEMBERS", "members", Format::Number},
    Column{"SOURCE", "source"},
    Column{"MODIFIED", "modified", Format::Time},
};

/// What differs between users and groups here.
struct Kind {
    std::string_view noun;
    std::string_view plural;  ///< the path and the member of the list
    std::span<const Column> columns;
};
constexpr Kind kUser{"user", "users", kUserColumns};
constexpr Kind kGroup{"group", "groups", kGroupColumns};

/// How much of how much was shown, where there is more.
void say_rest(Session& session, const Kind& kind, const json::Object& answer,
              const Arguments& arguments) {
    const auto* rows = answer.if_contains(kind.plural);
    const auto* total = answer.if_contains("total");
    if (rows == nullptr || !rows->is_array() || total == nullptr || !total->is_int64()) return;
    const auto shown = static_cast<std::int64_t>(rows->get_array().size());
    const auto start = arguments.number("--start");
    if (shown == 0 || start + shown > total->get_int64()) return;
    session.out().say(fmt::format("{} to {} of {} {}. More: --start {}", start, start + shown - 1,
                                  total->get_int64(), kind.plural, start + shown));
}

Outcome list_resources(Session& session, const Kind& kind, const Arguments& arguments) {
    const auto target = target_of({kind.plural}, {{"org", arguments.text("--org")},
                                                  {"filter", arguments.text("--filter")},
                                                  {"startIndex", arguments.text("--start")},
                                                  {"count", arguments.text("--limit")}});
    TRY_ASSIGN(const auto answer, session.ask("GET", target));
    TRY_VOID(list(session, answer, kind.plural, kind.columns,
                  fmt::format("There are no such {}. They come from Okta: muster log list shows "
                              "whether it asks.",
                              kind.plural)));
    say_rest(session, kind, answer, arguments);
    return {};
}

Outcome show_resource(Session& session, const Kind& kind, const Arguments& arguments) {
    const auto target =
        target_of({kind.plural, arguments.text("ID")}, {{"org", arguments.text("--org")}});
    TRY_ASSIGN(const auto answer, session.ask("GET", target));
    const auto* resource = answer.if_contains("resource");
    if (resource == nullptr) {
        return session.fail(ExitCode::Failed, fmt::format("The answer has no {}.", kind.noun));
    }
    if (session.out().json()) {
        session.out().value(*resource);
    } else {
        session.out().tree(*resource);
    }
    return {};
}

Outcome list_users(Session& session, const Arguments& arguments) {
    return list_resources(session, kUser, arguments);
}
Outcome show_user(Session& session, const Arguments& arguments) {
    return show_resource(session, kUser, arguments);
}
Outcome list_groups(Session& session, const Arguments& arguments) {
    return list_resources(session, kGroup, arguments);
}
Outcome show_group(Session& session, const Arguments& arguments) {
    return show_resource(session, kGroup, arguments);
}

Argument org() {
    return {.name = "--org",
            .value = "SLUG",
            .help = "the organisation; may be left out where there is just one"};
}

std::vector<Argument> list_arguments() {
    return {org(),
            {.name = "--filter", .value = "FILTER", .help = "a SCIM filter"},
            {.name = "--start",
             .value = "N",
             .help = "the first to show, from 1",
             .fallback = "1",
             .range = Range{1, 1'000'000'000}},
            {.name = "--limit",
             .value = "N",
             .help = "how many to show",
             .letter = "n",
             .fallback = "100",
             .range = Range{1, 1000}}};
}

std::vector<Argument> show_arguments(std::string_view noun) {
    return {{.name = "ID",
             .help = fmt::format("the {}'s id (muster {} list)", noun, noun),
             .required = true},
            org()};
}

}  // namespace

Command user_commands() {
    return {.name = "user",
            .summary = "Users: the people who were provisioned",
            .children = {
                {.name = "list",
                 .summary = "List users",
                 .arguments = list_arguments(),
                 .examples = {{"muster user list --org acme", "The first hundred"},
                              {"muster user list --filter 'userName eq \"ann@acme.example\"'",
                               "One by name"}},
                 .run = list_users},
                {.name = "show",
                 .summary = "Show all that is known of one user",
                 .arguments = show_arguments("user"),
                 .examples = {{"muster user show ID --json", "The SCIM resource"}},
                 .run = show_user},
            }};
}

Command group_commands() {
    return {.name = "group",
            .summary = "Groups: what was pushed, with their members",
            .children = {
                {.name = "list",
                 .summary = "List groups with their member counts",
                 .arguments = list_arguments(),
                 .examples = {{"muster group list --org acme", "The first hundred"}},
                 .run = list_groups},
                {.name = "show",
                 .summary = "Show one group with its members",
                 .arguments = show_arguments("group"),
                 .examples = {{"muster group show ID", "Its members by id and name"}},
                 .run = show_group},
            }};
}

}  // namespace muster::cli
