#pragma once
// A SQLite file as one end of a transfer.

#include <memory>
#include <string>

#include "store/transfer/transfer.hpp"

namespace muster::store::sqlite {

/// Reads DIRECTORY/muster.db as it is at this moment, whatever is written meanwhile.
[[nodiscard]] Result<std::unique_ptr<transfer::Source>> open_source(const std::string& directory,
                                                                    transfer::Servers servers);
/// Reads a file that open_backup() made.
[[nodiscard]] Result<std::unique_ptr<transfer::Source>> open_backup_source(const std::string& file);

/// Fills DIRECTORY/muster.db, which is missing or empty, and holds the directory's lock. What was
/// written survives a crash at any moment, and is completed by another copy from the same source.
/// Unfit where the database holds something.
[[nodiscard]] Result<std::unique_ptr<transfer::Target>> open_target(const std::string& directory);
/// Fills FILE.partial, which finish() makes FILE: one file, of mode 0600, on disk with the entry of
/// its directory. Before that nothing stays of it; what a crash left is overwritten. Unfit where
/// FILE exists, Locked where another process writes it.
[[nodiscard]] Result<std::unique_ptr<transfer::Target>> open_backup_target(const std::string& file);

}  // namespace muster::store::sqlite
