#include "app/settings.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <unistd.h>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "store/postgres/conninfo.hpp"

extern char** environ;

namespace muster::app {

namespace {

constexpr std::string_view kMigrateUp = "muster migrate up";

/// Rather once too often: what is hidden can be typed again.
bool may_hold_password(std::string_view url) {
    const auto scheme = url.find("://");
    const auto user = url.substr(scheme == std::string_view::npos ? 0 : scheme + 3);
    return user.substr(0, user.rfind('@')).contains(':') ||
           to_lower_ascii(url).contains("password");
}

std::string quoted_for_shell(std::string_view word) {
    constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-:@%+,";
    if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
        return std::string{word};
    }
    std::string quoted = "'";
    for (const char c : word) quoted.append(c == '\'' ? "'\\''" : std::string_view{&c, 1});
    return quoted + "'";
}

}  // namespace

std::expected<Config, std::string> settings_for(const ServeOptions& options) {
    Overrides flags;
    if (options.database) flags["database"] = *options.database;
    if (options.data) flags["data"] = options.data->string();
    if (options.listen) flags["listen"] = *options.listen;
    if (options.public_url) flags["public_url"] = *options.public_url;
    const auto environment = from_environment(environ);
    if (!environment) return std::unexpected(environment.error());
    std::optional<std::filesystem::path> file = options.config;
    const char* const named = std::getenv("MUSTER_CONFIG");
    if (!file && named != nullptr && *named != '\0') file = named;
    TRY_ASSIGN(Config config, load_config(file, *environment, flags));
    if (!config.database.empty()) {
        const auto readable = store::postgres::check_url(config.database);
        if (!readable) return std::unexpected("Setting \"database\": " + readable.error().message);
    }
    return config;
}

std::expected<std::filesystem::path, std::string> data_directory(const ServeOptions& options) {
    const auto config = settings_for(options);
    if (!config) return std::unexpected(config.error());
    return config->data;
}

std::string no_database_in(const std::filesystem::path& data) {
    return fmt::format(
        "There is no database in {}. Where the server keeps it in PostgreSQL, name its settings: "
        "--config FILE or MUSTER_CONFIG. Else muster serve makes one.",
        data.string());
}

std::string with_options(std::string_view command, const ServeOptions& options) {
    std::string words{command};
    const auto add = [&words](std::string_view option, const std::string& value) {
        words.append(option).append(quoted_for_shell(value));
    };
    if (options.config) add(" --config ", options.config->string());
    if (options.data) add(" --data ", options.data->string());
    if (options.database && may_hold_password(*options.database)) {
        words += " --database URL";
    } else if (options.database) {
        add(" --database ", *options.database);
    }
    return words;
}

std::string advice(std::string_view words, const ServeOptions& options) {
    std::string said{words};
    if (const auto at = said.find(kMigrateUp); at != std::string::npos) {
        said.replace(at, kMigrateUp.size(), with_options(kMigrateUp, options));
    }
    return said;
}

}  // namespace muster::app
