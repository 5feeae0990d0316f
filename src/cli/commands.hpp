#pragma once

#include "cli/command.hpp"

namespace muster::cli {

// One function a noun, each in the file of its name.
[[nodiscard]] Command serve_command();
[[nodiscard]] Command org_commands();
[[nodiscard]] Command connector_commands();
[[nodiscard]] Command token_commands();
[[nodiscard]] Command schema_commands();
[[nodiscard]] Command user_commands();
[[nodiscard]] Command group_commands();
[[nodiscard]] Command log_commands();
[[nodiscard]] Command simulate_commands();
[[nodiscard]] Command load_command();
[[nodiscard]] Command conform_command();
[[nodiscard]] Command doctor_command();
[[nodiscard]] Command migrate_commands();
[[nodiscard]] Command copy_command();
[[nodiscard]] Command backup_command();
[[nodiscard]] Command restore_command();
[[nodiscard]] Command version_command();
[[nodiscard]] Command completion_command();
[[nodiscard]] Command man_command();

/// The whole tree.
[[nodiscard]] Command muster_command();

}  // namespace muster::cli
