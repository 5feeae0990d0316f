#pragma once
// The tables, as numbered migrations; there is no way back.

#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

/// "MUST": marks a file as ours (PRAGMA application_id).
inline constexpr int kApplicationId = 0x4D555354;

/// A table that a database has while it is being filled by a copy (transfer.hpp).
inline constexpr const char* kUnfinished = "muster_transfer";

/// Brings the database to the newest schema, one transaction a step. Refuses a file that another
/// program or a newer version of this one wrote, and a copy that was not finished.
[[nodiscard]] Outcome<void> migrate(Database& db);

/// Whether the database is a copy that was not finished.
[[nodiscard]] Outcome<bool> is_unfinished(const Database& db);

/// The newest version that this binary knows.
[[nodiscard]] std::int64_t newest_schema();

}  // namespace muster::store::sqlite
