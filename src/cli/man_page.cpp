#include "cli/man_page.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace muster::cli {

namespace {

/// Text in roff: a backslash and a hyphen are escaped (groff_char(7)), and no line begins with a
/// control character.
std::string roff(std::string_view text) {
    std::string result;
    for (const char c : text) {
        const bool line_begins = result.empty() || result.back() == '\n';
        if (line_begins && (c == '.' || c == '\'')) result += "\\&";
        switch (c) {
            case '\\':
                result += "\\e";
                break;
            case '-':
                result += "\\-";
                break;
            case '\'':
                result += "\\(aq";
                break;
            case '`':
                result += "\\(ga";
                break;
            case '~':
                result += "\\(ti";
                break;
            case '^':
                result += "\\(ha";
                break;
            default:
                result.push_back(c);
        }
    }
    return result;
}

std::string upper(std::string_view text) {
    std::string result{text};
    for (char& c : result) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return result;
}

std::string paragraphs(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto end = std::min(text.find("\n\n"), text.size());
        result += ".PP\n" + roff(text.substr(0, end)) + "\n";
        text.remove_prefix(std::min(end + 2, text.size()));
    }
    return result;
}

std::string entry(std::string_view term, std::string_view meaning) {
    return fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(term), roff(meaning));
}

std::string argument_entry(const Argument& argument) {
    auto meaning = argument.help;
    if (!argument.choices.empty()) {
        meaning += fmt::format(" ({})", fmt::join(argument.choices, ", "));
    }
    if (!argument.fallback.empty()) meaning += fmt::format("; default: {}", argument.fallback);
    return entry(argument.shown_with_letter(), meaning + ".");
}

std::string examples(const Command& command) {
    std::string text;
    for (const auto& example : command.examples) {
        text += fmt::format(".PP\n{}:\n.PP\n.EX\n    {}\n.EE\n", roff(example.meaning),
                            roff(example.command));
    }
    return text;
}

std::string command_section(const Path& path) {
    const auto& command = *path.back();
    auto text = fmt::format(".SS \"{}\"\n", roff(spelled(path)));
    text += paragraphs(command.summary + ".");
    if (command.run != nullptr) text += ".PP\n\\fB" + roff(usage(path)) + "\\fR\n";
    text += paragraphs(command.description);
    for (const auto& argument : command.arguments) text += argument_entry(argument);
    return text + examples(command);
}

std::string exit_status() {
    std::string text = ".SH EXIT STATUS\n";
    for (const auto& [code, meaning] : kExitMeanings) {
        text += entry(fmt::format("{}", std::to_underlying(code)), meaning);
    }
    return text;
}

std::string environment() {
    return ".SH ENVIRONMENT\n" +
           entry("MUSTER_DATA", "The data directory where --data is not given.") +
           entry("MUSTER_CONFIG", "The file of settings where --config is not given.") +
           entry("MUSTER_...",
                 "Every other setting of muster serve, for example MUSTER_LISTEN and "
                 "MUSTER_LOG_RETENTION_DAYS.") +
           entry("NO_COLOR", "Where it is set, nothing is coloured.");
}

std::string files() {
    return ".SH FILES\n" + entry("DIR/muster.sock",
                                 "In the data directory: where a running server hears the other "
                                 "commands.");
}

}  // namespace

std::string man_page(const Command& root, std::string_view version) {
    auto text = fmt::format(".TH {} 1 \"\" \"Muster {}\" \"User Commands\"\n", upper(root.name),
                            roff(version));
    text += fmt::format(".SH NAME\n{} \\- {}\n", roff(root.name), roff(root.summary));
    text += fmt::format(
        ".SH SYNOPSIS\n\\fB{}\\fR \\fICOMMAND\\fR [\\fIARGUMENTS\\fR] "
        "[\\fIOPTIONS\\fR]\n",
        roff(root.name));
    text += ".SH DESCRIPTION\n" + paragraphs(root.description);
    text += ".SH OPTIONS OF EVERY COMMAND\n";
    for (const auto& argument : common_arguments()) text += argument_entry(argument);
    text += ".SH COMMANDS\n";
    walk(root, [&](const Path& path) {
        if (path.size() > 1) text += command_section(path);
    });
    return text + exit_status() + environment() + files() + ".SH EXAMPLES\n" + examples(root);
}

}  // namespace muster::cli
