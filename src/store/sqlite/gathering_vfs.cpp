#include "store/sqlite/gathering_vfs.hpp"

#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "base/check.hpp"

namespace muster::store::sqlite {

namespace {

// The longest write that SQLite's own layer takes as one.
constexpr std::size_t kMost = 0x1FFFF;

}  // namespace

/// The file of the layer below lies right behind it in memory.
struct GatheringVfs::Log : sqlite3_file {
    GatheringVfs* layer = nullptr;
    sqlite3_int64 begin = 0;  ///< where the gathered bytes belong
    std::size_t size = 0;     ///< how many there are
    // By no allocator that throws: SQLite's frames are above.
    std::unique_ptr<char, decltype(&sqlite3_free)> bytes{
        static_cast<char*>(sqlite3_malloc(static_cast<int>(kMost))), sqlite3_free};

    static Log& of(sqlite3_file* file) { return *static_cast<Log*>(file); }
    [[nodiscard]] sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    [[nodiscard]] const sqlite3_io_methods& methods() { return *below()->pMethods; }

    [[nodiscard]] int flush() {
        if (size == 0) return SQLITE_OK;
        const int status = methods().xWrite(below(), bytes.get(), static_cast<int>(size), begin);
        size = 0;
        return status;
    }

    static int close(sqlite3_file* file) {
        Log& log = of(file);
        const int flushed = log.flush();
        const int closed = log.methods().xClose(log.below());
        log.layer->log_ = nullptr;
        std::destroy_at(&log);
        return flushed == SQLITE_OK ? closed : flushed;
    }

    static int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
        Log& log = of(file);
        const auto more = static_cast<std::size_t>(amount);
        const bool follows = offset == log.begin + static_cast<sqlite3_int64>(log.size);
        if (!follows || log.size + more > kMost) {
            if (const int status = log.flush(); status != SQLITE_OK) return status;
        }
        if (more > kMost) return log.methods().xWrite(log.below(), data, amount, offset);
        if (log.size == 0) log.begin = offset;
        std::memcpy(log.bytes.get() + log.size, data, more);
        log.size += more;
        return SQLITE_OK;
    }

    /// The method of the layer below, called once what was gathered is there.
    template <auto Method, class... Args>
    static int behind_flush(sqlite3_file* file, Args... args) {
        Log& log = of(file);
        const int status = log.flush();
        return status == SQLITE_OK ? (log.methods().*Method)(log.below(), args...) : status;
    }

    /// The method of the layer below.
    template <auto Method, class... Args>
    static int pass(sqlite3_file* file, Args... args) {
        return (of(file).methods().*Method)(of(file).below(), args...);
    }

    static const sqlite3_io_methods kMethods;
};

const sqlite3_io_methods GatheringVfs::Log::kMethods = {
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

void GatheringVfs::forget() {
    if (log_ != nullptr) log_->size = 0;
}

int GatheringVfs::open(sqlite3_vfs* self, const char* path, sqlite3_file* file, int flags,
                       int* out) {
    auto& layer = *static_cast<GatheringVfs*>(self);
    sqlite3_vfs* const below = layer.below_;
    if ((flags & SQLITE_OPEN_WAL) == 0) return below->xOpen(below, path, file, flags, out);
    Log* const log = std::construct_at(reinterpret_cast<Log*>(file));
    const int status = log->bytes == nullptr ? SQLITE_IOERR_NOMEM
                                             : below->xOpen(below, path, log->below(), flags, out);
    if (status == SQLITE_OK) {
        log->pMethods = &Log::kMethods;
        log->layer = &layer;
        layer.log_ = log;
    } else {
        // Without methods SQLite closes nothing, and a layer may leave a file open that it reports
        // as failed.
        if (log->bytes != nullptr && log->below()->pMethods != nullptr) {
            log->methods().xClose(log->below());
        }
        std::destroy_at(log);
        file->pMethods = nullptr;
    }
    return status;
}

}  // namespace muster::store::sqlite
