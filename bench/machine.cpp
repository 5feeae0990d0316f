#include "machine.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <sys/utsname.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace muster::bench {

namespace {

std::string first_line_of(const char* command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command, "r"), ::pclose);
    std::array<char, 256> buffer{};
    if (!pipe || std::fgets(buffer.data(), buffer.size(), pipe.get()) == nullptr) return "unknown";
    std::string line = buffer.data();
    return line.substr(0, line.find('\n'));
}

std::string processor_name() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

double fdatasync_us(const std::filesystem::path& directory) {
    const auto file = directory / "fdatasync-probe";
    const int fd = ::open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
    const std::string page(4096, 'x');
    std::vector<double> times;
    for (int i = 0; i < 50; ++i) {
        const auto began = std::chrono::steady_clock::now();
        if (::write(fd, page.data(), page.size()) < 0 || ::fdatasync(fd) != 0) break;
        times.push_back(
            std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began)
                .count());
    }
    ::close(fd);
    std::filesystem::remove(file);
    std::ranges::sort(times);
    return times.empty() ? -1 : times[times.size() / 2];
}

}  // namespace

double cpu_seconds(pid_t pid) {
    clockid_t clock{};
    timespec time{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Machine describe_machine(const std::filesystem::path& directory) {
    utsname kernel{};
    ::uname(&kernel);
    return {.date = fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::now())),
            .commit = first_line_of("git rev-parse --short HEAD 2>/dev/null"),
            .processor = processor_name(),
            .cores = std::thread::hardware_concurrency(),
            .kernel = kernel.release,
            .fdatasync_us = fdatasync_us(directory)};
}

json::Object Machine::to_json() const {
    return {{"date", date},   {"commit", commit}, {"processor", processor},
            {"cores", cores}, {"kernel", kernel}, {"fdatasync_us", fdatasync_us}};
}

std::string Machine::to_text() const {
    return fmt::format("{}, {} cores shared with the load generator, Linux {}, fdatasync {:.0f} µs",
                       processor, cores, kernel, fdatasync_us);
}

}  // namespace muster::bench
