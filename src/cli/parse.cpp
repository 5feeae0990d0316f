#include "cli/parse.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/terminal_text.hpp"

namespace muster::cli {

namespace {

// CLI11 only splits words here. What is required, allowed or unknown is decided below, so that an
// unknown option is told before a missing one, with the nearest name.

/// A positional's place among the arguments, since its shown name may be none that CLI11 takes.
std::string parser_name(const Argument& argument, std::size_t place) {
    if (!argument.is_option()) return fmt::format("p{}", place);
    return argument.letter.empty() ? argument.name : "-" + argument.letter + "," + argument.name;
}

void add(CLI::App& app, const Argument& argument, std::size_t place) {
    const auto name = parser_name(argument, place);
    if (argument.is_flag()) {
        app.add_flag(name);
        return;
    }
    auto* option = app.add_option(name)->type_size(1)->take_last();
    if (argument.repeated) {
        option->expected(1, CLI::detail::expected_max_vector_size)->take_all();
        option->allow_extra_args();
    }
}

void build(CLI::App& app, const Command& command) {
    app.set_help_flag();
    app.allow_extras();
    app.require_subcommand(0, 1);
    for (std::size_t i = 0; i < command.arguments.size(); ++i) add(app, command.arguments[i], i);
    for (const auto& argument : common_arguments()) add(app, argument, 0);
    for (const auto& child : command.children) build(*app.add_subcommand(child.name), child);
}

/// The chosen commands, the tree and the parser side by side.
struct Chosen {
    Path path;
    std::vector<const CLI::App*> apps;
};

Chosen chosen(const Command& root, const CLI::App& app) {
    Chosen result{{&root}, {&app}};
    for (auto next = app.get_subcommands(); !next.empty();) {
        result.path.push_back(result.path.back()->child(next.front()->get_name()));
        result.apps.push_back(next.front());
        next = next.front()->get_subcommands();
    }
    return result;
}

std::vector<std::string> results(const CLI::App& app, const Argument& argument, std::size_t place) {
    const auto name = argument.is_option() ? argument.name : parser_name(argument, place);
    return app.get_option(name)->results();
}

/// Common options may stand behind any part of the path: "muster --json org list".
Arguments collect(const Chosen& chosen) {
    Arguments arguments;
    for (const auto& argument : common_arguments()) {
        arguments.declare(argument);
        for (const auto* app : chosen.apps) {
            arguments.give(argument.name, results(*app, argument, 0));
        }
    }
    const auto& own = chosen.path.back()->arguments;
    for (std::size_t i = 0; i < own.size(); ++i) {
        arguments.declare(own[i]);
        arguments.give(own[i].name, results(*chosen.apps.back(), own[i], i));
    }
    return arguments;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
    const auto near = nearest(word, candidates);
    return near.empty() ? std::string{} : fmt::format(" Did you mean \"{}\"?", near);
}

std::string unknown_option(std::string_view word, const Command& command) {
    const auto name = word.substr(0, word.find('='));
    std::vector<std::string_view> known;
    for (const auto* list : {&command.arguments, &common_arguments()}) {
        for (const auto& argument : *list) {
            if (argument.is_option()) known.push_back(argument.name);
        }
    }
    return fmt::format("There is no option \"{}\".{}", printable(name), did_you_mean(name, known));
}

std::string unknown_word(std::string_view word, const Command& command) {
    if (command.children.empty()) {
        return fmt::format("\"{}\" is one argument too many.", printable(word));
    }
    std::vector<std::string_view> known;
    known.reserve(command.children.size());
    for (const auto& child : command.children) known.push_back(child.name);
    return fmt::format("There is no command \"{}\".{}", printable(word), did_you_mean(word, known));
}

/// The first word that nothing took, outermost command first.
std::optional<UsageError> leftover(const Chosen& chosen) {
    for (std::size_t i = 0; i < chosen.apps.size(); ++i) {
        for (const auto& word : chosen.apps[i]->remaining()) {
            if (word == "--") continue;
            const auto& command = *chosen.path[i];
            const bool option = word.size() > 1 && word.starts_with('-');
            // Of an option that was mistaken before its command, the command knows more.
            const auto& owner = option && i == 0 ? *chosen.path.back() : command;
            return UsageError{chosen.path,
                              option ? unknown_option(word, owner) : unknown_word(word, command)};
        }
    }
    return std::nullopt;
}

std::optional<std::string> wrong_choice(const Argument& argument, const std::string& value) {
    if (argument.choices.empty() || std::ranges::count(argument.choices, value) != 0) return {};
    const std::vector<std::string_view> known(argument.choices.begin(), argument.choices.end());
    return fmt::format("{} can be {}, not \"{}\".{}", argument.name, fmt::join(known, ", "),
                       printable(value), did_you_mean(value, known));
}

std::optional<std::string> wrong_number(const Argument& argument, const std::string& value) {
    if (!argument.range) return {};
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    const bool whole = error == std::errc{} && end == value.data() + value.size();
    if (whole && number >= argument.range->least && number <= argument.range->most) return {};
    return fmt::format("{} is a whole number from {} to {}, not \"{}\".", argument.name,
                       argument.range->least, argument.range->most, printable(value));
}

bool is_option_of(const Command& command, std::string_view word) {
    const auto is_it = [word](const Argument& one) { return one.is_option() && one.name == word; };
    return std::ranges::any_of(command.arguments, is_it) ||
           std::ranges::any_of(common_arguments(), is_it);
}

std::optional<std::string> wrong(const Command& command, const Argument& argument,
                                 const Arguments& arguments) {
    const auto& values = arguments.all(argument.name);
    for (const auto& value : values) {
        if (!argument.is_option() || !is_option_of(command, value)) continue;
        return fmt::format("{} needs a value, and {} is an option.", argument.name, value);
    }
    if (argument.required && values.empty()) {
        return fmt::format("{} is missing: {}.", argument.shown(), argument.help);
    }
    for (const auto& value : values) {
        if (auto message = wrong_choice(argument, value)) return message;
        if (auto message = wrong_number(argument, value)) return message;
        if (argument.required && value.empty()) {
            return fmt::format("{} is empty: {}.", argument.name, argument.help);
        }
    }
    return std::nullopt;
}

Parsed judge(Chosen chosen) {
    auto arguments = collect(chosen);
    if (arguments.flag("--help")) return HelpWanted{std::move(chosen.path)};
    if (auto error = leftover(chosen)) return *std::move(error);
    const auto& command = *chosen.path.back();
    if (command.run == nullptr) return HelpWanted{std::move(chosen.path), false};
    for (const auto* list : {&command.arguments, &common_arguments()}) {
        for (const auto& argument : *list) {
            if (auto message = wrong(command, argument, arguments)) {
                return UsageError{chosen.path, *std::move(message)};
            }
        }
    }
    return Invocation{std::move(chosen.path), std::move(arguments)};
}

/// "muster help org create" is "muster org create --help".
void turn_help_around(const Command& root, std::vector<std::string>& words) {
    if (words.empty() || words.front() != "help" || root.child("help") != nullptr) return;
    std::ranges::rotate(words, words.begin() + 1);
    words.back() = "--help";
}

}  // namespace

Parsed parse(const Command& root, std::vector<std::string> words) {
    turn_help_around(root, words);
    CLI::App app{"", root.name};
    build(app, root);
    std::ranges::reverse(words);
    try {
        app.parse(std::move(words));
    } catch (const CLI::ArgumentMismatch& error) {
        const std::string_view what{error.what()};
        return UsageError{chosen(root, app).path,
                          fmt::format("{} needs a value.", what.substr(0, what.find(':')))};
    } catch (const CLI::ParseError& error) {
        return UsageError{chosen(root, app).path, printable(error.what())};
    }
    return judge(chosen(root, app));
}

}  // namespace muster::cli
