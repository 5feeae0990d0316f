#pragma once
// Looking into JSON text without parsing it.

#include <optional>
#include <string_view>

namespace muster::json {

/// The text of a member of the object that `text` is. Only for text that this process wrote
/// (compact, valid, names without escapes); of anything else it finds something or nothing, and
/// stays within it. O(length up to the member).
[[nodiscard]] std::optional<std::string_view> raw_member(std::string_view text,
                                                         std::string_view name);

}  // namespace muster::json
