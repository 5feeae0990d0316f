#pragma once
// The key under which token hashes are made. Whoever has the database without this file cannot test
// a guess; whoever loses this file has to renew every token.

#include <expected>
#include <filesystem>
#include <string>

#include "base/crypto.hpp"
#include "base/secret.hpp"

namespace muster::app {

/// Reads the key, refusing a file that others may read. Where there is none, makes one (mode 0600,
/// flushed to disk) if `may_create`, which is when no token can exist yet.
[[nodiscard]] std::expected<Secret, std::string> read_or_create_key(
    const std::filesystem::path& file, bool may_create);

/// By which a database recognises the key of its tokens.
[[nodiscard]] Digest fingerprint_of(const KeyedHash& hash);

}  // namespace muster::app
