#pragma once
// The command line as data: one tree of commands, from which the parser, the help texts, the shell
// completions and the manual page are all made. Its texts are ASCII.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/exit_code.hpp"

namespace muster::cli {

struct Range {
    std::int64_t least = 0;
    std::int64_t most = 0;
};

/// What a shell should offer for a value.
enum class Hint : std::uint8_t { None, File, Directory };

/// An option ("--slug") or, without dashes, a positional argument ("NAME").
struct Argument {
    std::string name;
    std::string value;  ///< an option's value in help: "SLUG"; empty for a flag
    std::string help;
    std::string letter;  ///< the short form without its dash: "n"; mostly none
    bool required = false;
    bool repeated = false;             ///< a positional that takes all the rest
    std::vector<std::string> choices;  ///< empty: any
    std::string fallback;              ///< the value where it is not given; empty: none
    std::optional<Range> range;        ///< set: a whole number
    Hint hint = Hint::None;

    [[nodiscard]] bool is_option() const { return name.starts_with('-'); }
    [[nodiscard]] bool is_flag() const { return is_option() && value.empty(); }
    /// "--slug SLUG", "--json", "NAME", "KEY=VALUE..."
    [[nodiscard]] std::string shown() const;
    /// shown() with the short form before it: "-n, --limit N"
    [[nodiscard]] std::string shown_with_letter() const;
};

/// Values as given, checked against their Argument. Asking for an undeclared name is a bug.
class Arguments {
  public:
    void declare(const Argument& argument) { values_[argument.name] = {argument.fallback, {}}; }
    void give(const std::string& name, std::vector<std::string> values);

    [[nodiscard]] bool flag(std::string_view name) const;
    [[nodiscard]] bool given(std::string_view name) const { return !entry(name).given.empty(); }
    /// The last value given, else the fallback, else empty.
    [[nodiscard]] const std::string& text(std::string_view name) const;
    [[nodiscard]] std::optional<std::string> text_if_given(std::string_view name) const;
    /// Of an argument with a range, which therefore is a number.
    [[nodiscard]] std::int64_t number(std::string_view name) const;
    [[nodiscard]] const std::vector<std::string>& all(std::string_view name) const {
        return entry(name).given;
    }

  private:
    struct Entry {
        std::string fallback;
        std::vector<std::string> given;
    };
    [[nodiscard]] const Entry& entry(std::string_view name) const;

    std::map<std::string, Entry, std::less<>> values_;
};

class Session;

struct Example {
    std::string command;
    std::string meaning;
};

struct Command {
    std::string name;
    std::string summary;      ///< one line without a full stop
    std::string description;  ///< paragraphs
    std::vector<Argument> arguments;
    std::vector<Example> examples;
    /// May make a data directory where there is none.
    bool makes_data_directory = false;
    Outcome (*run)(Session&, const Arguments&) = nullptr;  ///< null where there are children
    std::vector<Command> children;

    [[nodiscard]] const Command* child(std::string_view wanted) const;
};

/// The commands from the root down to the one that was meant; never empty.
using Path = std::vector<const Command*>;

/// "muster org create"
[[nodiscard]] std::string spelled(const Path& path);
/// "muster org create NAME [--slug SLUG] [OPTIONS]" or "muster org COMMAND"
[[nodiscard]] std::string usage(const Path& path);
/// The options that every command takes.
[[nodiscard]] const std::vector<Argument>& common_arguments();

/// Calls `visit(path)` for every command, parents first, in the order of the tree.
template <class Visitor>
void walk(const Command& root, Visitor visit) {
    struct Walker {
        Visitor& visit;
        Path path;
        void go(const Command& command) {
            path.push_back(&command);
            visit(static_cast<const Path&>(path));
            for (const auto& child : command.children) go(child);
            path.pop_back();
        }
    };
    Walker{visit, {}}.go(root);
}

}  // namespace muster::cli
