#include "store/sqlite/gathering_vfs.hpp"

#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/contract_fixture.hpp"
#include "store/sqlite/db.hpp"
#include "store/sqlite/fault_vfs.hpp"

namespace muster::store::sqlite {
namespace {

/// A writer whose cache is so small that transactions spill into the log before they are committed.
class GatheringVfsTest : public ::testing::Test {
  protected:
    GatheringVfsTest() { ok(writer_, "CREATE TABLE t (n INTEGER PRIMARY KEY, x BLOB NOT NULL)"); }
    ~GatheringVfsTest() override { std::filesystem::remove_all(directory_); }

    static std::filesystem::path make_directory() {
        std::string name = (std::filesystem::temp_directory_path() / "gathering-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        return name;
    }
    static Database opened(const std::filesystem::path& path, const std::string& vfs = "") {
        const bool writes = !vfs.empty();
        auto db =
            Database::open({.path = path,
                            .access = writes ? Database::Access::Write : Database::Access::Read,
                            .cache_kib = 64,
                            .vfs = vfs,
                            .gathers_log = writes});
        if (!db) throw std::runtime_error(db.error().error.message);
        return *std::move(db);
    }
    static void ok(Database& db, const std::string& sql) {
        const auto done = db.run(sql);
        ASSERT_TRUE(done) << sql << ": " << done.error().error.message;
    }
    static std::string text(Database& db, const std::string& sql) {
        Statement statement(db, sql);
        Rows rows = statement.query();
        const auto row = rows.next();
        return row && *row ? std::string(rows.text(0)) : "nothing";
    }
    /// A mebibyte of rows.
    void insert(int from) {
        ok(writer_, fmt::format("WITH RECURSIVE c (n) AS (VALUES ({}) UNION ALL SELECT n + 1 FROM "
                                "c WHERE n < {}) INSERT INTO t SELECT n, zeroblob(1000) FROM c",
                                from, from + 999));
    }
    /// Beside the writer, and after the end of a process that closed nothing.
    void expect(const std::string& sql, const std::string& answer) {
        for (Database* db : {&writer_, &reader_}) {
            EXPECT_EQ(text(*db, sql), answer);
            EXPECT_EQ(text(*db, "PRAGMA integrity_check"), "ok");
        }
        const auto left = directory_ / "left";
        std::filesystem::create_directory(left);
        for (const char* name : {"db", "db-wal"}) {
            std::filesystem::copy_file(directory_ / name, left / name,
                                       std::filesystem::copy_options::overwrite_existing);
        }
        Database recovered = opened(left / "db", base_.name());
        EXPECT_EQ(text(recovered, sql), answer);
        EXPECT_EQ(text(recovered, "PRAGMA integrity_check"), "ok");
    }

    test::FaultVfs base_{"below-gathering"};
    std::filesystem::path directory_ = make_directory();
    Database writer_ = opened(directory_ / "db", base_.name());
    Database reader_ = opened(directory_ / "db");
};

TEST_F(GatheringVfsTest, WhatIsSpilledIsReadAgainAndCommitted) {
    ok(writer_, "BEGIN IMMEDIATE");
    insert(1);
    // Pages that are in the log already are written anew, in their places.
    for (int i = 1; i <= 5; ++i) ok(writer_, fmt::format("UPDATE t SET x = zeroblob({}00)", i));
    EXPECT_EQ(text(writer_, "SELECT sum(length(x)) FROM t"), "500000");
    EXPECT_EQ(text(reader_, "SELECT count(*) FROM t"), "0");
    ok(writer_, "COMMIT");
    expect("SELECT sum(length(x)) FROM t", "500000");
}

TEST_F(GatheringVfsTest, WhatIsRolledBackIsGone) {
    for (int i = 0; i < 3; ++i) {
        ok(writer_, "BEGIN IMMEDIATE");
        insert(1);
        ok(writer_, "SAVEPOINT s");
        insert(2001);
        ok(writer_, "ROLLBACK TO s");
        EXPECT_EQ(text(writer_, "SELECT count(*) FROM t"), "1000");
        const int written = base_.writes;
        ok(writer_, "ROLLBACK");
        writer_.rolled_back();
        EXPECT_EQ(text(writer_, "SELECT count(*) FROM t"), "0");
        EXPECT_EQ(base_.writes, written) << "of what nobody waits for";
    }
    insert(1);
    expect("SELECT count(*) FROM t", "1000");
}

TEST_F(GatheringVfsTest, ADiskThatFillsUpUndoesTheTransactionAndNoMore) {
    insert(1);
    ok(writer_, "BEGIN IMMEDIATE");
    ok(writer_, "INSERT INTO t VALUES (5000, '')");
    base_.write_result = SQLITE_FULL;
    const auto spilled = writer_.run(
        "WITH RECURSIVE c (n) AS (VALUES (6000) UNION ALL SELECT n + 1 FROM c WHERE n < 8000) "
        "INSERT INTO t SELECT n, zeroblob(1000) FROM c");
    ASSERT_FALSE(spilled);
    EXPECT_EQ(spilled.error().code & 0xFF, SQLITE_FULL);
    if (writer_.in_transaction()) ok(writer_, "ROLLBACK");
    writer_.rolled_back();
    base_.write_result = SQLITE_OK;
    expect("SELECT count(*) FROM t", "1000");

    // At the commit itself.
    ok(writer_, "BEGIN IMMEDIATE");
    ok(writer_, "INSERT INTO t VALUES (5000, '')");
    base_.write_result = SQLITE_FULL;
    EXPECT_FALSE(writer_.run("COMMIT"));
    if (writer_.in_transaction()) ok(writer_, "ROLLBACK");
    writer_.rolled_back();
    base_.write_result = SQLITE_OK;
    insert(2001);
    expect("SELECT count(*) FROM t", "2000");
}

TEST_F(GatheringVfsTest, TheLogIsBegunAnewAfterACheckpoint) {
    for (int i = 0; i < 5; ++i) {
        insert(1 + 1000 * i);
        ok(writer_, "PRAGMA wal_checkpoint(RESTART)");
    }
    ok(writer_, "DELETE FROM t WHERE n > 3000");
    expect("SELECT count(*) FROM t", "3000");
}

}  // namespace
}  // namespace muster::store::sqlite
