#include "support/server_process.hpp"

#include <array>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <unistd.h>

namespace muster::testing {

namespace {

/// The first line that the child prints, or nothing within the time.
std::string read_line(int fd) {
    std::string line;
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    while (::poll(&waiting, 1, 20'000) > 0) {
        std::array<char, 512> buffer{};
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got <= 0) return {};
        line.append(buffer.data(), static_cast<std::size_t>(got));
        if (line.find('\n') != std::string::npos) return line;
    }
    return {};
}

std::string address_in(const std::string& ready) {
    const std::string key = "\"listen\":\"";
    const auto begin = ready.find(key);
    if (begin == std::string::npos) throw std::runtime_error("the server did not become ready");
    const auto start = begin + key.size();
    return ready.substr(start, ready.find('"', start) - start);
}

}  // namespace

ServerProcess::ServerProcess(const std::vector<std::string>& command) {
    std::array<int, 2> output{};
    if (::pipe2(output.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe failed");
    process_.emplace(command, output[1]);
    ::close(output[1]);
    const auto ready = read_line(output[0]);
    ::close(output[0]);
    address_ = address_in(ready);
}

}  // namespace muster::testing
