#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "app/application.hpp"
#include "app/config.hpp"

namespace muster::app {

/// The configuration that a command runs under: its file, the process's environment, its flags.
[[nodiscard]] std::expected<Config, std::string> settings_for(const ServeOptions& options);

/// The sentence for a data directory in which there is no database.
[[nodiscard]] std::string no_database_in(const std::filesystem::path& data);

/// What a store said, with the options that its advice of a command needs (with_options).
[[nodiscard]] std::string advice(std::string_view words, const ServeOptions& options);

}  // namespace muster::app
