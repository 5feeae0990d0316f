#pragma once
// A scenario file as data; README.md describes the format.

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::scenarios {

using Headers = std::vector<std::pair<std::string, std::string>>;

/// `@list NAME FROM..TO TEMPLATE`: a variable made of TEMPLATE once a number, joined by commas.
struct ListVariable {
    std::string name;
    int from = 1;
    int to = 1;
    std::string item;
};

/// `@run NAME WORDS…`: a command of the binary; the members of its JSON become NAME.member.
struct CommandRun {
    std::string name;
    std::vector<std::string> words;
};

/// One request and what must come back. Texts are as written, before interpolation.
struct Step {
    std::string name;
    int line = 0;
    int repeat = 1;
    std::vector<CommandRun> runs;
    std::vector<ListVariable> lists;
    std::string method;
    std::string target;
    Headers headers;
    std::string body;
    int status = 0;
    Headers expected_headers;
    std::string expected_body;
};

/// What `@idp NAME` before the first step says; else "okta".
[[nodiscard]] std::string idp_of(std::string_view text);

/// The steps in order, or "12: what is wrong".
[[nodiscard]] std::expected<std::vector<Step>, std::string> parse_scenario(std::string_view text);

}  // namespace muster::scenarios
