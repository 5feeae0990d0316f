#pragma once
// What a core that is reached through a dialect does. Included by tests alone.

#include <utility>
#include <vector>

#include "scim/dialect/dialect.hpp"
#include "scim/patch/patch.hpp"

namespace muster::scim::testing {

/// The operations that the core gets of a connector whose requests are in that dialect.
inline Result<std::vector<PatchOperation>> read_patch(const ResourceType& type,
                                                      json::Value operations,
                                                      const Dialect& dialect = generic_dialect(),
                                                      std::vector<Note>* notes = nullptr) {
    json::Value body =
        json::Object{{"schemas", json::Array{kPatchOp}}, {"Operations", std::move(operations)}};
    std::vector<Note> fired;
    const auto rewritten =
        dialect.rewrite({.verb = Verb::Patch, .type = type, .body = &body}, fired);
    if (!rewritten) return std::unexpected(rewritten.error());
    if (notes != nullptr) *notes = std::move(fired);
    return parse_patch(body);
}

/// The same for one operation as the core would have it already.
inline json::Value to_json(const PatchOperation& operation) {
    constexpr const char* kNames[] = {"add", "replace", "remove"};
    json::Object object{{"op", kNames[static_cast<int>(operation.kind)]}};
    if (!operation.path.empty()) object["path"] = operation.path;
    if (operation.value) object["value"] = *operation.value;
    return json::Value(std::move(object));
}

}  // namespace muster::scim::testing
