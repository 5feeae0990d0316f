#include "workload.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>

#include <fmt/format.h>

#include "support/tenant.hpp"

namespace muster::bench {

namespace {

std::string group_body(std::size_t size) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Group of {}"}})",
        size);
}

std::string user_name(std::size_t number) { return fmt::format("p{}", number); }

std::string seed_group(const Target& target, const std::vector<std::string>& users,
                       std::size_t size) {
    const auto group = fire(
        {.address = target.address, .connections = 1, .most_requests = 1, .keep_bodies = true},
        [&](std::size_t) -> Shot {
            return {.bytes = target.request("POST", "/Groups", group_body(size)), .status = 201};
        });
    must_succeed(group, "seeding a group");
    auto id = testing::text_member(group.bodies.front(), "id");
    constexpr std::size_t kBatch = 1'000;
    std::size_t first = 0;
    const auto filled =
        fire({.address = target.address,
              .connections = 1,
              .time = std::chrono::minutes{10},
              .most_requests = (size + kBatch - 1) / kBatch},
             [&](std::size_t) -> Shot {
                 std::string members;
                 const auto last = std::min(first + kBatch, size);
                 for (; first < last; ++first) {
                     members += fmt::format("{}{{\"value\":\"{}\"}}", members.empty() ? "" : ",",
                                            users[first]);
                 }
                 return {.bytes = target.request(
                             "PATCH", "/Groups/" + id,
                             patch_body(fmt::format(
                                 R"({{"op":"add","path":"members","value":[{}]}})", members)))};
             });
    must_succeed(filled, "filling a group");
    return id;
}

}  // namespace

std::string Target::request(std::string_view method, std::string_view target,
                            std::string_view body) const {
    std::string text = fmt::format("{} {}{} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n",
                                   method, path, target, address, token);
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

std::string patch_body(std::string_view operations) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}})",
        operations);
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

Directory seed(const Target& target, std::size_t users, const std::vector<std::size_t>& group_sizes,
               std::size_t connections) {
    fmt::print(stderr, "seeding {} users …\n", users);
    std::size_t next = 0;
    const auto created =
        fire({.address = target.address,
              .connections = connections,
              .time = std::chrono::minutes{20},
              .most_requests = users,
              .keep_bodies = true},
             [&](std::size_t) -> Shot {
                 return {.bytes = target.request("POST", "/Users", user_body(user_name(next++))),
                         .status = 201};
             });
    must_succeed(created, "seeding users");
    Directory made;
    for (const auto& body : created.bodies) made.users.push_back(testing::text_member(body, "id"));
    for (const std::size_t size : group_sizes) {
        if (size > users) continue;
        fmt::print(stderr, "seeding a group of {} …\n", size);
        made.groups.emplace_back(size, seed_group(target, made.users, size));
    }
    return made;
}

std::vector<Row> rows_of(const Target& target, const Directory& directory, Draw& draw,
                         std::size_t connections) {
    const auto user = [&directory, &draw] {
        return directory.users[draw.random() % directory.users.size()];
    };
    std::vector<Row> rows;
    rows.push_back({"GET by id", [=, &target](std::size_t) -> Shot {
                        const auto id = user();
                        return {.bytes = target.request("GET", "/Users/" + id), .contains = id};
                    }});
    rows.push_back(
        {"userName eq", [&target, &directory, &draw](std::size_t) -> Shot {
             const auto name = user_name(draw.random() % directory.users.size());
             return {
                 .bytes = target.request(
                     "GET", fmt::format("/Users?filter=userName+eq+%22{}%40acme.example%22", name)),
                 .contains = fmt::format("\"{}@acme.example\"", name)};
         }});
    rows.push_back({"list page of 100", [&target](std::size_t) -> Shot {
                        return {.bytes = target.request("GET", "/Users?startIndex=1&count=100")};
                    }});
    rows.push_back({"create", [&target, &draw](std::size_t) -> Shot {
                        return {
                            .bytes = target.request("POST", "/Users",
                                                    user_body(fmt::format("n{}", draw.counter++))),
                            .status = 201};
                    }});
    rows.push_back({"PATCH one attribute", [=, &target, &draw](std::size_t) -> Shot {
                        return {
                            .bytes = target.request(
                                "PATCH", "/Users/" + user(),
                                patch_body(fmt::format(
                                    R"({{"op":"replace","path":"title","value":"Engineer {}"}})",
                                    draw.counter++)))};
                    }});
    for (const auto& [size, id] : directory.groups) {
        // Each connection adds someone of its own who is not a member, and removes them again.
        auto turn = std::make_shared<std::vector<std::uint64_t>>(connections, 0);
        rows.push_back(
            {fmt::format("add member to {}", size),
             [=, &target, &directory](std::size_t connection) -> Shot {
                 const auto n = (*turn)[connection]++;
                 const auto& users = directory.users;
                 // In a group of everyone the last ones leave first.
                 const bool removes = (n % 2 == 1) != (size == users.size());
                 const auto& who = users[users.size() - 1 - connection];
                 return {.bytes = target.request("PATCH", "/Groups/" + id,
                                                 member_body(removes ? "remove" : "add", who))};
             }});
    }
    return rows;
}

json::Object Side::to_json() const {
    return {{"requests_per_s", rate}, {"cpu_us", cpu_us}, {"p50_ms", p50_ms}, {"p99_ms", p99_ms}};
}

Side side_of(const Measured& measured, double cpu) {
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

}  // namespace muster::bench
