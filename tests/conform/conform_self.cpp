// `muster conform` against `muster serve`: nothing wrong, nothing undeclared, nothing left behind.

#include <cstdio>
#include <exception>
#include <expected>
#include <filesystem>
#include <fstream>
#include <string>
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

std::expected<void, std::string> check(const std::string& muster,
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
    for (const std::string endpoint : {"/Users", "/Groups"}) {
        TRY_ASSIGN(const std::int64_t left, count_at(tenant, endpoint));
        if (left != 0) return std::unexpected(fmt::format("{} left at {}", left, endpoint));
    }
    return {};
}

int run(const std::string& muster) {
    const TemporaryDirectory directory;
    Server server(muster, directory.path() / "data");
    const auto checked = check(muster, directory.path());
    if (!checked) fmt::print("{}\n", checked.error());
    const std::string end = server.stop();
    if (!end.empty()) fmt::print("the server {}\n", end);
    return checked && end.empty() ? 0 : 1;
}

}  // namespace
}  // namespace muster::scenarios

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: conform_self MUSTER\n");
        return 2;
    }
    try {
        return muster::scenarios::run(argv[1]);
    } catch (const std::exception& failure) {
        fmt::print(stderr, "conform_self: {}\n", failure.what());
        return 1;
    }
}
