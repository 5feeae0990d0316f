#pragma once
// What the tests of the SQLite store share.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "store/contract_fixture.hpp"
#include "store/sqlite/db.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::store::test {

class SqliteStoreTest : public testing::Test {
  protected:
    SqliteOptions options(const std::string& vfs = "") const {
        SqliteOptions options;
        options.directory = directory.path();
        options.vfs = vfs;
        return options;
    }
    std::string path() const { return directory.path() + "/muster.db"; }

    static std::unique_ptr<SqliteStore> opened(const SqliteOptions& options) {
        auto store = open(options);
        if (!store) throw std::runtime_error(store.error().message);
        return *std::move(store);
    }
    static void put_organisation(Store& store, OrgKey org = kOrg) {
        const std::string slug = fmt::format("org{}", org.value);
        const auto done =
            run(store.commit(write(org, PutOrganisation{{org, slug, "A", kStart, {}}})));
        ASSERT_TRUE(done) << done.error().message;
    }
    static Result<Committed> create(Store& store, std::int64_t rid) {
        return run(store.commit(write(kOrg, user(Rid{rid}, "user" + std::to_string(rid)))));
    }
    static std::int64_t users(Store& store) {
        return run(store.count(kOrg, {"User", ScanAll{}, true})).value();
    }

    /// A value that another connection sees.
    std::string ask(const std::string& sql) const {
        auto db = sqlite::Database::open({path(), sqlite::Database::Access::Read, true, 1000, {}})
                      .value();
        sqlite::Statement statement(db, sql);
        auto rows = statement.query();
        return rows.next().value() ? std::string(rows.text(0)) : "";
    }

    TemporaryDirectory directory;
};

}  // namespace muster::store::test
