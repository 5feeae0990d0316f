#pragma once

#include <string>
#include <string_view>

#include "cli/command.hpp"

namespace muster::cli {

/// The script that completes the tree's commands, options and choices in "bash", "zsh" or "fish".
[[nodiscard]] std::string completion_script(const Command& root, std::string_view shell);

}  // namespace muster::cli
