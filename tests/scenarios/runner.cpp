// Plays scenario files against the built binary. Each file gets an organisation of its own, and a
// second one to show that nothing leaks between them.

#include <cstdio>
#include <exception>
#include <expected>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "conform/exchange.hpp"
#include "conform/match.hpp"
#include "conform/script.hpp"
#include "json/json.hpp"
#include "net/http_client.hpp"
#include "program.hpp"
#include "tenant.hpp"

namespace muster::scenarios {
namespace {

using conform::Exchange;
using conform::Variables;
using Outcome = std::expected<void, std::string>;

/// Whose connectors the file wants: `@idp NAME` before its first step; else Okta's.
std::string idp_of(std::string_view text) {
    constexpr std::string_view kIdp = "@idp ";
    text = text.substr(0, text.find("\n=== "));
    const std::size_t line = text.starts_with(kIdp) ? 0 : text.find("\n@idp ");
    if (line == std::string_view::npos) return "okta";
    text.remove_prefix(text.find(kIdp, line) + kIdp.size());
    return std::string{text.substr(0, text.find_first_of(" \r\n"))};
}

/// An organisation with a connector and a token; its variables begin with `prefix`.
Outcome set_up(const Commands& commands, const std::string& name, const std::string& prefix,
               const std::string& idp, Variables& variables) {
    TRY_ASSIGN(const Tenant tenant, make_tenant(commands, name, idp));
    variables.set(prefix + "org", tenant.organisation);
    variables.set(prefix + "connector", tenant.connector);
    variables.set(prefix + "base", tenant.base_url);
    variables.set(prefix + "token", tenant.token);
    return {};
}

/// What Okta's client sends with every request; a step's own headers take their place.
Exchange::Ways as_okta(net::HttpClient& client, const Commands& commands) {
    return {.send = [&client](const auto& request) { return client.send(request); },
            .headers = {{"Authorization", "Bearer {token}"},
                        {"Accept", "application/scim+json"},
                        {"Accept-Charset", "utf-8"},
                        {"User-Agent", "Okta SCIM Client 1.0.0"}},
            .content_type = "application/scim+json; charset=utf-8",
            .run_command =
                [&commands](std::vector<std::string> words) {
                    return commands.object(std::move(words));
                }};
}

/// What was wrong with the check, a sentence each; empty: nothing.
std::vector<std::string> play(Exchange& exchange, const conform::Check& check) {
    for (const conform::Step& step : check.steps) {
        conform::Played played = exchange.play(step, check.headers);
        std::vector<std::string> wrong = std::move(played.wrong);
        wrong.insert(wrong.end(), played.always.begin(), played.always.end());
        // RFC 7644 §3.12 leaves it open; we do not.
        if (played.answer.contains("messages:2.0:Error") && !played.answer.contains("\"detail\":"))
            wrong.emplace_back("an error must say what is wrong in \"detail\"");
        if (wrong.empty()) continue;
        wrong.push_back(fmt::format("asked:    {}", played.request));
        wrong.push_back(fmt::format("answered: {}", played.answer));
        return wrong;
    }
    return {};
}

struct Count {
    int passed = 0;
    int failed = 0;
};

std::expected<Count, std::string> play_file(const std::string& file, const Commands& commands,
                                            const std::string& origin) {
    std::ifstream stream(file);
    if (!stream) return std::unexpected("cannot be read");
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    TRY_ASSIGN(const std::vector<conform::Check> checks, conform::parse_script(text));

    Variables variables;
    variables.set("origin", origin);
    variables.set("folder", std::filesystem::absolute(file).parent_path().string());
    variables.set_raw("nul", std::string(1, '\0'));
    const std::string name = std::filesystem::path(file).stem().string();
    const std::string idp = idp_of(text);
    TRY_VOID(set_up(commands, name, "", idp, variables));
    TRY_VOID(set_up(commands, name + " neighbour", "other.", idp, variables));

    const auto url = net::Url::parse(origin);
    if (!url) return std::unexpected(fmt::format("no URL: {}", origin));
    net::HttpClient client(*url);
    Exchange exchange(variables, as_okta(client, commands));
    Count count;
    for (const conform::Check& check : checks) {
        const std::vector<std::string> wrong = play(exchange, check);
        ++(wrong.empty() ? count.passed : count.failed);
        if (wrong.empty()) continue;
        fmt::print("{}:{}: {}\n", file, check.line, check.name);
        for (const std::string& sentence : wrong) fmt::print("    {}\n", sentence);
    }
    return count;
}

int play_all(const std::string& muster, std::span<const std::string> files) {
    const TemporaryDirectory directory;
    Server server(muster, directory.path() / "data");
    const Commands commands(muster, directory.path() / "data");
    int failed = 0;
    for (const std::string& file : files) {
        const auto count = play_file(file, commands, server.origin());
        if (!count) {
            fmt::print("{}: {}\n", file, count.error());
            ++failed;
            continue;
        }
        fmt::print("{}: {} steps passed, {} failed\n", file, count->passed, count->failed);
        failed += count->failed;
    }
    if (const std::string end = server.stop(); !end.empty()) {
        fmt::print("the server {}\n", end);
        ++failed;
    }
    return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace muster::scenarios

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() < 2) {
        fmt::print(stderr, "usage: scenario_runner MUSTER FILE.scim…\n");
        return 2;
    }
    try {
        return muster::scenarios::play_all(arguments.front(), std::span{arguments}.subspan(1));
    } catch (const std::exception& failure) {
        fmt::print(stderr, "scenario_runner: {}\n", failure.what());
        return 1;
    }
}
