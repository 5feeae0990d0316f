// muster_bench MUSTER FLOOR WORK_DIRECTORY [--quick] [--users N] [--seconds S] [--rounds N]
//              [--connections N] [--only ROW] [--against OTHER_MUSTER]
// Seeds a directory once, then measures Muster and the floor in turns. See README.md.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "json/json.hpp"
#include "load.hpp"
#include "machine.hpp"
#include "support/server_process.hpp"
#include "support/tenant.hpp"
#include "workload.hpp"

namespace muster::bench {

namespace {

namespace fs = std::filesystem;
using testing::ServerProcess;
using testing::Tenant;

struct Options {
    fs::path muster;
    fs::path floor;
    fs::path work;
    std::size_t users = 100'000;
    double seconds = 2;
    int rounds = 3;
    std::size_t connections = 32;
    std::string only;
    std::string against;  ///< another build, measured in the floor's stead
};

constexpr std::size_t kSeedConnections = 256;

/// What the seeded directory holds; kept beside it so that a second run need not seed.
struct Seed {
    Tenant tenant;
    Directory directory;
};

Target target_of(const Seed& made, const ServerProcess& server) {
    return {
        .address = server.address(), .path = made.tenant.target(""), .token = made.tenant.token};
}

Seed make_seed(const Options& options, const fs::path& data) {
    Seed made{.tenant = testing::make_tenant(data), .directory = {}};
    const ServerProcess server(options.muster, data);
    made.directory =
        seed(target_of(made, server), options.users, {10, 1'000, 100'000}, kSeedConnections);
    return made;
}

void save(const Seed& made, const fs::path& file) {
    std::ofstream out(file);
    out << made.tenant.connector << '\n'
        << made.tenant.token << '\n'
        << made.directory.groups.size() << '\n';
    for (const auto& [size, id] : made.directory.groups) out << size << ' ' << id << '\n';
    for (const auto& id : made.directory.users) out << id << '\n';
}

Seed load_seed(const fs::path& file) {
    std::ifstream in(file);
    Seed made;
    std::size_t groups = 0;
    in >> made.tenant.connector >> made.tenant.token >> groups;
    for (std::size_t i = 0; i < groups; ++i) {
        std::pair<std::size_t, std::string> group;
        in >> group.first >> group.second;
        made.directory.groups.push_back(group);
    }
    for (std::string id; in >> id;) made.directory.users.push_back(id);
    return made;
}

/// The floor works on a copy, so that both have the same tables, indices and sizes.
void copy_database(const fs::path& from, const fs::path& to) {
    fs::remove(to);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(to.string() + suffix);
    sqlite3* handle = nullptr;
    if (sqlite3_open(from.c_str(), &handle) != SQLITE_OK ||
        sqlite3_exec(handle, fmt::format("VACUUM INTO '{}'", to.string()).c_str(), nullptr, nullptr,
                     nullptr) != SQLITE_OK) {
        throw std::runtime_error("cannot copy the database for the floor");
    }
    sqlite3_close(handle);
}

struct Result {
    std::string name;
    Side muster;
    Side floor;
};

Side measure(const Options& options, const ServerProcess& server, const NextShot& next,
             std::string_view what) {
    const Load load{.address = server.address(),
                    .connections = options.connections,
                    .time = std::chrono::milliseconds{static_cast<int>(options.seconds * 1000)}};
    const auto cpu_before = cpu_seconds(server.pid());
    const auto measured = fire(load, next);
    const auto cpu = cpu_seconds(server.pid()) - cpu_before;
    must_succeed(measured, what);
    return side_of(measured, cpu);
}

/// What the floor does where Muster does `row`.
Shot floor_shot(std::string_view row, const Target& floor, const Directory& directory, Draw& draw) {
    const auto& user = directory.users[draw.random() % directory.users.size()];
    const auto name = [&draw] { return fmt::format("u{}", draw.counter++); };
    if (row == "list page of 100") return {.bytes = floor.request("GET", "/page/" + user)};
    if (row == "create")
        return {.bytes = floor.request("POST", "/create", user_body(name())), .status = 201};
    if (row == "PATCH one attribute")
        return {.bytes = floor.request("POST", "/update/" + user, user_body(name()))};
    if (row.starts_with("add member"))
        return {.bytes = floor.request("POST", "/member", member_body("add", user))};
    return {.bytes = floor.request("GET", "/read/" + user)};
}

std::string table(const std::vector<Result>& results) {
    std::string text = fmt::format(
        "{:<22}{:>10}{:>9}{:>9}{:>8}  {:>10}{:>9}{:>9}{:>8}  {:>6}{:>8}\n", "", "muster/s",
        "p50 ms", "p99 ms", "CPU µs", "floor/s", "p50 ms", "p99 ms", "CPU µs", "ratio", "CPU ×");
    for (const auto& [name, muster, floor] : results) {
        text += fmt::format(
            "{:<22}{:>10.0f}{:>9.2f}{:>9.2f}{:>8.1f}  {:>10.0f}{:>9.2f}{:>9.2f}{:>8.1f}  "
            "{:>6.2f}{:>8.2f}\n",
            name, muster.rate, muster.p50_ms, muster.p99_ms, muster.cpu_us, floor.rate,
            floor.p50_ms, floor.p99_ms, floor.cpu_us, muster.rate / floor.rate,
            muster.cpu_us / floor.cpu_us);
    }
    return text;
}

void keep(const std::vector<Result>& results, const Options& options) {
    const auto machine = describe_machine(options.work);
    json::Array rows;
    for (const auto& result : results) {
        rows.push_back(json::Object{{"row", result.name},
                                    {"muster", result.muster.to_json()},
                                    {"floor", result.floor.to_json()},
                                    {"ratio", result.muster.rate / result.floor.rate}});
    }
    const auto name = fmt::format("{}-{}", machine.date, machine.commit);
    const fs::path directory = "bench/results";
    fs::create_directories(directory);
    std::ofstream(directory / (name + ".json"))
        << json::to_text(json::Object{{"machine", machine.to_json()},
                                      {"users", options.users},
                                      {"connections", options.connections},
                                      {"rows", std::move(rows)}})
        << '\n';
    std::ofstream(directory / (name + ".md")) << "# " << name << "\n\n"
                                              << machine.to_text() << "\n\n```\n"
                                              << table(results) << "```\n";
}

Options parse(int argc, char** argv) {
    if (argc < 4)
        throw std::invalid_argument("usage: muster_bench MUSTER FLOOR WORK_DIRECTORY [options]");
    Options options{.muster = argv[1], .floor = argv[2], .work = argv[3]};
    for (int i = 4; i < argc; ++i) {
        const std::string name = argv[i];
        if (name == "--quick") {
            options.users = 2'000;
            options.seconds = 0.3;
            options.rounds = 1;
            continue;
        }
        if (i + 1 == argc) throw std::invalid_argument(name + " wants a value");
        const std::string value = argv[++i];
        if (name == "--users")
            options.users = std::stoul(value);
        else if (name == "--seconds")
            options.seconds = std::stod(value);
        else if (name == "--rounds")
            options.rounds = std::stoi(value);
        else if (name == "--connections")
            options.connections = std::stoul(value);
        else if (name == "--only")
            options.only = value;
        else if (name == "--against")
            options.against = value;
        else
            throw std::invalid_argument("unknown option " + name);
    }
    return options;
}

/// What Muster is measured beside: the floor, or another build of it.
ServerProcess start_other(const Options& options, const fs::path& data, const fs::path& page) {
    if (!options.against.empty()) return {options.against, data};
    return ServerProcess({options.floor.string(), (data / "muster.db").string(), page.string(),
                          std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))});
}

void run(const Options& options) {
    const auto data = options.work / fmt::format("data-{}", options.users);
    const auto seed_file = options.work / fmt::format("seed-{}", options.users);
    if (!fs::exists(seed_file)) {
        fs::remove_all(data);
        fs::create_directories(data);
        save(make_seed(options, data), seed_file);
    }
    const auto made = load_seed(seed_file);
    const auto other_data = options.work / "other";
    fs::create_directories(other_data);
    if (!options.against.empty())
        fs::copy_file(data / "key", other_data / "key", fs::copy_options::overwrite_existing);
    copy_database(data / "muster.db", other_data / "muster.db");

    const ServerProcess muster(options.muster, data);
    const Target target = target_of(made, muster);
    const auto page =
        fire({.address = target.address, .connections = 1, .most_requests = 1, .keep_bodies = true},
             [&](std::size_t) -> Shot {
                 return {.bytes = target.request("GET", "/Users?startIndex=1&count=100")};
             });
    must_succeed(page, "reading a page");
    const auto page_file = options.work / "page.json";
    std::ofstream(page_file) << page.bodies.front();
    const ServerProcess other = start_other(options, other_data, page_file);
    const bool against_muster = !options.against.empty();
    const Target other_target{.address = other.address(),
                              .path = against_muster ? target.path : "",
                              .token = target.token};
    Draw draw{.counter = static_cast<std::uint64_t>(
                  std::chrono::system_clock::now().time_since_epoch().count())};
    std::vector<Result> results;
    const auto rows = rows_of(target, made.directory, draw, options.connections);
    const auto other_rows = rows_of(other_target, made.directory, draw, options.connections);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const Row& row = rows[i];
        if (!options.only.empty() && row.name.find(options.only) == std::string::npos) continue;
        fmt::print(stderr, "{} …\n", row.name);
        const NextShot floor_next = [&](std::size_t) {
            return floor_shot(row.name, other_target, made.directory, draw);
        };
        const NextShot& other_next = against_muster ? other_rows[i].next : floor_next;
        std::vector<Side> ours;
        std::vector<Side> theirs;
        for (int round = 0; round < options.rounds; ++round) {
            theirs.push_back(measure(options, other, other_next, "other: " + row.name));
            ours.push_back(measure(options, muster, row.next, row.name));
        }
        results.push_back({row.name, median(ours), median(theirs)});
    }
    fmt::print("{}", table(results));
    if (options.only.empty() && options.rounds > 1 && !against_muster) keep(results, options);
}

}  // namespace

}  // namespace muster::bench

int main(int argc, char** argv) {
    try {
        muster::bench::run(muster::bench::parse(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "muster_bench: {}\n", error.what());
        return 1;
    }
}
