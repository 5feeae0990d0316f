// muster serve, muster doctor: the server and its installation.

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
    app::ServeOptions options{.listen = arguments.text_if_given("--listen"),
                              .public_url = arguments.text_if_given("--public-url"),
                              .json = arguments.flag("--json")};
    if (const auto data = arguments.text_if_given("--data")) options.data = *data;
    if (const auto config = arguments.text_if_given("--config")) options.config = *config;
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
            {.name = "--config",
             .value = "FILE",
             .help = "a TOML file of settings",
             .hint = Hint::File}};
}

}  // namespace

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
            .examples = {{"muster doctor --data /var/lib/muster", "Before and after an upgrade"}},
            .run = doctor};
}

}  // namespace muster::cli
