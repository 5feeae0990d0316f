// muster connector: where an identity provider sends its requests.

#include <array>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "scim/dialect/dialect.hpp"

namespace muster::cli {

namespace {

constexpr std::array kList{
    Column{"ID", "id"},
    Column{"ORG", "org"},
    Column{"IDP", "idp"},
    Column{"NAME", "name"},
    Column{"STATE", "state", Format::State},
    Column{"TOKENS", "tokens", Format::Number},
    Column{"SCIM URL", "scim_url"},
};

constexpr std::array kPage{
    Column{"ID", "id"},
    Column{"SCIM URL", "scim_url"},
    Column{"ORG", "org"},
    Column{"IDP", "idp"},
    Column{"NAME", "name"},
    Column{"STATE", "state", Format::State},
    Column{"TOKENS", "tokens", Format::Number},
    Column{"CREATED", "created", Format::Time},
};

Outcome show(Session& session, const json::Object& connector) {
    if (session.out().json()) {
        session.out().value(connector);
        return {};
    }
    session.out().page(connector, kPage);
    const auto* policy = connector.if_contains("policy");
    if (policy == nullptr || !policy->is_object() || policy->get_object().empty()) return {};
    session.out().heading("Policy");
    session.out().tree(*policy);
    return {};
}

Outcome create_connector(Session& session, const Arguments& arguments) {
    json::Object wanted{{"org", arguments.text("--org")}, {"idp", arguments.text("--idp")}};
    if (arguments.given("--name")) wanted["name"] = arguments.text("--name");
    TRY_ASSIGN(const auto made, session.ask("POST", target_of({"connectors"}), wanted));
    session.out().say(fmt::format("Created. Next: muster token generate --connector {}",
                                  json::string_or_empty(made, "id")));
    if (!session.live()) {
        session.out().say("No server runs: the URL is made of the settings (--config FILE).");
    }
    return show(session, made);
}

Outcome list_connectors(Session& session, const Arguments& arguments) {
    const auto target = target_of({"connectors"}, {{"org", arguments.text("--org")}});
    TRY_ASSIGN(const auto answer, session.ask("GET", target));
    return list(session, answer, "connectors", kList,
                "There is no connector yet. Make one: muster connector create --org SLUG --idp "
                "okta");
}

Outcome show_connector(Session& session, const Arguments& arguments) {
    TRY_ASSIGN(const auto connector,
               session.ask("GET", target_of({"connectors", arguments.text("ID")})));
    return show(session, connector);
}

Outcome change_state(Session& session, const Arguments& arguments, std::string_view action) {
    const auto target = target_of({"connectors", arguments.text("ID"), action});
    TRY_ASSIGN(const auto connector, session.ask("POST", target));
    return show(session, connector);
}

Outcome pause_connector(Session& session, const Arguments& arguments) {
    return change_state(session, arguments, "pause");
}

Outcome resume_connector(Session& session, const Arguments& arguments) {
    return change_state(session, arguments, "resume");
}

Outcome set_connector(Session& session, const Arguments& arguments) {
    json::Object wanted;
    json::Object policy;
    for (const auto& setting : arguments.all("KEY=VALUE")) {
        const auto equals = setting.find('=');
        if (equals == std::string::npos || equals == 0) {
            return session.fail(ExitCode::Usage,
                                fmt::format("\"{}\" is not of the form KEY=VALUE.", setting),
                                "For example: on_delete=erase");
        }
        const auto key = setting.substr(0, equals);
        const bool own = key == "idp" || key == "name";
        (own ? wanted : policy)[key] = setting.substr(equals + 1);
    }
    if (!policy.empty()) wanted["policy"] = std::move(policy);
    const auto target = target_of({"connectors", arguments.text("ID")});
    TRY_ASSIGN(const auto connector, session.ask("PATCH", target, wanted));
    return show(session, connector);
}

Argument id() {
    return {.name = "ID", .help = "the connector's id (muster connector list)", .required = true};
}

std::vector<std::string> known_dialects() {
    std::vector<std::string> names;
    for (const auto& dialect : scim::dialects()) names.emplace_back(dialect.name());
    return names;
}

Command create_command() {
    return {.name = "create",
            .summary = "Make a connector: id and SCIM URL",
            .description =
                "The SCIM URL goes into Okta under Provisioning > Integration, with a "
                "token from \"muster token generate\".",
            .arguments =
                {{.name = "--org",
                  .value = "SLUG",
                  .help = "whose users and groups it brings",
                  .required = true},
                 {.name = "--idp",
                  .value = "IDP",
                  .help = "who sends the requests: it decides which deviations from SCIM are taken",
                  .required = true,
                  .choices = known_dialects()},
                 {.name = "--name", .value = "NAME", .help = "a name for people"}},
            .examples = {{"muster connector create --org acme --idp okta", "For Okta"},
                         {"muster connector create --org acme --idp okta --json",
                          "In a script: {\"id\":...,\"scim_url\":...}"}},
            .run = create_connector};
}

Command set_command() {
    return {
        .name = "set",
        .summary = "Set whom a connector is for and how it treats what it is sent",
        .description =
            "idp=IDP: who sends the requests, as in connector create; name=NAME: a name for "
            "people.\n\n"
            "How it treats what it is sent, the first value being the default:\n\n"
            "unknown_members=refuse|skip: a group change that names unknown people is refused, "
            "or done without them.\n\n"
            "unknown_attributes=drop|keep|refuse: an attribute that no schema has is left out, or "
            "kept as it came, and noted in the log, or the request is refused.\n\n"
            "on_delete=retain|erase: what is deleted is kept out of sight for the retention "
            "time, or erased at once.\n\n"
            "restore_on_create=true|false: creating a deactivated person again, with the same "
            "userName "
            "and externalId, brings the same person back, or is a conflict.",
        .arguments = {id(),
                      {.name = "KEY=VALUE",
                       .help = "a setting and its value",
                       .required = true,
                       .repeated = true}},
        .examples = {{"muster connector set ID unknown_members=skip on_delete=erase",
                      "Two settings at once"},
                     {"muster connector set ID idp=entra", "It was made for another client"}},
        .run = set_connector};
}

}  // namespace

Command connector_commands() {
    return {
        .name = "connector",
        .summary = "Connectors: each has a SCIM URL and tokens for one identity provider",
        .children = {
            create_command(),
            {.name = "list",
             .summary = "List connectors",
             .arguments =
                 {{.name = "--org", .value = "SLUG", .help = "only those of this organisation"}},
             .examples = {{"muster connector list", "All of them with their SCIM URLs"}},
             .run = list_connectors},
            {.name = "show",
             .summary = "Show one connector with its policy",
             .arguments = {id()},
             .examples = {{"muster connector show ID", "URL, state and policy"}},
             .run = show_connector},
            {.name = "pause",
             .summary = "Refuse a connector's requests for a while",
             .description = "Every request is answered so that Okta tries again later; nothing is "
                            "changed and the log says why.",
             .arguments = {id()},
             .examples = {{"muster connector pause ID", "Until it is resumed"}},
             .run = pause_connector},
            {.name = "resume",
             .summary = "Take a paused connector's requests again",
             .arguments = {id()},
             .examples = {{"muster connector resume ID", "End a pause"}},
             .run = resume_connector},
            set_command(),
        }};
}

}  // namespace muster::cli
