// muster org: the organisations (tenants) of this server.

#include <array>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

constexpr std::array kColumns{
    Column{"SLUG", "slug"},
    Column{"NAME", "name"},
    Column{"USERS", "users", Format::Number},
    Column{"GROUPS", "groups", Format::Number},
    Column{"CONNECTORS", "connectors", Format::Number},
    Column{"CREATED", "created", Format::Time},
};

Outcome show(Session& session, const json::Object& organisation) {
    if (session.out().json()) {
        session.out().value(organisation);
    } else {
        session.out().page(organisation, kColumns);
    }
    return {};
}

Outcome create_org(Session& session, const Arguments& arguments) {
    json::Object wanted{{"name", arguments.text("NAME")}};
    if (arguments.given("--slug")) wanted["slug"] = arguments.text("--slug");
    TRY_ASSIGN(const auto made, session.ask("POST", target_of({"organisations"}), wanted));
    session.out().say(fmt::format("Created. Next: muster connector create --org {} --idp okta",
                                  json::string_or_empty(made, "slug")));
    return show(session, made);
}

Outcome list_orgs(Session& session, const Arguments&) {
    TRY_ASSIGN(const auto answer, session.ask("GET", target_of({"organisations"})));
    return list(session, answer, "organisations", kColumns,
                "There is no organisation yet. Make one: muster org create NAME");
}

Outcome show_org(Session& session, const Arguments& arguments) {
    TRY_ASSIGN(const auto organisation,
               session.ask("GET", target_of({"organisations", arguments.text("SLUG")})));
    return show(session, organisation);
}

/// Whether the person means it: --confirm=SLUG, or the slug typed where a terminal can ask.
Outcome confirm_removal(Session& session, const Arguments& arguments,
                        const json::Object& organisation) {
    const auto& slug = arguments.text("SLUG");
    if (arguments.given("--confirm")) {
        if (arguments.text("--confirm") == slug) return {};
        return session.fail(ExitCode::Usage,
                            fmt::format("--confirm says \"{}\", but \"{}\" is to be deleted.",
                                        arguments.text("--confirm"), slug));
    }
    if (!session.environment().in_is_terminal) {
        return session.fail(ExitCode::Usage,
                            "Nothing was deleted: no terminal can ask for consent.",
                            fmt::format("Give --confirm={} if you mean it.", slug));
    }
    const auto count = [&](std::string_view member) {
        const auto* value = organisation.if_contains(member);
        return value != nullptr && value->is_int64() ? value->get_int64() : 0;
    };
    session.out().say(fmt::format(
        "This deletes \"{}\" for ever: {}, {}, {} and its log.",
        json::string_or_empty(organisation, "name"), count_of(count("users"), "user"),
        count_of(count("groups"), "group"), count_of(count("connectors"), "connector")));
    if (session.question(fmt::format("Type {} to go on:", slug)) == slug) return {};
    return session.fail(ExitCode::Refused, "Nothing was deleted.");
}

Outcome delete_org(Session& session, const Arguments& arguments) {
    const auto target = target_of({"organisations", arguments.text("SLUG")});
    TRY_ASSIGN(const auto organisation, session.ask("GET", target));
    TRY_VOID(confirm_removal(session, arguments, organisation));
    TRY_ASSIGN(const auto answer, session.ask("DELETE", target));
    if (session.out().json()) session.out().value(answer);
    session.out().say(fmt::format("Deleted {}.", arguments.text("SLUG")));
    return {};
}

Argument slug() {
    return {.name = "SLUG", .help = "the organisation's short name", .required = true};
}

}  // namespace

Command org_commands() {
    return {
        .name = "org",
        .summary = "Organisations: each has users, groups and connectors of its own",
        .children = {
            {.name = "create",
             .summary = "Make an organisation",
             .description = "The slug stands in commands and host names. Without --slug it is made "
                            "from the name.",
             .arguments = {{.name = "NAME", .help = "its name as people know it", .required = true},
                           {.name = "--slug",
                            .value = "SLUG",
                            .help = "its short name: a-z, 0-9 and hyphens"}},
             .examples = {{"muster org create \"Acme Ltd\" --slug acme", "Choose the slug"}},
             .makes_data_directory = true,
             .run = create_org},
            {.name = "list",
             .summary = "List the organisations",
             .examples = {{"muster org list", "All of them with their counts"}},
             .run = list_orgs},
            {.name = "show",
             .summary = "Show one organisation",
             .arguments = {slug()},
             .examples = {{"muster org show acme", "One with its counts"}},
             .run = show_org},
            {.name = "delete",
             .summary = "Delete an organisation with everything in it",
             .description = "Its users, groups, connectors, tokens and log go at once and for "
                            "good; the server erases their rows in the minutes after. On a "
                            "terminal you type the slug; a script gives --confirm.",
             .arguments = {slug(),
                           {.name = "--confirm",
                            .value = "SLUG",
                            .help = "the slug once more, instead of being asked"}},
             .examples = {{"muster org delete acme", "Asks first"},
                          {"muster org delete acme --confirm=acme", "In a script"}},
             .run = delete_org},
        }};
}

}  // namespace muster::cli
