// muster_bench_peers [--users N] [--seconds S] [--rounds N] [--connections N] [--only ROW]
//                    (NAME BASE_URL TOKEN_FILE PID)…
// Puts the same load on several SCIM servers of this machine in turns and prints the figures as
// JSON. The first is the one that the others are compared with. See peers/README.md.

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "json/json.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "net/http_client.hpp"
#include "workload.hpp"

namespace muster::bench {

namespace {

/// better-auth has groups of at most 1,000.
constexpr std::size_t kGroup = 900;

struct Server {
    std::string name;
    Target target;
    pid_t pid = 0;
    Directory directory;
    Draw draw;
    std::vector<Row> rows;
};

struct Options {
    std::size_t users = 5'000;
    double seconds = 2;
    int rounds = 3;
    std::size_t connections = 64;
    std::string only;                              ///< rows whose name has this in it
    std::vector<std::unique_ptr<Server>> servers;  ///< the rows refer to them
};

Target target_of(const std::string& base_url, const std::string& token_file) {
    const auto url = net::Url::parse(base_url);
    if (!url || url->tls) throw std::invalid_argument("no http URL: " + base_url);
    Target target{
        .address = fmt::format("{}:{}", url->host, url->port), .path = url->path, .token = {}};
    if (!(std::ifstream(token_file) >> target.token))
        throw std::invalid_argument("no token in " + token_file);
    return target;
}

Options parse(const std::vector<std::string>& words) {
    Options options;
    for (std::size_t i = 0; i < words.size();) {
        const bool is_option = words[i].starts_with("--");
        const std::size_t takes = is_option ? 2 : 4;
        if (i + takes > words.size()) throw std::invalid_argument(words[i] + " wants more");
        const auto& name = words[i];
        const auto& value = words[i + 1];
        if (!is_option) {
            options.servers.push_back(
                std::make_unique<Server>(Server{.name = name,
                                                .target = target_of(value, words[i + 2]),
                                                .pid = std::stoi(words[i + 3])}));
        } else if (name == "--users") {
            options.users = std::stoul(value);
        } else if (name == "--seconds") {
            options.seconds = std::stod(value);
        } else if (name == "--rounds") {
            options.rounds = std::stoi(value);
        } else if (name == "--connections") {
            options.connections = std::stoul(value);
        } else if (name == "--only") {
            options.only = value;
        } else {
            throw std::invalid_argument("unknown option " + name);
        }
        i += takes;
    }
    if (options.servers.empty()) throw std::invalid_argument("no server is named");
    return options;
}

/// What became of one row on one server: the rounds that went well, or why there are none.
struct Rounds {
    std::vector<Side> sides;
    std::string refused;

    [[nodiscard]] json::Object to_json() const {
        return refused.empty() ? median(sides).to_json() : json::Object{{"refused", refused}};
    }
};

void measure(const Options& options, const Server& server, const Row& row, Rounds& rounds) {
    if (!rounds.refused.empty()) return;
    const auto cpu_before = cpu_seconds(server.pid);
    const auto measured =
        fire({.address = server.target.address,
              .connections = options.connections,
              .time = std::chrono::milliseconds{static_cast<int>(options.seconds * 1000)}},
             row.next);
    rounds.sides.push_back(side_of(measured, cpu_seconds(server.pid) - cpu_before));
    if (measured.failures > 0)
        rounds.refused = fmt::format("{} of {} requests failed, first: {}", measured.failures,
                                     measured.requests, measured.first_failure);
}

void run(const Options& options) {
    for (const auto& server : options.servers) {
        fmt::print(stderr, "{}: ", server->name);
        server->directory = seed(server->target, options.users, {kGroup}, options.connections);
        server->rows =
            rows_of(server->target, server->directory, server->draw, options.connections);
    }
    json::Array rows;
    for (std::size_t i = 0; i < options.servers.front()->rows.size(); ++i) {
        const auto& name = options.servers.front()->rows[i].name;
        if (!name.contains(options.only)) continue;
        fmt::print(stderr, "{} …\n", name);
        std::vector<Rounds> of_server(options.servers.size());
        for (int round = 0; round < options.rounds; ++round) {
            for (std::size_t s = 0; s < options.servers.size(); ++s) {
                const auto& server = *options.servers[s];
                measure(options, server, server.rows[i], of_server[s]);
            }
        }
        json::Object sides;
        for (std::size_t s = 0; s < options.servers.size(); ++s)
            sides[options.servers[s]->name] = of_server[s].to_json();
        rows.emplace_back(json::Object{{"row", name}, {"servers", std::move(sides)}});
    }
    fmt::print("{}\n", json::to_text(json::Object{{"machine", describe_machine(".").to_json()},
                                                  {"users", options.users},
                                                  {"connections", options.connections},
                                                  {"seconds", options.seconds},
                                                  {"rounds", options.rounds},
                                                  {"rows", std::move(rows)}}));
}

}  // namespace

}  // namespace muster::bench

int main(int argc, char** argv) {
    try {
        muster::bench::run(muster::bench::parse({argv + 1, argv + argc}));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "muster_bench_peers: {}\n", error.what());
        return 1;
    }
}
