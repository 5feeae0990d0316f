#pragma once
// What a provisioning client does, as load for any SCIM server: a directory of people and groups,
// and the rows that are measured on it.

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.hpp"
#include "load.hpp"

namespace muster::bench {

/// A SCIM server on this machine, over plain HTTP.
struct Target {
    std::string address;  ///< "127.0.0.1:8080"
    std::string path;     ///< what stands before /Users
    std::string token;

    /// A request below the SCIM URL.
    [[nodiscard]] std::string request(std::string_view method, std::string_view target,
                                      std::string_view body = {}) const;
};

/// What was seeded: people called p0@acme.example and so on, and groups.
struct Directory {
    std::vector<std::string> users;                           ///< ids, in no order
    std::vector<std::pair<std::size_t, std::string>> groups;  ///< size, id
};

[[nodiscard]] std::string user_body(std::string_view name);
/// Operations with commas between them.
[[nodiscard]] std::string patch_body(std::string_view operations);
[[nodiscard]] std::string member_body(std::string_view op, std::string_view id);

/// Creates `users` people over `connections`, and a group of the first so many of them for each
/// size that is not above their number. Throws std::runtime_error at the first answer that is no
/// success.
[[nodiscard]] Directory seed(const Target& target, std::size_t users,
                             const std::vector<std::size_t>& group_sizes, std::size_t connections);

struct Row {
    std::string name;
    NextShot next;
};

/// What the rows draw from; outlives them.
struct Draw {
    std::mt19937_64 random{1};
    std::uint64_t counter = 0;  ///< of names that were never used before
};

/// The rows keep references to all of their arguments.
[[nodiscard]] std::vector<Row> rows_of(const Target& target, const Directory& directory, Draw& draw,
                                       std::size_t connections);

/// One row on one server.
struct Side {
    double rate = 0;  ///< successes a second
    double cpu_us = 0;
    double p50_ms = 0;
    double p99_ms = 0;

    [[nodiscard]] json::Object to_json() const;
};

/// `cpu` is the CPU time, in seconds, that the server's process used meanwhile.
[[nodiscard]] Side side_of(const Measured& measured, double cpu);
/// Of each figure on its own; not of nothing.
[[nodiscard]] Side median(std::vector<Side> sides);

/// Throws std::runtime_error where a request failed.
void must_succeed(const Measured& measured, std::string_view what);

}  // namespace muster::bench
