#include <atomic>
#include <chrono>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "ledger.hpp"
#include "net/http_client.hpp"
#include "support/server_process.hpp"
#include "support/tenant.hpp"

namespace muster::crash {

namespace {

constexpr unsigned kClients = 8;
constexpr int kControlCycles = 5;

using testing::ServerProcess;
using testing::Tenant;

/// One client's connection: requests as Okta sends them.
class Client {
  public:
    Client(const std::string& address, const Tenant& tenant)
        : tenant_(tenant), http_(net::Url::parse("http://" + address).value()) {}

    std::expected<net::ClientResponse, std::string> send(const std::string& method,
                                                         const std::string& path,
                                                         std::string body) {
        return http_.send({.method = method,
                           .target = tenant_.target(path),
                           .headers = {{"Authorization", "Bearer " + tenant_.token},
                                       {"Content-Type", "application/scim+json"}},
                           .body = std::move(body)});
    }

  private:
    const Tenant& tenant_;
    net::HttpClient http_;
};

std::string user_body(const std::string& name) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"{0}","externalId":"{0}","title":"0","emails":[{{"value":"{0}@acme.example","primary":true}}]}})",
        name);
}

std::string patch_body(const std::string& operation) {
    return fmt::format(
        R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}})",
        operation);
}

/// Creates, changes and groups people until the server is gone. A promise is entered into the
/// ledger only after its answer was read whole; a refusal promises nothing.
void storm(const std::string& address, const Tenant& tenant, const std::string& group,
           const std::string& prefix, Ledger& ledger) {
    Client client(address, tenant);
    for (int i = 0;; ++i) {
        const auto name = fmt::format("{}-{}", prefix, i);
        const auto created = client.send("POST", "/Users", user_body(name));
        if (!created) return;
        if (created->status != 201) continue;
        const auto id = testing::text_member(created->body, "id");
        ledger.created(id, name);
        const auto title = fmt::format(R"({{"op":"replace","path":"title","value":"{}"}})", i + 1);
        const auto patched = client.send("PATCH", "/Users/" + id, patch_body(title));
        if (!patched) return;
        if (patched->status == 200) ledger.retitled(id, i + 1);
        const auto join =
            fmt::format(R"({{"op":"add","path":"members","value":[{{"value":"{}"}}]}})", id);
        const auto joined = client.send("PATCH", "/Groups/" + group, patch_body(join));
        if (!joined) return;
        if (joined->status == 204) ledger.joined(id);
    }
}

std::string make_group(const std::string& address, const Tenant& tenant) {
    Client client(address, tenant);
    const auto made = client.send(
        "POST", "/Groups",
        R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Everyone"})");
    if (!made || made->status != 201) throw std::runtime_error("cannot make the group");
    return testing::text_member(made->body, "id");
}

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
    Ledger ledger;
    Outcome outcome;
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> life_ms(30, 250);
    for (int cycle = 0; cycle < cycles; ++cycle) {
        ServerProcess server(program, data);
        if (group.empty()) group = make_group(server.address(), tenant);
        std::vector<std::jthread> clients;
        for (unsigned i = 0; i < kClients; ++i) {
            clients.emplace_back([&, i] {
                storm(server.address(), tenant, group, fmt::format("c{}-{}", cycle, i), ledger);
            });
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{life_ms(random)});
        server.kill();
        clients.clear();
        const auto verdict = ledger.audit(data);
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
