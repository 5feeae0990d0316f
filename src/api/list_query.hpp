#pragma once

#include <string_view>

#include "scim/error.hpp"
#include "service/list_request.hpp"

namespace muster::api {

/// What the query of a target asks for (RFC 7644 §3.4.2 and §3.9, RFC 9865); other names are passed
/// over.
[[nodiscard]] scim::Result<service::ListRequest> list_request(std::string_view query);

}  // namespace muster::api
