#pragma once
// The media types of SCIM (RFC 7644 §8.1).

#include <string_view>

namespace muster::api {

inline constexpr std::string_view kScimJson = "application/scim+json";

/// Whether a Content-Type is JSON, whatever its parameters. A body without one is read as JSON, the
/// only thing that it could be.
[[nodiscard]] bool is_json(std::string_view content_type);

/// Whether one of the media ranges of an Accept header takes SCIM's JSON (RFC 9110 §12.5.1).
/// Weights are not looked at but for q=0, since there is nothing else to choose.
[[nodiscard]] bool accepts_json(std::string_view accept);

}  // namespace muster::api
