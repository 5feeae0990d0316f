#pragma once
// The elements of a multi-valued attribute as a set. Internal to patch/.

#include <algorithm>
#include <optional>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/filter/filter.hpp"
#include "scim/resource/normalise.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

/// std::erase_if for a JSON array.
template <class Predicate>
void erase_if(json::Array& elements, Predicate predicate) {
    const auto gone = std::ranges::remove_if(elements, predicate);
    elements.erase(gone.begin(), gone.end());
}

[[nodiscard]] bool is_primary(const json::Value& element);

/// Leaves `primary` true only where `chosen` says so (RFC 7644 §3.5.2), if it says so anywhere.
void give_primary(json::Array& elements, const std::vector<bool>& chosen);

/// Appends what is not there yet. Two elements are the same if their type and value are, or, where
/// neither has a value, everything but `primary`. Linear.
void add_elements(json::Array& elements, const Attribute& attribute, json::Array given);

/// Removes the simple values that `named` names. Linear.
void remove_named(json::Array& elements, const Attribute& attribute, const json::Array& named);

/// The answer to a removal with a value where a value path is due.
[[nodiscard]] std::unexpected<Error> refuse_named_removal(const Place& place);

/// The element that a filter describes completely: its comparisons, if they are a conjunction of
/// `eq` on writable sub-attributes without contradiction. No filter describes an empty element.
[[nodiscard]] std::optional<json::Object> element_described_by(const std::optional<Filter>& filter);

}  // namespace muster::scim
