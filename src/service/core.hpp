#pragma once
// What every use case works with; made once by app/instance.

#include <cstddef>

#include "auth/registry.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "json/json.hpp"
#include "scim/patch/patch.hpp"
#include "store/store.hpp"

namespace muster::service {

/// The one table of limits: enforced here, advertised in ServiceProviderConfig.
struct Limits {
    std::size_t body_bytes = std::size_t{8} << 20;
    std::size_t bulk_operations = 1'000;
    std::size_t default_page = 100;
    std::size_t max_page = 200;
    /// Rows that one unindexed filter may look at before it is refused with tooMany.
    std::size_t max_scanned_rows = 1'000'000;
    /// Members of one group that a filter or sorting may hold; an answer holds a piece (Pieces).
    std::size_t max_members_held = 100'000;
    std::int64_t cursor_lifetime_s = 3600;
    json::Limits json;
    scim::PatchLimits patch;
    scim::FilterLimits filter;
};

struct Core {
    store::Store& store;
    auth::Registry& registry;
    const Clock& clock;
    IdGenerator& ids;
    Limits limits;
};

}  // namespace muster::service
