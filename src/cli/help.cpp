#include "cli/help.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/terminal_text.hpp"

namespace muster::cli {

namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kWidestTerm = 26;

using Rows = std::vector<std::pair<std::string, std::string>>;

/// Terms on the left, what they mean on the right; a wide term has its line for itself.
std::string section(std::string_view title, const Rows& rows) {
    if (rows.empty()) return {};
    std::size_t widest = 0;
    for (const auto& [term, meaning] : rows) {
        if (term.size() <= kWidestTerm) widest = std::max(widest, term.size());
    }
    const auto indent = widest + 4;
    std::string text = fmt::format("\n{}:\n", title);
    for (const auto& [term, meaning] : rows) {
        text += "  " + pad_right(term, widest) + "  ";
        if (term.size() > widest) text += "\n" + std::string(indent, ' ');
        text += wrap(meaning, kWidth, indent) + "\n";
    }
    return text;
}

std::string meaning(const Argument& argument) {
    auto text = argument.help;
    if (!argument.choices.empty()) text += fmt::format(" ({})", fmt::join(argument.choices, ", "));
    if (!argument.fallback.empty()) text += fmt::format(" (default: {})", argument.fallback);
    return text;
}

Rows rows(const std::vector<Argument>& arguments, bool options) {
    Rows result;
    for (const auto& argument : arguments) {
        if (argument.is_option() == options) {
            result.emplace_back(argument.shown_with_letter(), meaning(argument));
        }
    }
    return result;
}

Rows command_rows(const Command& command) {
    Rows result;
    for (const auto& child : command.children) result.emplace_back(child.name, child.summary);
    return result;
}

std::string examples(const Command& command) {
    if (command.examples.empty()) return {};
    std::string text = "\nExamples:\n";
    for (const auto& example : command.examples) {
        text += fmt::format("  # {}\n  {}\n", example.meaning, example.command);
    }
    return text;
}

std::string exit_codes() {
    Rows result;
    for (const auto& [code, meaning] : kExitMeanings) {
        result.emplace_back(fmt::format("{}", std::to_underlying(code)), meaning);
    }
    return section("Exit codes", result);
}

}  // namespace

std::string help(const Path& path) {
    const auto& command = *path.back();
    constexpr std::size_t kUsageIndent = 7;
    std::string text =
        fmt::format("{}.\n\nUsage: {}\n", command.summary, wrap(usage(path), kWidth, kUsageIndent));
    text += examples(command);
    if (!command.description.empty()) text += "\n" + wrap(command.description, kWidth, 0) + "\n";
    text += section("Commands", command_rows(command));
    text += section("Arguments", rows(command.arguments, false));
    text += section("Options", rows(command.arguments, true));
    text += section("Options of every command", rows(common_arguments(), true));
    if (path.size() == 1) text += exit_codes();
    return text;
}

}  // namespace muster::cli
