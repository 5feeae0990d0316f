#include "auth/token.hpp"

#include <algorithm>

#include "base/ids.hpp"
#include "base/text.hpp"

namespace muster::auth {

namespace {

constexpr std::size_t kSecretLength = 43;
constexpr std::size_t kChecksumLength = 6;
constexpr std::size_t kIdSuffixLength = 4;
constexpr std::size_t kIdLength = kConnectorIdLength + 1 + kIdSuffixLength;
constexpr std::size_t kTokenLength =
    kTokenPrefix.size() + kIdLength + 1 + kSecretLength + kChecksumLength;

bool is_id_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '9') || c == '-';
}

bool is_base62(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::string checksum(std::string_view text) { return to_base62(crc32(text), kChecksumLength); }

/// Drops `scheme` and white space from the front; false where the header has another scheme.
bool take_scheme(std::string_view& header, std::string_view scheme) {
    if (header.size() <= scheme.size() || header[scheme.size()] != ' ') return false;
    if (!equals_ignoring_case(header.substr(0, scheme.size()), scheme)) return false;
    header = trim(header.substr(scheme.size()));
    return true;
}

std::optional<Credential> from_basic(std::string_view encoded) {
    const auto decoded = from_base64(encoded);
    if (!decoded) return std::nullopt;
    const auto colon = decoded->find(':');
    if (colon == std::string::npos) return std::nullopt;
    const auto name = std::string_view{*decoded}.substr(0, colon);
    const auto password = std::string_view{*decoded}.substr(colon + 1);
    std::string token{kTokenPrefix};
    token.append(name).append("_").append(password);
    return Credential{.kind = store::TokenKind::Basic, .token = Secret{std::move(token)}};
}

}  // namespace

std::string new_connector_id() { return random_short_id(kConnectorIdLength); }

std::string new_token_id(std::string_view connector_id) {
    return std::string{connector_id} + "-" + random_short_id(kIdSuffixLength);
}

Secret new_token(std::string_view token_id) {
    std::string text{kTokenPrefix};
    text.reserve(kTokenLength);
    text.append(token_id).append("_").append(random_base62_256());
    text += checksum(text);
    return Secret{std::move(text)};
}

std::string_view secret_part(std::string_view token) {
    return token.substr(token.size() - kSecretLength - kChecksumLength);
}

ParsedToken parse_token(std::string_view text) {
    const bool right_form =
        text.size() == kTokenLength && text.starts_with(kTokenPrefix) &&
        std::ranges::all_of(text.substr(kTokenPrefix.size(), kIdLength), is_id_character) &&
        text[kTokenPrefix.size() + kIdLength] == '_' &&
        std::ranges::all_of(text.substr(kTokenPrefix.size() + kIdLength + 1), is_base62);
    if (!right_form) {
        const bool looks_like_one = text.starts_with(kTokenPrefix);
        return {.id = {}, .defect = looks_like_one ? Defect::BadChecksum : Defect::NotAToken};
    }
    const auto body = text.substr(0, text.size() - kChecksumLength);
    if (text.substr(body.size()) != checksum(body))
        return {.id = {}, .defect = Defect::BadChecksum};
    return {.id = text.substr(kTokenPrefix.size(), kIdLength), .defect = Defect::None};
}

std::optional<Credential> parse_authorization(std::string_view header) {
    header = trim(header);
    if (header.empty()) return std::nullopt;
    if (take_scheme(header, "Bearer")) return Credential{.token = Secret{std::string{header}}};
    if (take_scheme(header, "Basic")) return from_basic(header);
    if (header.find(' ') != std::string_view::npos) return std::nullopt;
    return Credential{.bare = true, .token = Secret{std::string{header}}};
}

}  // namespace muster::auth
