#include "app/settings.hpp"

#include <cstdlib>
#include <optional>
#include <unistd.h>

#include "base/result.hpp"
#include "store/postgres/conninfo.hpp"

extern char** environ;

namespace muster::app {

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

}  // namespace muster::app
