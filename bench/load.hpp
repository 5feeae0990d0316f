#pragma once
// A closed-loop load generator: so many connections, each sends its next request when the last was
// answered. One thread.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::bench {

struct Shot {
    std::string bytes;     ///< a whole HTTP request
    unsigned status = 0;   ///< the answer that counts as success; 0: any 2xx
    std::string contains;  ///< what stands in an answer that counts as success
};

/// Makes the next request of a connection.
using NextShot = std::function<Shot(std::size_t connection)>;

struct Measured {
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    std::string first_failure;
    double seconds = 0;
    std::chrono::nanoseconds p50{0};
    std::chrono::nanoseconds p99{0};
    std::vector<std::chrono::nanoseconds> times;  ///< of each request, the shortest first
    std::vector<std::string> bodies;              ///< where `keep_bodies` was asked for

    /// Successes a second.
    [[nodiscard]] double rate() const { return static_cast<double>(requests - failures) / seconds; }
};

struct Load {
    std::string address;  ///< "127.0.0.1:8080"
    std::size_t connections = 32;
    std::chrono::milliseconds time{2000};
    std::uint64_t most_requests = ~std::uint64_t{0};
    bool keep_bodies = false;
};

[[nodiscard]] Measured fire(const Load& load, const NextShot& next);

}  // namespace muster::bench
