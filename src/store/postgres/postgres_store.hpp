#pragma once
// The store in PostgreSQL 15 or later: any number of nodes on one database.

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "store/store.hpp"

namespace muster::store {

struct PostgresOptions {
    /// As libpq takes it: postgres://user@host1,host2/name?target_session_attrs=read-write&…
    /// A password is better kept in the file that PGPASSFILE names.
    std::string url;
    std::size_t readers = 4;
    std::size_t writers = 8;
    /// How long after its removal an organisation's rows begin to be deleted: longer than a write
    /// takes that has begun before.
    std::chrono::milliseconds removal_rest{30'000};
    /// How often the node says that its number is in use.
    std::chrono::milliseconds node_renewal{60'000};
};

/// Connects; makes the tables in a database that has none of Muster's. Refuses, saying what to do:
/// a server that may lose acknowledged writes, a schema that is older (`muster migrate up`) or
/// newer than this binary's.
[[nodiscard]] Result<std::unique_ptr<Store>> open(const PostgresOptions& options);

/// Keeps the fingerprint of the key under which token hashes are made, or, where one is kept,
/// refuses another: a node with a key of its own would know nobody's token.
[[nodiscard]] Result<void> hold_key(const PostgresOptions& options, const Digest& fingerprint);

/// Whether the key is that one, or none is kept yet. Changes nothing.
[[nodiscard]] Result<bool> fits_key(const PostgresOptions& options, const Digest& fingerprint);

}  // namespace muster::store
