#pragma once
// The values and operations of a request, each with what the schema says about it. Internal to
// dialect/.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/dialect/dialect.hpp"
#include "scim/filter/filter.hpp"

namespace muster::scim {

/// Lets the rewrites, all of them of values, change every value that an attribute of the schema has
/// in the body of a POST, PUT or PATCH: each value by all of them in their order, outer values
/// first, and then what they left there. Which of them changed anything, in their order.
[[nodiscard]] std::vector<bool> rewrite_values(ClientRequest& request,
                                               std::span<const Rewrite* const> rewrites);

/// The member whose name equals `name` without ASCII case, or null.
[[nodiscard]] json::Value* find_member(json::Object& object, std::string_view name);

/// The operations of a PATCH, or null where there are none.
[[nodiscard]] json::Array* operations_of(ClientRequest& request);

/// One operation as far as it is well-formed; views into it.
struct OperationView {
    std::string_view op;           ///< as written
    std::string_view path;         ///< empty: none
    json::Value* value = nullptr;  ///< null: none

    [[nodiscard]] bool is(std::string_view name) const;
};
/// Nothing where it is no object or has no text as its op.
[[nodiscard]] std::optional<OperationView> view_of(json::Value& operation);

/// The path, if it is one that the schema knows.
[[nodiscard]] std::optional<PatchPath> path_of(const ResourceType& type, std::string_view text);

}  // namespace muster::scim
