#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

namespace muster::testing {

/// A server as a child process, from its "ready" line to its SIGKILL.
class ServerProcess {
  public:
    /// Waits at most 20 s for the ready line; throws std::runtime_error where it does not come.
    explicit ServerProcess(const std::vector<std::string>& command);
    /// `muster serve` on a free port.
    ServerProcess(const std::filesystem::path& program, const std::filesystem::path& data)
        : ServerProcess({program.string(), "serve", "--data", data.string(), "--listen",
                         "127.0.0.1:0", "--json"}) {}
    ~ServerProcess() { kill(); }
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;

    /// "127.0.0.1:PORT"
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] pid_t pid() const { return pid_; }
    /// SIGKILL, and waits until the process is gone. Idempotent.
    void kill();

  private:
    pid_t pid_ = -1;
    std::string address_;
};

}  // namespace muster::testing
