#pragma once
// The process: serving, working offline on a data directory, and checking an installation.

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::app {

/// What is given here stands before the environment, which stands before the file.
struct ServeOptions {
    std::optional<std::filesystem::path> data;
    std::optional<std::string> listen;
    std::optional<std::string> public_url;
    std::optional<std::string> database;
    std::optional<std::filesystem::path> config;  ///< none: MUSTER_CONFIG names it, if any
    bool json =
        false;  ///< events on stdout as JSON lines: {"event":"ready","listen":"127.0.0.1:8080"}
};

/// Serves until SIGINT or SIGTERM, then answers what it accepted and stops. Returns the exit code;
/// says on stderr, with the remedy, why it could not start.
[[nodiscard]] int serve(const ServeOptions& options);

/// The data directory of a configuration; the error is a sentence.
[[nodiscard]] std::expected<std::filesystem::path, std::string> data_directory(
    const ServeOptions& options);

/// The operator's API on a data directory that no server holds.
class Offline {
  public:
    /// Takes the directory's lock, for which it waits as long as other commands take, two seconds;
    /// the error says who holds it and what to do. Makes a database where there is none, if it may
    /// and nothing tells that the directory has one elsewhere.
    [[nodiscard]] static std::expected<std::unique_ptr<Offline>, std::string> open(
        const ServeOptions& options, bool may_make_database = true);
    ~Offline();

    /// `target` begins with /admin/v1. Blocking; returns status and JSON body.
    [[nodiscard]] std::pair<int, std::string> call(std::string_view method, std::string_view target,
                                                   std::string_view body);
    /// The data directory, where it holds something only since it was opened; else empty.
    [[nodiscard]] const std::filesystem::path& made() const;

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

/// Why something was not done.
struct Failure {
    enum class Why : std::uint8_t {
        WrongSetting,  ///< of the command line, the environment or the file
        Refused,       ///< nothing was changed: what is there does not allow it
        Unreachable,   ///< a server runs on it, or it is not there, or cannot be reached or read
        Failed,        ///< on the way, or in the check at the end
    };
    Why why = Why::Failed;
    std::string message;
};

/// The version of the tables in a database.
struct SchemaVersion {
    std::string database;      ///< which one, without user or password
    std::int64_t version = 0;  ///< 0: none of Muster's tables
    std::int64_t newest = 0;   ///< that this binary knows
    bool sharded = false;      ///< by Citus
};

/// The configured database's. The error is a sentence with the remedy.
[[nodiscard]] std::expected<SchemaVersion, Failure> schema_version(const ServeOptions& options);
/// Takes the steps to `target` (none: the newest), each of them whole or not at all. Makes no data
/// directory and no file in one.
[[nodiscard]] std::expected<SchemaVersion, Failure> migrate(const ServeOptions& options,
                                                            std::optional<std::int64_t> target);

/// `command` with the options by which it means the same database, as a shell takes them. For a URL
/// that may hold a password stands the word URL.
[[nodiscard]] std::string with_options(std::string_view command, const ServeOptions& options);

// ---- moving data
// ----------------------------------------------------------------------------------

struct Transferred {
    std::string from;  ///< without user or password
    std::string to;
    bool resumed = false;  ///< what an earlier attempt had written was kept
    std::int64_t organisations = 0;
    std::int64_t rows = 0;
    std::vector<std::pair<std::string, std::int64_t>> tables;  ///< name and rows
    std::chrono::milliseconds elapsed{0};
    std::string key_file;   ///< as configured, which is not part of it; empty for a copy
    bool key_fits = false;  ///< it is there, and the one by which the tokens were made
};

/// Rows done, of all that are to be copied and checked; and what is at hand.
using TransferProgress =
    std::function<void(std::uint64_t done, std::uint64_t total, std::string_view words)>;

/// Between databases at rest, each a data directory or postgres://…; `to` must be empty. Checked at
/// the end. After a crash the same call completes it; until then no server starts on `to`.
[[nodiscard]] std::expected<Transferred, Failure> copy(const std::string& from,
                                                       const std::string& to,
                                                       const TransferProgress& progress);
/// The configured database as it is at this moment, whoever serves it, into a new file (mode 0600),
/// which appears when it is whole and on disk.
[[nodiscard]] std::expected<Transferred, Failure> backup(const ServeOptions& options,
                                                         const std::string& file,
                                                         const TransferProgress& progress);
/// From such a file into the configured database, which must be empty and at rest.
[[nodiscard]] std::expected<Transferred, Failure> restore(const ServeOptions& options,
                                                          const std::string& file,
                                                          const TransferProgress& progress);

/// The file name of the local socket in a data directory.
inline constexpr std::string_view kSocketName = "muster.sock";

[[nodiscard]] std::string_view version();

}  // namespace muster::app
