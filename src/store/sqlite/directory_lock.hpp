#pragma once
// The right to be the one process that uses a data directory.

#include <string>

#include "store/types.hpp"

namespace muster::store::sqlite {

/// An exclusive flock(2) on DIRECTORY/lock, given up when it goes or the process ends in any way.
class DirectoryLock {
  public:
    /// Creates the directory (0700) and the lock file where they are missing. Does not wait.
    [[nodiscard]] static Result<DirectoryLock> take(const std::string& directory);

    DirectoryLock(DirectoryLock&& other) noexcept;
    DirectoryLock& operator=(DirectoryLock&&) = delete;
    ~DirectoryLock();

  private:
    explicit DirectoryLock(int file) : file_(file) {}
    int file_ = -1;
};

/// Creates `path` empty and private (0600) where it is missing.
[[nodiscard]] Result<void> create_private_file(const std::string& path);

/// Makes the directory's entries durable.
[[nodiscard]] Result<void> sync_directory(const std::string& directory);

}  // namespace muster::store::sqlite
