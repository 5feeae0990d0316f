// muster schema: an organisation's own schemas and resource types.

#include <array>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

constexpr std::array kColumns{
    Column{"TYPE", "name"},
    Column{"ENDPOINT", "endpoint"},
    Column{"SCHEMA", "schema"},
    Column{"EXTENSIONS", "extensions"},
};

std::string target(const Arguments& arguments) {
    return target_of({"organisations", arguments.text("--org"), "definitions"});
}

/// The definitions alone on standard output, so that they can be edited and set again.
Outcome show_definitions(Session& session, const Arguments& arguments) {
    TRY_ASSIGN(const auto answer, session.ask("GET", target(arguments)));
    if (arguments.flag("--types")) return list(session, answer, "types", kColumns, "");
    const auto* definitions = answer.if_contains("definitions");
    const bool has_any = definitions != nullptr && definitions->is_object();
    session.out().value(has_any ? definitions->get_object() : json::Object{});
    return {};
}

Outcome set_definitions(Session& session, const Arguments& arguments) {
    TRY_ASSIGN(const auto text, session.read_text(arguments.text("--file")));
    const auto parsed = json::parse(text);
    if (!parsed || !parsed->is_object()) {
        return session.fail(
            ExitCode::Usage,
            fmt::format("{} holds no JSON object: {}", arguments.text("--file"),
                        parsed ? "it is another kind of value" : parsed.error().message),
            "See: muster schema show --help");
    }
    TRY_ASSIGN(const auto answer, session.ask("PUT", target(arguments), parsed->get_object()));
    session.out().say("Set. It holds from the next request; Okta reads it at its next import.");
    return list(session, answer, "types", kColumns, "");
}

Argument organisation() {
    return {.name = "--org", .value = "SLUG", .help = "whose schemas", .required = true};
}

}  // namespace

Command schema_commands() {
    return {
        .name = "schema",
        .summary = "Own attributes and resource types of an organisation",
        .children = {
            {.name = "show",
             .summary = "Show an organisation's own schemas and resource types",
             .description =
                 "Prints a JSON object with \"schemas\" and \"resourceTypes\", each in the form of "
                 "RFC 7643 sections 7 and 6: what `muster schema set` takes. The standard ones "
                 "(User, Group, Role) are not repeated.",
             .arguments = {organisation(),
                           {.name = "--types",
                            .help = "list all resource types instead, the standard ones too"}},
             .examples = {{"muster schema show --org acme > acme.json", "To a file, to be edited"},
                          {"muster schema show --org acme --types", "What is served, and where"}},
             .run = show_definitions},
            {.name = "set",
             .summary = "Replace an organisation's own schemas and resource types",
             .description =
                 "A resource type named User or Group adds its schemaExtensions to the standard "
                 "one; any other name makes an endpoint of its own. What would contradict stored "
                 "resources is refused. An empty object {} goes back to the standard.",
             .arguments = {organisation(),
                           {.name = "--file",
                            .value = "FILE",
                            .help = "the JSON, - for standard input",
                            .required = true,
                            .hint = Hint::File}},
             .examples = {{"muster schema set --org acme --file acme.json", "From a file"}},
             .run = set_definitions},
        }};
}

}  // namespace muster::cli
