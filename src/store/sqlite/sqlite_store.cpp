#include "store/sqlite/sqlite_store.hpp"

#include <filesystem>
#include <system_error>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "store/sqlite/directory_lock.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/writer.hpp"

namespace muster::store {
namespace {

using sqlite::Reader;
using sqlite::to_result;

constexpr int kWriterCacheKib = 16 * 1024;
constexpr int kReaderCacheKib = 24 * 1024;
constexpr std::size_t kResolveSlice = 512;  // about 1 ms

class Implementation final : public SqliteStore {
  public:
    Implementation(std::string path, sqlite::DirectoryLock lock,
                   std::vector<std::unique_ptr<sqlite::Reader>> readers, sqlite::Database database,
                   const sqlite::Writer::Options& writing)
        : path_(std::move(path)), lock_(std::move(lock)) {
        for (auto& reader : readers) readers_.add(std::move(reader));
        writer_ = std::make_unique<sqlite::Writer>(std::move(database), readers_, writing);
    }
    ~Implementation() override { close(); }
    Implementation(const Implementation&) = delete;
    Implementation& operator=(const Implementation&) = delete;

    Task<Result<std::optional<Record>>> find(OrgKey org, std::string_view type,
                                             std::string_view id) override {
        co_return to_result(
            readers_.read([&](Reader& reader) { return reader.find(org, type, id); }));
    }

    Task<Result<std::optional<RecordWithGroups>>> find_with_groups(OrgKey org,
                                                                   std::string_view type,
                                                                   std::string_view id) override {
        co_return to_result(
            readers_.read([&](Reader& reader) { return reader.find_with_groups(org, type, id); }));
    }

    Task<Result<Slice>> query(OrgKey org, const Plan& plan, Stretch stretch) override {
        co_return to_result(
            readers_.read([&](Reader& reader) { return reader.query(org, plan, stretch); }));
    }

    Task<Result<std::vector<Record>>> records(OrgKey org, std::span<const Rid> rids) override {
        co_return to_result(
            readers_.read([&](Reader& reader) { return reader.records(org, rids); }));
    }

    Task<Result<std::int64_t>> count(OrgKey org, const Plan& plan) override {
        co_return to_result(readers_.read([&](Reader& reader) { return reader.count(org, plan); }));
    }

    Task<Result<std::vector<std::vector<Reference>>>> groups_of(
        OrgKey org, std::span<const Rid> members) override {
        co_return to_result(
            readers_.read([&](Reader& reader) { return reader.groups_of(org, members); }));
    }

    Task<Result<Members>> members_of(OrgKey org, Rid group, Rid after, std::size_t limit) override {
        co_return to_result(readers_.read(
            [&](Reader& reader) { return reader.members_of(org, group, after, limit); }));
    }

    Task<Result<std::int64_t>> member_count(OrgKey org, Rid group) override {
        co_return to_result(
            readers_.read([&](Reader& reader) { return reader.member_count(org, group); }));
    }

    Task<Result<std::vector<Reference>>> resolve(OrgKey org,
                                                 std::span<const std::string> ids) override {
        std::vector<Reference> found;
        found.reserve(ids.size());
        while (!ids.empty()) {
            const auto slice = ids.first(std::min(ids.size(), kResolveSlice));
            ids = ids.subspan(slice.size());
            CO_TRY_VOID(to_result(
                readers_.read([&](Reader& reader) { return reader.resolve(org, slice, found); })));
            if (ids.empty()) break;
            // Other requests of this thread get their turn.
            const auto executor = co_await boost::asio::this_coro::executor;
            co_await boost::asio::post(executor, boost::asio::use_awaitable);
        }
        co_return found;
    }

    Task<Result<Committed>> commit(WriteSet set) override {
        sqlite::Work work(std::move(set));
        CO_TRY_ASSIGN(sqlite::Done done, co_await writer_->submit(std::move(work)));
        co_return std::move(done.committed);
    }

    Task<void> record(LogEntry entry) override { return writer_->record(std::move(entry)); }
    bool offer(LogEntry entry) override { return writer_->offer(std::move(entry)); }

    Task<Result<LogPage>> log(const LogQuery& query) override {
        co_await flush_log();
        co_return to_result(
            readers_.read_anew([&](Reader& reader) { return reader.log().read(query); }));
    }

    Task<Result<std::optional<std::string>>> log_entry(LogId id) override {
        co_await flush_log();
        co_return to_result(
            readers_.read_anew([&](Reader& reader) { return reader.log().find(id); }));
    }

    Result<Directory> load_directory() override {
        return to_result(readers_.read([](Reader& reader) { return reader.directory(); }));
    }
    // One process has the file; its own changes it knows.
    Task<Result<std::optional<Directory>>> directory_since(std::int64_t) override {
        co_return std::nullopt;
    }
    std::int64_t node() const override { return 0; }

    Task<Result<bool>> purge(Timestamp log_before, Timestamp deleted_before) override {
        co_await flush_log();
        sqlite::Work work(sqlite::Purge{log_before, deleted_before});
        CO_TRY_ASSIGN(const sqlite::Done done, co_await writer_->submit(std::move(work)));
        co_return done.more;
    }

    Task<Result<void>> healthy() override {
        if (!writer_) co_return std::unexpected(Error{ErrorCode::Unavailable, "closed", {}, {}});
        CO_TRY_VOID(writer_->healthy());
        co_return to_result(readers_.read_anew([](Reader& reader) { return reader.probe(); }));
    }

    Figures figures() const override {
        Figures figures = writer_ ? writer_->figures() : Figures{};
        for (const char* suffix : {"", "-wal"}) {
            std::error_code ignored;
            const auto bytes = std::filesystem::file_size(path_ + suffix, ignored);
            if (!ignored) figures.database_bytes += bytes;
        }
        return figures;
    }

    // The writer closes last, so that nobody but it ever checkpoints.
    void close() override {
        if (!writer_) return;
        writer_->stop();
        readers_.clear();
        writer_.reset();
        lock_.reset();
    }

  private:
    /// So that a reader sees every record handed over before. Where the disk is full the records
    /// stay queued, and an operator is better served by the older ones than by nothing.
    Task<void> flush_log() {
        if (!writer_->has_unwritten_log()) co_return;
        sqlite::Work nothing(WriteSet{});
        static_cast<void>(co_await writer_->submit(std::move(nothing)));
    }

    std::string path_;
    std::optional<sqlite::DirectoryLock> lock_;
    sqlite::ReaderPool readers_;
    std::unique_ptr<sqlite::Writer> writer_;
};

}  // namespace

Result<std::unique_ptr<SqliteStore>> open(const SqliteOptions& options) {
    using sqlite::Database;
    TRY_ASSIGN(sqlite::DirectoryLock lock, sqlite::DirectoryLock::take(options.directory));
    const std::string path = options.directory + "/muster.db";
    // SQLite gives its other files the permissions of this one.
    TRY_VOID(sqlite::create_private_file(path));

    const bool durable = options.durability == Durability::Full;
    TRY_ASSIGN(Database database, Database::open({.path = path,
                                                  .access = Database::Access::Write,
                                                  .synchronous = durable,
                                                  .cache_kib = kWriterCacheKib,
                                                  .vfs = options.vfs,
                                                  .gathers_log = durable}));
    TRY_VOID(sqlite::migrate(database));
    TRY_VOID(sqlite::sync_directory(options.directory));

    std::vector<std::unique_ptr<sqlite::Reader>> readers;
    for (std::size_t i = 0; i < std::max<std::size_t>(options.readers, 1); ++i) {
        TRY_ASSIGN(Database reader, Database::open({.path = path,
                                                    .access = Database::Access::Read,
                                                    .cache_kib = kReaderCacheKib,
                                                    .vfs = options.vfs}));
        readers.push_back(std::make_unique<sqlite::Reader>(std::move(reader)));
    }
    const sqlite::Writer::Options writing{options.batch_sets, options.batch_bytes, durable};
    return std::make_unique<Implementation>(path, std::move(lock), std::move(readers),
                                            std::move(database), writing);
}

Result<void> hold_key(const SqliteOptions& options, const Digest& fingerprint) {
    using sqlite::Database;
    using sqlite::Statement;
    TRY_ASSIGN(Database database, Database::open({.path = options.directory + "/muster.db",
                                                  .access = Database::Access::Write,
                                                  .cache_kib = kWriterCacheKib,
                                                  .vfs = options.vfs}));
    const auto is_held = [&]() -> Result<bool> {
        Statement held(database, "SELECT 1 FROM instance_key WHERE fingerprint = ?1");
        sqlite::Rows rows = held.query(std::span(fingerprint));
        TRY_ASSIGN(const bool found, rows.next());
        return found;
    };
    TRY_ASSIGN(const bool known, is_held());
    if (known) return {};
    TRY_VOID(database.run("DELETE FROM instance_key WHERE NOT EXISTS (SELECT 1 FROM token)"));
    Statement keep(database,
                   "INSERT INTO instance_key (one, fingerprint) VALUES (1, ?1) ON CONFLICT DO "
                   "NOTHING");
    TRY_VOID(keep.execute(std::span(fingerprint)));
    TRY_ASSIGN(const bool kept, is_held());
    if (kept) return {};
    return std::unexpected(
        Error{ErrorCode::Unavailable,
              fmt::format("the key file is not the one by which this database's tokens were made. "
                          "Give that one as key_file; a command finds it by the server's settings: "
                          "--config FILE. Where it is lost for good: sqlite3 {}/muster.db 'DELETE "
                          "FROM instance_key', then renew every token",
                          options.directory),
              {},
              {}});
}

}  // namespace muster::store
