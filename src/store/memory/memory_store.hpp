#pragma once
// The store without a disk: for tests, and the plain statement of what the contract means.

#include <memory>

#include "store/store.hpp"

namespace muster::store {

/// Everything lives and dies with the object; a commit is "durable" at once.
[[nodiscard]] std::unique_ptr<Store> open_memory_store();

}  // namespace muster::store
