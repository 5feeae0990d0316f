#pragma once
// The one place where a connector's dialect meets a request: before the body or the filter is used.

#include <memory>
#include <string>
#include <string_view>

#include <boost/json/monotonic_resource.hpp>

#include "scim/dialect/dialect.hpp"
#include "service/call.hpp"
#include "service/core.hpp"

namespace muster::service {

[[nodiscard]] const scim::Dialect& dialect_of(const Call& call);

/// A body that was read. Its values lie one after another in memory of their own, which goes with
/// them at once; what is moved from them into another document is copied.
struct Body {
    std::unique_ptr<boost::json::monotonic_resource> memory;
    json::Value value;
};

/// The body in the RFC's own form: parsed, then rewritten by the connector's dialect. Each rewrite
/// that fired is a note of the log record; a body that looks like another client's is a step.
[[nodiscard]] scim::Result<Body> read_body(Call& call, const Limits& limits,
                                           const scim::ResourceType& type, scim::Verb verb,
                                           std::string_view body);

/// The same for the filter of a list or a search, which may be empty.
[[nodiscard]] scim::Result<void> rewrite_filter(Call& call, const scim::ResourceType& type,
                                                std::string& filter);

}  // namespace muster::service
