// `muster conform` against `muster serve`: nothing wrong, nothing undeclared, nothing left behind.

#include <cstdio>
#include <exception>
#include <expected>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "json/json.hpp"
#include "net/http_client.hpp"
#include "program.hpp"
#include "tenant.hpp"

namespace muster::scenarios {
namespace {

/// How many resources there are at an endpoint, or why that cannot be told.
std::expected<std::int64_t, std::string> count_at(const Tenant& tenant,
                                                  const std::string& endpoint) {
    const auto url = net::Url::parse(tenant.base_url);
    if (!url) return std::unexpected("no URL: " + tenant.base_url);
    net::HttpClient client(*url);
    net::ClientRequest request;
    request.target = url->path + endpoint + "?count=0";
    request.headers = {{"Authorization", "Bearer " + tenant.token}};
    TRY_ASSIGN(const net::ClientResponse answer, client.send(request));
    const auto body = json::parse(answer.body);
    const json::Value* total =
        body && body->is_object() ? body->get_object().if_contains("totalResults") : nullptr;
    if (total == nullptr || !total->is_int64())
        return std::unexpected(fmt::format("no list: {}", answer.body));
    return total->get_int64();
}

struct Tally {
    std::size_t passed = 0;
    std::size_t unsupported = 0;
};

/// The documented table's line of a section, without its subject.
std::pair<std::string, std::string> line_of(const std::string& section, const Tally& tally) {
    const std::string fares = tally.unsupported == 0 ? "passed"
                                                     : fmt::format("{} passed, {} unsupported",
                                                                   tally.passed, tally.unsupported);
    return {fmt::format("| {} |", section),
            fmt::format("| {} | {} |", tally.passed + tally.unsupported, fares)};
}

/// docs/reference/support-by-section.md says of each section what came out, and of no other one.
std::expected<void, std::string> compare_table(const std::string& report, const std::string& file) {
    const auto value = json::parse(report, {.max_bytes = std::size_t{64} << 20});
    if (!value) return std::unexpected("the report is no JSON: " + value.error().message);
    std::map<std::string, Tally> sections;
    for (const auto& check : value->at("checks").as_array()) {
        auto& tally = sections[std::string{check.at("section").as_string()}];
        ++(check.at("outcome") == "passed" ? tally.passed : tally.unsupported);
    }
    std::ifstream stream(file);
    std::size_t lines = 0;
    for (std::string line; std::getline(stream, line);) {
        if (!line.starts_with("| RFC ")) continue;
        ++lines;
        const auto section = line.substr(2, line.find(" |", 2) - 2);
        const auto [begin, end] = line_of(section, sections[section]);
        if (!line.starts_with(begin) || !line.ends_with(end)) {
            return std::unexpected(fmt::format("{} says: {}\nbut it ends: {}", file, line, end));
        }
    }
    if (lines == sections.size()) return {};
    return std::unexpected(
        fmt::format("{} has {} sections, the checks have {}", file, lines, sections.size()));
}

std::expected<void, std::string> check(const std::string& muster, const std::string& table,
                                       const std::filesystem::path& directory) {
    const Commands commands(muster, directory / "data");
    TRY_ASSIGN(const Tenant tenant, make_tenant(commands, "conform", "generic"));
    const std::filesystem::path token = directory / "token";
    std::ofstream(token) << tenant.token;
    // Whatever is not in order ends the command with another code than 0, and is the error.
    const auto report = run_command({muster, "conform", "--base-url", tenant.base_url,
                                     "--token-file", token.string(), "--format", "text"});
    if (!report) return std::unexpected(report.error());
    fmt::print("{}", *report);
    TRY_ASSIGN(const std::string json,
               run_command({muster, "conform", "--base-url", tenant.base_url, "--token-file",
                            token.string(), "--format", "json"}));
    TRY_VOID(compare_table(json, table));
    for (const std::string endpoint : {"/Users", "/Groups"}) {
        TRY_ASSIGN(const std::int64_t left, count_at(tenant, endpoint));
        if (left != 0) return std::unexpected(fmt::format("{} left at {}", left, endpoint));
    }
    return {};
}

int run(const std::string& muster, const std::string& table) {
    const TemporaryDirectory directory;
    Server server(muster, directory.path() / "data");
    const auto checked = check(muster, table, directory.path());
    if (!checked) fmt::print("{}\n", checked.error());
    const std::string end = server.stop();
    if (!end.empty()) fmt::print("the server {}\n", end);
    return checked && end.empty() ? 0 : 1;
}

}  // namespace
}  // namespace muster::scenarios

int main(int argc, char** argv) {
    if (argc != 3) {
        fmt::print(stderr, "usage: conform_self MUSTER TABLE.md\n");
        return 2;
    }
    try {
        return muster::scenarios::run(argv[1], argv[2]);
    } catch (const std::exception& failure) {
        fmt::print(stderr, "conform_self: {}\n", failure.what());
        return 1;
    }
}
