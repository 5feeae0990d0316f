#pragma once
// One step against a server: the request is sent, the answer checked.

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json/json.hpp"
#include "match.hpp"
#include "net/http_client.hpp"
#include "scenario.hpp"

namespace muster::scenarios {

/// Runs a command of the binary and returns the JSON object that it printed.
using RunCommand =
    std::function<std::expected<json::Object, std::string>(std::vector<std::string> words)>;

/// Plays steps for one connector.
class Exchange {
  public:
    Exchange(net::HttpClient& client, Variables& variables, RunCommand run_command)
        : client_(client), variables_(variables), run_command_(std::move(run_command)) {}

    /// Plays the step as often as it says. What was wrong, one sentence each; empty: nothing.
    [[nodiscard]] std::vector<std::string> play(const Step& step);

  private:
    [[nodiscard]] std::vector<std::string> play_once(const Step& step);
    [[nodiscard]] std::expected<void, std::string> run(const CommandRun& command);
    [[nodiscard]] std::expected<void, std::string> make_list(const ListVariable& list);
    [[nodiscard]] std::expected<net::ClientRequest, std::string> prepare(const Step& step);
    [[nodiscard]] std::vector<std::string> compare(const Step& step, bool scim,
                                                   const net::ClientResponse& answer);

    net::HttpClient& client_;
    Variables& variables_;
    RunCommand run_command_;
};

/// What holds for every answer under a SCIM URL, whatever was asked: media type, the form of
/// errors and lists, ETag and Location against meta.
[[nodiscard]] std::vector<std::string> breaches_of_every_answer(const net::ClientResponse& answer);

/// `target` with every byte that may not stand in one (spaces, quotes, brackets, …) as %XX.
[[nodiscard]] std::string encode_target(std::string_view target);

}  // namespace muster::scenarios
