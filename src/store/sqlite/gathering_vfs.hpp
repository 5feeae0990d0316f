#pragma once
// Long writes to the write-ahead log in place of two for each page.

#include <string>

#include <sqlite3.h>

namespace muster::store::sqlite {

/// A file system layer on top of another, for one connection. What SQLite writes to the write-ahead
/// log, a header of 24 bytes and a page at a time, is gathered and handed on as one write: before
/// the log is synced, read, cut, measured or closed, before a write to elsewhere in it, and when it
/// is 128 KiB long. What fails then fails the call that caused it, and what was gathered is
/// forgotten: the transaction must be rolled back. All other files are the layer's below.
///
/// Only for a connection that syncs each commit (synchronous = FULL) of a database whose device is
/// safe for overwriting (SQLITE_IOCAP_POWERSAFE_OVERWRITE, which SQLite takes for granted), and
/// that is the only one to write: SQLite then shows a commit to readers, who have file handles of
/// their own, right behind the sync of its last byte, so nobody looks for what is still gathered.
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

    /// After a ROLLBACK: what was gathered is nobody's any more.
    void forget();

  private:
    struct Log;

    static int open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags, int* out);

    sqlite3_vfs* below_;
    std::string name_;
    Log* log_ = nullptr;  ///< the connection's, while it is open
};

}  // namespace muster::store::sqlite
