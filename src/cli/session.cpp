#include "cli/session.hpp"

#include <filesystem>
#include <fstream>
#include <istream>
#include <ostream>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/terminal_text.hpp"

namespace muster::cli {

namespace {

constexpr std::size_t kMaxSecretBytes = 64 * 1024;
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;

Style style_of(const Environment& environment, const Arguments& arguments) {
    const bool colour = !arguments.flag("--no-color") && !environment.variable("NO_COLOR") &&
                        environment.variable("TERM").value_or("") != "dumb";
    return {.json = arguments.flag("--json"),
            .colour_out = colour && environment.out_is_terminal,
            .colour_err = colour && environment.err_is_terminal};
}

ExitCode exit_code_of(int status) {
    switch (status) {
        case 404:
            return ExitCode::NotFound;
        case 401:
        case 403:
        case 409:
        case 412:
        case 429:
            return ExitCode::Refused;
        case 503:
            return ExitCode::Unreachable;
        default:
            return status < 500 ? ExitCode::Usage : ExitCode::Failed;
    }
}

ExitCode exit_code_of(app::Failure::Why why) {
    switch (why) {
        case app::Failure::Why::WrongSetting:
            return ExitCode::Usage;
        case app::Failure::Why::Refused:
            return ExitCode::Refused;
        case app::Failure::Why::Unreachable:
            return ExitCode::Unreachable;
        case app::Failure::Why::Failed:
            break;
    }
    return ExitCode::Failed;
}

/// Up to the limit and one byte more, by which a too large input is noticed.
std::string read_some(std::istream& in) {
    std::string text(kMaxTextBytes, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

}  // namespace

Session::Session(const Environment& environment, const Command& root, const Invocation& invocation)
    : environment_(environment),
      root_(root),
      invocation_(invocation),
      output_(environment.out, environment.err, style_of(environment, invocation.arguments)) {}

std::expected<json::Object, ExitCode> Session::ask(std::string_view method,
                                                   const std::string& target,
                                                   const json::Object& body) {
    if (client_ == nullptr) {
        auto client = environment_.connect(installation_of(invocation_.arguments),
                                           invocation_.path.back()->makes_data_directory);
        if (!client) return fail(ExitCode::Unreachable, client.error());
        client_ = *std::move(client);
        // Also where JSON was asked for: who forgot the settings in a script should find out.
        if (const auto made = client_->made(); !made.empty()) {
            environment_.err << fmt::format(
                "A new data directory was made: {}. To name another one: --data DIR, --config "
                "FILE, or MUSTER_DATA, MUSTER_CONFIG in the environment.\n",
                printable(std::filesystem::absolute(made).lexically_normal().string()));
        }
    }
    auto answer = client_->call(method, target, body);
    if (!answer) {
        return fail(ExitCode::Unreachable, fmt::format("No answer: {}.", answer.error()),
                    "Look at the server's log: was it stopped?");
    }
    if (answer->status >= 400) {
        output_.problem(answer->body);
        return std::unexpected(exit_code_of(answer->status));
    }
    return std::move(answer->body);
}

std::unexpected<ExitCode> Session::fail(ExitCode code, std::string_view detail,
                                        std::string_view remedy) {
    output_.error(detail, remedy);
    return std::unexpected(code);
}

std::unexpected<ExitCode> Session::fail(const app::Failure& failure) {
    const std::string& message = failure.message;
    const bool ends = message.ends_with('.') || message.ends_with('?');
    return fail(exit_code_of(failure.why), message + (ends ? "" : "."));
}

std::optional<std::string> Session::question(std::string_view question) {
    environment_.err << question << ' ' << std::flush;
    std::string line;
    if (!std::getline(environment_.in, line)) return std::nullopt;
    return line;
}

std::expected<std::string, ExitCode> Session::read_text(const std::string& file) {
    if (file == "-") {
        if (environment_.in_is_terminal) output_.say("Paste the text, then press Ctrl-D:");
        return read_some(environment_.in);
    }
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        return fail(ExitCode::Usage, fmt::format("Cannot read the file \"{}\".", file));
    }
    return read_some(stream);
}

std::expected<Secret, ExitCode> Session::read_secret(const std::string& file) {
    TRY_ASSIGN(auto text, read_text(file));
    constexpr std::string_view kBlank = " \t\r\n";
    const auto begin = text.find_first_not_of(kBlank);
    const auto end = text.find_last_not_of(kBlank);
    Secret whole{std::move(text)};
    if (begin == std::string::npos || whole.reveal().size() > kMaxSecretBytes) {
        return fail(ExitCode::Usage, fmt::format("There is no token in \"{}\".", file),
                    "It must hold one token and nothing else.");
    }
    return Secret{std::string{whole.reveal().substr(begin, end - begin + 1)}};
}

app::ServeOptions installation_of(const Arguments& arguments) {
    app::ServeOptions options;
    if (const auto data = arguments.text_if_given("--data")) options.data = *data;
    if (const auto config = arguments.text_if_given("--config")) options.config = *config;
    return options;
}

app::ServeOptions database_of(const Arguments& arguments) {
    app::ServeOptions options = installation_of(arguments);
    options.database = arguments.text_if_given("--database");
    return options;
}

std::vector<Argument> database_arguments() {
    return {{.name = "--database",
             .value = "URL",
             .help = "postgres://... (default: SQLite in the data directory)"}};
}

Outcome list(Session& session, const json::Object& answer, std::string_view member,
             std::span<const Column> columns, std::string_view none) {
    auto& out = session.out();
    if (out.json()) {
        out.value(answer);
        return {};
    }
    const auto* rows = answer.if_contains(member);
    if (rows == nullptr || !rows->is_array()) {
        return session.fail(ExitCode::Failed, fmt::format("The answer has no {}.", member));
    }
    if (rows->get_array().empty()) {
        out.say(none);
    } else {
        out.table(rows->get_array(), columns);
    }
    return {};
}

}  // namespace muster::cli
