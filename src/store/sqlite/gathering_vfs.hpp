#pragma once
// Long writes to the write-ahead log in place of two for each page.

#include <string>

#include <sqlite3.h>

namespace muster::store::sqlite {

/// A file system layer on top of another. What SQLite writes to a write-ahead log, a header of 24
/// bytes and a page at a time, is gathered and handed on as one write when the log is synced, read,
/// cut, measured or closed, or when it is 128 KiB long; what fails then fails the call that caused
/// it. All other files are the layer's below.
///
/// Only for a connection that syncs each commit (synchronous = FULL): SQLite shows a commit to
/// readers, who have file handles of their own, right behind its sync, so they never look for pages
/// that are still gathered.
///
/// Registered with SQLite while it lives; outlives the connection, whose thread calls it.
class GatheringVfs : private sqlite3_vfs {
  public:
    /// On top of the layer of that name; empty: the system's.
    explicit GatheringVfs(const std::string& below);
    ~GatheringVfs();
    GatheringVfs(const GatheringVfs&) = delete;
    GatheringVfs& operator=(const GatheringVfs&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* out);

    sqlite3_vfs* below_;
    std::string name_;
};

}  // namespace muster::store::sqlite
