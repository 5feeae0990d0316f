#pragma once
// A file of checks as data; README.md describes the format.

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::conform {

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
    int repeat = 1;
    std::vector<CommandRun> runs;
    std::vector<ListVariable> lists;
    std::string method;
    std::string target;
    Headers headers;
    std::string body;
    std::vector<std::string> statuses;  ///< "204", "4xx"; any of them will do
    Headers expected_headers;
    std::string expected_body;
};

/// One thing that is held to be true: its steps in order, of which all must hold.
struct Check {
    std::string name;     ///< what stands after "==="
    std::string section;  ///< of the "##" line above it; empty where there is none
    int line = 0;
    std::vector<std::string> needs;  ///< of its section and its own
    Headers headers;                 ///< of its section, for each of its requests
    std::vector<Step> steps;         ///< never empty
};

/// The checks in order, or "12: what is wrong". Tables are written out.
[[nodiscard]] std::expected<std::vector<Check>, std::string> parse_script(std::string_view text);

/// Whether "2xx", "404" or the like stands for `status`.
[[nodiscard]] bool is_status_pattern(std::string_view text);
[[nodiscard]] bool matches_status(std::string_view pattern, int status);

}  // namespace muster::conform
