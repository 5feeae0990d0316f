#pragma once
// The one place where a connector's dialect meets a request: before the body or the filter is used.

#include <string>
#include <string_view>

#include "scim/dialect/dialect.hpp"
#include "service/call.hpp"
#include "service/core.hpp"

namespace muster::service {

[[nodiscard]] const scim::Dialect& dialect_of(const Call& call);

/// The body in the RFC's own form: parsed, then rewritten by the connector's dialect. Each rewrite
/// that fired is a note of the log record; a body that looks like another client's is a step. Its
/// values lie in `storage`.
[[nodiscard]] scim::Result<json::Value> read_body(Call& call, const Limits& limits,
                                                  const scim::ResourceType& type, scim::Verb verb,
                                                  std::string_view body,
                                                  boost::json::storage_ptr storage = {});

/// The same for the filter of a list or a search, which may be empty.
[[nodiscard]] scim::Result<void> rewrite_filter(Call& call, const scim::ResourceType& type,
                                                std::string& filter);

}  // namespace muster::service
