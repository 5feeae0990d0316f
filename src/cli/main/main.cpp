#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <span>
#include <thread>
#include <unistd.h>

#include "app/application.hpp"
#include "cli/run.hpp"
#include "conform/run.hpp"
#include "simulator/simulation.hpp"

namespace {

std::optional<std::string> variable(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

bool wait_a_second() {
    std::this_thread::sleep_for(std::chrono::seconds{1});
    return true;
}

/// Ctrl-C is looked at between two checks, so that what they made can be deleted.
std::expected<muster::conform::Report, std::string> conform_until_interrupted(
    const muster::conform::Options& options, const muster::conform::Progress& progress) {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGINT);
    ::sigaddset(&signals, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return muster::conform::run(options, progress, [&signals] {
        constexpr timespec kNow{};
        return ::sigtimedwait(&signals, nullptr, &kNow) > 0;
    });
}

muster::cli::Environment real_environment() {
    return {.in = std::cin,
            .out = std::cout,
            .err = std::cerr,
            .in_is_terminal = ::isatty(STDIN_FILENO) == 1,
            .out_is_terminal = ::isatty(STDOUT_FILENO) == 1,
            .err_is_terminal = ::isatty(STDERR_FILENO) == 1,
            .variable = variable,
            .connect =
                [](const muster::app::ServeOptions& installation, bool may_make_directory) {
                    return muster::cli::connect(installation, may_make_directory);
                },
            .serve = muster::app::serve,
            .doctor = muster::app::doctor,
            .schema_version = muster::app::schema_version,
            .migrate = muster::app::migrate,
            .copy = muster::app::copy,
            .backup = muster::app::backup,
            .restore = muster::app::restore,
            .simulate = muster::simulator::play,
            .conform = conform_until_interrupted,
            .wait = wait_a_second,
            .version = std::string{muster::app::version()}};
}

}  // namespace

int main(int argc, char** argv) {
    // A file at the limit of its size (ulimit -f) is a write that fails.
    std::signal(SIGXFSZ, SIG_IGN);
    try {
        const std::span arguments(argv, static_cast<std::size_t>(argc));
        std::vector<std::string> words;
        for (const char* word : arguments.subspan(argc > 0 ? 1 : 0)) words.emplace_back(word);
        return muster::cli::run(real_environment(), std::move(words));
    } catch (const std::exception& error) {
        std::cerr << "Error: " << error.what() << '\n';
        return 1;
    }
}
