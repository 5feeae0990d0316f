#pragma once
// A list of members that replaces another one, as the least that has to be written.

#include <span>
#include <vector>

#include "base/ids.hpp"

namespace muster::store {

/// Members that lie next to each other in rid order.
struct MemberRange {
    Rid first;
    Rid last;
    friend bool operator==(const MemberRange&, const MemberRange&) = default;
};

struct Replacement {
    std::vector<Rid> add;             ///< in rid order
    std::vector<MemberRange> remove;  ///< who goes, and nobody who stays, lies in them
};

/// What leads from the members that are `present`, in rid order, to exactly the wanted ones, in any
/// order. Where many go at once, their ranges are few. O(present + wanted · log wanted).
[[nodiscard]] Replacement replacement_of(std::span<const Rid> present, std::vector<Rid> wanted);

}  // namespace muster::store
