#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace muster::bench {

/// What one operation costs on one store of one size. What was not measured is 0.
struct Figure {
    std::string family;  ///< of operations that are drawn together
    std::string operation;
    std::string store;  ///< "SQLite" or "PostgreSQL"
    std::uint64_t people = 0;
    bool names_one = false;  ///< the request names one thing: its cost shall not grow
    double p50_ms = 0;       ///< one connection, nothing else running
    double p99_ms = 0;
    double rate = 0;         ///< successes (or people) a second, from all connections
    double busy_p99_ms = 0;  ///< of those
    std::size_t connections = 1;
    double cpu_us = 0;  ///< of Muster's process, a request
    double database_cpu_us = 0;
    double written_bytes = 0;  ///< to the disk, a request; PostgreSQL: to its log
    double commits = 0;        ///< durable, a request
    double rss_mb = 0;         ///< of Muster's process afterwards
    double floor_rate = 0;     ///< of the bare server on the same database
    std::string note;
};

/// One filled store.
struct Filling {
    std::string store;
    std::uint64_t people = 0;
    std::uint64_t memberships = 0;
    double seconds = 0;
    double database_mb = 0;
};

struct Findings {
    std::vector<Filling> fillings;
    std::vector<Figure> figures;
};

}  // namespace muster::bench
