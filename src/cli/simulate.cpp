// muster simulate: play an identity provider against a SCIM server.

#include <algorithm>
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/progress_bar.hpp"
#include "cli/session.hpp"
#include "net/http_client.hpp"

namespace muster::cli {

namespace {

constexpr std::array kColumns{
    Column{"STEP", "step"},
    Column{"REQUESTS", "requests", Format::Number},
    Column{"FAILURES", "failures", Format::Number},
    Column{"P50", "p50_us", Format::Duration},
    Column{"P99", "p99_us", Format::Duration},
};

json::Object to_json(const simulator::StepReport& step) {
    json::Array examples;
    for (const auto& example : step.examples) examples.emplace_back(example);
    return {{"step", step.step},          {"requests", step.requests},
            {"failures", step.failures},  {"p50_us", step.p50.count()},
            {"p99_us", step.p99.count()}, {"examples", std::move(examples)}};
}

json::Object to_json(const simulator::Report& report) {
    json::Array steps;
    for (const auto& step : report.steps) steps.emplace_back(to_json(step));
    return {{"steps", std::move(steps)},
            {"requests", report.requests},
            {"failures", report.failures},
            {"elapsed_ms", report.elapsed.count()}};
}

void show(Session& session, const simulator::Report& report) {
    const auto object = to_json(report);
    if (session.out().json()) {
        session.out().value(object);
        return;
    }
    session.out().table(object.at("steps").as_array(), kColumns);
    for (const auto& step : report.steps) {
        for (const auto& example : step.examples) {
            session.out().say(fmt::format("{}: {}", step.step, example));
        }
    }
    if (report.failures > 0) {
        session.out().say(
            "If the server is a Muster: is the connector this client's (muster connector show)?");
    }
    const auto count = [](std::uint64_t number, std::string_view noun) {
        return count_of(static_cast<std::int64_t>(number), noun);
    };
    session.out().say(fmt::format("{} in {:.1f} s, {}.", count(report.requests, "request"),
                                  static_cast<double>(report.elapsed.count()) / 1000.0,
                                  count(report.failures, "failure")));
}

Outcome simulate(Session& session, const Arguments& arguments, simulator::Client client,
                 simulator::Auth auth) {
    const auto& base_url = arguments.text("--base-url");
    if (!net::Url::parse(base_url)) {
        return session.fail(ExitCode::Usage,
                            fmt::format("--base-url is no http or https URL: \"{}\".", base_url),
                            "For example: http://127.0.0.1:8080/c/CONNECTOR/scim/v2");
    }
    TRY_ASSIGN(auto secret, session.read_secret(arguments.text("--token-file")));
    const simulator::Options options{
        .client = client,
        .base_url = base_url,
        .secret = std::move(secret),
        .auth = auth,
        .users = static_cast<unsigned>(arguments.number("--users")),
        .groups = static_cast<unsigned>(arguments.number("--groups")),
        .seed = static_cast<std::uint64_t>(arguments.number("--seed")),
        .concurrency = static_cast<unsigned>(arguments.number("--concurrency"))};
    const auto& environment = session.environment();
    simulator::Report report;
    {
        ProgressBar bar{environment.err, environment.err_is_terminal && !session.out().json()};
        report = environment.simulate(
            options, [&bar](std::uint64_t done, std::uint64_t total, const std::string& step) {
                bar.show(done, total, step);
            });
    }
    show(session, report);
    if (report.failures > 0) return std::unexpected(ExitCode::Failed);
    return {};
}

Outcome simulate_okta(Session& session, const Arguments& arguments) {
    const bool wizard = arguments.text("--app") == "wizard";
    return simulate(session, arguments,
                    wizard ? simulator::Client::OktaWizard : simulator::Client::OktaCatalog,
                    simulator::auth_of(arguments.text("--auth")));
}

Outcome simulate_entra(Session& session, const Arguments& arguments) {
    const bool flagged = arguments.text("--mode") == "flagged";
    return simulate(session, arguments,
                    flagged ? simulator::Client::EntraFlagged : simulator::Client::Entra,
                    simulator::Auth::Bearer);
}

Argument number(std::string name, std::string help, std::string fallback, Range range) {
    return {.name = std::move(name),
            .value = "N",
            .help = std::move(help),
            .fallback = std::move(fallback),
            .range = range};
}

/// What every client needs, with what only this one has in the middle.
std::vector<Argument> arguments_of(std::string token_help, std::vector<Argument> own) {
    std::vector<Argument> arguments{{.name = "--base-url",
                                     .value = "URL",
                                     .help = "the SCIM URL, up to and with /scim/v2",
                                     .required = true},
                                    {.name = "--token-file",
                                     .value = "FILE",
                                     .help = std::move(token_help),
                                     .required = true,
                                     .hint = Hint::File}};
    std::ranges::move(own, std::back_inserter(arguments));
    std::ranges::move(
        std::vector{number("--users", "how many people to provision", "25", {1, 1'000'000}),
                    number("--groups", "how many groups to push", "5", {0, 100'000}),
                    number("--seed", "the same seed makes the same people", "1", {0, 1LL << 53}),
                    number("--concurrency", "how many requests at a time", "1", {1, 256})},
        std::back_inserter(arguments));
    return arguments;
}

std::vector<Argument> okta_arguments() {
    return arguments_of(
        "where the token stands; - is standard input. For basic: USER:PASSWORD",
        {{.name = "--app",
          .value = "APP",
          .help = "which kind of Okta app: the wizard's updates are PUT, the catalogue's PATCH",
          .choices = {"wizard", "catalog"},
          .fallback = "catalog"},
         {.name = "--auth",
          .value = "AUTH",
          .help = "how the token is sent",
          .choices = {"bearer", "header", "basic"},
          .fallback = "bearer"}});
}

std::vector<Argument> entra_arguments() {
    return arguments_of("where the token stands; - is standard input",
                        {{.name = "--mode",
                          .value = "MODE",
                          .help = "flagged: as with ?aadOptscim062020 behind the tenant URL",
                          .choices = {"unflagged", "flagged"},
                          .fallback = "unflagged"}});
}

}  // namespace

Command simulate_commands() {
    return {.name = "simulate",
            .summary = "Play an identity provider against any SCIM server",
            .children = {
                {.name = "okta",
                 .summary = "Play Okta's documented sequences and check every answer",
                 .description =
                     "Tests the credentials, imports, creates, updates, deactivates and "
                     "reactivates people, pushes groups and changes their members, as Okta does. "
                     "Answers are checked as Okta would take them. The people are made up; use an "
                     "organisation of its own. Ends with 1 where an answer failed.",
                 .arguments = okta_arguments(),
                 .examples = {{"muster simulate okta --base-url URL --token-file token",
                               "Twenty-five people and five groups"},
                              {"muster token generate --connector ID | muster simulate okta "
                               "--base-url URL --token-file - --app wizard --users 1000 "
                               "--concurrency 8",
                               "A wizard app with more people"}},
                 .run = simulate_okta},
                {.name = "entra",
                 .summary = "Play Microsoft Entra ID's cycles and check every answer",
                 .description =
                     "Tests the connection and reads the schemas, then plays the initial cycle, "
                     "incremental cycles and provisioning on demand: people are matched, created, "
                     "updated, given managers and roles, disabled, restored and deleted, groups "
                     "renamed and their members changed. Answers are checked as Entra would take "
                     "them. The people are made up; use an organisation of its own. Ends with 1 "
                     "where an answer failed.",
                 .arguments = entra_arguments(),
                 .examples = {{"muster simulate entra --base-url URL --token-file token",
                               "Twenty-five people and five groups"},
                              {"muster simulate entra --base-url URL --token-file token --mode "
                               "flagged --users 1000 --concurrency 8",
                               "With the flag aadOptscim062020, and more people"}},
                 .run = simulate_entra},
            }};
}

}  // namespace muster::cli
