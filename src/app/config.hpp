#pragma once
// Settings: built-in values < TOML file < environment < flags.

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::app {

struct Config {
    std::filesystem::path data = "./var";
    std::string database;  ///< empty: SQLite in `data`; else postgres://…
    std::string listen = "127.0.0.1:8080";
    std::string public_url;    ///< empty: http://{listen}
    std::string base_domain;   ///< empty: no connectors by host name
    std::int64_t threads = 0;  ///< I/O threads; 0: one a core
    std::filesystem::path tls_certificate;
    std::filesystem::path tls_key;
    std::filesystem::path key_file;  ///< empty: {data}/key
    std::string log_level = "info";
    std::int64_t log_retention_days = 90;
    std::int64_t deleted_retention_days = 30;
    std::int64_t body_bytes = std::int64_t{8} << 20;
    std::int64_t bodies_bytes = std::int64_t{128} << 20;  ///< of all bodies under way
    std::int64_t answers_bytes = std::int64_t{256} << 20;
    std::int64_t header_bytes = 16 * 1024;
    std::int64_t connections = 10'000;
    std::int64_t organisation_requests_per_s = 0;  ///< 0: only shared out under overload
    std::int64_t token_requests_per_s = 0;
    std::int64_t page = 200;
    std::int64_t header_timeout_s = 10;
    std::int64_t body_timeout_s = 60;
    std::int64_t idle_timeout_s = 65;
    std::int64_t tokens_per_connector = 2;
    bool open_discovery = true;
    std::int64_t paused_retry_after_s = 300;

    bool operator==(const Config&) const = default;
};

/// Dotted setting names and their values as text, as flags and the environment give them.
using Overrides = std::map<std::string, std::string>;

/// Settings of the environment: MUSTER_LISTEN for listen, MUSTER_LOG_RETENTION_DAYS for
/// log.retention_days; MUSTER_CONFIG is none of them. An unknown MUSTER_ variable is an error that
/// names the nearest setting.
[[nodiscard]] std::expected<Overrides, std::string> from_environment(
    const char* const* environment);

/// Reads `file` (none: built-in values), then lays `environment` and `flags` over it. Every error
/// names the setting, where it came from and what it may be. Unknown settings are errors.
[[nodiscard]] std::expected<Config, std::string> load_config(
    const std::optional<std::filesystem::path>& file, const Overrides& environment,
    const Overrides& flags);

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
};
/// "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses).
[[nodiscard]] std::optional<Endpoint> parse_listen(std::string_view text);

}  // namespace muster::app
