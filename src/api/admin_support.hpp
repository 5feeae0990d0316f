#pragma once
// What the parts of the operator's API share: its answers and its bodies.

#include <cstddef>
#include <string>
#include <string_view>

#include "api/admin.hpp"
#include "json/json.hpp"

namespace muster::api {

[[nodiscard]] AdminResponse ok(const json::Object& body, int status = 200);
[[nodiscard]] AdminResponse problem(const service::Problem& problem);
[[nodiscard]] AdminResponse store_problem(const store::Error& error);
[[nodiscard]] AdminResponse not_found(std::string_view what, std::string_view id);

/// The body, an empty one as {}; a body that is no JSON object is refused.
[[nodiscard]] service::Outcome<json::Object> body_of(const AdminRequest& request);
[[nodiscard]] std::string text_member(const json::Object& object, std::string_view name);
/// A query parameter as a number; `fallback` where it is absent, `most` where it is more.
[[nodiscard]] service::Outcome<std::size_t> number_parameter(const AdminRequest& request,
                                                             std::string_view name,
                                                             std::size_t fallback,
                                                             std::size_t most);

}  // namespace muster::api
