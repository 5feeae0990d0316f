#include "cli/command.hpp"

#include <charconv>

#include "base/check.hpp"

namespace muster::cli {

std::string Argument::shown() const {
    if (is_flag()) return name;
    if (is_option()) return name + " " + value;
    return repeated ? name + "..." : name;
}

std::string Argument::shown_with_letter() const {
    return letter.empty() ? shown() : "-" + letter + ", " + shown();
}

void Arguments::give(const std::string& name, std::vector<std::string> values) {
    auto& given = values_.at(name).given;
    given.insert(given.end(), std::make_move_iterator(values.begin()),
                 std::make_move_iterator(values.end()));
}

const Arguments::Entry& Arguments::entry(std::string_view name) const {
    const auto found = values_.find(name);
    MUSTER_CHECK(found != values_.end());
    return found->second;
}

bool Arguments::flag(std::string_view name) const {
    const auto& given = entry(name).given;
    return !given.empty() && given.back() == "true";
}

const std::string& Arguments::text(std::string_view name) const {
    const auto& found = entry(name);
    return found.given.empty() ? found.fallback : found.given.back();
}

std::optional<std::string> Arguments::text_if_given(std::string_view name) const {
    return given(name) ? std::optional{text(name)} : std::nullopt;
}

std::int64_t Arguments::number(std::string_view name) const {
    const auto& digits = text(name);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    MUSTER_CHECK(error == std::errc{} && end == digits.data() + digits.size());
    return value;
}

const Command* Command::child(std::string_view wanted) const {
    for (const auto& candidate : children) {
        if (candidate.name == wanted) return &candidate;
    }
    return nullptr;
}

std::string spelled(const Path& path) {
    std::string text;
    for (const auto* command : path) {
        if (!text.empty()) text.push_back(' ');
        text += command->name;
    }
    return text;
}

std::string usage(const Path& path) {
    std::string text = spelled(path);
    const auto& command = *path.back();
    if (!command.children.empty()) return text + " COMMAND";
    for (const auto& argument : command.arguments) {
        const auto shown = argument.shown();
        text += argument.required ? " " + shown : " [" + shown + "]";
    }
    return text + " [OPTIONS]";
}

const std::vector<Argument>& common_arguments() {
    static const std::vector<Argument> kCommon{
        {.name = "--json", .help = "write JSON, one value a line, instead of text"},
        {.name = "--data",
         .value = "DIR",
         .help = "the data directory (default: MUSTER_DATA, else ./var)",
         .hint = Hint::Directory},
        {.name = "--config",
         .value = "FILE",
         .help = "a TOML file of settings, the server's (default: MUSTER_CONFIG)",
         .hint = Hint::File},
        {.name = "--no-color", .help = "never colour (NO_COLOR does the same)"},
        {.name = "--help", .help = "show how the command is used", .letter = "h"},
    };
    return kCommon;
}

}  // namespace muster::cli
