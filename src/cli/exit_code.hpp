#pragma once
// How a command ends. The table is what help, the manual page and scripts go by.

#include <array>
#include <cstdint>
#include <expected>
#include <string_view>

namespace muster::cli {

enum class ExitCode : std::uint8_t {
    Ok = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    Refused = 4,
    Unreachable = 5,
};

struct ExitMeaning {
    ExitCode code;
    std::string_view meaning;
};

inline constexpr std::array kExitMeanings{
    ExitMeaning{ExitCode::Ok, "it worked"},
    ExitMeaning{ExitCode::Failed, "it failed, or a check found a fault"},
    ExitMeaning{ExitCode::Usage, "the command line or a value on it is wrong"},
    ExitMeaning{ExitCode::NotFound, "what was named does not exist"},
    ExitMeaning{ExitCode::Refused, "it conflicts with what exists, or was refused"},
    ExitMeaning{ExitCode::Unreachable,
                "the server or the database cannot be reached, is in use, or is not there"},
};

/// What a command returns: nothing, or the code with which to end; the words were said already.
using Outcome = std::expected<void, ExitCode>;

}  // namespace muster::cli
