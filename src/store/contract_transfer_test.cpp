// Copies between all kinds of databases, of random contents: everything arrives, whatever happens
// on the way, and nothing is overwritten.

#include <fstream>
#include <functional>
#include <libpq-fe.h>
#include <set>

#include <sqlite3.h>

#include "store/contract_fixture.hpp"
#include "store/contract_history.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/postgres/transfer.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "store/sqlite/transfer.hpp"
#include "store/transfer/copy.hpp"

namespace muster::store::test {
namespace {

using testing::HasSubstr;
using transfer::Copied;
using transfer::Row;
using transfer::Servers;
using transfer::Source;
using transfer::Table;
using transfer::Target;

constexpr auto kNoProgress = [](std::uint64_t, std::uint64_t, std::string_view) {};

/// A place for a database of one kind; it goes with the object.
class Place {
  public:
    explicit Place(Kind kind) {
        if (kind == Kind::Postgres) database_ = std::make_unique<TemporaryDatabase>();
    }

    Result<std::unique_ptr<Store>> open() const {
        if (database_)
            return store::open(PostgresOptions{.url = database_->url(), .removal_rest = {}});
        return store::open(SqliteOptions{.directory = directory_.path()});
    }
    Result<std::unique_ptr<Source>> source(Servers servers = Servers::MustRest) const {
        return database_ ? postgres::open_source(database_->url(), servers)
                         : sqlite::open_source(directory_.path(), servers);
    }
    Result<std::unique_ptr<Target>> target() const {
        return database_ ? postgres::open_target(database_->url())
                         : sqlite::open_target(directory_.path());
    }
    /// As a server does when it starts (hold_key).
    Result<void> hold_key(std::byte key) const {
        Digest fingerprint{};
        fingerprint.front() = key;
        if (database_) return store::hold_key(PostgresOptions{.url = url()}, fingerprint);
        return store::hold_key(SqliteOptions{.directory = directory_.path()}, fingerprint);
    }
    /// As if a newer Muster had been here.
    void make_newer() const {
        if (database_) {
            execute_postgres("UPDATE muster_schema SET version = version + 1");
        } else {
            execute_sqlite("PRAGMA user_version = 1000");
        }
    }
    std::string file(const std::string& name) const { return directory_.path() + "/" + name; }
    const std::string& url() const { return database_->url(); }

  private:
    void execute_postgres(const char* sql) const {
        const std::unique_ptr<PGconn, decltype(&PQfinish)> db(PQconnectdb(url().c_str()),
                                                              &PQfinish);
        const std::unique_ptr<PGresult, decltype(&PQclear)> done(PQexec(db.get(), sql), &PQclear);
        EXPECT_EQ(PQresultStatus(done.get()), PGRES_COMMAND_OK) << PQerrorMessage(db.get());
    }
    void execute_sqlite(const char* sql) const {
        sqlite3* db = nullptr;
        EXPECT_EQ(sqlite3_open(file("muster.db").c_str(), &db), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(db);
    }

    TemporaryDirectory directory_{fast_parent()};
    std::unique_ptr<TemporaryDatabase> database_;
};

void fill_directory(Store& store) {
    WriteSet set;
    set.mutations.emplace_back(PutOrganisation{{kOrg, "acme", "Acme", kStart, R"({"x":1})"}});
    set.mutations.emplace_back(PutOrganisation{{kOtherOrg, "other", "Other", kStart, {}}});
    Connector connector{kConnector, kOrg,  "c1", "okta", "Okta", ConnectorState::Paused,
                        "{}",       kStart};
    set.mutations.emplace_back(PutConnector{connector});
    Token token;
    token.key = TokenKey{3};
    token.connector = kConnector;
    token.id = "t1";
    token.hash.fill(std::byte{0});
    set.mutations.emplace_back(PutToken{token});
    token.key = TokenKey{4};
    token.id = "t2";
    token.active = false;
    token.previous_hash = Digest{};
    token.previous_expires = token.last_used = kStart;
    set.mutations.emplace_back(PutToken{token});
    set.log.push_back({LogId{1'000'000}, {}, {}, true, R"({"nobody":"knows")"});
    value_of(run(store.commit(std::move(set))));
}

/// Some hundred writes, and text that databases like to stumble over.
void fill(Store& store, unsigned seed) {
    fill_directory(store);
    History history(seed);
    for (int step = 0; step < 400; ++step) {
        const WriteSet set = history.next();
        // Here the same resources would be in both; in an instance no two have the same number.
        if (set.org == kOtherOrg) continue;
        if (const auto done = run(store.commit(set))) history.learn(set, *done);
    }
    using namespace std::string_literals;
    std::int64_t rid = 1'000'000;
    for (const auto& name : {"nul\0inside"s, "\xF0\x9F\x8D\x8F"s, "\x7F~"s, "'\\\""s, ""s}) {
        value_of(run(store.commit(write(kOrg, user(Rid{++rid}, name)))));
        const Rid other{++rid};
        value_of(run(store.commit(write(kOtherOrg, user(other, name)))));
        value_of(run(store.commit(write(kOtherOrg, group(Rid{++rid}, name, {other})))));
    }
}

/// Every row that a database has.
std::vector<std::pair<std::string, Row>> contents(Source& source) {
    std::vector<std::pair<std::string, Row>> all;
    for (const Table& table : transfer::tables()) {
        for (const OrgKey org : {OrgKey{}, kOrg, kOtherOrg}) {
            if (table.shared && org != OrgKey{}) break;
            const auto reading = value_of(source.read(table, org));
            for (Row row; value_of(reading->next(row));) {
                all.emplace_back(fmt::format("{} {}", table.name, org.value), row);
            }
        }
    }
    return all;
}

Copied copy(Source& source, Target& target) {
    return value_of(transfer::copy(source, "test", target, kNoProgress));
}

struct Leg {
    Kind from;
    Kind to;
};
constexpr std::array kLegs{Leg{Kind::Sqlite, Kind::Postgres}, Leg{Kind::Postgres, Kind::Sqlite},
                           Leg{Kind::Sqlite, Kind::Sqlite}, Leg{Kind::Postgres, Kind::Postgres}};

class Transfer : public testing::TestWithParam<Leg> {
  protected:
    Transfer() {
        const auto store = value_of(from.open());
        fill(*store, 5);
        store->close();
        value_of(from.hold_key(kKey));
    }
    static constexpr std::byte kKey{1};
    static constexpr std::byte kOtherKey{2};
    const Place from{GetParam().from};
    const Place to{GetParam().to};
};
INSTANTIATE_TEST_SUITE_P(EachWay, Transfer, testing::ValuesIn(kLegs), [](const auto& info) {
    return to_string(info.param.from) + "To" + to_string(info.param.to);
});

TEST_P(Transfer, Every_row_arrives_and_a_store_goes_on_from_there) {
    const auto source = value_of(from.source());
    const Copied copied = copy(*source, *value_of(to.target()));
    EXPECT_FALSE(copied.resumed);
    EXPECT_EQ(copied.organisations, 2);
    const auto expected = contents(*source);
    EXPECT_EQ(copied.rows, static_cast<std::int64_t>(expected.size()));
    EXPECT_GT(copied.rows, 200);
    std::set<std::string> tables;
    for (const auto& [table, row] : expected) tables.insert(table.substr(0, table.find(' ')));
    EXPECT_EQ(tables.size(), transfer::tables().size()) << "a table without rows proves nothing";
    EXPECT_EQ(contents(*value_of(to.source())), expected);

    const auto store = value_of(to.open());
    EXPECT_EQ(value_of(store->load_directory()).tokens.size(), 2U);
    EXPECT_TRUE(value_of(run(store->find(kOrg, "User", id_of(Rid{1'000'001})))));
    const Plan users{"User", ScanAll{}, true};
    const auto live = value_of(run(store->count(kOrg, users)));
    value_of(run(store->commit(write(kOrg, user(Rid{2'000'000}, "new")))));
    EXPECT_EQ(value_of(run(store->count(kOrg, users))), live + 1);
    EXPECT_EQ(value_of(run(store->log({.limit = 1}))).records.size(), 1U);
}

TEST_P(Transfer, A_copy_asks_for_the_key_that_made_its_tokens) {
    value_of(to.open())->close();
    value_of(to.hold_key(kOtherKey));  // of a server that was tried there
    copy(*value_of(from.source()), *value_of(to.target()));
    const auto other = to.hold_key(kOtherKey);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("DELETE FROM instance_key"));
    EXPECT_TRUE(to.hold_key(kKey));
}

TEST_P(Transfer, An_organisation_that_is_half_deleted_is_not_taken_along) {
    {
        const auto store = value_of(from.open());
        WriteSet many = write(kOrg);
        for (std::int64_t rid = 3'000'000; rid < 3'001'500; ++rid) {
            many.mutations.emplace_back(user(Rid{rid}, std::to_string(rid)));
        }
        value_of(run(store->commit(std::move(many))));
        value_of(run(store->commit(write(kOrg, RemoveOrganisation{kOrg}))));
        EXPECT_TRUE(value_of(run(store->purge(Timestamp{}, Timestamp{})))) << "a part of it";
        store->close();
    }
    const auto left_of = [](const Place& place) {
        std::set<std::string> tables;
        for (const auto& [name, row] : contents(*value_of(place.source()))) {
            if (name.ends_with(" 1")) tables.insert(name);
            if (name == "organisation 0" && row.front() == transfer::Cell(kOrg.value)) {
                tables.insert(name);
            }
        }
        return tables;
    };
    EXPECT_THAT(left_of(from), testing::IsSupersetOf({"resource 1", "attr 1"}));
    copy(*value_of(from.source()), *value_of(to.target()));
    EXPECT_THAT(left_of(to), testing::IsEmpty());

    const auto store = value_of(to.open());
    EXPECT_EQ(value_of(store->load_directory()).organisations.size(), 1U);
    EXPECT_FALSE(run(store->commit(write(kOrg, user(Rid{4'000'000}, "late")))));
    store->close();
    EXPECT_FALSE(contents(*value_of(to.source())).empty()) << "that of the other one stays";
}

TEST_P(Transfer, A_backup_holds_one_moment_and_is_restored) {
    const std::string file = from.file("backup");
    const auto store = value_of(from.open());
    {
        const auto source = value_of(from.source(Servers::MayRun));
        const auto before = contents(*source);
        value_of(run(store->commit(write(kOrg, user(Rid{2'000'000}, "meanwhile")))));
        const auto target = value_of(sqlite::open_backup_target(file));
        EXPECT_EQ(::access(file.c_str(), F_OK), -1) << "it appears when it is whole";
        copy(*source, *target);
        EXPECT_EQ(contents(*value_of(sqlite::open_backup_source(file))), before);
    }
    EXPECT_EQ(std::filesystem::status(file).permissions(), std::filesystem::perms(0600));
    for (const auto& one : std::filesystem::directory_iterator(from.file(""))) {
        EXPECT_THAT(one.path().filename().string(),
                    testing::AnyOf("backup", "lock", testing::StartsWith("muster.db")));
    }
    copy(*value_of(sqlite::open_backup_source(file)), *value_of(to.target()));
    EXPECT_EQ(contents(*value_of(to.source())),
              contents(*value_of(sqlite::open_backup_source(file))));
}

/// A target whose power fails.
class Failing final : public Target {
  public:
    Failing(std::unique_ptr<Target> target, int writes)
        : target_(std::move(target)), writes_(writes) {}
    Result<std::unique_ptr<transfer::Reading>> read(const Table& table, OrgKey org) override {
        return target_->read(table, org);
    }
    Result<std::int64_t> count(const Table& table, OrgKey org) override {
        return target_->count(table, org);
    }
    Result<bool> begin(std::string_view source) override { return target_->begin(source); }
    Result<void> write(const Table& table, OrgKey org, std::span<const Row> rows) override {
        if (--writes_ >= 0) return target_->write(table, org, rows);
        // Half of a batch, so that the rest of a table is to be found.
        static_cast<void>(target_->write(table, org, rows.first(rows.size() / 2)));
        return std::unexpected(Error{ErrorCode::Unavailable, "power", {}, {}});
    }
    Result<Row> last_key(const Table& table, OrgKey org) override {
        return target_->last_key(table, org);
    }
    Result<void> finish(const Digest& seal) override { return target_->finish(seal); }

  private:
    std::unique_ptr<Target> target_;
    int writes_;
};

TEST_P(Transfer, A_copy_that_was_broken_off_keeps_servers_away_and_is_completed) {
    const auto source = value_of(from.source());
    for (const int writes : {0, 3, 4, 7}) {
        Failing failing(value_of(to.target()), writes);
        const auto broken = transfer::copy(*source, "test", failing, kNoProgress);
        ASSERT_FALSE(broken) << "after " << writes << " writes there must be more to write";
        EXPECT_EQ(broken.error().message, "power");
    }
    const auto served = to.open();
    ASSERT_FALSE(served) << "half a copy must not be served";
    EXPECT_THAT(served.error().message, HasSubstr("not finished"));
    const auto as_source = to.source();
    ASSERT_FALSE(as_source);
    EXPECT_EQ(as_source.error().code, ErrorCode::Unfit);
    const auto other =
        transfer::copy(*source, "another source", *value_of(to.target()), kNoProgress);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::Unfit);

    EXPECT_TRUE(copy(*source, *value_of(to.target())).resumed);
    EXPECT_EQ(contents(*value_of(to.source())), contents(*source));
}

TEST_P(Transfer, A_source_that_changed_in_between_is_noticed) {
    {
        Failing failing(value_of(to.target()), 5);
        ASSERT_FALSE(transfer::copy(*value_of(from.source()), "test", failing, kNoProgress));
    }
    {
        const auto store = value_of(from.open());
        value_of(run(store->commit(write(kOrg, removal(user(Rid{1'000'001}, ""))))));
        store->close();
    }
    const auto copied =
        transfer::copy(*value_of(from.source()), "test", *value_of(to.target()), kNoProgress);
    ASSERT_FALSE(copied);
    EXPECT_THAT(copied.error().message, HasSubstr("differs from its source in the table resource"));
    EXPECT_FALSE(to.open());
}

void make_organisation(const Place& place, std::string slug, std::string name) {
    const auto store = value_of(place.open());
    WriteSet set;
    set.mutations.emplace_back(
        PutOrganisation{{kOrg, std::move(slug), std::move(name), kStart, {}}});
    value_of(run(store->commit(std::move(set))));
    store->close();
}

TEST_P(Transfer, Nothing_is_overwritten) {
    const auto source = value_of(from.source());
    make_organisation(to, "theirs", "Theirs");
    const auto before = contents(*value_of(to.source()));
    const auto copied = transfer::copy(*source, "test", *value_of(to.target()), kNoProgress);
    ASSERT_FALSE(copied);
    EXPECT_EQ(copied.error().code, ErrorCode::Unfit);
    EXPECT_EQ(contents(*value_of(to.source())), before);
    EXPECT_TRUE(to.open());
}

TEST_P(Transfer, Tables_of_another_version_are_refused) {
    value_of(to.open())->close();
    for (const Place* place : {&from, &to}) place->make_newer();
    const auto source = from.source();
    ASSERT_FALSE(source);
    EXPECT_EQ(source.error().code, ErrorCode::Unfit) << source.error().message;
    const auto target = to.target();
    ASSERT_FALSE(target);
    EXPECT_EQ(target.error().code, ErrorCode::Unfit) << target.error().message;
}

TEST(TransferToPostgres, A_schema_that_was_broken_off_is_completed_where_nothing_is_lost) {
    const Place from{Kind::Sqlite};
    const Place to{Kind::Postgres};
    value_of(from.open())->close();
    value_of(postgres::migrate(to.url(), 1));
    copy(*value_of(from.source()), *value_of(to.target()));

    const Place old{Kind::Postgres};
    make_organisation(old, "theirs", "Theirs");
    value_of(postgres::migrate(old.url(), 1));
    const auto refused = old.target();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unfit);
    EXPECT_EQ(value_of(postgres::schema_state(old.url())).current, 1);
}

TEST_P(Transfer, A_running_server_keeps_copies_away) {
    const auto code_of = [](const auto& result) {
        return result ? ErrorCode{} : result.error().code;
    };
    const auto serving = value_of(from.open());
    EXPECT_EQ(code_of(from.source()), ErrorCode::Locked);
    EXPECT_EQ(code_of(from.target()), ErrorCode::Locked);
    EXPECT_TRUE(from.source(Servers::MayRun));
    const auto filling = value_of(to.target());
    EXPECT_EQ(code_of(to.target()), ErrorCode::Locked) << "as does another copy";
}

TEST(Backup, Is_a_new_file_of_its_own) {
    const Place from{Kind::Sqlite};
    value_of(from.open())->close();
    const std::string file = from.file("backup");
    std::ofstream(file) << "precious";
    EXPECT_EQ(sqlite::open_backup_target(file).error().code, ErrorCode::Unfit);
    EXPECT_EQ(sqlite::open_backup_source(file).has_value(), false);
    std::filesystem::remove(file);

    const auto first = value_of(sqlite::open_backup_target(file));
    EXPECT_EQ(sqlite::open_backup_target(file).error().code, ErrorCode::Locked);
    const auto source = value_of(from.source());
    copy(*source, *first);
    EXPECT_EQ(sqlite::open_backup_target(file).error().code, ErrorCode::Unfit);

    EXPECT_TRUE(value_of(value_of(sqlite::open_backup_source(file))->seal()));

    // What a crash left is no obstacle.
    std::ofstream(file + "2.partial") << "half of something";
    copy(*source, *value_of(sqlite::open_backup_target(file + "2")));
    EXPECT_FALSE(std::filesystem::exists(file + "2.partial"));
}

TEST(Backup, That_was_damaged_is_not_restored) {
    const Place from{Kind::Sqlite};
    make_organisation(from, "acme", "Acme");
    const std::string file = from.file("backup");
    copy(*value_of(from.source()), *value_of(sqlite::open_backup_target(file)));
    const auto restored = [&] {
        const Place to{Kind::Sqlite};
        return transfer::copy(*value_of(sqlite::open_backup_source(file)), "backup",
                              *value_of(to.target()), kNoProgress);
    };
    EXPECT_TRUE(restored());
    std::string bytes(std::filesystem::file_size(file), '\0');
    std::ifstream(file).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto name = bytes.find("Acme");
    ASSERT_NE(name, std::string::npos);
    bytes.replace(name, 4, "Evil");
    std::ofstream(file) << bytes;
    const auto damaged = restored();
    ASSERT_FALSE(damaged);
    EXPECT_THAT(damaged.error().message, HasSubstr("the backup is damaged"));
}

// ---- the tables ------------------------------------------------------------------------------

using Names = std::set<std::string>;

Names listed(const Table& table) {
    Names names;
    for (const auto& column : table.columns) names.emplace(column.name);
    if (!table.shared) names.insert("org");
    return names;
}

/// The tables that are not copied: version and numbers of nodes are the target's own.
constexpr std::array kOwn{"directory_version", "node", "muster_schema"};

void expect_all_listed(const std::map<std::string, Names>& found, const Names& own_columns) {
    std::size_t known = 0;
    for (const auto& [name, columns] : found) {
        if (std::ranges::find(kOwn, name) != kOwn.end()) continue;
        const auto table = std::ranges::find(transfer::tables(), name, &Table::name);
        ASSERT_NE(table, transfer::tables().end()) << name << " is not copied";
        Names expected = listed(*table);
        for (const auto& column : columns) {
            if (own_columns.contains(name + "." + column)) expected.insert(column);
        }
        EXPECT_EQ(columns, expected) << name;
        ++known;
    }
    EXPECT_EQ(known, transfer::tables().size());
}

TEST(TransferTables, Name_every_column_of_sqlite) {
    const Place place{Kind::Sqlite};
    value_of(place.open())->close();
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(place.file("muster.db").c_str(), &db), SQLITE_OK);
    std::map<std::string, Names> found;
    sqlite3_exec(
        db,
        "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type "
        "= "
        "'table'",
        [](void* into, int, char** row, char**) {
            static_cast<decltype(found)*>(into)->operator[](row[0]).emplace(row[1]);
            return 0;
        },
        &found, nullptr);
    sqlite3_close(db);
    expect_all_listed(found, {"log_segment.seq"});
}

TEST(TransferTables, Name_every_column_of_postgres) {
    const Place place{Kind::Postgres};
    const std::unique_ptr<PGconn, decltype(&PQfinish)> db(PQconnectdb(place.url().c_str()),
                                                          &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> rows(
        PQexec(db.get(),
               "SELECT table_name, column_name FROM information_schema.columns WHERE "
               "table_schema = 'public'"),
        &PQclear);
    std::map<std::string, Names> found;
    for (int row = 0; row < PQntuples(rows.get()); ++row) {
        found[PQgetvalue(rows.get(), row, 0)].emplace(PQgetvalue(rows.get(), row, 1));
    }
    expect_all_listed(found, {"counter.slot"});
}

}  // namespace
}  // namespace muster::store::test
