#pragma once

#include <chrono>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "support/process.hpp"

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

    /// "127.0.0.1:PORT"
    [[nodiscard]] const std::string& address() const { return address_; }
    [[nodiscard]] pid_t pid() const { return process_->pid(); }
    /// SIGTERM; whether it ended well within that time.
    [[nodiscard]] bool stop(std::chrono::milliseconds patience) {
        process_->signal(SIGTERM);
        return process_->wait(patience) == 0;
    }
    /// SIGKILL, and waits until the process is gone. Idempotent.
    void kill() { process_->kill(); }

  private:
    std::optional<Process> process_;
    std::string address_;
};

}  // namespace muster::testing
