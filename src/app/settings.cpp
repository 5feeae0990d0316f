#include "app/settings.hpp"

#include <cstdlib>
#include <optional>
#include <unistd.h>

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
    return load_config(file, *environment, flags);
}

std::expected<std::filesystem::path, std::string> data_directory(const ServeOptions& options) {
    const auto config = settings_for(options);
    if (!config) return std::unexpected(config.error());
    return config->data;
}

}  // namespace muster::app
