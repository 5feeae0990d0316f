#pragma once
// The key under which token hashes are made. Whoever has the database without this file cannot test
// a guess; whoever loses this file has to renew every token.

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "app/config.hpp"
#include "base/crypto.hpp"
#include "base/secret.hpp"
#include "store/types.hpp"

namespace muster::app {

/// Reads the key, refusing a file that others may read. Where there is none, makes one (mode 0600,
/// flushed to disk) if `may_create`, which is when no token can exist yet.
[[nodiscard]] std::expected<Secret, std::string> read_or_create_key(
    const std::filesystem::path& file, bool may_create);

/// By which a database recognises the key of its tokens.
[[nodiscard]] Digest fingerprint_of(const KeyedHash& hash);

/// Whether the configured database, which is PostgreSQL, knows the key of its tokens already.
[[nodiscard]] store::Result<bool> knows_a_key(const Config& config);

/// What the configured key file is to the configured database.
enum class KeyFit : std::uint8_t {
    Fits,     ///< as far as the database can be read
    NoneYet,  ///< there is none, and no token that was made with one
    Missing,
    Unusable,  ///< it cannot be read, or is no key
    Other,     ///< the tokens were made with another one
};
struct KeyFinding {
    KeyFit fit = KeyFit::Fits;
    std::string words;  ///< what is wrong with it, and what to do; empty where it fits
};
/// Changes nothing.
[[nodiscard]] KeyFinding look_at_key(const Config& config);

}  // namespace muster::app
