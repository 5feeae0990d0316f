#pragma once

#include <string>

#include "cli/command.hpp"

namespace muster::cli {

/// What `--help` shows of the last command of the path: 80 columns, ASCII, without colour.
[[nodiscard]] std::string help(const Path& path);

}  // namespace muster::cli
