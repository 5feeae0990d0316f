#pragma once

#include <string>
#include <string_view>

#include "cli/command.hpp"

namespace muster::cli {

/// muster.1: the whole tree in man(7) macros. The same tree and version give the same text.
[[nodiscard]] std::string man_page(const Command& root, std::string_view version);

}  // namespace muster::cli
