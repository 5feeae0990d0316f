#pragma once
// For tests: a file system layer whose syncs and writes can be made to fail, and syncs to wait.

#include <atomic>
#include <cstring>
#include <memory>
#include <string>

#include <sqlite3.h>

namespace muster::store::sqlite::test {

/// Registered with SQLite under its name for as long as it lives; outlives every connection.
class FaultVfs {
  public:
    explicit FaultVfs(std::string name) : name_(std::move(name)), base_(sqlite3_vfs_find(nullptr)) {
        vfs_ = *base_;
        vfs_.zName = name_.c_str();
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
        vfs_.pAppData = this;
        vfs_.xOpen = open;
        vfs_.xAccess = [](sqlite3_vfs* vfs, const char* path, int flags, int* out) {
            return self(vfs).base_->xAccess(self(vfs).base_, path, flags, out);
        };
        vfs_.xDelete = [](sqlite3_vfs* vfs, const char* path, int sync) {
            return self(vfs).base_->xDelete(self(vfs).base_, path, sync);
        };
        vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* path, int size, char* out) {
            return self(vfs).base_->xFullPathname(self(vfs).base_, path, size, out);
        };
        sqlite3_vfs_register(&vfs_, 0);
    }
    ~FaultVfs() { sqlite3_vfs_unregister(&vfs_); }
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;

    [[nodiscard]] const std::string& name() const { return name_; }

    std::atomic<int> sync_result{SQLITE_OK};   ///< what every xSync answers, if not OK
    std::atomic<int> write_result{SQLITE_OK};  ///< what every xWrite answers, if not OK
    std::atomic<bool> holds_syncs{false};      ///< until it is false again, with notify_all
    std::atomic<int> held{0};                  ///< how many syncs had to wait
    std::atomic<int> syncs{0};                 ///< how many succeeded
    std::atomic<int> writes{0};                ///< how many came this far

  private:
    /// The base layer's file object lies right behind.
    struct File {
        sqlite3_file shape;
        FaultVfs* vfs;
        [[nodiscard]] sqlite3_file* base() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };
    static FaultVfs& self(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }
    static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
    static sqlite3_file* base(sqlite3_file* file) { return of(file)->base(); }

    static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
        of(file)->vfs = &self(vfs);
        const int status = self(vfs).base_->xOpen(self(vfs).base_, path, base(file), flags, out);
        file->pMethods = base(file)->pMethods != nullptr ? &kMethods : nullptr;
        return status;
    }
    static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
        const int result = of(file)->vfs->write_result;
        if (result != SQLITE_OK) return result;
        ++of(file)->vfs->writes;
        return base(file)->pMethods->xWrite(base(file), data, size, offset);
    }
    static int sync(sqlite3_file* file, int flags) {
        FaultVfs& vfs = *of(file)->vfs;
        if (vfs.holds_syncs) {
            ++vfs.held;
            vfs.held.notify_all();
            vfs.holds_syncs.wait(true);
        }
        const int result = vfs.sync_result;
        if (result != SQLITE_OK) return result;
        ++vfs.syncs;
        return base(file)->pMethods->xSync(base(file), flags);
    }

    static constexpr sqlite3_io_methods kMethods = {
        .iVersion = 2,
        .xClose = [](sqlite3_file* f) { return base(f)->pMethods->xClose(base(f)); },
        .xRead =
            [](sqlite3_file* f, void* data, int size, sqlite3_int64 offset) {
                return base(f)->pMethods->xRead(base(f), data, size, offset);
            },
        .xWrite = write,
        .xTruncate = [](sqlite3_file* f,
                        sqlite3_int64 size) { return base(f)->pMethods->xTruncate(base(f), size); },
        .xSync = sync,
        .xFileSize =
            [](sqlite3_file* f, sqlite3_int64* size) {
                return base(f)->pMethods->xFileSize(base(f), size);
            },
        .xLock = [](sqlite3_file* f,
                    int level) { return base(f)->pMethods->xLock(base(f), level); },
        .xUnlock = [](sqlite3_file* f,
                      int level) { return base(f)->pMethods->xUnlock(base(f), level); },
        .xCheckReservedLock =
            [](sqlite3_file* f, int* out) {
                return base(f)->pMethods->xCheckReservedLock(base(f), out);
            },
        .xFileControl = [](sqlite3_file* f, int op,
                           void* arg) { return base(f)->pMethods->xFileControl(base(f), op, arg); },
        .xSectorSize = [](sqlite3_file* f) { return base(f)->pMethods->xSectorSize(base(f)); },
        .xDeviceCharacteristics =
            [](sqlite3_file* f) { return base(f)->pMethods->xDeviceCharacteristics(base(f)); },
        .xShmMap =
            [](sqlite3_file* f, int region, int size, int extend, void volatile** out) {
                return base(f)->pMethods->xShmMap(base(f), region, size, extend, out);
            },
        .xShmLock =
            [](sqlite3_file* f, int offset, int count, int flags) {
                return base(f)->pMethods->xShmLock(base(f), offset, count, flags);
            },
        .xShmBarrier = [](sqlite3_file* f) { base(f)->pMethods->xShmBarrier(base(f)); },
        .xShmUnmap = [](sqlite3_file* f,
                        int remove) { return base(f)->pMethods->xShmUnmap(base(f), remove); },
        .xFetch = nullptr,
        .xUnfetch = nullptr,
    };

    std::string name_;
    sqlite3_vfs* base_;
    sqlite3_vfs vfs_{};
};

}  // namespace muster::store::sqlite::test
