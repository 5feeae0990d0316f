#pragma once

#include <expected>
#include <string>

#include "app/application.hpp"
#include "app/config.hpp"

namespace muster::app {

/// The configuration that a command runs under: its file, the process's environment, its flags.
[[nodiscard]] std::expected<Config, std::string> settings_for(const ServeOptions& options);

}  // namespace muster::app
