#pragma once
// What a write does to the tables.

#include "store/memory/tables.hpp"

namespace muster::store::memory {

/// All of it or nothing.
[[nodiscard]] Result<Committed> apply(Tables& tables, const WriteSet& set);

}  // namespace muster::store::memory
