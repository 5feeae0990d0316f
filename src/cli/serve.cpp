// muster serve, doctor, migrate: the server, its installation and its database.

#include <array>
#include <utility>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

constexpr std::array<std::string_view, 3> kResults{"ok", "warning", "failed"};

constexpr std::array kColumns{
    Column{"RESULT", "result", Format::State},
    Column{"CHECK", "name"},
    Column{"FINDING", "finding"},
};

app::ServeOptions options_of(const Arguments& arguments) {
    app::ServeOptions options = database_of(arguments);
    options.listen = arguments.text_if_given("--listen");
    options.public_url = arguments.text_if_given("--public-url");
    options.json = arguments.flag("--json");
    return options;
}

Outcome serve(Session& session, const Arguments& arguments) {
    const int code = session.environment().serve(options_of(arguments));
    if (code == 0) return {};
    return std::unexpected(static_cast<ExitCode>(code));
}

json::Object to_json(const app::DoctorCheck& check) {
    return {{"name", check.name},
            {"result", kResults.at(std::to_underlying(check.result))},
            {"finding", check.finding},
            {"remedy", check.remedy}};
}

Outcome doctor(Session& session, const Arguments& arguments) {
    json::Array checks;
    std::uint64_t failed = 0;
    for (const auto& check : session.environment().doctor(options_of(arguments))) {
        failed += check.result == app::DoctorCheck::Result::Failed ? 1 : 0;
        checks.emplace_back(to_json(check));
    }
    auto& out = session.out();
    if (out.json()) {
        out.value(json::Object{{"checks", checks}});
    } else {
        out.table(checks, kColumns);
        for (const auto& check : checks) {
            const auto remedy = json::string_or_empty(check.get_object(), "remedy");
            if (remedy.empty()) continue;
            out.say(
                fmt::format("{}: {}", json::string_or_empty(check.get_object(), "name"), remedy));
        }
    }
    if (failed > 0) return std::unexpected(ExitCode::Failed);
    return {};
}

std::vector<Argument> serve_arguments() {
    return {{.name = "--listen",
             .value = "HOST:PORT",
             .help = "where to listen (default: 127.0.0.1:8080)"},
            {.name = "--public-url",
             .value = "URL",
             .help = "the address under which Okta reaches this server"},
            {.name = "--database",
             .value = "URL",
             .help = "postgres://... (default: SQLite in the data directory)"}};
}

// ---- migrate ---------------------------------------------------------------------------------

Outcome tell(Session& session, const Arguments& arguments,
             const std::expected<app::SchemaVersion, app::Failure>& schema) {
    if (!schema) return session.fail(schema.error());
    if (session.out().json()) {
        session.out().value(json::Object{{"database", schema->database},
                                         {"version", schema->version},
                                         {"newest", schema->newest},
                                         {"sharded", schema->sharded}});
    }
    session.out().say(fmt::format("{}: version {} of {}{}", schema->database, schema->version,
                                  schema->newest, schema->sharded ? ", sharded by Citus" : ""));
    if (schema->version < schema->newest) {
        session.out().say("Next: " +
                          app::with_options("muster migrate up", database_of(arguments)));
    }
    if (schema->version > schema->newest) {
        return session.fail(ExitCode::Failed, "A newer Muster wrote this database.",
                            "Use that version, or its `muster migrate down`.");
    }
    return {};
}

Outcome migration_status(Session& session, const Arguments& arguments) {
    return tell(session, arguments, session.environment().schema_version(database_of(arguments)));
}

Outcome migrate_up(Session& session, const Arguments& arguments) {
    return tell(session, arguments,
                session.environment().migrate(database_of(arguments), std::nullopt));
}

Outcome migrate_down(Session& session, const Arguments& arguments) {
    const std::int64_t target = arguments.number("--to");
    if (!arguments.flag("--yes")) {
        return session.fail(
            ExitCode::Usage,
            fmt::format("Going down to version {} drops what later versions store{}.", target,
                        target == 0 ? ", which is everything" : ""),
            "Make a backup, then say so with --yes.");
    }
    return tell(session, arguments, session.environment().migrate(database_of(arguments), target));
}

std::vector<Argument> migrate_down_arguments() {
    std::vector<Argument> arguments = database_arguments();
    arguments.push_back({.name = "--to",
                         .value = "N",
                         .help = "the version to go down to; 0 drops every table",
                         .required = true,
                         .range = Range{0, 9999}});
    arguments.push_back({.name = "--yes", .help = "there is a backup, and data may be dropped"});
    return arguments;
}

}  // namespace

Command migrate_commands() {
    return {
        .name = "migrate",
        .summary = "The version of the database's tables",
        .description =
            "A server makes the tables of an empty database itself. After an upgrade "
            "that brings a new version it refuses to start on PostgreSQL until they "
            "were migrated, once, by one of the nodes. Each step happens whole or not "
            "at all.",
        .children = {{.name = "status",
                      .summary = "Say which version there is and which is needed",
                      .description =
                          "Ends with 0 where the tables have the version that is needed or can be "
                          "brought to it, with 1 where a newer Muster wrote them, with 5 where "
                          "there is no database or it cannot be reached.",
                      .arguments = database_arguments(),
                      .examples = {{"muster migrate status --config /etc/muster/muster.toml",
                                    "Before and after an upgrade"}},
                      .run = migration_status},
                     {.name = "up",
                      .summary = "Take the steps to the newest version",
                      .arguments = database_arguments(),
                      .examples = {{"muster migrate up --config /etc/muster/muster.toml",
                                    "After an upgrade, before the servers start"}},
                      .run = migrate_up},
                     {.name = "down",
                      .summary = "Go back to an older version",
                      .arguments = migrate_down_arguments(),
                      .examples = {{"muster migrate down --to 1 --yes --config "
                                    "/etc/muster/muster.toml",
                                    "Before going back to an older Muster"}},
                      .run = migrate_down}}};
}

Command serve_command() {
    return {.name = "serve",
            .summary = "Start the server",
            .description =
                "Serves until it is told to stop (SIGTERM, Ctrl-C), then answers what "
                "it accepted and ends. Options come before environment variables, "
                "these before the file.",
            .arguments = serve_arguments(),
            .examples = {{"muster serve", "On 127.0.0.1:8080 with its data in ./var"},
                         {"muster serve --data /var/lib/muster --public-url "
                          "https://scim.acme.example",
                          "Behind a TLS proxy"}},
            .makes_data_directory = true,
            .run = serve};
}

Command doctor_command() {
    return {.name = "doctor",
            .summary = "Check the installation and say what to mend",
            .description =
                "Takes the options that the server takes and changes nothing. Works "
                "beside a running server. Ends with 1 where a check failed.",
            .arguments = serve_arguments(),
            .examples = {{"muster doctor --config /etc/muster/muster.toml",
                          "Before and after an upgrade"}},
            .run = doctor};
}

}  // namespace muster::cli
