#pragma once
// PATCH (RFC 7644 §3.5.2) as a pure function of a document and a list of operations.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/filter/filter.hpp"
#include "scim/resource/resource.hpp"

namespace muster::scim {

struct PatchLimits {
    std::size_t max_operations = 1'000;
    /// Values of multi-valued attributes that all operations may look at, each once for every node
    /// of the path's filter and for every 32 bytes of its text: about 10 ms.
    std::size_t max_looked_at = 100'000;
    FilterLimits filter;
    PrepareLimits values;
};

struct PatchOperation {
    enum class Kind : std::uint8_t { Add, Replace, Remove };
    Kind kind = Kind::Add;
    std::string path;                  ///< empty: none
    std::optional<json::Value> value;  ///< absent and null are different
};

/// Reads a PatchOp message; member names go without case, the values of `op` do not. Values are not
/// looked into. Errors: InvalidSyntax, TooMany.
[[nodiscard]] Result<std::vector<PatchOperation>> parse_patch(const json::Value& body,
                                                              const PatchLimits& limits = {});

/// What the operations did to Group.members, folded in order into one delta, so that the group's
/// members need never be loaded. Exact for any sequence: with `cleared` the new set is `add`,
/// without it the old set minus `remove` plus `add`; the two lists are disjoint and free of
/// duplicates.
struct MembersDelta {
    bool cleared = false;
    std::vector<std::string> add;
    std::vector<std::string> remove;

    [[nodiscard]] bool empty() const { return !cleared && add.empty() && remove.empty(); }
};

struct Patched {
    json::Object document;  ///< finished (see finish_document)
    MembersDelta members;
    std::vector<Note> notes;
};

/// Applies all operations or none. `current` is the stored document (no members, no meta).
///
/// What other forms clients send is brought to the RFC's by a dialect (scim/dialect) beforehand.
/// Where RFC 7644 §3.5.2 leaves room:
/// - a value without path holds names of attributes and objects of extensions; a path among them is
///   refused, an unknown name is dropped and noted, a readOnly one is 400 mutability;
/// - add at `attr[filter].sub` or `attr[filter]` with no matching element creates one if the filter
///   is a conjunction of `eq` (its values become part of the element); any other filter without a
///   match, and replace without a match: 400 noTarget; remove without a match changes nothing (a
///   repeated remove is safe);
/// - remove of complex values takes no value: ignoring it would remove them all. `members[value eq
///   "…"]`, also joined by `or`, is a delta; members under any other filter are 400 invalidFilter;
/// - replace on a complex attribute merges the given sub-attributes (§3.5.2.3); replace of a
///   selected element replaces it, but what selected it stays true unless the value says otherwise;
/// - null or "" as a value of replace clears the attribute (RFC 7643 §2.5; "" is refused for
///   members, both for `active`, which is never cleared).
/// Add of an element that is already there (same type and value) changes nothing; a new `primary`
/// takes it from the old one. Errors: NoTarget, InvalidPath, InvalidFilter, InvalidValue,
/// Mutability, TooMany.
[[nodiscard]] Result<Patched> apply_patch(const ResourceType& type, const json::Object& current,
                                          const std::vector<PatchOperation>& operations,
                                          const PatchLimits& limits = {});

}  // namespace muster::scim
