#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "audit.hpp"
#include "support/server_process.hpp"
#include "support/storm.hpp"

namespace muster::crash {

namespace {

constexpr unsigned kClients = 8;
constexpr int kControlCycles = 5;

using testing::ServerProcess;

struct Outcome {
    std::size_t promises = 0;
    std::size_t lost = 0;
    std::vector<std::string> damages;
};

Outcome kill_again_and_again(const std::filesystem::path& program, int cycles, unsigned seed,
                             bool stop_at_loss) {
    const auto data = testing::make_temporary_directory();
    const auto tenant = testing::make_tenant(data);
    std::string group;
    testing::Ledger ledger;
    Outcome outcome;
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> life_ms(30, 250);
    for (int cycle = 0; cycle < cycles; ++cycle) {
        ServerProcess server(program, data);
        if (group.empty()) group = testing::make_group(server.address(), tenant);
        std::vector<std::jthread> clients;
        for (unsigned i = 0; i < kClients; ++i) {
            clients.emplace_back([&, i](const std::stop_token& stop) {
                testing::storm(stop, server.address(), tenant, group,
                               fmt::format("c{}-{}", cycle, i), ledger);
            });
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{life_ms(random)});
        server.kill();
        clients.clear();
        const auto verdict = audit(data, ledger);
        outcome.lost = verdict.lost;
        outcome.damages.insert(outcome.damages.end(), verdict.damages.begin(),
                               verdict.damages.end());
        if (stop_at_loss && outcome.lost > 0) break;
    }
    outcome.promises = ledger.promises();
    std::filesystem::remove_all(data);
    return outcome;
}

int run(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: {} SERVER UNDURABLE_SERVER CYCLES\n", argv[0]);
        return 2;
    }
    const int cycles = std::atoi(argv[3]);
    const unsigned seed = std::random_device{}();
    const auto real = kill_again_and_again(argv[1], cycles, seed, false);
    fmt::print("{} kills (seed {}): {} acknowledged writes, {} lost, {} write sets damaged\n",
               cycles, seed, real.promises, real.lost, real.damages.size());
    for (const auto& damage : real.damages) fmt::print("  {}\n", damage);
    const auto control = kill_again_and_again(argv[2], kControlCycles, seed, true);
    fmt::print("control without durability: {} acknowledged writes, {} lost (must not be 0)\n",
               control.promises, control.lost);
    const bool enough = real.promises > static_cast<std::size_t>(cycles);
    return enough && real.lost == 0 && real.damages.empty() && control.lost > 0 ? 0 : 1;
}

}  // namespace

}  // namespace muster::crash

int main(int argc, char** argv) {
    try {
        return muster::crash::run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "crash test: {}\n", error.what());
        return 1;
    }
}
