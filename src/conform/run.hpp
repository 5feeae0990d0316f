#pragma once
// Plays a suite against a server and says what became of each check.

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "conform/exchange.hpp"
#include "conform/suite.hpp"

namespace muster::conform {

enum class Outcome : std::uint8_t {
    Passed,
    Wrong,       ///< what was due is not what came
    Undeclared,  ///< what the server does and what it declares are at odds
    Unsupported  ///< it needs what the server declares not to have
};

[[nodiscard]] std::string_view word_of(Outcome outcome);

struct Result {
    std::string id;
    std::string area;
    std::string section;
    std::string title;
    Outcome outcome = Outcome::Passed;
    std::string detail;  ///< empty where it passed
};

struct Report {
    std::string base_url;
    std::vector<Result> checks;
    std::vector<std::string> left_behind;  ///< paths of what could not be deleted
    bool interrupted = false;
    std::string reason;  ///< why it was interrupted, where that was not asked for
    std::chrono::milliseconds elapsed{0};

    [[nodiscard]] std::size_t count(Outcome outcome) const;
    /// 0 wrong, 0 undeclared, played to the end, nothing left behind.
    [[nodiscard]] bool good() const;
};

struct Options {
    std::string base_url;              ///< up to and with /scim/v2
    Secret authorization;              ///< the value of the header; empty: none is sent
    std::vector<std::string> only;     ///< areas or beginnings of ids; empty: all
    std::string checks_directory;      ///< empty: the checks that are built in
    std::chrono::seconds timeout{30};  ///< for one request
};

using Progress =
    std::function<void(std::uint64_t done, std::uint64_t total, const std::string& area)>;

/// Asked between checks; true: clean up and end.
using Stop = std::function<bool()>;

/// What makes it pointless to begin, in words: no server, no SCIM, a redirection, a refused token.
[[nodiscard]] std::expected<void, std::string> look_at(const Options& options, const Send& send);

/// Blocking. An error: the checks cannot be read, the URL is none, or a look at the server found
/// that it is pointless.
[[nodiscard]] std::expected<Report, std::string> run(const Options& options,
                                                     const Progress& progress, const Stop& stop);

/// The same over `send`, without a look beforehand; {base} is `base_url`. Ends early where the
/// server has ceased to answer.
[[nodiscard]] Report play(const Suite& suite, const Options& options, const Send& send,
                          const Progress& progress, const Stop& stop = {});

}  // namespace muster::conform
