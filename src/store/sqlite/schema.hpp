#pragma once
// The tables, as numbered migrations; there is no way back.

#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

/// "MUST": marks a file as ours (PRAGMA application_id).
inline constexpr int kApplicationId = 0x4D555354;

/// Brings the database to the newest schema, one transaction a step. Refuses a file that another
/// program or a newer version of this one wrote.
[[nodiscard]] Outcome<void> migrate(Database& db);

/// The newest version that this binary knows.
[[nodiscard]] std::int64_t newest_schema();

}  // namespace muster::store::sqlite
