#include "program.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdexcept>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "json/json.hpp"

extern char** environ;

namespace muster::scenarios {
namespace {

struct Child {
    pid_t pid = -1;
    int output = -1;  ///< read end of its standard output
};

[[noreturn]] void fail(std::string_view what, int error) {
    throw std::system_error(error, std::generic_category(), std::string{what});
}

Child start(std::vector<std::string> arguments) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) fail("pipe", errno);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    Child child;
    const int error =
        ::posix_spawn(&child.pid, argv.front(), &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(ends[1]);
    if (error != 0) fail(arguments.front(), error);
    child.output = ends[0];
    return child;
}

/// Waits for its end; empty where it exited with 0.
std::string wait_for(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) fail("waitpid", errno);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    if (WIFEXITED(status)) return fmt::format("ended with exit code {}", WEXITSTATUS(status));
    return fmt::format("was ended by signal {}", WTERMSIG(status));
}

/// Up to a line end, the end of the output or the deadline.
std::string read_line(int file, std::chrono::steady_clock::time_point deadline) {
    std::string line;
    while (!line.ends_with('\n')) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            deadline - std::chrono::steady_clock::now());
        pollfd waiting{.fd = file, .events = POLLIN, .revents = 0};
        if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) break;
        char byte = 0;
        if (::read(file, &byte, 1) != 1) break;
        line += byte;
    }
    return line;
}

}  // namespace

std::expected<std::string, std::string> run_command(const std::vector<std::string>& arguments) {
    const Child child = start(arguments);
    std::string output;
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = ::read(child.output, buffer.data(), buffer.size())) > 0)
        output.append(buffer.data(), static_cast<std::size_t>(got));
    ::close(child.output);
    if (const std::string end = wait_for(child.pid); !end.empty())
        return std::unexpected(fmt::format("{}'{}' {}", output, fmt::join(arguments, " "), end));
    return output;
}

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "muster-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) fail(pattern, errno);
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Server::Server(const std::filesystem::path& muster, const std::filesystem::path& data,
               std::chrono::seconds patience) {
    const Child child = start(
        {muster.string(), "serve", "--data", data.string(), "--listen", "127.0.0.1:0", "--json"});
    pid_ = child.pid;
    output_ = child.output;
    const std::string line = read_line(output_, std::chrono::steady_clock::now() + patience);
    const auto ready = json::parse(line);
    if (!ready || !ready->is_object() ||
        json::string_or_empty(ready->get_object(), "event") != "ready") {
        ::kill(pid_, SIGKILL);
        const std::string end = wait_for(std::exchange(pid_, -1));
        ::close(std::exchange(output_, -1));
        throw std::runtime_error(
            fmt::format("the server did not say that it is ready; it said '{}' and {}", line, end));
    }
    origin_ = fmt::format("http://{}", json::string_or_empty(ready->get_object(), "listen"));
}

Server::~Server() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        [[maybe_unused]] const std::string end = wait_for(pid_);
    }
    if (output_ >= 0) ::close(output_);
}

std::string Server::stop() {
    ::kill(pid_, SIGTERM);
    return wait_for(std::exchange(pid_, -1));
}

}  // namespace muster::scenarios
