#pragma once
// The store in one SQLite file, DIRECTORY/muster.db.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "store/store.hpp"

namespace muster::store {

enum class Durability : std::uint8_t {
    /// An acknowledged write survives a power cut.
    Full,
    /// Nothing is synced and writes are acknowledged before they are committed: **loses data on
    /// purpose**. It exists so that the crash test can show that it would notice.
    Off,
};

struct SqliteOptions {
    std::string directory;  ///< on a local file system; created (0700) where its parent exists
    Durability durability = Durability::Full;
    std::size_t readers = 2;  ///< one a thread that calls the store
    std::size_t batch_sets = 256;
    std::size_t batch_bytes = std::size_t{2} << 20;
    std::string vfs;  ///< SQLite's name of the file system layer; empty: the system's
};

/// Store over SQLite. One thread writes and checkpoints, group commit; reads run on the caller's
/// thread. After an I/O error on the way to the disk the store refuses writes until it is opened
/// again (healthy() says why), and log records handed over are dropped; a full disk only fails the
/// writes of the moment.
class SqliteStore : public Store {};

/// Opens, migrates and starts. Holds an exclusive lock on DIRECTORY/lock until close(): SQLite
/// before 3.51.3 can corrupt a write-ahead log that two processes checkpoint. Unavailable where
/// another process has the lock, or the directory or the file in it cannot be used.
[[nodiscard]] Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options);

/// Keeps the fingerprint of the key under which token hashes are made, or, where one is kept and
/// there are tokens, refuses another: by a key of its own a process would know none of them. Of a
/// directory that this process has opened and not used yet: while the writer rests, no two
/// connections write or checkpoint at once (docs/adr/0004).
[[nodiscard]] Result<void> hold_key(const SqliteOptions& options, const Digest& fingerprint);

}  // namespace muster::store
