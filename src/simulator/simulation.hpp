#pragma once
// Identity providers' documented provisioning sequences, played against any SCIM server, each
// answer checked as the provider would.

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"

namespace muster::simulator {

/// Who is played, and how it differs on the wire: Okta's catalogue updates by PATCH, its wizard by
/// PUT; Entra's PATCH depends on whether its URL ends in ?aadOptscim062020.
enum class Client : std::uint8_t { OktaCatalog, OktaWizard, Entra, EntraFlagged };

/// How the credential is sent: "Bearer T", the bare token, or Basic (secret holds "name:password").
enum class Auth : std::uint8_t { Bearer, Header, Basic };

/// "bearer", "header" or "basic"; Bearer for anything else.
[[nodiscard]] Auth auth_of(std::string_view word);
/// The value of the Authorization header for a secret sent in this way.
[[nodiscard]] std::string authorization(Auth auth, const Secret& secret);

struct Options {
    Client client = Client::OktaCatalog;
    std::string base_url;  ///< up to and with /scim/v2
    Secret secret;
    Auth auth = Auth::Bearer;
    unsigned users = 25;
    unsigned groups = 5;
    std::uint64_t seed = 1;  ///< the same seed makes the same people and the same requests
    unsigned concurrency = 1;
    /// How long one connection waits in all, over the day, for a server that answers 429.
    std::chrono::seconds patience{120};
};

struct StepReport {
    std::string step;  ///< "Match and create people"
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    std::chrono::microseconds p50{0};
    std::chrono::microseconds p99{0};
    /// At most five failures in words: what was sent, what came, what was due and why.
    std::vector<std::string> examples;
};

struct Report {
    std::vector<StepReport> steps;
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    std::chrono::milliseconds elapsed{0};
};

/// done and total requests (total is an estimate until the end), the step's name.
using Progress =
    std::function<void(std::uint64_t done, std::uint64_t total, const std::string& step)>;

/// Plays everything; blocking, with `concurrency` threads of its own. `progress` is called from any
/// of them, one at a time. A second run against the same server finds and updates what the first
/// one made.
[[nodiscard]] Report play(const Options& options, const Progress& progress);

}  // namespace muster::simulator
