#pragma once

#include <string>
#include <vector>

#include "cli/session.hpp"

namespace muster::cli {

/// Runs one command line, `words` being without the program's name. Returns the exit code.
[[nodiscard]] int run(const Environment& environment, std::vector<std::string> words);

}  // namespace muster::cli
