#include "cli/completion.hpp"

#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/check.hpp"

namespace muster::cli {

namespace {

// All three scripts find the command that is being typed in the same way: they take the words one
// by one and keep those that lead from a known path to a known path (" org" to " org create").

/// " org create": how the scripts write a path; the root's is empty.
std::string key(const Path& path) {
    std::string text;
    for (std::size_t i = 1; i < path.size(); ++i) text += " " + path[i]->name;
    return text;
}

std::string replaced(std::string_view text, char what, std::string_view by) {
    std::string result;
    for (const char c : text) {
        if (c == what) {
            result += by;
        } else {
            result.push_back(c);
        }
    }
    return result;
}

/// A word for bash and zsh.
std::string single_quoted(std::string_view text) {
    return "'" + replaced(text, '\'', "'\\''") + "'";
}

std::string fish_quoted(std::string_view text) {
    return "'" + replaced(replaced(text, '\\', "\\\\"), '\'', "\\'") + "'";
}

std::vector<std::string> keys(const Command& root, auto quote) {
    std::vector<std::string> result;
    walk(root, [&](const Path& path) {
        if (path.size() > 1) result.push_back(quote(key(path)));
    });
    return result;
}

// ---- bash -------------------------------------------------------------------------------------

std::string bash_values(const Argument& argument) {
    switch (argument.hint) {
        case Hint::File:
            return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$current\")";
        case Hint::Directory:
            return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$current\")";
        case Hint::None:
            break;
    }
    if (argument.choices.empty()) return ":";
    return fmt::format("mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$current\")",
                       fmt::join(argument.choices, " "));
}

void add_bash_option(std::string& cases, std::string_view pattern, const Argument& argument) {
    if (!argument.is_option() || argument.is_flag()) return;
    cases += fmt::format("        {}{}) {}; return ;;\n", pattern,
                         single_quoted(" " + argument.name), bash_values(argument));
    if (!argument.letter.empty()) {
        cases += fmt::format("        {}{}) {}; return ;;\n", pattern,
                             single_quoted(" -" + argument.letter), bash_values(argument));
    }
}

/// What may be typed behind a path: commands, options and the choices of positionals.
std::string words(const Path& path) {
    std::vector<std::string> all;
    const auto& command = *path.back();
    all.reserve(command.children.size());
    for (const auto& child : command.children) all.push_back(child.name);
    for (const auto& argument : command.arguments) {
        if (argument.is_option()) {
            all.push_back(argument.name);
        } else {
            all.insert(all.end(), argument.choices.begin(), argument.choices.end());
        }
    }
    for (const auto& argument : common_arguments()) all.push_back(argument.name);
    return fmt::format("{}", fmt::join(all, " "));
}

std::string bash_script(const Command& root) {
    std::string values;
    std::string words_of_paths;
    walk(root, [&](const Path& path) {
        for (const auto& argument : path.back()->arguments) {
            add_bash_option(values, single_quoted(key(path)), argument);
        }
        words_of_paths += fmt::format("        {}) words={} ;;\n", single_quoted(key(path)),
                                      single_quoted(words(path)));
    });
    for (const auto& argument : common_arguments()) add_bash_option(values, "*", argument);
    constexpr std::string_view kScript =
        R"(# bash completion for {name}; made by "{name} completion bash"
_{name}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}}
    local at='' words='' i
    COMPREPLY=()
    # "--option=value" comes as three words.
    if [[ $current == '=' ]]; then current=''; fi
    if [[ $previous == '=' ]]; then previous=${{COMP_WORDS[COMP_CWORD-2]}}; fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${{COMP_WORDS[i]}}" in
        {keys}) at="$at ${{COMP_WORDS[i]}}" ;;
        esac
    done
    case "$at $previous" in
{values}    esac
    case "$at" in
{words}    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}}
complete -F _{name} {name}
)";
    return fmt::format(kScript, fmt::arg("name", root.name),
                       fmt::arg("keys", fmt::join(keys(root, single_quoted), "|")),
                       fmt::arg("values", values), fmt::arg("words", words_of_paths));
}

// ---- zsh --------------------------------------------------------------------------------------

/// Text within an _arguments specification.
std::string zsh_text(std::string_view text) {
    auto result = replaced(text, '\\', "\\\\");
    for (const char c : {'[', ']', ':'}) result = replaced(result, c, std::string{'\\', c});
    return result;
}

std::string zsh_action(const Argument& argument) {
    if (argument.hint == Hint::File) return "_files";
    if (argument.hint == Hint::Directory) return "_files -/";
    if (argument.choices.empty()) return " ";
    return fmt::format("({})", fmt::join(argument.choices, " "));
}

void add_zsh_specifications(std::vector<std::string>& all, const Argument& argument,
                            std::size_t place) {
    if (!argument.is_option()) {
        const auto number = argument.repeated ? std::string{"*"} : fmt::format("{}", place);
        all.push_back(single_quoted(
            fmt::format("{}:{}:{}", number, zsh_text(argument.name), zsh_action(argument))));
        return;
    }
    const auto help = zsh_text(argument.help);
    const auto value = argument.is_flag()
                           ? std::string{}
                           : fmt::format(":{}:{}", zsh_text(argument.value), zsh_action(argument));
    const auto* sign = argument.is_flag() ? "" : "=";
    all.push_back(single_quoted(fmt::format("{}{}[{}]{}", argument.name, sign, help, value)));
    if (argument.letter.empty()) return;
    all.push_back(single_quoted(fmt::format("-{}[{}]{}", argument.letter, help, value)));
}

/// A command's arguments; the words of its path are the first positionals.
std::string zsh_arguments(const Path& path) {
    std::vector<std::string> all;
    std::size_t place = 1;
    for (; place < path.size(); ++place) all.push_back(fmt::format("'{}: : '", place));
    for (const auto& argument : path.back()->arguments) {
        add_zsh_specifications(all, argument, place);
        if (!argument.is_option()) ++place;
    }
    for (const auto& argument : common_arguments()) add_zsh_specifications(all, argument, place);
    return fmt::format("_arguments {}", fmt::join(all, " \\\n            "));
}

std::string zsh_commands(const Command& command) {
    std::vector<std::string> all;
    all.reserve(command.children.size());
    for (const auto& child : command.children) {
        all.push_back(single_quoted(child.name + ":" + zsh_text(child.summary)));
    }
    return fmt::format("commands=({})\n        _describe command commands",
                       fmt::join(all, "\n            "));
}

std::string zsh_script(const Command& root) {
    std::string cases;
    walk(root, [&](const Path& path) {
        cases += fmt::format(
            "    ({})\n        {}\n        ;;\n", single_quoted(key(path)),
            path.back()->children.empty() ? zsh_arguments(path) : zsh_commands(*path.back()));
    });
    constexpr std::string_view kScript = R"(#compdef {name}
# zsh completion for {name}; made by "{name} completion zsh"
_{name}() {{
    local at=''
    local -i i
    local -a commands
    for ((i = 2; i < CURRENT; i++)); do
        case "$at ${{words[i]}}" in
        ({keys}) at="$at ${{words[i]}}" ;;
        esac
    done
    case "$at" in
{cases}    esac
}}
if [[ "${{funcstack[1]}}" == "_{name}" ]]; then _{name} "$@"; else compdef _{name} {name}; fi
)";
    return fmt::format(kScript, fmt::arg("name", root.name),
                       fmt::arg("keys", fmt::join(keys(root, single_quoted), "|")),
                       fmt::arg("cases", cases));
}

// ---- fish -------------------------------------------------------------------------------------

std::string fish_values(const Argument& argument) {
    if (argument.is_flag()) return "";
    if (argument.hint == Hint::File) return " -r -F";
    if (argument.hint == Hint::Directory) return " -x -a '(__fish_complete_directories)'";
    if (argument.choices.empty()) return " -x";
    return fmt::format(" -x -a '{}'", fmt::join(argument.choices, " "));
}

std::string fish_argument(const std::string& start, const Argument& argument) {
    if (!argument.is_option()) {
        if (argument.choices.empty()) return {};
        return fmt::format("{} -a '{}' -d {}\n", start, fmt::join(argument.choices, " "),
                           fish_quoted(argument.help));
    }
    const auto letter = argument.letter.empty() ? std::string{} : " -s " + argument.letter;
    return fmt::format("{}{} -l {}{} -d {}\n", start, letter, argument.name.substr(2),
                       fish_values(argument), fish_quoted(argument.help));
}

std::string fish_script(const Command& root) {
    std::string lines;
    walk(root, [&](const Path& path) {
        const auto start =
            fmt::format("complete -c {0} -n \"__{0}_at {1}\"", root.name, fish_quoted(key(path)));
        for (const auto& child : path.back()->children) {
            lines += fmt::format("{} -a {} -d {}\n", start, child.name, fish_quoted(child.summary));
        }
        for (const auto& argument : path.back()->arguments) {
            lines += fish_argument(start, argument);
        }
    });
    for (const auto& argument : common_arguments()) {
        lines += fish_argument(fmt::format("complete -c {}", root.name), argument);
    }
    constexpr std::string_view kScript =
        R"(# fish completion for {name}; made by "{name} completion fish"
function __{name}_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l at ''
    for word in $words
        switch "$at $word"
            case {keys}
                set at "$at $word"
        end
    end
    test "$at" = "$argv[1]"
end
complete -c {name} -f
{lines})";
    return fmt::format(kScript, fmt::arg("name", root.name),
                       fmt::arg("keys", fmt::join(keys(root, fish_quoted), " ")),
                       fmt::arg("lines", lines));
}

}  // namespace

std::string completion_script(const Command& root, std::string_view shell) {
    if (shell == "bash") return bash_script(root);
    if (shell == "zsh") return zsh_script(root);
    MUSTER_CHECK(shell == "fish");
    return fish_script(root);
}

}  // namespace muster::cli
