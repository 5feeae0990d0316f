#pragma once
// The schema's versions. Each step is a transaction of its own with the note that it was taken, so
// that a step that was cut short never happened.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/types.hpp"

namespace muster::store::postgres {

struct NamedText {
    std::string_view name;
    std::string_view text;
};
/// schema/*.sql as they were when this was built.
[[nodiscard]] std::span<const NamedText> schema_texts();

/// The statements of a script, each of which ends at the end of a line and holds no line that ends
/// in a semicolon; lines of comment are left out. They are sent one by one: Citus passes on to its
/// workers all of the text that a statement came in.
[[nodiscard]] std::vector<std::string> statements_of(std::string_view script);

/// A table that a database has while it is being filled by a copy (transfer.hpp).
inline constexpr const char* kUnfinished = "muster_transfer";

struct SchemaState {
    std::int64_t current = 0;   ///< of the database; 0: no tables of Muster
    std::int64_t newest = 0;    ///< that this binary knows
    bool citus = false;         ///< the extension is there
    bool unfinished = false;    ///< a copy into it was broken off, or is under way
    bool bypasses_rls = false;  ///< the role is not bound by row-level security
};

/// A session's options where Citus is: by it SET LOCAL reaches the workers, where row-level
/// security reads it.
inline constexpr const char* kTellWorkers = " -c citus.propagate_set_commands=local";

/// Blocking, each on a connection of its own. Errors name what to do, and never the password.
[[nodiscard]] Result<SchemaState> schema_state(const std::string& conninfo);
/// Takes the steps from the database's version to `target`, up or down; two callers at once take
/// turns. Refuses a database that a newer binary wrote.
[[nodiscard]] Result<SchemaState> migrate(const std::string& conninfo, std::int64_t target);
/// The newest version that this binary knows.
[[nodiscard]] std::int64_t newest_schema();

/// Why a server's settings would lose writes, or nothing: fsync, full_page_writes or
/// synchronous_commit off.
[[nodiscard]] Result<void> check_server(const std::string& conninfo);

}  // namespace muster::store::postgres
