#pragma once
// `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3) as keys that compare by their bytes.

#include <string>
#include <string_view>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/schema/path.hpp"

namespace muster::scim {

/// Whether `sortOrder` asks for the greatest first. Empty: ascending. Errors: InvalidValue.
[[nodiscard]] Result<bool> is_descending(std::string_view sort_order);

/// The attribute that `sortBy` names; a complex one stands for its `value`. Errors: InvalidPath for
/// what the type does not have, what has no order (a complex attribute without `value`) and what is
/// never returned, since an order would tell it.
[[nodiscard]] Result<AttributePath> parse_sort_by(const ResourceType& type, std::string_view text);

/// Where a resource stands in ascending order: by its value, of a multi-valued attribute by the
/// primary one, else the first; as the attribute's type and caseExact compare. A resource without a
/// value comes behind all others. Keys are cut at 256 bytes: longer texts may tie.
[[nodiscard]] std::string sort_key(const AttributePath& path, const json::Object& document);

/// The key of a resource whose type does not have the attribute.
[[nodiscard]] std::string missing_sort_key();

}  // namespace muster::scim
