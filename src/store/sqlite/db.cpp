#include "store/sqlite/db.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"

namespace muster::store::sqlite {
namespace {

/// One flag of sqlite3_db_config, which takes its arguments untyped.
void set_flag(sqlite3* handle, int flag, bool on) {
    int* const previous = nullptr;
    sqlite3_db_config(handle, flag, on ? 1 : 0, previous);
}

/// Memory statistics put one process-wide lock round each of the library's allocations; nobody
/// reads them. They can only be switched off before the library's first use: where someone else
/// was first, the statistics stay.
void switch_off_memory_statistics() {
    [[maybe_unused]] static const int done = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

Outcome<void> use_wal(Database& db) {
    Statement statement(db, "PRAGMA journal_mode = WAL");
    Rows rows = statement.query();
    TRY_ASSIGN(const bool row, rows.next());
    if (!row || rows.text(0) != "wal") {
        return std::unexpected(Failure{
            SQLITE_CANTOPEN,
            {ErrorCode::Unavailable,
             "the database cannot use a write-ahead log here; keep it on a local file system",
             {},
             {}}});
    }
    return {};
}

Outcome<void> configure_writer(Database& db, bool synchronous) {
    // EXTRA must stand before WAL is chosen: set the other way round, a power cut while the file
    // is new can lose the directory entry of the rollback journal, and the database with it. In
    // WAL mode FULL then syncs every commit.
    TRY_VOID(db.run("PRAGMA synchronous = EXTRA"));
    TRY_VOID(use_wal(db));
    TRY_VOID(db.run(synchronous ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF"));
    // FAST overwrites deleted content in pages that are written anyway, and leaves freed pages to
    // be reused: erased people do not linger in live pages, at no extra I/O.
    TRY_VOID(db.run("PRAGMA secure_delete = FAST"));
    // What one large change made of the log beyond its usual size is given back.
    TRY_VOID(db.run("PRAGMA journal_size_limit = 33554432"));
    // The writer thread checkpoints, between batches.
    TRY_VOID(db.run("PRAGMA wal_autocheckpoint = 0"));
    return db.run("PRAGMA foreign_keys = ON");
}

Outcome<void> configure_reader(Database& db) {
    sqlite3_busy_timeout(db.handle(), 250);
    return db.run("PRAGMA query_only = ON");
}

}  // namespace

Failure refusal(ErrorCode code, std::string message) {
    return {0, {code, std::move(message), {}, {}}};
}

Outcome<Database> Database::open(const Options& options) {
    // The library's own locks are left out, but it must have been built to allow threads at all.
    MUSTER_CHECK(sqlite3_threadsafe() != 0);
    switch_off_memory_statistics();
    const bool writes = options.access == Access::Write;
    const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                      (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
    Database db;
    if (options.gathers_log) {
        MUSTER_CHECK(writes && options.synchronous);
        db.log_layer_ = std::make_unique<GatheringVfs>(options.vfs);
    }
    const std::string& layer = db.log_layer_ ? db.log_layer_->name() : options.vfs;
    sqlite3* handle = nullptr;
    const int status = sqlite3_open_v2(options.path.c_str(), &handle, flags,
                                       layer.empty() ? nullptr : layer.c_str());
    db.handle_.reset(handle);
    if (status != SQLITE_OK) {
        Failure failure = db.failure(status);
        failure.error.message = fmt::format("{}: {}", options.path, failure.error.message);
        return std::unexpected(std::move(failure));
    }

    set_flag(handle, SQLITE_DBCONFIG_DEFENSIVE, true);
    set_flag(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, false);
    set_flag(handle, SQLITE_DBCONFIG_DQS_DML, false);
    set_flag(handle, SQLITE_DBCONFIG_DQS_DDL, false);
    TRY_VOID(db.run("PRAGMA cell_size_check = ON"));
    TRY_VOID(db.run("PRAGMA temp_store = MEMORY"));
    TRY_VOID(db.run(fmt::format("PRAGMA cache_size = -{}", options.cache_kib)));
    TRY_VOID(writes ? configure_writer(db, options.synchronous) : configure_reader(db));
    return db;
}

Outcome<void> Database::run(const std::string& sql) {
    const int status = sqlite3_exec(handle(), sql.c_str(), nullptr, nullptr, nullptr);
    if (status != SQLITE_OK) return std::unexpected(failure(status));
    return {};
}

void Database::leave_log_on_close() { set_flag(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true); }

Failure Database::failure(int code) const {
    const char* text = handle_ ? sqlite3_errmsg(handle()) : sqlite3_errstr(code);
    const bool busy = (code & 0xFF) == SQLITE_BUSY;
    return {code,
            {busy ? ErrorCode::Locked : ErrorCode::Unavailable,
             fmt::format("{} (SQLite {})", text, code),
             {},
             {}}};
}

Rows::~Rows() {
    if (statement_ != nullptr) sqlite3_reset(statement_);
}

Outcome<bool> Rows::next() {
    if (status_ == SQLITE_OK) status_ = sqlite3_step(statement_);
    if (status_ == SQLITE_ROW) {
        status_ = SQLITE_OK;
        return true;
    }
    if (status_ == SQLITE_DONE) return false;
    return std::unexpected(db_.failure(status_));
}

std::int64_t Rows::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::optional<std::int64_t> Rows::optional_integer(int column) const {
    if (is_null(column)) return std::nullopt;
    return integer(column);
}

std::string_view Rows::text(int column) const {
    const unsigned char* data = sqlite3_column_text(statement_, column);
    if (data == nullptr) return {};
    return {reinterpret_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::span<const std::byte> Rows::blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    if (data == nullptr) return {};
    return {static_cast<const std::byte*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

bool Rows::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int Statement::prepare() {
    if (statement_) return SQLITE_OK;
    sqlite3_stmt* statement = nullptr;
    const int status = sqlite3_prepare_v3(db_.handle(), sql_.data(), static_cast<int>(sql_.size()),
                                          SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    statement_.reset(statement);
    return status;
}

int Statement::bind(int index, std::int64_t value) {
    return sqlite3_bind_int64(statement_.get(), index, value);
}

// A null pointer would bind NULL, so an empty value points at something.
int Statement::bind(int index, std::string_view value) {
    return sqlite3_bind_text64(statement_.get(), index, value.empty() ? "" : value.data(),
                               value.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int Statement::bind(int index, std::span<const std::byte> value) {
    return sqlite3_bind_blob64(statement_.get(), index,
                               value.empty() ? static_cast<const void*>("") : value.data(),
                               value.size(), SQLITE_STATIC);
}

int Statement::bind(int index, std::nullopt_t) {
    return sqlite3_bind_null(statement_.get(), index);
}

Outcome<std::int64_t> Statement::finish(Rows&& rows) {
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return db_.changes();
    }
}

}  // namespace muster::store::sqlite
