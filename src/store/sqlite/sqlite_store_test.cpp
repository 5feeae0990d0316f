// What is particular to SQLite: the file, its lock and settings, restarts, failing disks, batches.

#include <algorithm>
#include <fstream>
#include <functional>
#include <random>
#include <stop_token>
#include <sys/stat.h>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "store/sqlite/db.hpp"
#include "store/sqlite/fault_vfs.hpp"
#include "store/sqlite/inspect.hpp"
#include "store/sqlite/schema.hpp"
#include "store/sqlite/store_fixture.hpp"

namespace muster::store::test {
namespace {

using sqlite::Database;
using sqlite::Statement;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_F(SqliteStoreTest, What_was_acknowledged_is_there_after_a_restart) {
    auto store = opened(options());
    put_organisation(*store);
    ASSERT_TRUE(create(*store, 1));
    ASSERT_TRUE(run(store->commit(write(kOrg, group(Rid{2}, "staff", {Rid{1}})))));
    run(store->record({LogId{1}, kOrg, kConnector, false, R"({"n":1)"}));
    store->close();

    store = opened(options());
    EXPECT_EQ(users(*store), 1);
    EXPECT_EQ(run(store->member_count(kOrg, Rid{2})).value(), 1);
    EXPECT_THAT(run(store->log({})).value().records, ElementsAre(R"({"n":1})"));
    EXPECT_EQ(store->load_directory().value().organisations.size(), 1U);
    EXPECT_EQ(run(store->commit(write(kOrg, user(Rid{9}, "user1")))).error().holder_id, "id-1");
    store.reset();
    EXPECT_EQ(ask("PRAGMA integrity_check"), "ok");
    EXPECT_EQ(ask("PRAGMA foreign_key_check"), "");
}

TEST_F(SqliteStoreTest, A_log_record_is_written_within_a_moment_by_itself) {
    auto store = opened(options());
    put_organisation(*store);
    run(store->record({LogId{1}, kOrg, kConnector, true, R"({"n":1)"}));
    for (int i = 0; i < 100 && ask("SELECT count(*) FROM log_segment") != "1"; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(ask("SELECT count(*) FROM log_segment"), "1");
}

TEST_F(SqliteStoreTest, Records_of_one_connector_share_a_row) {
    auto store = opened(options());
    put_organisation(*store);
    for (int i = 0; i < 100; ++i) {
        run(store->record({LogId{i + 1}, kOrg, ConnectorKey{1 + i % 2}, i % 4 == 0, R"({"n":1)"}));
    }
    ASSERT_EQ(run(store->log({.limit = 1000})).value().records.size(), 100U);
    EXPECT_EQ(ask("SELECT sum(records) || ' ' || sum(failures) FROM log_segment"), "100 25");
    EXPECT_LE(std::stoi(ask("SELECT count(*) FROM log_segment")), 4);
}

TEST_F(SqliteStoreTest, A_second_store_on_the_directory_is_refused_with_the_remedy) {
    auto store = opened(options());
    const auto second = open(options());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::Locked);
    EXPECT_THAT(second.error().message, HasSubstr("in use by another Muster; stop it first"));
    store->close();
    EXPECT_TRUE(open(options()));
}

TEST_F(SqliteStoreTest, The_directory_and_the_files_are_private) {
    SqliteOptions inner = options();
    inner.directory += "/data";
    auto store = opened(inner);
    put_organisation(*store);
    struct stat status{};
    ASSERT_EQ(::stat(inner.directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    for (const char* file : {"/muster.db", "/muster.db-wal", "/muster.db-shm", "/lock"}) {
        ASSERT_EQ(::stat((inner.directory + file).c_str(), &status), 0) << file;
        EXPECT_EQ(status.st_mode & 0777U, 0600U) << file;
    }
}

TEST_F(SqliteStoreTest, A_directory_that_cannot_be_made_is_named) {
    SqliteOptions missing = options();
    missing.directory += "/a/b";
    EXPECT_THAT(open(missing).error().message, HasSubstr(missing.directory));
}

TEST_F(SqliteStoreTest, The_file_carries_our_marks) {
    opened(options());
    EXPECT_EQ(ask("PRAGMA application_id"), std::to_string(sqlite::kApplicationId));
    EXPECT_EQ(ask("PRAGMA user_version"), std::to_string(sqlite::newest_schema()));
    EXPECT_EQ(ask("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteStoreTest, Another_key_is_refused_once_there_are_tokens) {
    const auto store = opened(options());
    Digest key{};
    Digest other{};
    other.front() = std::byte{1};
    EXPECT_TRUE(hold_key(options(), key));
    EXPECT_TRUE(hold_key(options(), key));
    EXPECT_TRUE(hold_key(options(), other)) << "nobody depends on a key yet";
    {
        Database db = Database::open({path(), Database::Access::Write, true, 1000, {}}).value();
        ASSERT_TRUE(
            db.run("INSERT INTO organisation VALUES (1, 'a', 'A', 0, '{}', 0);"
                   "INSERT INTO connector VALUES (1, 1, 'c', 'okta', 'C', 0, '{}', 0);"
                   "INSERT INTO token VALUES (1, 1, 't', 'T', 0, 1, zeroblob(32), NULL, '', 0, 0, "
                   "NULL, '', NULL)"));
    }
    EXPECT_TRUE(hold_key(options(), other));
    const auto held = hold_key(options(), key);
    ASSERT_FALSE(held);
    EXPECT_THAT(held.error().message, HasSubstr("--config FILE"));
}

TEST_F(SqliteStoreTest, Files_that_are_not_ours_are_refused_and_left_alone) {
    std::ofstream(path()) << "this is no database, but it is long enough to look like one of some "
                             "sort, so that a header would be read from it";
    EXPECT_FALSE(open(options()));

    std::filesystem::remove(path());
    {
        Database other = Database::open({path(), Database::Access::Write, true, 1000, {}}).value();
        ASSERT_TRUE(other.run("CREATE TABLE theirs (x)"));
    }
    EXPECT_THAT(open(options()).error().message, HasSubstr("not a database of Muster"));
    EXPECT_EQ(ask("SELECT count(*) FROM sqlite_schema"), "1");
}

TEST_F(SqliteStoreTest, A_file_of_a_newer_version_is_refused) {
    opened(options());
    {
        Database db = Database::open({path(), Database::Access::Write, true, 1000, {}}).value();
        ASSERT_TRUE(db.run("PRAGMA user_version = 1000"));
    }
    EXPECT_THAT(open(options()).error().message, HasSubstr("newer version"));
    EXPECT_EQ(ask("PRAGMA user_version"), "1000");
}

TEST_F(SqliteStoreTest, Every_commit_is_synced_and_a_batch_is_synced_once) {
    sqlite::test::FaultVfs vfs("count-syncs");
    SqliteOptions counted = options(vfs.name());
    auto store = opened(counted);
    put_organisation(*store);
    for (std::int64_t rid = 1; rid <= 10; ++rid) {
        const int before = vfs.syncs;
        ASSERT_TRUE(create(*store, rid));
        EXPECT_GE(vfs.syncs - before, 1) << "an acknowledged write was not synced";
    }

    const Store::Figures before = store->figures();
    const int syncs_before = vfs.syncs;
    boost::asio::io_context context;
    for (std::int64_t rid = 101; rid <= 200; ++rid) {
        boost::asio::co_spawn(
            context, store->commit(write(kOrg, user(Rid{rid}, "user" + std::to_string(rid)))),
            [](std::exception_ptr, const Result<Committed>& done) { EXPECT_TRUE(done); });
    }
    context.run();
    const Store::Figures after = store->figures();
    EXPECT_EQ(after.write_sets - before.write_sets, 100U);
    EXPECT_LE(after.commits - before.commits, 50U) << "concurrent sets share commits";
    EXPECT_LE(vfs.syncs - syncs_before, 60);
    EXPECT_EQ(users(*store), 110);
}

TEST_F(SqliteStoreTest, A_commit_goes_to_the_log_in_one_write) {
    sqlite::test::FaultVfs vfs("count-writes");
    SqliteOptions counted = options(vfs.name());
    auto store = opened(counted);
    put_organisation(*store);
    for (std::int64_t rid = 1; rid <= 10; ++rid) {
        const int before = vfs.writes;
        ASSERT_TRUE(create(*store, rid));
        // The log's own header is another, where it is begun anew.
        EXPECT_LE(vfs.writes - before, 2);
    }
    // What is longer than SQLite's own layer takes at once comes in several, and comes whole.
    WriteSet large = write(kOrg, user(Rid{100}, "large"));
    auto& person = std::get<CreateResource>(large.mutations.front());
    const std::string id = person.id;
    const std::string sent = R"({"displayName":")" + std::string(300'000, 'x') + R"("})";
    person.document = sent;
    const int before = vfs.writes;
    ASSERT_TRUE(run(store->commit(std::move(large))));
    EXPECT_GE(vfs.writes - before, 3);
    EXPECT_LE(vfs.writes - before, 6);
    EXPECT_EQ(run(store->find(kOrg, "User", id))->value().document, sent);
}

TEST_F(SqliteStoreTest, Without_durability_nothing_is_synced) {
    sqlite::test::FaultVfs vfs("never-syncs");
    SqliteOptions loose = options(vfs.name());
    loose.durability = Durability::Off;
    auto store = opened(loose);
    put_organisation(*store);
    const int before = vfs.syncs;
    for (std::int64_t rid = 1; rid <= 5; ++rid) ASSERT_TRUE(create(*store, rid));
    EXPECT_EQ(vfs.syncs, before);
    EXPECT_EQ(create(*store, 1).error().code, ErrorCode::UniqueTaken);
}

TEST_F(SqliteStoreTest, A_batch_keeps_what_is_good_and_refuses_what_is_not) {
    auto store = opened(options());
    put_organisation(*store);
    boost::asio::io_context context;
    int good = 0;
    int refused = 0;
    for (int i = 0; i < 100; ++i) {
        WriteSet set = write(kOrg, user(Rid{100 + i}, "user" + std::to_string(i)));
        // Every third one fails, after it has written something.
        if (i % 3 == 0) set.mutations.emplace_back(user(Rid{1000 + i}, "user" + std::to_string(i)));
        set.log.push_back({LogId{i + 1}, kOrg, kConnector, false, R"({"n":1)"});
        boost::asio::co_spawn(
            context, store->commit(std::move(set)),
            [&](std::exception_ptr, const Result<Committed>& done) { done ? ++good : ++refused; });
    }
    context.run();
    EXPECT_EQ(good, 66);
    EXPECT_EQ(refused, 34);
    EXPECT_EQ(users(*store), 66);
    EXPECT_EQ(run(store->log({.limit = 1000})).value().records.size(), 66U);
}

TEST_F(SqliteStoreTest, A_failed_sync_fails_the_write_and_every_one_after_it) {
    sqlite::test::FaultVfs vfs("fail-sync");
    SqliteOptions failing = options(vfs.name());
    auto store = opened(failing);
    put_organisation(*store);
    ASSERT_TRUE(create(*store, 1));
    ASSERT_TRUE(run(store->healthy()));

    vfs.sync_result = SQLITE_IOERR_FSYNC;
    run(store->record({LogId{1}, kOrg, kConnector, false, R"({"n":0)"}));
    EXPECT_EQ(create(*store, 2).error().code, ErrorCode::Unavailable);
    EXPECT_EQ(store->figures().log_dropped, 1U) << "of the batch that failed";
    vfs.sync_result = SQLITE_OK;
    const auto later = create(*store, 3);
    ASSERT_FALSE(later) << "a later sync that succeeds proves nothing about the failed one";
    EXPECT_EQ(later.error().code, ErrorCode::Unavailable);
    EXPECT_THAT(run(store->healthy()).error().message, HasSubstr("writing stopped"));
    const int syncs = vfs.syncs;
    EXPECT_EQ(users(*store), 1) << "reads go on";
    run(store->record({LogId{2}, kOrg, kConnector, false, R"({"n":1)"}));
    EXPECT_EQ(store->figures().log_dropped, 2U) << "and of what came later";
    store->close();
    EXPECT_EQ(vfs.syncs, syncs) << "the disk is left alone, even when closing";

    store = opened(options());
    EXPECT_TRUE(run(store->healthy()));
    EXPECT_GE(users(*store), 1);
    EXPECT_TRUE(create(*store, 4));
}

TEST_F(SqliteStoreTest, A_full_disk_fails_the_moment_and_is_survived) {
    sqlite::test::FaultVfs vfs("fill-disk");
    SqliteOptions full = options(vfs.name());
    auto store = opened(full);
    put_organisation(*store);
    ASSERT_TRUE(create(*store, 1));

    vfs.write_result = SQLITE_FULL;
    run(store->record({LogId{1}, kOrg, kConnector, false, R"({"n":1)"}));
    EXPECT_EQ(create(*store, 2).error().code, ErrorCode::Unavailable);
    EXPECT_EQ(create(*store, 3).error().code, ErrorCode::Unavailable);
    EXPECT_TRUE(run(store->healthy()));
    EXPECT_EQ(users(*store), 1);
    EXPECT_THAT(run(store->log({})).value().records, IsEmpty());

    vfs.write_result = SQLITE_OK;
    EXPECT_TRUE(create(*store, 2));
    EXPECT_EQ(users(*store), 2);
    EXPECT_THAT(run(store->log({})).value().records, ElementsAre(R"({"n":1})"))
        << "log records wait until there is room";
}

TEST_F(SqliteStoreTest, Everything_reaches_the_main_file_when_nothing_happens) {
    auto store = opened(options());
    put_organisation(*store);
    const std::string copy = path() + "-copy";
    std::filesystem::create_directory(copy);
    const auto main_file_is_sound = [&] {
        std::filesystem::copy_file(path(), copy + "/muster.db",
                                   std::filesystem::copy_options::overwrite_existing);
        return inspect(copy).has_value();
    };
    ASSERT_FALSE(main_file_is_sound()) << "so far only the write-ahead log has it";
    bool sound = false;
    for (int i = 0; i < 300 && !sound; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        sound = main_file_is_sound();
    }
    EXPECT_TRUE(sound);
    EXPECT_GT(store->figures().database_bytes, 0U);
}

/// Reads without a pause, as a busy server does, so that there is always a reader who sees
/// something.
class BusyReader {
  public:
    explicit BusyReader(Store& store)
        : thread_([&store](const std::stop_token& stop) {
              while (!stop.stop_requested()) EXPECT_TRUE(run(store.find(kOrg, "User", "id-1")));
          }) {}

  private:
    std::jthread thread_;
};

TEST_F(SqliteStoreTest, The_write_ahead_log_stays_bounded_under_load) {
    auto store = opened(options());
    put_organisation(*store);
    const BusyReader reader(*store);
    std::int64_t rid = 0;
    for (int batch = 0; batch < 40; ++batch) {
        WriteSet set = write(kOrg);
        for (int i = 0; i < 250; ++i) {
            ++rid;
            CreateResource one = user(Rid{rid}, "user" + std::to_string(rid));
            one.document.resize(4'000, ' ');
            set.mutations.emplace_back(std::move(one));
        }
        ASSERT_TRUE(run(store->commit(std::move(set))));
    }
    EXPECT_GT(std::filesystem::file_size(path()), std::uintmax_t{20} << 20);
    EXPECT_LT(std::filesystem::file_size(path() + "-wal"), std::uintmax_t{40} << 20);
}

TEST_F(SqliteStoreTest, Nor_does_the_provisioning_log_alone_make_it_grow) {
    auto store = opened(options());
    put_organisation(*store);
    ASSERT_TRUE(create(*store, 1));
    const BusyReader reader(*store);
    std::mt19937_64 random{1};
    for (std::int64_t i = 1; i <= 2'500; ++i) {
        std::string noise(32'000, ' ');
        std::ranges::generate(noise, [&] { return static_cast<char>('!' + random() % 90); });
        std::ranges::replace(noise, '"', ' ');
        std::ranges::replace(noise, '\\', ' ');
        run(store->record({LogId{i}, kOrg, kConnector, false, R"({"n":")" + noise + '"'}));
    }
    ASSERT_EQ(run(store->log({.limit = 1})).value().records.size(), 1U);
    EXPECT_GT(std::filesystem::file_size(path()), std::uintmax_t{50} << 20);
    // On a slow disk a batch is as large as the room for what waits (16 MiB), and comes to a file
    // that was just too small for a checkpoint (1,000 pages, 4 MiB), or that a reader kept.
    EXPECT_LT(std::filesystem::file_size(path() + "-wal"), std::uintmax_t{40} << 20);
}

TEST_F(SqliteStoreTest, Readers_on_many_threads_see_every_acknowledged_write) {
    SqliteOptions few = options();
    few.readers = 2;
    auto store = opened(few);
    put_organisation(*store);
    std::vector<std::thread> threads;
    for (std::int64_t thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&, thread] {
            for (std::int64_t i = 0; i < 50; ++i) {
                const Rid rid{1 + thread * 1000 + i};
                ASSERT_TRUE(create(*store, rid.value));
                const std::string id = id_of(rid);
                EXPECT_TRUE(run(store->find(kOrg, "User", id)).value()) << id;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(users(*store), 200);
}

TEST_F(SqliteStoreTest, A_damaged_log_segment_is_an_error_and_not_a_crash) {
    auto store = opened(options());
    put_organisation(*store);
    run(store->record({LogId{1}, kOrg, kConnector, false, R"({"n":1)"}));
    ASSERT_EQ(run(store->log({})).value().records.size(), 1U);
    store->close();
    {
        Database db = Database::open({path(), Database::Access::Write, true, 1000, {}}).value();
        ASSERT_TRUE(db.run("UPDATE log_segment SET data = x'28b52ffd00ff'"));
    }
    store = opened(options());
    EXPECT_THAT(run(store->log({})).error().message, HasSubstr("damaged"));
    EXPECT_FALSE(run(store->log_entry(LogId{1})));
}

TEST(SqliteDatabase, A_reader_cannot_write) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/x.db";
    Database writer = Database::open({path, Database::Access::Write, true, 1000, {}}).value();
    ASSERT_TRUE(writer.run("CREATE TABLE t (x INTEGER) STRICT"));
    Database reader = Database::open({path, Database::Access::Read, true, 1000, {}}).value();
    EXPECT_FALSE(reader.run("INSERT INTO t VALUES (1)"));
    EXPECT_FALSE(reader.run("CREATE TABLE u (x INTEGER)"));
}

struct Setting {
    const char* pragma;
    const char* writer;
    const char* reader;
};

TEST(SqliteDatabase, Connections_are_set_up_for_safety) {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/x.db";
    Database writer = Database::open({path, Database::Access::Write, true, 1000, {}}).value();
    ASSERT_TRUE(writer.run("CREATE TABLE t (x INTEGER) STRICT"));
    Database reader = Database::open({path, Database::Access::Read, true, 2000, {}}).value();
    const auto value = [](const Database& db, const char* pragma) {
        Statement statement(db, fmt::format("PRAGMA {}", pragma));
        auto rows = statement.query();
        return rows.next().value() ? std::string(rows.text(0)) : "";
    };
    const Setting settings[] = {
        {"synchronous", "2", nullptr},   {"journal_mode", "wal", "wal"},
        {"foreign_keys", "1", nullptr},  {"trusted_schema", "0", "0"},
        {"secure_delete", "2", nullptr}, {"cell_size_check", "1", "1"},
        {"temp_store", "2", "2"},        {"wal_autocheckpoint", "0", nullptr},
        {"query_only", "0", "1"},        {"cache_size", "-1000", "-2000"},
    };
    for (const Setting& setting : settings) {
        EXPECT_EQ(value(writer, setting.pragma), setting.writer) << setting.pragma;
        if (setting.reader == nullptr) continue;
        EXPECT_EQ(value(reader, setting.pragma), setting.reader) << setting.pragma;
    }
    EXPECT_FALSE(writer.run(R"(SELECT "no such column")")) << "double quotes make no strings";
}

}  // namespace
}  // namespace muster::store::test
