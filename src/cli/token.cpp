// muster token: the credentials of a connector.

#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

constexpr std::array kColumns{
    Column{"ID", "id"},
    Column{"NAME", "name"},
    Column{"KIND", "kind"},
    Column{"STATE", "state", Format::State},
    Column{"CREATED", "created", Format::Time},
    Column{"EXPIRES", "expires", Format::Time},
    Column{"LAST USED", "last_used", Format::Time},
    Column{"FROM", "last_used_from"},
};

constexpr std::array kUnits{std::pair{'d', 1}, std::pair{'w', 7}, std::pair{'y', 365}};
constexpr std::int64_t kMostDays = 36'500;

/// "365d", "52w", "1y" or "365" in days.
std::optional<std::int64_t> days_of(std::string_view text) {
    std::int64_t factor = 1;
    for (const auto& [letter, days] : kUnits) {
        if (text.empty() || text.back() != letter) continue;
        factor = days;
        text.remove_suffix(1);
        break;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    if (number < 1 || number > kMostDays / factor) return std::nullopt;
    return number * factor;
}

/// The secret alone on standard output, so that it can be sent to a file or a clipboard.
Outcome show_secret(Session& session, const json::Object& token) {
    auto& out = session.out();
    if (out.json()) {
        out.value(token);
        return {};
    }
    out.say(fmt::format(
        "Token {}, expires {}. Its secret is shown this once:", json::string_or_empty(token, "id"),
        text_of(token, {"EXPIRES", "expires", Format::Time})));
    const auto user_name = json::string_or_empty(token, "user_name");
    if (!user_name.empty()) out.say(fmt::format("User name: {}", user_name));
    out.line(json::string_or_empty(token, "secret"));
    return {};
}

Outcome generate_token(Session& session, const Arguments& arguments) {
    json::Object wanted{{"connector", arguments.text("--connector")},
                        {"kind", arguments.text("--kind")}};
    if (arguments.given("--name")) wanted["name"] = arguments.text("--name");
    if (arguments.given("--expires")) {
        const auto days = days_of(arguments.text("--expires"));
        if (!days) {
            return session.fail(ExitCode::Usage,
                                fmt::format("--expires is a time from 1d to {}d, not \"{}\".",
                                            kMostDays, arguments.text("--expires")),
                                "Days, weeks or years: 90d, 26w, 1y.");
        }
        wanted["expires_days"] = *days;
    }
    TRY_ASSIGN(const auto token, session.ask("POST", target_of({"tokens"}), wanted));
    return show_secret(session, token);
}

Outcome list_tokens(Session& session, const Arguments& arguments) {
    const auto target = target_of({"tokens"}, {{"connector", arguments.text("--connector")}});
    TRY_ASSIGN(const auto answer, session.ask("GET", target));
    return list(session, answer, "tokens", kColumns,
                "There is no token yet. Make one: muster token generate --connector ID");
}

Outcome change_state(Session& session, const Arguments& arguments, std::string_view action,
                     std::string_view done) {
    const auto& id = arguments.text("ID");
    TRY_ASSIGN(const auto token, session.ask("POST", target_of({"tokens", id, action})));
    if (session.out().json()) session.out().value(token);
    session.out().say(fmt::format("Token {} is {} now.", id, done));
    return {};
}

Outcome activate_token(Session& session, const Arguments& arguments) {
    return change_state(session, arguments, "activate", "active");
}

Outcome deactivate_token(Session& session, const Arguments& arguments) {
    return change_state(session, arguments, "deactivate", "inactive");
}

Outcome renew_token(Session& session, const Arguments& arguments) {
    const auto target = target_of({"tokens", arguments.text("ID"), "renew"});
    TRY_ASSIGN(const auto token, session.ask("POST", target));
    session.out().say("The secret in use works until the new one is first used.");
    return show_secret(session, token);
}

Outcome remove_token(Session& session, const Arguments& arguments) {
    const auto& id = arguments.text("ID");
    TRY_ASSIGN(const auto answer, session.ask("DELETE", target_of({"tokens", id})));
    if (session.out().json()) session.out().value(answer);
    session.out().say(fmt::format("Removed token {}.", id));
    return {};
}

Argument id() {
    return {.name = "ID", .help = "the token's id (muster token list)", .required = true};
}

Command generate_command() {
    return {.name = "generate",
            .summary = "Make a token; its secret is shown this once",
            .description =
                "The secret stands alone on standard output, everything else on "
                "standard error. A connector has two tokens at most, so that one can "
                "replace the other without a gap.",
            .arguments = {{.name = "--connector",
                           .value = "ID",
                           .help = "the connector it opens",
                           .required = true},
                          {.name = "--name", .value = "NAME", .help = "a name for people"},
                          {.name = "--expires",
                           .value = "TIME",
                           .help = "when it ends: 90d, 26w, 1y (default: 365d)"},
                          {.name = "--kind",
                           .value = "KIND",
                           .help = "bearer for Okta's HTTP Header and OAuth Bearer Token, basic "
                                   "for its Basic Auth",
                           .choices = {"bearer", "basic"},
                           .fallback = "bearer"}},
            .examples = {{"muster token generate --connector ID > token",
                          "Into a file, after umask 077"},
                         {"muster token generate --connector ID --kind basic --expires 90d",
                          "User name and password"}},
            .run = generate_token};
}

}  // namespace

Command token_commands() {
    return {
        .name = "token",
        .summary = "Tokens: what Okta shows to be let in",
        .children = {
            generate_command(),
            {.name = "list",
             .summary = "List tokens: state, expiry, last use",
             .arguments =
                 {{.name = "--connector", .value = "ID", .help = "only those of this connector"}},
             .examples = {{"muster token list --connector ID", "Which one does Okta still use?"}},
             .run = list_tokens},
            {.name = "activate",
             .summary = "Let a token in again",
             .arguments = {id()},
             .examples = {{"muster token activate ID", "Undo a deactivation"}},
             .run = activate_token},
            {.name = "deactivate",
             .summary = "Keep a token out without removing it",
             .arguments = {id()},
             .examples = {{"muster token deactivate ID", "From the next request on"}},
             .run = deactivate_token},
            {.name = "renew",
             .summary = "Give a token a new secret and a new year",
             .description = "The old secret works until the new one is first used, so nothing is "
                            "lost while you paste the new one into Okta.",
             .arguments = {id()},
             .examples = {{"muster token renew ID > token", "Into a file, after umask 077"}},
             .run = renew_token},
            {.name = "remove",
             .summary = "Remove a token for good",
             .arguments = {id()},
             .examples = {{"muster token remove ID", "Frees one of the two places"}},
             .run = remove_token},
        }};
}

}  // namespace muster::cli
