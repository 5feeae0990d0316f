// muster version, completion, man: what the program says of itself.

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/man_page.hpp"
#include "cli/session.hpp"

namespace muster::cli {

namespace {

Outcome version(Session& session, const Arguments&) {
    const auto& number = session.environment().version;
    if (session.out().json()) {
        session.out().value(json::Object{{"version", number}});
    } else {
        session.out().line("muster " + number);
    }
    return {};
}

Outcome completion(Session& session, const Arguments& arguments) {
    session.out().raw(completion_script(session.root(), arguments.text("SHELL")));
    return {};
}

Outcome man(Session& session, const Arguments&) {
    session.out().raw(man_page(session.root(), session.environment().version));
    return {};
}

}  // namespace

Command version_command() {
    return {.name = "version",
            .summary = "Show the version",
            .examples = {{"muster version", "For a bug report"}},
            .run = version};
}

Command completion_command() {
    return {.name = "completion",
            .summary = "Write a completion script for a shell",
            .arguments = {{.name = "SHELL",
                           .help = "the shell",
                           .required = true,
                           .choices = {"bash", "zsh", "fish"}}},
            .examples = {{"muster completion bash > /etc/bash_completion.d/muster", "For bash"},
                         {"muster completion zsh > ~/.zfunc/_muster",
                          "For zsh, where ~/.zfunc is in fpath"},
                         {"muster completion fish > ~/.config/fish/completions/muster.fish",
                          "For fish"}},
            .run = completion};
}

Command man_command() {
    return {.name = "man",
            .summary = "Write the manual page",
            .examples = {{"muster man | man -l -", "Read it"},
                         {"muster man > /usr/local/share/man/man1/muster.1", "Install it"}},
            .run = man};
}

}  // namespace muster::cli
