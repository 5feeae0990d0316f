#pragma once
// The one error of the SCIM core (RFC 7644 §3.12).

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace muster::scim {

enum class ScimType : std::uint8_t {
    None,
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    InvalidCursor,  ///< this and the next two: RFC 9865 §2.1
    ExpiredCursor,
    InvalidCount,
};

/// `detail` is read by an Okta administrator in Okta's own console: cause first, then the way out,
/// in whole sentences. It names attributes and ids, never a secret, and no value over 64 bytes.
struct Error {
    int status = 400;
    ScimType type = ScimType::None;
    std::string detail;
};

template <class T>
using Result = std::expected<T, Error>;

/// "invalidFilter" and so on; empty for None.
[[nodiscard]] std::string_view to_string(ScimType type);

[[nodiscard]] Error invalid_filter(std::string detail);
[[nodiscard]] Error invalid_path(std::string detail);
[[nodiscard]] Error invalid_value(std::string detail);
[[nodiscard]] Error invalid_syntax(std::string detail);
[[nodiscard]] Error no_target(std::string detail);
[[nodiscard]] Error mutability(std::string detail);
[[nodiscard]] Error too_many(std::string detail);

/// The error body. A non-empty `log_id` is appended to the detail: "… (log 01h8xgjwbwbaq)".
[[nodiscard]] std::string to_json(const Error& error, std::string_view log_id = {});

/// At most 64 bytes of `text`, quoted, control characters escaped: how input is named in a detail.
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace muster::scim
