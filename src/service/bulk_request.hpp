#pragma once
// A bulk request (RFC 7644 §3.7) as it came, and the references between its operations. Pure.

#include <cstddef>
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
    /// Why the server does this by itself; empty: the client sent it.
    std::string_view own_reason = {};
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

/// Takes what refers to `missing` out of a resource, as the resource that is to be added to it
/// later: whole elements of lists, whole complex values whose `value` refers, other attributes
/// alone.
[[nodiscard]] json::Object take_out_references(json::Object& data,
                                               const std::set<std::string>& missing);

/// One operation in its place, and the bulkIds that it refers to and that only a later step makes:
/// only a POST in a circle of references has such.
struct BulkStep {
    std::size_t index;
    std::set<std::string> missing;
};
/// The order in which the well-formed operations are carried out: as they stand, but what an
/// operation refers to is made right before it (RFC 7644 §3.7: the result must be that of the order
/// in which they came). A circle begins with what most others of it refer to. Time: operations and
/// references, and for each circle the operations once more.
[[nodiscard]] std::vector<BulkStep> order_of(const std::vector<BulkOperation>& operations);

}  // namespace muster::service
