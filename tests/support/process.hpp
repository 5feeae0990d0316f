#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace muster::testing {

/// A child process; it goes with this object, and with the thread that made it.
class Process {
  public:
    /// stdout and stderr go to these descriptors; by default nowhere. Throws std::runtime_error.
    explicit Process(const std::vector<std::string>& command, int out = -1, int err = -1);
    ~Process() { kill(); }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    void signal(int number) const;
    /// The status as waitpid(2) tells it, or nothing where it still runs after that time.
    std::optional<int> wait(std::chrono::milliseconds patience);
    /// SIGKILL, and waits until the process is gone. Idempotent.
    void kill();

  private:
    pid_t pid_ = -1;
    std::optional<int> status_;
};

struct Ended {
    int code = -1;       ///< -1: by a signal, or it never ended
    std::string output;  ///< stdout and stderr
};
/// Runs a command to its end; kills it after a minute.
[[nodiscard]] Ended run(const std::vector<std::string>& command);

}  // namespace muster::testing
