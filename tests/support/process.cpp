#include "support/process.hpp"

#include <array>
#include <csignal>
#include <fcntl.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace muster::testing {

Process::Process(const std::vector<std::string>& command, int out, int err) {
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ > 0) return;
    // A test that dies takes its children along.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(out >= 0 ? out : nowhere, STDOUT_FILENO);
    ::dup2(err >= 0 ? err : nowhere, STDERR_FILENO);
    ::execvp(arguments.front(), arguments.data());
    ::_exit(127);
}

void Process::signal(int number) const {
    if (!status_) ::kill(pid_, number);
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!status_) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            status_ = status;
        } else if (std::chrono::steady_clock::now() >= until) {
            break;
        } else {
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
    }
    return status_;
}

void Process::kill() {
    if (status_) return;
    ::kill(pid_, SIGKILL);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    status_ = status;
}

Ended run(const std::vector<std::string>& command) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    Process process(command, pipe[1], pipe[1]);
    ::close(pipe[1]);
    Ended ended;
    std::jthread reader([&] {
        std::array<char, 4096> buffer{};
        for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
            ended.output.append(buffer.data(), static_cast<std::size_t>(got));
        }
    });
    const auto status = process.wait(std::chrono::minutes{1});
    process.kill();
    reader.join();
    ::close(pipe[0]);
    if (status && WIFEXITED(*status)) ended.code = WEXITSTATUS(*status);
    return ended;
}

}  // namespace muster::testing
