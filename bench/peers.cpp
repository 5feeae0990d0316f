// muster_bench_peers [--users N] [--seconds S] [--rounds N] [--connections N,N…] [--only ROW]
//                    (NAME BASE_URL TOKEN_FILE PID)…
// Puts the same load on several SCIM servers of this machine in turns and prints the figures as
// JSON, each server's with the number of connections at which it answers most. The first is the one
// that the others are compared with. See docs/reference/peers.md.

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
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
/// Who does not answer so much more with more connections is not asked over still more.
constexpr double kWorthwhile = 1.05;

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
    std::vector<std::size_t> connections = {16, 64, 256};
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

std::vector<std::size_t> numbers_in(std::string_view list) {
    std::vector<std::size_t> numbers;
    for (const auto number : list | std::views::split(',')) {
        numbers.push_back(std::stoul(std::string(number.begin(), number.end())));
    }
    std::ranges::sort(numbers);
    return numbers;
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
            options.connections = numbers_in(value);
        } else if (name == "--only") {
            options.only = value;
        } else {
            throw std::invalid_argument("unknown option " + name);
        }
        i += takes;
    }
    if (options.servers.empty()) throw std::invalid_argument("no server is named");
    if (options.connections.empty()) throw std::invalid_argument("no number of connections");
    // Each connection adds somebody of its own to the group.
    if (options.users < kGroup + options.connections.back())
        throw std::invalid_argument("fewer users than members and connections");
    return options;
}

/// What became of one row on one server.
struct Outcome {
    std::optional<Side> best;  ///< of the numbers of connections so far
    std::size_t connections = 0;
    std::vector<Side> rounds;  ///< with the present number
    std::string refused;       ///< why there are none, or no more
    bool climbs = true;        ///< to the next number

    [[nodiscard]] json::Object to_json() const {
        if (!best) return {{"refused", refused}};
        json::Object object = best->to_json();
        object["connections"] = connections;
        return object;
    }
};

void measure(const Options& options, const Server& server, const Row& row, std::size_t connections,
             Outcome& outcome) {
    if (!outcome.refused.empty()) return;
    const auto cpu_before = cpu_seconds(server.pid);
    const auto measured =
        fire({.address = server.target.address,
              .connections = connections,
              .time = std::chrono::milliseconds{static_cast<int>(options.seconds * 1000)}},
             row.next);
    outcome.rounds.push_back(side_of(measured, cpu_seconds(server.pid) - cpu_before));
    if (measured.failures > 0)
        outcome.refused = fmt::format("{} of {} requests failed, first: {}", measured.failures,
                                      measured.requests, measured.first_failure);
}

/// After the rounds with one number of connections.
void settle(std::size_t connections, Outcome& outcome) {
    if (!outcome.refused.empty()) {
        outcome.climbs = false;
        return;
    }
    const Side side = median(std::exchange(outcome.rounds, {}));
    outcome.climbs = !outcome.best || side.rate > kWorthwhile * outcome.best->rate;
    if (outcome.best && side.rate <= outcome.best->rate) return;
    outcome.best = side;
    outcome.connections = connections;
}

/// The servers in turns, so that what the machine does meanwhile touches them alike.
std::vector<Outcome> measure_row(const Options& options, std::size_t row) {
    std::vector<Outcome> outcomes(options.servers.size());
    for (const std::size_t connections : options.connections) {
        for (int round = 0; round < options.rounds; ++round) {
            for (std::size_t s = 0; s < options.servers.size(); ++s) {
                if (!outcomes[s].climbs) continue;
                const auto& server = *options.servers[s];
                measure(options, server, server.rows[row], connections, outcomes[s]);
            }
        }
        for (auto& outcome : outcomes) {
            if (outcome.climbs) settle(connections, outcome);
        }
    }
    return outcomes;
}

void run(const Options& options) {
    const std::size_t most = std::ranges::max(options.connections);
    for (const auto& server : options.servers) {
        fmt::print(stderr, "{}: ", server->name);
        server->directory =
            seed(server->target, options.users, {kGroup}, options.connections.front());
        server->rows = rows_of(server->target, server->directory, server->draw, most);
    }
    json::Array rows;
    for (std::size_t i = 0; i < options.servers.front()->rows.size(); ++i) {
        const auto& name = options.servers.front()->rows[i].name;
        if (!name.contains(options.only)) continue;
        fmt::print(stderr, "{} …\n", name);
        const auto outcomes = measure_row(options, i);
        json::Object sides;
        for (std::size_t s = 0; s < options.servers.size(); ++s)
            sides[options.servers[s]->name] = outcomes[s].to_json();
        rows.emplace_back(json::Object{{"row", name}, {"servers", std::move(sides)}});
    }
    fmt::print("{}\n",
               json::to_text(json::Object{{"machine", describe_machine(".").to_json()},
                                          {"users", options.users},
                                          {"connections", json::Array(options.connections.begin(),
                                                                      options.connections.end())},
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
