#pragma once
// The form of a token: mst_{id}_{secret}{checksum}
//
//   id        {connector id}-{4 characters}: public, shown in lists and logs
//   secret    43 base-62 characters, 256 random bits
//   checksum  6 base-62 characters, CRC-32 of all that stands before it: a typo or a cut-off paste
//             is told apart from a wrong token without a look-up, and secret scanners can be exact
//
// As a regular expression for scanners: mst_[a-z2-9]{10}-[a-z2-9]{4}_[0-9A-Za-z]{49}

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/crypto.hpp"
#include "base/secret.hpp"
#include "store/types.hpp"

namespace muster::auth {

inline constexpr std::string_view kTokenPrefix = "mst_";
inline constexpr std::size_t kConnectorIdLength = 10;

[[nodiscard]] std::string new_connector_id();
[[nodiscard]] std::string new_token_id(std::string_view connector_id);
/// A whole new token text for that id.
[[nodiscard]] Secret new_token(std::string_view token_id);
/// What a person types as the password of a Basic credential: the part behind the id.
[[nodiscard]] std::string_view secret_part(std::string_view token);

enum class Defect : std::uint8_t { None, NotAToken, BadChecksum };

struct ParsedToken {
    std::string_view id;  ///< a view into the parsed text
    Defect defect = Defect::None;
};
/// Form and checksum only. O(length), no look-up.
[[nodiscard]] ParsedToken parse_token(std::string_view text);

/// A credential as it came in an Authorization header.
struct Credential {
    store::TokenKind kind = store::TokenKind::Bearer;
    bool bare = false;  ///< no scheme was sent: Okta's Header mode
    Secret token;       ///< the whole token text
};
/// `Bearer T`, `T` alone, or `Basic base64(id:secret)`; schemes without case. Nothing for an empty
/// or another header.
[[nodiscard]] std::optional<Credential> parse_authorization(std::string_view header);

}  // namespace muster::auth
