#pragma once
// Weak entity tags over resource versions (RFC 7644 §3.14, RFC 9110 §8.8.3 and §13.1).

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::service {

[[nodiscard]] std::string etag_of(std::int64_t version);

/// Whether a list of entity tags, or "*", names that version of an existing resource. Strong and
/// weak spellings are the same (weak comparison). Malformed members match nothing.
[[nodiscard]] bool etag_matches(std::string_view list, std::int64_t version);

}  // namespace muster::service
