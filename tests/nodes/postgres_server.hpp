#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/process.hpp"

namespace muster::nodes {

/// A PostgreSQL of the test's own on 127.0.0.1, in memory, with the role `muster` and an empty
/// database of that name. Throws std::runtime_error where something does not work.
class PostgresServer {
  public:
    /// Makes and starts one. With `disk_mb`, its data lies on a file system of that size, which
    /// needs the right to mount one.
    explicit PostgresServer(int disk_mb = 0);
    /// A standby that follows another, started.
    struct StandbyOf {
        const PostgresServer& primary;
    };
    explicit PostgresServer(StandbyOf standby);
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    [[nodiscard]] int port() const { return port_; }
    [[nodiscard]] std::string url(const std::string& database = "muster") const;

    /// Returns when connections are accepted.
    void start();
    /// SIGKILL to the server's first process; the others see it and end.
    void kill();
    /// Ends sessions and stops (SIGINT: "fast").
    void stop();
    /// A standby becomes a primary; returns when it takes writes.
    void promote();

    /// As superuser. The first column of the first row.
    std::string sql(const std::string& text, const std::string& database = "postgres") const;
    /// ALTER SYSTEM, and every session takes it over.
    void set(const std::string& setting, const std::string& value) const;

    /// Where the data lies, as this process sees it.
    [[nodiscard]] std::filesystem::path data() const;

  private:
    void make();
    [[nodiscard]] std::vector<std::string> command() const;

    std::filesystem::path home_;
    int port_ = 0;
    int disk_mb_ = 0;
    std::optional<testing::Process> server_;
};

/// Whether a file system of the test's own can be mounted here.
[[nodiscard]] bool can_mount();

}  // namespace muster::nodes
