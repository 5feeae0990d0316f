#pragma once
// One run of one command: what it may reach of the world, and how it asks and answers.

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/application.hpp"
#include "base/secret.hpp"
#include "cli/admin_client.hpp"
#include "cli/command.hpp"
#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "conform/run.hpp"
#include "simulator/simulation.hpp"

namespace muster::cli {

/// Everything outside the command line. main wires the real world, tests a small one.
struct Environment {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool in_is_terminal = false;
    bool out_is_terminal = false;
    bool err_is_terminal = false;
    /// An environment variable; nothing where it is unset or empty.
    std::function<std::optional<std::string>(const char*)> variable;
    std::function<ClientResult(const app::ServeOptions& installation, bool may_make_directory)>
        connect;
    std::function<int(const app::ServeOptions&)> serve;
    std::function<std::vector<app::DoctorCheck>(const app::ServeOptions&)> doctor;
    std::function<std::expected<app::SchemaVersion, app::Failure>(const app::ServeOptions&)>
        schema_version;
    std::function<std::expected<app::SchemaVersion, app::Failure>(const app::ServeOptions&,
                                                                  std::optional<std::int64_t>)>
        migrate;
    std::function<std::expected<app::Transferred, app::Failure>(
        const std::string& from, const std::string& to, const app::TransferProgress&)>
        copy;
    std::function<std::expected<app::Transferred, app::Failure>(
        const app::ServeOptions&, const std::string& file, const app::TransferProgress&)>
        backup;
    std::function<std::expected<app::Transferred, app::Failure>(
        const app::ServeOptions&, const std::string& file, const app::TransferProgress&)>
        restore;
    std::function<simulator::Report(const simulator::Options&, const simulator::Progress&)>
        simulate;
    std::function<std::expected<conform::Report, std::string>(const conform::Options&,
                                                              const conform::Progress&)>
        conform;
    /// Waits between two looks at what has no end; false: stop looking.
    std::function<bool()> wait;
    std::string version;
};

class Session {
  public:
    /// Neither copies nor owns: all three must outlive it.
    Session(const Environment& environment, const Command& root, const Invocation& invocation);

    [[nodiscard]] const Environment& environment() const { return environment_; }
    [[nodiscard]] const Command& root() const { return root_; }
    [[nodiscard]] Output& out() { return output_; }

    /// The answer's body where the status is below 400. Else it was told on stderr, and the error
    /// is how to end. Connects at the first call.
    [[nodiscard]] std::expected<json::Object, ExitCode> ask(std::string_view method,
                                                            const std::string& target,
                                                            const json::Object& body = {});
    /// Whether a server answers `ask`; false before its first call.
    [[nodiscard]] bool live() const { return client_ != nullptr && client_->live(); }

    /// Says why on stderr and is the error with which a command returns.
    [[nodiscard]] std::unexpected<ExitCode> fail(ExitCode code, std::string_view detail,
                                                 std::string_view remedy = {});
    [[nodiscard]] std::unexpected<ExitCode> fail(const app::Failure& failure);

    /// A line typed in answer to `question`; nothing at the end of the input.
    [[nodiscard]] std::optional<std::string> question(std::string_view question);
    /// The text of a file, "-" being standard input, as far as 1 MiB.
    [[nodiscard]] std::expected<std::string, ExitCode> read_text(const std::string& file);
    /// The token in such a file, without the white space around it.
    [[nodiscard]] std::expected<Secret, ExitCode> read_secret(const std::string& file);

  private:
    const Environment& environment_;
    const Command& root_;
    const Invocation& invocation_;
    Output output_;
    std::unique_ptr<AdminClient> client_;
};

/// What the options of every command say of the installation that is meant.
[[nodiscard]] app::ServeOptions installation_of(const Arguments& arguments);
/// The options that say which database is meant, beside --data and --config, and what they say.
[[nodiscard]] std::vector<Argument> database_arguments();
[[nodiscard]] app::ServeOptions database_of(const Arguments& arguments);

/// A list answer as a table, or whole as JSON; `none` is said where the list is empty.
Outcome list(Session& session, const json::Object& answer, std::string_view member,
             std::span<const Column> columns, std::string_view none);

}  // namespace muster::cli
