#pragma once

#include <string>

#include "store/types.hpp"

namespace muster::store {

/// Looks at DIRECTORY/muster.db without the lock and without changing anything, for `muster
/// doctor`: one line about what it found, or what is wrong with it. A missing database is no error.
/// Takes a time that grows with the file: at most a few seconds a gigabyte. Of a file whose tables
/// this binary knows, and which is whole (schema_of).
[[nodiscard]] Result<std::string> inspect(const std::string& directory);

/// Whether the key with this fingerprint is the one of the database's tokens, or no key is known
/// yet (hold_key). Changes nothing.
[[nodiscard]] Result<bool> fits_key(const std::string& directory, const Digest& fingerprint);

/// The schema's version of the database in `directory` (0: there is none) and the newest one.
struct SqliteSchema {
    std::int64_t version = 0;
    std::int64_t newest = 0;
    bool unfinished = false;  ///< a copy into it was broken off, or is under way
};
[[nodiscard]] Result<SqliteSchema> schema_of(const std::string& directory);

}  // namespace muster::store
