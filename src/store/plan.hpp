#pragma once
// From a filter to the rows worth looking at. The plan is a superset; the filter decides.

#include <optional>
#include <string>
#include <variant>

#include "scim/filter/filter.hpp"
#include "scim/schema/schema.hpp"

namespace muster::store {

/// How candidates are found.
struct ScanAll {};
struct ById {
    std::string id;
};
/// A key in the index of unique (`unique`) or indexed attributes. `prefix`: keys that begin so.
struct ByKey {
    bool unique = false;
    bool prefix = false;
    std::string attribute;
    std::string key;
};
/// Groups with this direct member; members of this group and of the groups in it. By SCIM id.
struct ByMember {
    std::string member_id;
};
struct ByGroup {
    std::string group_id;
};

struct Plan {
    std::string type;
    std::variant<ScanAll, ById, ByKey, ByMember, ByGroup> access = ScanAll{};
    /// Every candidate matches, so the filter need not be evaluated and a count is a row count.
    bool exact = false;
};

/// The cheapest access that cannot miss a match: in a conjunction the most selective leaf (id, then
/// unique eq, indexed eq, member, indexed prefix); a disjunction, a negation or anything else
/// scans. Pure. `filter` null: the plan of an unfiltered list (exact).
[[nodiscard]] Plan make_plan(const scim::ResourceType& type, const scim::Filter* filter);

}  // namespace muster::store
