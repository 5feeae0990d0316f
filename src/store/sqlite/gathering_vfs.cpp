#include "store/sqlite/gathering_vfs.hpp"

#include <memory>
#include <new>
#include <vector>

#include <fmt/format.h>

#include "base/check.hpp"

namespace muster::store::sqlite {
namespace {

// The longest write that SQLite's own layer takes as one.
constexpr std::size_t kMost = 0x1FFFF;

/// A write-ahead log; the file of the layer below lies right behind it in memory.
struct Log : sqlite3_file {
    sqlite3_int64 begin = 0;  ///< where the gathered bytes belong
    std::vector<char> gathered;

    [[nodiscard]] sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    [[nodiscard]] const sqlite3_io_methods& methods() { return *below()->pMethods; }

    [[nodiscard]] sqlite3_int64 end() const {
        return begin + static_cast<sqlite3_int64>(gathered.size());
    }
    /// Hands on what was gathered. Where that fails it is forgotten, as the transaction is.
    [[nodiscard]] int flush() {
        if (gathered.empty()) return SQLITE_OK;
        const int status =
            methods().xWrite(below(), gathered.data(), static_cast<int>(gathered.size()), begin);
        gathered.clear();
        return status;
    }
};

Log& log_of(sqlite3_file* file) { return *static_cast<Log*>(file); }

int close(sqlite3_file* file) {
    Log& log = log_of(file);
    const int flushed = log.flush();
    const int closed = log.methods().xClose(log.below());
    std::destroy_at(&log);
    return flushed == SQLITE_OK ? closed : flushed;
}

int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
    Log& log = log_of(file);
    const auto more = static_cast<std::size_t>(size);
    if (offset != log.end() || log.gathered.size() + more > kMost) {
        if (const int status = log.flush(); status != SQLITE_OK) return status;
    }
    if (log.gathered.empty()) log.begin = offset;
    const char* const bytes = static_cast<const char*>(data);
    log.gathered.insert(log.gathered.end(), bytes, bytes + size);
    return SQLITE_OK;
}

/// The method of the layer below, called once what was gathered is there.
template <auto Method, class... Args>
int behind_flush(sqlite3_file* file, Args... args) {
    Log& log = log_of(file);
    const int status = log.flush();
    return status == SQLITE_OK ? (log.methods().*Method)(log.below(), args...) : status;
}

/// The method of the layer below.
template <auto Method, class... Args>
int pass(sqlite3_file* file, Args... args) {
    return (log_of(file).methods().*Method)(log_of(file).below(), args...);
}

constexpr sqlite3_io_methods kMethods = {
    .iVersion = 1,
    .xClose = close,
    .xRead = behind_flush<&sqlite3_io_methods::xRead, void*, int, sqlite3_int64>,
    .xWrite = write,
    .xTruncate = behind_flush<&sqlite3_io_methods::xTruncate, sqlite3_int64>,
    .xSync = behind_flush<&sqlite3_io_methods::xSync, int>,
    .xFileSize = behind_flush<&sqlite3_io_methods::xFileSize, sqlite3_int64*>,
    .xLock = pass<&sqlite3_io_methods::xLock, int>,
    .xUnlock = pass<&sqlite3_io_methods::xUnlock, int>,
    .xCheckReservedLock = pass<&sqlite3_io_methods::xCheckReservedLock, int*>,
    .xFileControl = pass<&sqlite3_io_methods::xFileControl, int, void*>,
    .xSectorSize = pass<&sqlite3_io_methods::xSectorSize>,
    .xDeviceCharacteristics = pass<&sqlite3_io_methods::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace

// The functions of the layer below find there what they look for: only what is named differs.
GatheringVfs::GatheringVfs(const std::string& below)
    : below_(sqlite3_vfs_find(below.empty() ? nullptr : below.c_str())),
      name_(fmt::format("gathering-{}", fmt::ptr(this))) {
    MUSTER_CHECK(below_ != nullptr);
    static_cast<sqlite3_vfs&>(*this) = *below_;
    pNext = nullptr;
    zName = name_.c_str();
    szOsFile = static_cast<int>(sizeof(Log)) + below_->szOsFile;
    xOpen = open;
    sqlite3_vfs_register(this, 0);
}

GatheringVfs::~GatheringVfs() { sqlite3_vfs_unregister(this); }

int GatheringVfs::open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags,
                       int* out) {
    sqlite3_vfs* const below = static_cast<GatheringVfs*>(self)->below_;
    if ((flags & SQLITE_OPEN_WAL) == 0) return below->xOpen(below, path, file, flags, out);
    Log* const log = std::construct_at(reinterpret_cast<Log*>(file));
    const int status = below->xOpen(below, path, log->below(), flags, out);
    if (status == SQLITE_OK) {
        log->pMethods = &kMethods;
    } else {
        // A layer may leave a file open that it reports as failed; without methods none is closed.
        if (log->below()->pMethods != nullptr) log->methods().xClose(log->below());
        std::destroy_at(log);
        file->pMethods = nullptr;
    }
    return status;
}

}  // namespace muster::store::sqlite
