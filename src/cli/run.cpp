#include "cli/run.hpp"

#include <algorithm>
#include <ostream>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/help.hpp"

namespace muster::cli {

namespace {

ExitCode complain(const Environment& environment, const UsageError& error) {
    Output output{environment.out, environment.err, {}};
    output.error(error.message);
    if (error.path.back()->run != nullptr) output.say("Usage: " + usage(error.path));
    output.say(fmt::format("See: {} --help", spelled(error.path)));
    return ExitCode::Usage;
}

ExitCode execute(const Environment& environment, const Command& root,
                 const Invocation& invocation) {
    Session session{environment, root, invocation};
    const auto outcome = invocation.path.back()->run(session, invocation.arguments);
    if (!outcome) return outcome.error();
    return ExitCode::Ok;
}

}  // namespace

Command muster_command() {
    return {
        .name = "muster",
        .summary = "Receive Okta's provisioning: users and groups over SCIM 2.0",
        .description =
            "One program serves, administers and explains. The commands speak with the server that "
            "runs on the same data directory; where none runs they work on the directory "
            "themselves.\n\n"
            "Data goes to standard output, words to standard error. Secrets are read from files "
            "or standard input only.",
        .examples = {{"muster serve", "Start the server on 127.0.0.1:8080 with its data in ./var"},
                     {"muster org create \"Acme Ltd\"", "Make an organisation"},
                     {"muster connector create --org acme-ltd --idp okta",
                      "Make the SCIM URL that goes into Okta"},
                     {"muster token generate --connector ID > token",
                      "Make the token that goes into Okta (after umask 077)"},
                     {"muster log tail", "Watch what Okta asks for and what it is answered"}},
        .children = {serve_command(), org_commands(), connector_commands(), token_commands(),
                     schema_commands(), user_commands(), group_commands(), log_commands(),
                     simulate_commands(), load_command(), conform_command(), doctor_command(),
                     migrate_commands(), copy_command(), backup_command(), restore_command(),
                     version_command(), completion_command(), man_command()}};
}

int run(const Environment& environment, std::vector<std::string> words) {
    if (!words.empty() && words.front() == "--version") words.front() = "version";
    const auto root = muster_command();
    const auto parsed = parse(root, std::move(words));
    auto code = ExitCode::Ok;
    if (const auto* invocation = std::get_if<Invocation>(&parsed)) {
        code = execute(environment, root, *invocation);
    } else if (const auto* wanted = std::get_if<HelpWanted>(&parsed)) {
        (wanted->asked ? environment.out : environment.err) << help(wanted->path);
        code = wanted->asked ? ExitCode::Ok : ExitCode::Usage;
    } else {
        code = complain(environment, std::get<UsageError>(parsed));
    }
    if (!environment.out.flush() && code == ExitCode::Ok) {
        const auto* invocation = std::get_if<Invocation>(&parsed);
        const bool tells_secret =
            invocation != nullptr && spelled(invocation->path).starts_with("muster token");
        environment.err << "Error: standard output did not take everything. What the command did "
                           "stands"
                        << (tells_secret ? "; a secret that was lost on the way is made anew with "
                                           "muster token renew ID (muster token list).\n"
                                         : ".\n");
        code = ExitCode::Failed;
    }
    return std::to_underlying(code);
}

}  // namespace muster::cli
