#pragma once
// One step against a server: the request is sent, the answer checked.

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conform/match.hpp"
#include "conform/script.hpp"
#include "json/json.hpp"
#include "net/http_client.hpp"

namespace muster::conform {

/// Runs a command of the binary and returns the JSON object that it printed.
using RunCommand =
    std::function<std::expected<json::Object, std::string>(std::vector<std::string> words)>;
/// The answer, or why there is none.
using Send =
    std::function<std::expected<net::ClientResponse, std::string>(const net::ClientRequest&)>;

/// What became of one step.
struct Played {
    std::vector<std::string> wrong;   ///< what was not as the step says, a sentence each
    std::vector<std::string> always;  ///< what broke `kAlways`: "media-type: …"
    bool sent = false;                ///< false: the request could not be made up
    int status = 0;                   ///< 0: no answer came
    std::string request;              ///< as sent, without credentials, cut to a readable length
    std::string answer;               ///< the same of what came back
};

/// Plays steps with one set of variables. A target that begins with a slash is below {base}.
class Exchange {
  public:
    struct Ways {
        Send send;
        Headers headers;  ///< of every request, unless a step has its own of the name
        std::string content_type = "application/scim+json";  ///< where there is a body
        RunCommand run_command;                              ///< none: @run is an error
    };

    /// `variables` must outlive it.
    Exchange(Variables& variables, Ways ways) : variables_(variables), ways_(std::move(ways)) {}

    /// Plays the step as often as it says, up to the first time that something is wrong.
    [[nodiscard]] Played play(const Step& step, const Headers& section_headers = {});

  private:
    [[nodiscard]] Played play_once(const Step& step, const Headers& section_headers);
    [[nodiscard]] std::expected<void, std::string> run(const CommandRun& command);
    [[nodiscard]] std::expected<void, std::string> make_list(const ListVariable& list);
    [[nodiscard]] std::expected<net::ClientRequest, std::string> prepare(
        const Step& step, const Headers& section_headers);
    void compare(const Step& step, const net::ClientResponse& answer,
                 std::vector<std::string>& wrong);
    void compare_headers(const Step& step, const net::ClientResponse& answer,
                         std::vector<std::string>& wrong);

    Variables& variables_;
    Ways ways_;
};

/// `target` with every byte that may not stand in one (spaces, quotes, brackets, …) as %XX.
[[nodiscard]] std::string encode_target(std::string_view target);

}  // namespace muster::conform
