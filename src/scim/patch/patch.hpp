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
/// Beyond the RFC, because clients in the field need it and nothing is lost by it:
/// - a pathless value may hold plain names, dotted names, URN-prefixed names and extension objects;
///   `id`, `meta`, `schemas` and other readOnly attributes *inside a pathless value* are ignored
///   and noted (Okta repeats `id`), while an explicit path to a readOnly attribute is 400
///   mutability;
/// - add or replace at `attr[filter].sub` or `attr[filter]` with no matching element creates one if
///   the filter is a conjunction of `eq` (its values become part of the element); any other filter
///   without a match: 400 noTarget on replace and add; remove without a match changes nothing (RFC
///   7644 calls for noTarget only where a *required* target is missing; a repeated remove is safe);
/// - remove at `members` or another multi-valued attribute *with* a value removes just the named
///   elements (Entra); `members[value eq "…"]`, also joined by `or`, is a delta; members under any
///   other filter are 400 invalidFilter;
/// - replace on a complex attribute merges the given sub-attributes (RFC 7644 §3.5.2.3); replace of
///   a selected element replaces it, but what selected it stays true unless the value says
///   otherwise;
/// - null or "" as a value of replace clears the attribute ("" is refused for members, both for
///   `active`, which is never cleared); booleans may come as strings; `manager` may come as a bare
///   string.
/// Add of an element that is already there (same type and value) changes nothing; a new `primary`
/// takes it from the old one. Errors: NoTarget, InvalidPath, InvalidFilter, InvalidValue,
/// Mutability.
[[nodiscard]] Result<Patched> apply_patch(const ResourceType& type, const json::Object& current,
                                          const std::vector<PatchOperation>& operations,
                                          const PatchLimits& limits = {});

}  // namespace muster::scim
