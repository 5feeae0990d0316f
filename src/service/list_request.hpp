#pragma once
// What a list or search asks for, as it came (RFC 7644 §3.4.2 and §3.4.3, RFC 9865).

#include <cstdint>
#include <optional>
#include <string>

#include "json/json.hpp"
#include "scim/error.hpp"

namespace muster::service {

/// Query parameters or a SearchRequest body, not yet judged.
struct ListRequest {
    /// Present and empty is a mistake of the client, not a wish for everyone.
    std::optional<std::string> filter;
    std::string attributes;
    std::string excluded_attributes;
    std::string sort_by;
    std::string sort_order;
    std::optional<std::int64_t> start_index;
    std::optional<std::int64_t> count;
    /// Present and empty: the first page of a walk by cursor.
    std::optional<std::string> cursor;
};

/// Reads a SearchRequest message. Errors: InvalidSyntax, InvalidValue.
[[nodiscard]] scim::Result<ListRequest> parse_search(const json::Value& body);

}  // namespace muster::service
