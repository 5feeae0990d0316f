// muster_bench MUSTER FLOOR WORK_DIRECTORY [--quick] [--users N] [--seconds S] [--rounds N]
//              [--connections N] [--only ROW]
// Seeds a directory once, then measures Muster and the floor in turns. See README.md.

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
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
};

/// What the seeded directory holds; kept beside it so that a second run need not seed.
struct Seed {
    Tenant tenant;
    std::vector<std::string> users;
    std::vector<std::pair<std::size_t, std::string>> groups;  ///< size, id
};

std::string request(std::string_view method, std::string_view target, std::string_view token,
                    std::string_view body = {}) {
    std::string text = fmt::format("{} {} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {}\r\n",
                                   method, target, token);
    if (!body.empty()) {
        text += fmt::format("Content-Type: application/scim+json\r\nContent-Length: {}\r\n",
                            body.size());
    }
    return text.append("\r\n").append(body);
}

std::string user_body(std::string_view name) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],"userName":"{0}@acme.example","externalId":"00u{0}","name":{{"givenName":"Ann","familyName":"Ash of {0}"}},"displayName":"Ann Ash {0}","title":"Engineer","locale":"en-US","emails":[{{"primary":true,"value":"{0}@acme.example","type":"work"}}],"phoneNumbers":[{{"value":"+49 30 123456","type":"work"}}],"groups":[],"password":"1mz050nq","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{{"employeeNumber":"701984","department":"Tour Operations","costCenter":"4130"}}}})",
        name);
}

std::string patch_body(std::string_view operation) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}})",
        operation);
}

std::string member_body(std::string_view op, std::string_view id) {
    if (op == "add") {
        return patch_body(
            fmt::format(R"({{"op":"add","path":"members","value":[{{"value":"{}"}}]}})", id));
    }
    return patch_body(fmt::format(R"({{"op":"remove","path":"members[value eq \"{}\"]"}})", id));
}

void must_succeed(const Measured& measured, std::string_view what) {
    if (measured.failures == 0) return;
    throw std::runtime_error(fmt::format("{}: {} of {} requests failed, first: {}", what,
                                         measured.failures, measured.requests,
                                         measured.first_failure));
}

Seed seed(const Options& options, const fs::path& data) {
    Seed made{.tenant = testing::make_tenant(data)};
    const auto& tenant = made.tenant;
    const ServerProcess server(options.muster, data);
    fmt::print(stderr, "seeding {} users …\n", options.users);
    std::size_t next = 0;
    auto created = fire({.address = server.address(),
                         .connections = 256,
                         .time = std::chrono::minutes{20},
                         .most_requests = options.users,
                         .keep_bodies = true},
                        [&](std::size_t) -> Shot {
                            return {request("POST", tenant.target("/Users"), tenant.token,
                                            user_body(fmt::format("p{}", next++))),
                                    201};
                        });
    must_succeed(created, "seeding users");
    for (const auto& body : created.bodies) made.users.push_back(testing::text_member(body, "id"));

    for (const std::size_t size : {std::size_t{10}, std::size_t{1'000}, std::size_t{100'000}}) {
        if (size > options.users) continue;
        fmt::print(stderr, "seeding a group of {} …\n", size);
        const auto group = fire(
            {.address = server.address(),
             .connections = 1,
             .most_requests = 1,
             .keep_bodies = true},
            [&](std::size_t) -> Shot {
                return {
                    request(
                        "POST", tenant.target("/Groups"), tenant.token,
                        fmt::format(
                            R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Group of {}"}})",
                            size)),
                    201};
            });
        must_succeed(group, "seeding a group");
        const auto id = testing::text_member(group.bodies.front(), "id");
        constexpr std::size_t kBatch = 1'000;
        std::size_t first = 0;
        const auto filled = fire(
            {.address = server.address(),
             .connections = 1,
             .time = std::chrono::minutes{10},
             .most_requests = (size + kBatch - 1) / kBatch},
            [&](std::size_t) -> Shot {
                std::string members;
                const auto last = std::min(first + kBatch, size);
                for (; first < last; ++first) {
                    members += fmt::format("{}{{\"value\":\"{}\"}}", members.empty() ? "" : ",",
                                           made.users[first]);
                }
                return {request("PATCH", tenant.target("/Groups/" + id), tenant.token,
                                patch_body(fmt::format(
                                    R"({{"op":"add","path":"members","value":[{}]}})", members))),
                        204};
            });
        must_succeed(filled, "filling a group");
        made.groups.emplace_back(size, id);
    }
    return made;
}

void save(const Seed& made, const fs::path& file) {
    std::ofstream out(file);
    out << made.tenant.connector << '\n' << made.tenant.token << '\n' << made.groups.size() << '\n';
    for (const auto& [size, id] : made.groups) out << size << ' ' << id << '\n';
    for (const auto& id : made.users) out << id << '\n';
}

Seed load_seed(const fs::path& file) {
    std::ifstream in(file);
    Seed made;
    std::size_t groups = 0;
    in >> made.tenant.connector >> made.tenant.token >> groups;
    for (std::size_t i = 0; i < groups; ++i) {
        std::pair<std::size_t, std::string> group;
        in >> group.first >> group.second;
        made.groups.push_back(group);
    }
    for (std::string id; in >> id;) made.users.push_back(id);
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

struct Side {
    double rate = 0;
    double cpu_us = 0;
    double p50_ms = 0;
    double p99_ms = 0;
};

struct Row {
    std::string name;
    NextShot muster;
    NextShot floor;
};

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
    const auto ms = [](std::chrono::nanoseconds time) {
        return static_cast<double>(time.count()) / 1e6;
    };
    return {.rate = measured.rate(),
            .cpu_us = cpu * 1e6 / static_cast<double>(measured.requests),
            .p50_ms = ms(measured.p50),
            .p99_ms = ms(measured.p99)};
}

Side median(std::vector<Side> sides) {
    const auto middle = [&](double Side::* member) {
        std::ranges::sort(sides, {}, member);
        return sides[sides.size() / 2].*member;
    };
    return {middle(&Side::rate), middle(&Side::cpu_us), middle(&Side::p50_ms),
            middle(&Side::p99_ms)};
}

std::vector<Row> rows_of(const Options& options, const Seed& made, std::mt19937_64& random,
                         std::uint64_t& counter) {
    const auto& tenant = made.tenant;
    const auto user = [&made, &random] { return made.users[random() % made.users.size()]; };
    const auto scim = [&tenant](std::string_view method, const std::string& path, unsigned status,
                                std::string_view body = {}) -> Shot {
        return {request(method, tenant.target(path), tenant.token, body), status};
    };
    const auto plain = [&tenant](std::string_view method, const std::string& target,
                                 unsigned status, std::string_view body = {}) -> Shot {
        return {request(method, target, tenant.token, body), status};
    };
    const auto read = [=](std::size_t) { return plain("GET", "/read/" + user(), 200); };
    std::vector<Row> rows;
    rows.push_back(
        {"GET by id", [=](std::size_t) { return scim("GET", "/Users/" + user(), 200); }, read});
    rows.push_back({"userName eq",
                    [=, &made, &random](std::size_t) {
                        return scim(
                            "GET",
                            fmt::format("/Users?filter=userName+eq+%22p{}%40acme.example%22",
                                        random() % made.users.size()),
                            200);
                    },
                    read});
    rows.push_back({"list page of 100",
                    [=](std::size_t) { return scim("GET", "/Users?startIndex=1&count=100", 200); },
                    [=](std::size_t) { return plain("GET", "/page/" + user(), 200); }});
    rows.push_back(
        {"create",
         [=, &counter](std::size_t) {
             return scim("POST", "/Users", 201, user_body(fmt::format("n{}", counter++)));
         },
         [=, &counter](std::size_t) {
             return plain("POST", "/create", 201, user_body(fmt::format("n{}", counter++)));
         }});
    rows.push_back(
        {"PATCH one attribute",
         [=, &counter](std::size_t) {
             return scim(
                 "PATCH", "/Users/" + user(), 200,
                 patch_body(fmt::format(
                     R"({{"op":"replace","path":"title","value":"Engineer {}"}})", counter++)));
         },
         [=, &counter](std::size_t) {
             return plain("POST", "/update/" + user(), 200,
                          user_body(fmt::format("u{}", counter++)));
         }});
    for (const auto& [size, id] : made.groups) {
        // Each connection adds someone of its own who is not a member, and removes them again.
        auto turn = std::make_shared<std::vector<std::uint64_t>>(options.connections, 0);
        rows.push_back({fmt::format("add member to {}", size),
                        [=, &made](std::size_t connection) {
                            const auto n = (*turn)[connection]++;
                            // In a group of everyone the last ones leave first.
                            const bool removes = (n % 2 == 1) != (size == made.users.size());
                            const auto& who = made.users[made.users.size() - 1 - connection];
                            return scim("PATCH", "/Groups/" + id, 204,
                                        member_body(removes ? "remove" : "add", who));
                        },
                        [=](std::size_t) {
                            return plain("POST", "/member", 204, member_body("add", user()));
                        }});
    }
    return rows;
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

json::Object as_json(const Side& side) {
    return {{"requests_per_s", side.rate},
            {"cpu_us", side.cpu_us},
            {"p50_ms", side.p50_ms},
            {"p99_ms", side.p99_ms}};
}

void keep(const std::vector<Result>& results, const Options& options) {
    const auto machine = describe_machine(options.work);
    json::Array rows;
    for (const auto& result : results) {
        rows.push_back(json::Object{{"row", result.name},
                                    {"muster", as_json(result.muster)},
                                    {"floor", as_json(result.floor)},
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
        else
            throw std::invalid_argument("unknown option " + name);
    }
    return options;
}

void run(const Options& options) {
    const auto data = options.work / fmt::format("data-{}", options.users);
    const auto seed_file = options.work / fmt::format("seed-{}", options.users);
    if (!fs::exists(seed_file)) {
        fs::remove_all(data);
        fs::create_directories(data);
        save(seed(options, data), seed_file);
    }
    const auto made = load_seed(seed_file);
    const auto floor_database = options.work / "floor.db";
    copy_database(data / "muster.db", floor_database);

    const ServerProcess muster(options.muster, data);
    const auto page = fire(
        {.address = muster.address(), .connections = 1, .most_requests = 1, .keep_bodies = true},
        [&](std::size_t) -> Shot {
            return {request("GET", made.tenant.target("/Users?startIndex=1&count=100"),
                            made.tenant.token),
                    200};
        });
    must_succeed(page, "reading a page");
    const auto page_file = options.work / "page.json";
    std::ofstream(page_file) << page.bodies.front();
    const ServerProcess floor({options.floor.string(), floor_database.string(), page_file.string(),
                               std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))});

    std::mt19937_64 random(1);
    auto counter =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    std::vector<Result> results;
    for (const auto& row : rows_of(options, made, random, counter)) {
        if (!options.only.empty() && row.name.find(options.only) == std::string::npos) continue;
        fmt::print(stderr, "{} …\n", row.name);
        std::vector<Side> ours;
        std::vector<Side> theirs;
        for (int round = 0; round < options.rounds; ++round) {
            theirs.push_back(measure(options, floor, row.floor, "floor: " + row.name));
            ours.push_back(measure(options, muster, row.muster, row.name));
        }
        results.push_back({row.name, median(ours), median(theirs)});
    }
    fmt::print("{}", table(results));
    if (options.only.empty() && options.rounds > 1) keep(results, options);
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
