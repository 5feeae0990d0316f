#include "store/contract_fixture.hpp"

#include <atomic>
#include <cstdlib>
#include <libpq-fe.h>

#include "store/memory/memory_store.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::store::test {
namespace {

std::string server_url() {
    const char* url = std::getenv("TEST_DATABASE_URL");
    if (url == nullptr) throw std::runtime_error("run this by scripts/with-postgres");
    return url;
}

/// Runs one statement where no database of a test is open: copying one needs it to be alone.
void administer(const std::string& sql) {
    std::string url = server_url();
    url.replace(url.find("/muster?"), 8, "/postgres?");
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url.c_str()),
                                                                  &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), sql.c_str()), &PQclear);
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) {
        throw std::runtime_error(PQerrorMessage(connection.get()));
    }
}

}  // namespace

TemporaryDatabase::TemporaryDatabase() {
    static const std::int64_t kTemplate =
        value_of(postgres::migrate(server_url(), postgres::newest_schema())).current;
    static std::atomic<std::int64_t> made = kTemplate;
    name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(made++);
    administer("CREATE DATABASE " + name_ + " TEMPLATE muster");
    url_ = server_url();
    url_.replace(url_.find("/muster?") + 1, 6, name_);
}

TemporaryDatabase::~TemporaryDatabase() {
    try {
        administer("DROP DATABASE " + name_ + " WITH (FORCE)");
    } catch (const std::exception&) {
        // The server goes with all of them.
    }
}

Opened::Opened(Kind kind) {
    if (kind == Kind::Memory) {
        store_ = open_memory_store();
    } else if (kind == Kind::Postgres) {
        database_ = std::make_unique<TemporaryDatabase>();
        store_ = value_of(open(PostgresOptions{.url = database_->url(), .removal_rest = {}}));
    } else {
        directory_ = std::make_unique<TemporaryDirectory>(fast_parent());
        SqliteOptions options;
        options.directory = directory_->path();
        store_ = value_of(open(options));
    }
    WriteSet set;
    set.mutations.emplace_back(PutOrganisation{{kOrg, "acme", "Acme", kStart, {}}});
    set.mutations.emplace_back(PutOrganisation{{kOtherOrg, "other", "Other", kStart, {}}});
    if (!run(store_->commit(std::move(set)))) throw std::runtime_error("organisations");
}

}  // namespace muster::store::test
