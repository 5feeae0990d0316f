#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "app/application.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/node.hpp"
#include "store/sqlite/inspect.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::app {

namespace {

using Why = Failure::Why;

std::unexpected<Failure> failed(Why why, std::string message) {
    return std::unexpected(Failure{why, std::move(message)});
}

std::expected<Config, Failure> configured(const ServeOptions& options) {
    auto config = settings_for(options);
    if (!config) return failed(Why::WrongSetting, std::move(config).error());
    return *std::move(config);
}

std::expected<SchemaVersion, Failure> version_of(const Config& config) {
    if (!config.database.empty()) {
        const auto state = store::postgres::schema_state(config.database);
        if (!state) return failed(Why::Unreachable, state.error().message);
        return SchemaVersion{store::postgres::describe(config.database), state->current,
                             state->newest, state->citus};
    }
    const auto file = config.data / "muster.db";
    std::error_code error;
    if (!std::filesystem::exists(file, error)) {
        return failed(Why::Unreachable, no_database_in(config.data));
    }
    const auto schema = store::schema_of(config.data.string());
    if (!schema) return failed(Why::Unreachable, schema.error().message);
    return SchemaVersion{file.string(), schema->version, schema->newest, false};
}

bool is_served(const std::string& database) {
    auto session = store::postgres::Session::open(database);
    return session && store::postgres::node_runs(*session).value_or(false);
}

std::expected<void, Failure> migrate_postgres(const Config& config, const SchemaVersion& before,
                                              std::int64_t wanted) {
    const auto done = store::postgres::migrate(config.database, wanted);
    if (done) return {};
    const bool served = wanted < before.version && is_served(config.database);
    return failed(served ? Why::Unreachable : Why::Failed, done.error().message);
}

std::expected<void, Failure> migrate_sqlite(const Config& config, const SchemaVersion& before,
                                            std::int64_t wanted) {
    if (wanted < before.version) {
        return failed(
            Why::Refused,
            "SQLite goes forward only: put back the copy that was made before the upgrade.");
    }
    if (wanted == before.version) return {};
    const auto opened = store::open(store::SqliteOptions{.directory = config.data.string()});
    if (!opened) {
        const bool locked = opened.error().code == store::ErrorCode::Locked;
        return failed(locked ? Why::Unreachable : Why::Failed, opened.error().message);
    }
    (*opened)->close();
    return {};
}

}  // namespace

std::expected<SchemaVersion, Failure> schema_version(const ServeOptions& options) {
    TRY_ASSIGN(const Config config, configured(options));
    return version_of(config);
}

std::expected<SchemaVersion, Failure> migrate(const ServeOptions& options,
                                              std::optional<std::int64_t> target) {
    TRY_ASSIGN(const Config config, configured(options));
    TRY_ASSIGN(const SchemaVersion before, version_of(config));
    if (before.version > before.newest) {
        return failed(Why::Refused,
                      fmt::format("{} was written by a newer version of Muster: use that version, "
                                  "or its muster migrate down.",
                                  before.database));
    }
    const std::int64_t wanted = target.value_or(before.newest);
    if (wanted < 0 || wanted > before.newest) {
        return failed(Why::WrongSetting, fmt::format("There are the versions 0 to {}, and no {}.",
                                                     before.newest, wanted));
    }
    TRY_VOID(config.database.empty() ? migrate_sqlite(config, before, wanted)
                                     : migrate_postgres(config, before, wanted));
    return version_of(config);
}

}  // namespace muster::app
