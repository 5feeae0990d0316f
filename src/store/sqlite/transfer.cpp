#include "store/sqlite/transfer.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "store/sqlite/db.hpp"
#include "store/sqlite/directory_lock.hpp"
#include "store/sqlite/schema.hpp"

namespace muster::store::sqlite {
namespace {

using transfer::Cell;
using transfer::Column;
using transfer::Kind;
using transfer::Reading;
using transfer::Row;
using transfer::Servers;
using transfer::Table;

constexpr int kSourceCacheKib = 8 * 1024;
constexpr int kTargetCacheKib = 64 * 1024;
constexpr const char* kDatabase = "muster.db";
constexpr const char* kSeal = "muster_seal";  // a table that backups have
/// What every file of SQLite begins with.
constexpr std::string_view kFileMark{"SQLite format 3\0", 16};

std::unexpected<Error> refuse(ErrorCode code, std::string message) {
    return std::unexpected(Error{code, std::move(message), {}, {}});
}

std::unexpected<Error> failed_with_errno(const char* doing, const std::string& path) {
    return refuse(ErrorCode::Unavailable, fmt::format("cannot {} {}: {}", doing, path,
                                                      std::generic_category().message(errno)));
}

// ---- statements ------------------------------------------------------------------------------
//
// ?1 is the organisation, for every table that has one.

std::string names(std::span<const Column> columns, std::string_view after = {}) {
    std::string list;
    for (const Column& column : columns) {
        list.append(list.empty() ? "" : ", ").append(column.name).append(after);
    }
    return list;
}

/// The index is named where there is a choice: by the row's number is the wrong one for all
/// organisations but one.
std::string from(const Table& table) {
    const bool chosen = table.name == "resource";
    return fmt::format("FROM {}{}{}", table.name, chosen ? " INDEXED BY resource_id" : "",
                       table.shared ? "" : " WHERE org = ?1");
}

std::string read_sql(const Table& table) {
    if (table.name != "resource") {
        // An organisation that was removed is not taken along, nor is anything of it.
        const bool marked = table.name == "organisation";
        return fmt::format("SELECT {} {}{} ORDER BY {}", names(table.columns), from(table),
                           marked ? " WHERE NOT removed" : "", names(table.key_columns()));
    }
    // No index has an organisation's rows in this order: their keys are sorted first, so that
    // documents need not be. LIMIT keeps the sub-query as it is, and CROSS JOIN outside.
    return fmt::format(
        "SELECT {} FROM (SELECT rid {} ORDER BY rid LIMIT -1) CROSS JOIN resource USING (rid)",
        names(table.columns), from(table));
}

std::string last_key_sql(const Table& table) {
    return fmt::format("SELECT {} {} ORDER BY {} LIMIT 1", names(table.key_columns()), from(table),
                       names(table.key_columns(), " DESC"));
}

std::string insert_sql(const Table& table) {
    std::string values = table.shared ? "" : "?1";
    const std::size_t first = table.shared ? 1 : 2;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        values += fmt::format("{}?{}", values.empty() ? "" : ", ", first + i);
    }
    return fmt::format("INSERT INTO {} ({}{}) VALUES ({})", table.name, table.shared ? "" : "org, ",
                       names(table.columns), values);
}

// ---- values ----------------------------------------------------------------------------------

void take(const Rows& rows, std::span<const Column> columns, Row& row) {
    row.clear();
    for (const Column& column : columns) {
        const int at = static_cast<int>(row.size());
        if (rows.is_null(at)) {
            row.emplace_back();
        } else if (column.is_number()) {
            row.emplace_back(rows.integer(at));
        } else if (column.kind == Kind::Text) {
            row.emplace_back(std::string(rows.text(at)));
        } else {
            const auto bytes = rows.blob(at);
            row.emplace_back(
                std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
        }
    }
}

Bound bound(const Cell& cell, const Column& column) {
    if (const auto* number = std::get_if<std::int64_t>(&cell)) return *number;
    const auto* text = std::get_if<std::string>(&cell);
    if (text == nullptr) return std::nullopt;
    if (column.kind == Kind::Text) return std::string_view(*text);
    return std::as_bytes(std::span(*text));
}

class RowReading final : public Reading {
  public:
    RowReading(const Database& db, const Table& table, OrgKey org)
        : table_(table), statement_(db, read_sql(table)), rows_(start(org)) {}

    Result<bool> next(Row& row) override {
        TRY_ASSIGN(const bool found, rows_.next());
        if (found) take(rows_, table_.columns, row);
        return found;
    }

  private:
    Rows start(OrgKey org) {
        return table_.shared ? statement_.query() : statement_.query(org.value);
    }

    const Table& table_;
    Statement statement_;
    Rows rows_;
};

// ---- the two ends ----------------------------------------------------------------------------

/// With the lock of the data directory, where the file is in one.
class Ends : public transfer::Target {
  public:
    Ends(Database db, std::optional<DirectoryLock> lock)
        : lock_(std::move(lock)), db_(std::move(db)) {}

    Result<std::unique_ptr<Reading>> read(const Table& table, OrgKey org) override {
        return std::make_unique<RowReading>(db_, table, org);
    }

    Result<std::int64_t> count(const Table& table, OrgKey org) override {
        Statement statement(db_, "SELECT count(*) " + from(table));
        Rows rows = table.shared ? statement.query() : statement.query(org.value);
        TRY_ASSIGN(const bool found, rows.next());
        return found ? rows.integer(0) : 0;
    }

    Result<bool> begin(std::string_view source) override {
        TRY_ASSIGN(const bool unfinished, is_unfinished(db_));
        if (unfinished) {
            TRY_VOID(require_same(source));
            return true;
        }
        TRY_VOID(require_nothing());
        TRY_VOID(db_.run(
            fmt::format("BEGIN; CREATE TABLE {} (source TEXT NOT NULL) STRICT; DELETE FROM {}",
                        kUnfinished, transfer::kInstanceKeyTable)));
        Statement note(db_, fmt::format("INSERT INTO {} VALUES (?1)", kUnfinished));
        TRY_VOID(note.execute(source));
        TRY_VOID(db_.run("COMMIT"));
        return false;
    }

    Result<void> write(const Table& table, OrgKey org, std::span<const Row> rows) override {
        if (&table != insert_into_) {
            insert_.emplace(db_, insert_sql(table));
            insert_into_ = &table;
        }
        TRY_VOID(db_.run("BEGIN"));
        std::vector<Bound> values;
        for (const Row& row : rows) {
            values.clear();
            if (!table.shared) values.emplace_back(org.value);
            for (std::size_t i = 0; i < row.size(); ++i) {
                values.push_back(bound(row[i], table.columns[i]));
            }
            TRY_VOID(insert_->execute_all(values));
        }
        TRY_VOID(db_.run("COMMIT"));
        return {};
    }

    Result<std::optional<Digest>> seal() override {
        Statement there(db_, "SELECT 1 FROM sqlite_schema WHERE name = ?1");
        TRY_ASSIGN(const bool sealed, there.query(std::string_view(kSeal)).next());
        if (!sealed) return std::nullopt;
        Statement statement(db_, fmt::format("SELECT rows FROM {}", kSeal));
        Rows rows = statement.query();
        TRY_ASSIGN(const bool found, rows.next());
        const auto bytes = found ? rows.blob(0) : std::span<const std::byte>();
        Digest seal{};
        std::ranges::copy(bytes.first(std::min(bytes.size(), seal.size())), seal.begin());
        return seal;
    }

    Result<Row> last_key(const Table& table, OrgKey org) override {
        Statement statement(db_, last_key_sql(table));
        Rows rows = table.shared ? statement.query() : statement.query(org.value);
        TRY_ASSIGN(const bool found, rows.next());
        Row key;
        if (found) take(rows, table.key_columns(), key);
        return key;
    }

    Result<void> finish(const Digest&) override {
        // The batches did not wait for the disk. This commit does, and all before it with it.
        TRY_VOID(db_.run("PRAGMA synchronous = FULL"));
        TRY_VOID(db_.run(fmt::format("DROP TABLE {}", kUnfinished)));
        TRY_VOID(db_.run("PRAGMA wal_checkpoint(TRUNCATE)"));
        return {};
    }

    Database& db() { return db_; }

    /// Instead of the present one, which is closed.
    void use(Database opened) {
        insert_.reset();
        insert_into_ = nullptr;
        db_ = std::move(opened);
    }

  private:
    Result<void> require_same(std::string_view source) {
        Statement statement(db_, fmt::format("SELECT source FROM {}", kUnfinished));
        Rows rows = statement.query();
        TRY_ASSIGN(const bool found, rows.next());
        if (found && rows.text(0) == source) return {};
        return refuse(ErrorCode::Unfit,
                      fmt::format("a copy of another source ({}) into this directory was not "
                                  "finished: finish that one, or remove muster.db",
                                  found ? rows.text(0) : "unknown"));
    }

    /// Rows of an organisation need its own row; only the log of requests without one does not.
    Result<void> require_nothing() {
        for (const Table& table : transfer::tables()) {
            TRY_ASSIGN(const std::int64_t rows, count(table, OrgKey{}));
            if (rows == 0 || table.name == transfer::kInstanceKeyTable) continue;
            return refuse(ErrorCode::Unfit,
                          "the target is not empty: nothing is overwritten; name "
                          "another directory");
        }
        return {};
    }

    std::optional<DirectoryLock> lock_;
    Database db_;
    std::optional<Statement> insert_;
    const Table* insert_into_ = nullptr;
};

/// Fills one file under another name.
class BackupTarget final : public Ends {
  public:
    BackupTarget(std::string file, std::string partial, int lock)
        : Ends(Database(), std::nullopt),
          file_(std::move(file)),
          partial_(std::move(partial)),
          lock_(lock) {}
    ~BackupTarget() override {
        use(Database());
        if (!finished_) remove();
        ::close(lock_);
    }
    BackupTarget(const BackupTarget&) = delete;
    BackupTarget& operator=(const BackupTarget&) = delete;

    Result<void> finish(const Digest& seal) override {
        TRY_VOID(db().run(fmt::format("CREATE TABLE {} (rows BLOB NOT NULL) STRICT", kSeal)));
        Statement note(db(), fmt::format("INSERT INTO {} VALUES (?1)", kSeal));
        TRY_VOID(note.execute(std::as_bytes(std::span(seal))));
        TRY_VOID(Ends::finish(seal));
        // One file that can be read where nothing can be written.
        TRY_VOID(db().run("PRAGMA journal_mode = DELETE"));
        use(Database());
        if (::fsync(lock_) != 0) return failed_with_errno("sync", partial_);
        TRY_VOID(require_absent(file_));
        if (::rename(partial_.c_str(), file_.c_str()) != 0) return failed_with_errno("make", file_);
        finished_ = true;
        const auto parent = std::filesystem::path(file_).parent_path();
        return sync_directory(parent.empty() ? "." : parent.string());
    }

    /// With what SQLite keeps beside a file and, on a full disk, cannot clear away itself.
    void remove() const {
        for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((partial_ + suffix).c_str());
    }

    static Result<void> require_absent(const std::string& file) {
        if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT) return {};
        return refuse(ErrorCode::Unfit,
                      fmt::format("{} exists already: nothing is overwritten", file));
    }

  private:
    const std::string file_;
    const std::string partial_;
    const int lock_;  ///< the file, locked against another backup
    bool finished_ = false;
};

std::string database_in(const std::string& directory) {
    return (std::filesystem::path{directory} / kDatabase).string();
}

Outcome<std::int64_t> number(const Database& db, const char* sql) {
    Statement statement(db, sql);
    Rows rows = statement.query();
    TRY_ASSIGN(const bool found, rows.next());
    return found ? rows.integer(0) : 0;
}

Result<void> require_version(const Database& db, const std::string& file) {
    TRY_ASSIGN(const std::int64_t application, number(db, "PRAGMA application_id"));
    TRY_ASSIGN(const bool unfinished, is_unfinished(db));
    TRY_ASSIGN(const std::int64_t version, number(db, "PRAGMA user_version"));
    if (application != kApplicationId) {
        return refuse(ErrorCode::Unfit, fmt::format("{} is no database of Muster", file));
    }
    if (unfinished) {
        return refuse(ErrorCode::Unfit,
                      fmt::format("{} is itself a copy that was not finished", file));
    }
    if (version != newest_schema()) {
        return refuse(ErrorCode::Unfit,
                      fmt::format("{} has version {} of the tables, and this Muster needs version "
                                  "{}: use the Muster that wrote it, then upgrade",
                                  file, version, newest_schema()));
    }
    return {};
}

/// In a transaction that reads.
Result<Database> read_file(const std::string& file) {
    TRY_ASSIGN(Database db, Database::open({.path = file, .cache_kib = kSourceCacheKib}));
    // Beside a server that starts or stops, the file may be another's for a moment.
    sqlite3_busy_timeout(db.handle(), 10'000);
    TRY_VOID(db.run("BEGIN"));
    TRY_VOID(require_version(db, file));
    return db;
}

Result<std::unique_ptr<transfer::Source>> open_file(const std::string& file,
                                                    std::optional<DirectoryLock> lock) {
    if (::access(file.c_str(), R_OK) != 0) return failed_with_errno("read", file);
    Result<Database> opened = read_file(file);
    if (!opened) {
        Error error = std::move(opened).error();
        if (!error.message.contains(file)) error.message = file + ": " + error.message;
        return std::unexpected(std::move(error));
    }
    Database db = *std::move(opened);
    return std::make_unique<Ends>(std::move(db), std::move(lock));
}

/// What was written survives the end of the process; a power cut may take the newest batches,
/// never one without those behind it.
Result<void> prepare_to_fill(Database& db) {
    TRY_VOID(db.run("PRAGMA synchronous = NORMAL"));
    TRY_VOID(db.run("PRAGMA wal_autocheckpoint = 4000"));
    TRY_ASSIGN(const bool unfinished, is_unfinished(db));
    if (unfinished) return {};
    Outcome<void> migrated = migrate(db);
    if (migrated) return {};
    Failure why = std::move(migrated).error();
    // Not the disk's fault but that of what is there.
    if (why.code == 0) why.error.code = ErrorCode::Unfit;
    return std::unexpected(std::move(why.error));
}

}  // namespace

Result<std::unique_ptr<transfer::Source>> open_source(const std::string& directory,
                                                      Servers servers) {
    const std::string file = database_in(directory);
    if (::access(file.c_str(), F_OK) != 0) return failed_with_errno("read", file);
    std::optional<DirectoryLock> lock;
    if (servers == Servers::MustRest) {
        TRY_ASSIGN(DirectoryLock taken, DirectoryLock::take(directory));
        lock.emplace(std::move(taken));
    }
    return open_file(file, std::move(lock));
}

Result<std::unique_ptr<transfer::Source>> open_backup_source(const std::string& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) return failed_with_errno("read", file);
    // A directory can be opened, but not read.
    std::string begin(kFileMark.size(), '\0');
    if (!stream.read(begin.data(), static_cast<std::streamsize>(begin.size())) ||
        begin != kFileMark) {
        return refuse(ErrorCode::Unfit, fmt::format("{} is not a backup of Muster", file));
    }
    return open_file(file, std::nullopt);
}

Result<std::unique_ptr<transfer::Target>> open_target(const std::string& directory) {
    TRY_ASSIGN(DirectoryLock lock, DirectoryLock::take(directory));
    const std::string file = database_in(directory);
    TRY_VOID(create_private_file(file));
    TRY_ASSIGN(Database db, Database::open({.path = file,
                                            .access = Database::Access::Write,
                                            .cache_kib = kTargetCacheKib}));
    TRY_VOID(prepare_to_fill(db));
    TRY_VOID(sync_directory(directory));
    return std::make_unique<Ends>(std::move(db), std::move(lock));
}

Result<std::unique_ptr<transfer::Target>> open_backup_target(const std::string& file) {
    TRY_VOID(BackupTarget::require_absent(file));
    const std::string partial = file + ".partial";
    const int lock = ::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0) return failed_with_errno("write", partial);
    if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock);
        return refuse(ErrorCode::Locked, fmt::format("another backup writes {}", partial));
    }
    // From here on the file goes with the target.
    auto target = std::make_unique<BackupTarget>(file, partial, lock);
    if (::fchmod(lock, 0600) != 0 || ::ftruncate(lock, 0) != 0) {
        return failed_with_errno("write", partial);
    }
    for (const char* suffix : {"-wal", "-shm"}) ::unlink((partial + suffix).c_str());
    TRY_ASSIGN(Database db, Database::open({.path = partial,
                                            .access = Database::Access::Write,
                                            .cache_kib = kTargetCacheKib}));
    TRY_VOID(prepare_to_fill(db));
    target->use(std::move(db));
    return target;
}

}  // namespace muster::store::sqlite
