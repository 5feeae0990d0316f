// What is generated from the tree: help, manual page, completion scripts.

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"
#include "cli/man_page.hpp"
#include "cli/parse.hpp"
#include "cli/terminal_text.hpp"

extern char** environ;

namespace muster::cli {
namespace {

using testing::HasSubstr;

/// Writes `text` to a file, runs a program on it and returns all that it said. `status` is its
/// exit code, 127 where there is no such program.
std::string run_on(const std::string& text, std::vector<std::string> program, int& status) {
    std::string file = (std::filesystem::temp_directory_path() / "muster-page-XXXXXX").string();
    const int input = ::mkstemp(file.data());
    EXPECT_EQ(::write(input, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(input);
    const auto answer = file + ".out";
    program.push_back(file);
    std::vector<char*> words;
    for (auto& word : program) words.push_back(word.data());
    words.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, answer.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child = 0;
    const int spawned =
        ::posix_spawnp(&child, words.front(), &actions, nullptr, words.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    status = 127;
    if (spawned == 0) {
        ::waitpid(child, &status, 0);
        status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::ifstream stream(answer);
    std::string said{std::istreambuf_iterator<char>(stream), {}};
    std::filesystem::remove(file);
    std::filesystem::remove(answer);
    return said;
}

std::vector<const Argument*> all_arguments(const Command& command) {
    std::vector<const Argument*> all;
    for (const auto& argument : command.arguments) all.push_back(&argument);
    for (const auto& argument : common_arguments()) all.push_back(&argument);
    return all;
}

bool is_plain_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); });
}

/// The words of an example up to a pipe or a redirection, as a shell would split them.
std::vector<std::string> shell_words(std::string_view command) {
    std::vector<std::string> words;
    std::string word;
    char quote = '\0';
    for (const char c : command) {
        if (quote == '\0' && (c == '|' || c == '>')) break;
        if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (quote == '\0' && c == ' ') {
            if (!word.empty()) words.push_back(std::exchange(word, {}));
        } else {
            word.push_back(c);
        }
    }
    if (!word.empty()) words.push_back(word);
    return words;
}

TEST(CommandTree, HasASummaryAndAnExampleForEveryCommand) {
    const auto root = muster_command();
    walk(root, [](const Path& path) {
        const auto& command = *path.back();
        EXPECT_FALSE(command.summary.empty()) << spelled(path);
        EXPECT_FALSE(command.summary.ends_with('.')) << spelled(path);
        EXPECT_TRUE(command.description.empty() || command.description.ends_with('.'))
            << spelled(path);
        EXPECT_NE(command.run == nullptr, command.children.empty()) << spelled(path);
        if (command.run != nullptr) {
            EXPECT_FALSE(command.examples.empty()) << spelled(path);
        }
        for (const auto& example : command.examples) {
            EXPECT_FALSE(example.meaning.empty()) << example.command;
        }
        for (const auto* argument : all_arguments(command)) {
            EXPECT_FALSE(argument->help.empty()) << argument->name;
            EXPECT_FALSE(argument->help.ends_with('.')) << argument->name;
        }
    });
}

TEST(CommandTree, NamesNoOptionTwice) {
    const auto root = muster_command();
    walk(root, [](const Path& path) {
        std::vector<std::string> names;
        for (const auto* argument : all_arguments(*path.back())) {
            names.push_back(argument->name);
            if (!argument->letter.empty()) names.push_back("-" + argument->letter);
        }
        std::ranges::sort(names);
        EXPECT_EQ(std::ranges::adjacent_find(names), names.end()) << spelled(path);
    });
}

TEST(CommandTree, TakesItsOwnExamples) {
    const auto root = muster_command();
    walk(root, [&](const Path& path) {
        for (const auto& example : path.back()->examples) {
            auto words = shell_words(example.command);
            ASSERT_FALSE(words.empty());
            EXPECT_EQ(words.front(), "muster");
            words.erase(words.begin());
            const auto parsed = parse(root, words);
            const auto* error = std::get_if<UsageError>(&parsed);
            EXPECT_EQ(error, nullptr) << example.command << ": " << error->message;
        }
    });
}

TEST(Help, IsPlainTextOfEightyColumnsForEveryCommand) {
    const auto root = muster_command();
    walk(root, [](const Path& path) {
        const auto text = help(path);
        EXPECT_TRUE(is_plain_ascii(text)) << text;
        EXPECT_THAT(text, HasSubstr("Usage: " + spelled(path)));
        for (const auto* argument : all_arguments(*path.back())) {
            EXPECT_THAT(text, HasSubstr("  " + argument->shown_with_letter()));
        }
        std::istringstream lines{text};
        for (std::string line; std::getline(lines, line);) {
            const bool example = line.starts_with("  muster ");
            EXPECT_TRUE(example || line.size() <= 80) << line;
        }
    });
}

TEST(Help, ShowsOneCommandLikeThis) {
    const auto root = muster_command();
    const auto* org = root.child("org");
    EXPECT_EQ(help({&root, org, org->child("delete")}),
              R"(Delete an organisation with everything in it.

Usage: muster org delete SLUG [--confirm SLUG] [OPTIONS]

Examples:
  # Asks first
  muster org delete acme
  # In a script
  muster org delete acme --confirm=acme

Its users, groups, connectors, tokens and log go at once and for good; the
server erases their rows in the minutes after. On a terminal you type the slug;
a script gives --confirm.

Arguments:
  SLUG  the organisation's short name

Options:
  --confirm SLUG  the slug once more, instead of being asked

Options of every command:
  --json         write JSON, one value a line, instead of text
  --data DIR     the data directory (default: MUSTER_DATA, else ./var)
  --config FILE  a TOML file of settings, the server's (default: MUSTER_CONFIG)
  --no-color     never colour (NO_COLOR does the same)
  -h, --help     show how the command is used
)");
}

TEST(Help, TellsTheExitCodes) {
    const auto root = muster_command();
    EXPECT_THAT(help({&root}), HasSubstr("\n  3  what was named does not exist\n"));
}

TEST(ManPage, NamesEveryCommandAndOption) {
    const auto root = muster_command();
    const auto page = man_page(root, "1.2.3");
    EXPECT_TRUE(is_plain_ascii(page));
    EXPECT_THAT(page, testing::StartsWith(".TH MUSTER 1 \"\" \"Muster 1.2.3\" \"User Commands\"\n"
                                          ".SH NAME\nmuster \\- "));
    EXPECT_THAT(page, HasSubstr(".SS \"muster org create\"\n"));
    EXPECT_THAT(page, HasSubstr("\\fB\\-\\-token\\-file FILE\\fR\n"));
    EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n"));
    EXPECT_EQ(page, man_page(root, "1.2.3"));
}

TEST(ManPage, EscapesWhatRoffWouldTakeAsARequest) {
    const Command root{
        .name = "m", .summary = ".so /etc/passwd", .description = ".rm x \\fB 'y' ~a ^b `c\n\n'z"};
    const auto page = man_page(root, "1");
    EXPECT_THAT(page, HasSubstr("m \\- \\&.so /etc/passwd\n"));
    EXPECT_THAT(page, HasSubstr("\n\\&.rm x \\efB \\(aqy\\(aq \\(tia \\(hab \\(gac\n"));
    EXPECT_THAT(page, HasSubstr("\n\\&\\(aqz\n"));
}

TEST(ManPage, PassesGroffWithoutAWarning) {
    int status = 0;
    const auto said = run_on(man_page(muster_command(), "1.2.3"),
                             {"groff", "-man", "-Tutf8", "-ww", "-z"}, status);
    if (status == 127) GTEST_SKIP() << "groff is not installed";
    EXPECT_EQ(status, 0);
    EXPECT_EQ(said, "");
}

TEST(Completion, PassesTheSyntaxCheckOfEachShell) {
    const auto root = muster_command();
    for (const std::string shell : {"bash", "zsh", "fish"}) {
        int status = 0;
        const auto said = run_on(completion_script(root, shell), {shell, "-n"}, status);
        if (status == 127) continue;  // that shell is not installed
        EXPECT_EQ(status, 0) << shell;
        EXPECT_EQ(said, "") << shell;
    }
}

/// What bash offers for the last of these words, in its order.
std::string offered(const std::string& words) {
    auto script = completion_script(muster_command(), "bash");
    script += "COMP_WORDS=(" + words + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n" +
              "compopt() { :; }\n_muster\necho \"${COMPREPLY[*]}\"\n";
    int status = 0;
    auto said = run_on(script, {"bash", "--norc"}, status);
    EXPECT_EQ(status, 0) << said;
    if (said.ends_with('\n')) said.pop_back();
    return said;
}

TEST(Completion, OffersCommandsOptionsAndChoicesInBash) {
    EXPECT_EQ(offered("muster co"), "connector conform copy completion");
    EXPECT_EQ(offered("muster org c"), "create");
    EXPECT_EQ(offered("muster --json org s"), "show");
    EXPECT_EQ(offered("muster org create --s"), "--slug");
    EXPECT_EQ(offered("muster connector create --idp ''"),
              "okta entra entra-flagged onelogin jumpcloud ping google sailpoint cyberark generic "
              "strict");
    EXPECT_EQ(offered("muster connector create --idp '=' e"), "entra entra-flagged");
    EXPECT_EQ(offered("muster connector create --idp '='"),
              "okta entra entra-flagged onelogin jumpcloud ping google sailpoint cyberark generic "
              "strict");
    EXPECT_EQ(offered("muster connector create --name ''"), "");
    EXPECT_EQ(offered("muster completion b"), "bash");
    EXPECT_EQ(offered("muster nonsense x"), "");
    EXPECT_EQ(offered("muster --data /et"), "/etc");
}

TEST(Completion, NamesEveryCommandInEveryShell) {
    const auto root = muster_command();
    for (const std::string shell : {"bash", "zsh", "fish"}) {
        const auto script = completion_script(root, shell);
        EXPECT_TRUE(is_plain_ascii(script)) << shell;
        walk(root, [&](const Path& path) {
            if (path.size() == 1) return;
            EXPECT_THAT(script, HasSubstr("' " + spelled(path).substr(7) + "'")) << shell;
        });
    }
}

}  // namespace
}  // namespace muster::cli
