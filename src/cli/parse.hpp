#pragma once
// From words to a command and its arguments.

#include <string>
#include <variant>
#include <vector>

#include "cli/command.hpp"

namespace muster::cli {

struct Invocation {
    Path path;
    Arguments arguments;
};

/// Asked for with --help, or due because the line ended before a command (`asked` is false).
struct HelpWanted {
    Path path;
    bool asked = true;
};

/// `message` is a sentence that names the word that is wrong and, where one is near, the one that
/// was probably meant.
struct UsageError {
    Path path;  ///< as far as it was understood
    std::string message;
};

using Parsed = std::variant<Invocation, HelpWanted, UsageError>;

/// `words` without the program's name. Paths in the result point into `root`.
[[nodiscard]] Parsed parse(const Command& root, std::vector<std::string> words);

}  // namespace muster::cli
