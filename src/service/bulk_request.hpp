#pragma once
// A bulk request (RFC 7644 §3.7) as it came, and the references between its operations. Pure.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"

namespace muster::service {

struct BulkOperation {
    enum class Method : std::uint8_t { Post, Put, Patch, Delete };
    Method method = Method::Post;
    std::string path;     ///< "/Users" or "/Users/{id}"; an id may be "bulkId:x"
    std::string bulk_id;  ///< empty: none
    std::string version;  ///< as If-Match has it; empty: none
    json::Value data;     ///< null: none
    /// Why it cannot be carried out, whatever the others do.
    std::optional<scim::Error> malformed;
};
[[nodiscard]] std::string_view to_string(BulkOperation::Method method);

struct BulkRequest {
    std::vector<BulkOperation> operations;
    std::size_t fail_on_errors = 0;  ///< stop after so many; 0: never
};

/// Errors: InvalidSyntax, InvalidValue; 413 for more operations than `most`.
[[nodiscard]] scim::Result<BulkRequest> parse_bulk(json::Value body, std::size_t most);

/// The bulkIds that the path or a string of the data refers to ("bulkId:x").
[[nodiscard]] std::set<std::string> references_of(const BulkOperation& operation);

/// Puts ids in the place of references.
void resolve_references(BulkOperation& operation, const std::map<std::string, std::string>& ids);

/// Takes out what refers to `missing`: an element or a complex value whose `value` does, any other
/// attribute alone. What is nothing but a reference becomes null, an object of nothing else empty.
void take_out_references(json::Value& data, const std::set<std::string>& missing);

}  // namespace muster::service
