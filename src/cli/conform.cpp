// muster conform: check any SCIM server against the RFCs.

#include <filesystem>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/progress_bar.hpp"
#include "cli/session.hpp"
#include "conform/report.hpp"
#include "conform/words.hpp"
#include "net/http_client.hpp"
#include "simulator/simulation.hpp"

namespace muster::cli {

namespace {

void show(Session& session, const conform::Report& report, std::string_view format) {
    if (format == "json" || session.out().json()) {
        session.out().value(conform::as_json(report));
        return;
    }
    const std::string page = format == "junit"  ? conform::as_junit(report)
                             : format == "html" ? conform::as_html(report)
                                                : conform::as_text(report);
    for (const std::string_view line : conform::lines_of(page)) session.out().line(line);
}

Outcome conform_command_run(Session& session, const Arguments& arguments) {
    const auto& base_url = arguments.text("--base-url");
    if (!net::Url::parse(base_url)) {
        return session.fail(ExitCode::Usage,
                            fmt::format("--base-url is no http or https URL: \"{}\".", base_url),
                            "For example: https://scim.example.com/scim/v2");
    }
    TRY_ASSIGN(const auto secret, session.read_secret(arguments.text("--token-file")));
    const auto& environment = session.environment();
    if (const auto& checks = arguments.text("--checks");
        !checks.empty() && !std::filesystem::is_directory(checks)) {
        return session.fail(ExitCode::Usage, fmt::format("There is no directory \"{}\".", checks));
    }
    const conform::Options options{
        .base_url = base_url.substr(0, base_url.find_last_not_of('/') + 1),
        .authorization =
            Secret{simulator::authorization(simulator::auth_of(arguments.text("--auth")), secret)},
        .only = conform::split(arguments.text("--only"), ','),
        .checks_directory = arguments.text("--checks"),
        .timeout = std::chrono::seconds{arguments.number("--timeout")}};
    std::expected<conform::Report, std::string> report;
    {
        ProgressBar bar{environment.err, environment.err_is_terminal && !session.out().json()};
        report = environment.conform(
            options, [&bar](std::uint64_t done, std::uint64_t total, const std::string& area) {
                bar.show(done, total, area);
            });
    }
    if (!report) return session.fail(ExitCode::Unreachable, report.error());
    if (report->checks.empty())
        return session.fail(ExitCode::Usage,
                            fmt::format("No check is called \"{}\".", arguments.text("--only")),
                            "--only takes areas and beginnings of ids: filter,patch.add");
    show(session, *report, arguments.text("--format"));
    if (!report->good()) return std::unexpected(ExitCode::Failed);
    return {};
}

std::vector<Argument> conform_arguments() {
    return {{.name = "--base-url",
             .value = "URL",
             .help = "the SCIM URL: what stands before /Users",
             .required = true},
            {.name = "--token-file",
             .value = "FILE",
             .help = "where the token stands; - is standard input. For basic: USER:PASSWORD",
             .required = true,
             .hint = Hint::File},
            {.name = "--auth",
             .value = "AUTH",
             .help = "how the token is sent",
             .choices = {"bearer", "header", "basic"},
             .fallback = "bearer"},
            {.name = "--only",
             .value = "AREA",
             .help = "areas or beginnings of ids, with commas between: filter,patch.add"},
            {.name = "--format",
             .value = "FORMAT",
             .help = "how the result is written",
             .choices = {"text", "json", "junit", "html"},
             .fallback = "text"},
            {.name = "--timeout",
             .value = "SECONDS",
             .help = "how long one request may take",
             .fallback = "30",
             .range = Range{1, 600}},
            {.name = "--checks",
             .value = "DIR",
             .help = "play the *.scim files of this directory instead of those built in",
             .hint = Hint::Directory}};
}

}  // namespace

Command conform_command() {
    return {
        .name = "conform",
        .summary = "Check any SCIM server against the RFCs",
        .description =
            "Plays more than a thousand checks of RFC 7643, 7644 and 9865 and of what identity "
            "providers send. Reads what the server declares of itself and tells what is wrong "
            "from what is unsupported, as declared. What the checks make has names of its own "
            "and is deleted again, also after Ctrl-C; nothing else is touched.\n\n"
            "Ends with 0 only where no check was wrong or undeclared.",
        .arguments = conform_arguments(),
        .examples = {{"muster conform --base-url URL --token-file token", "Everything, as text"},
                     {"muster conform --base-url URL --token-file token --only filter,patch",
                      "Two areas"},
                     {"muster conform --base-url URL --token-file token --format html > page.html",
                      "A page to pass on"}},
        .run = conform_command_run};
}

}  // namespace muster::cli
