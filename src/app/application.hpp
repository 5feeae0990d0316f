#pragma once
// The process: serving, working offline on a data directory, and checking an installation.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::app {

struct ServeOptions {
    std::optional<std::filesystem::path> data;
    std::optional<std::string> listen;
    std::optional<std::string> public_url;
    std::optional<std::string> database;
    std::optional<std::filesystem::path> config;
    bool json =
        false;  ///< events on stdout as JSON lines: {"event":"ready","listen":"127.0.0.1:8080"}
};

/// Serves until SIGINT or SIGTERM, then answers what it accepted and stops. Returns the exit code;
/// says on stderr, with the remedy, why it could not start.
[[nodiscard]] int serve(const ServeOptions& options);

/// The operator's API on a data directory that no server holds.
class Offline {
  public:
    /// Takes the directory's lock; the error says who holds it and what to do.
    [[nodiscard]] static std::expected<std::unique_ptr<Offline>, std::string> open(
        const std::filesystem::path& data);
    ~Offline();

    /// `target` begins with /admin/v1. Blocking; returns status and JSON body.
    [[nodiscard]] std::pair<int, std::string> call(std::string_view method, std::string_view target,
                                                   std::string_view body);

    struct Impl;
    explicit Offline(std::unique_ptr<Impl> impl);

  private:
    std::unique_ptr<Impl> impl_;
};

struct DoctorCheck {
    enum class Result : std::uint8_t { Ok, Warning, Failed };
    std::string name;
    Result result = Result::Ok;
    std::string finding;
    std::string remedy;  ///< empty where the result is Ok
};

/// Looks at configuration, data directory, key, database, disk, public URL and tokens; changes
/// nothing. Works beside a running server.
[[nodiscard]] std::vector<DoctorCheck> doctor(const ServeOptions& options);

/// The version of the tables in a database.
struct SchemaVersion {
    std::string database;      ///< which one, without user or password
    std::int64_t version = 0;  ///< 0: none of Muster's tables
    std::int64_t newest = 0;   ///< that this binary knows
    bool sharded = false;      ///< by Citus
};

/// The configured database's. The error is a sentence with the remedy.
[[nodiscard]] std::expected<SchemaVersion, std::string> schema_version(const ServeOptions& options);
/// Takes the steps to `target` (none: the newest), each of them whole or not at all.
[[nodiscard]] std::expected<SchemaVersion, std::string> migrate(const ServeOptions& options,
                                                                std::optional<std::int64_t> target);

/// The file name of the local socket in a data directory.
inline constexpr std::string_view kSocketName = "muster.sock";

[[nodiscard]] std::string_view version();

}  // namespace muster::app
