#pragma once

#include <vector>

#include "scim/resource/resource.hpp"

namespace muster::scim {

/// finish_document with notes on what it dropped: elements that say of what type, whether primary
/// or how shown a value is, but hold no value.
[[nodiscard]] Result<json::Object> finish(const ResourceType& type, json::Object document,
                                          std::vector<Note>& notes);

/// Refuses a change of an immutable attribute, or of an immutable part of a single complex one,
/// that `before` has a value for (RFC 7644 §3.5.1).
[[nodiscard]] Result<void> check_immutable(const ResourceType& type, const json::Object& before,
                                           const json::Object& after);

}  // namespace muster::scim
