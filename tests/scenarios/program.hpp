#pragma once
// The built binary as a user runs it: a server process and commands beside it.

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace muster::scenarios {

/// Runs a command to its end. Its standard output, or the command and what it said on failure.
[[nodiscard]] std::expected<std::string, std::string> run_command(
    const std::vector<std::string>& arguments);

/// A directory of its own under the system's temporary one, removed with its content.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

/// `muster serve` on a free port; what it logs goes to standard error.
class Server {
  public:
    /// Returns when the server says that it is ready; throws std::runtime_error where it does not
    /// within `patience`.
    Server(const std::filesystem::path& muster, const std::filesystem::path& data,
           std::chrono::seconds patience = std::chrono::seconds{60});
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// http://127.0.0.1:PORT
    [[nodiscard]] const std::string& origin() const { return origin_; }

    /// SIGTERM, then waits. Nothing, or how it ended other than with exit code 0: a leak found by a
    /// sanitizer at exit is a failure too.
    [[nodiscard]] std::string stop();

  private:
    pid_t pid_ = -1;
    int output_ = -1;
    std::string origin_;
};

}  // namespace muster::scenarios
