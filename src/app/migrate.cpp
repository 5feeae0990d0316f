#include <fmt/format.h>

#include "app/application.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/migrations.hpp"
#include "store/sqlite/inspect.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::app {

namespace {

template <class T>
std::expected<T, std::string> spoken(store::Result<T> result) {
    if (!result) return std::unexpected(std::move(result).error().message);
    return *std::move(result);
}

std::expected<SchemaVersion, std::string> version_of(const Config& config) {
    if (config.database.empty()) {
        TRY_ASSIGN(const auto schema, spoken(store::schema_of(config.data.string())));
        return SchemaVersion{(config.data / "muster.db").string(), schema.version, schema.newest,
                             false};
    }
    TRY_ASSIGN(const auto state, spoken(store::postgres::schema_state(config.database)));
    return SchemaVersion{store::postgres::describe(config.database), state.current, state.newest,
                         state.citus};
}

}  // namespace

std::expected<SchemaVersion, std::string> schema_version(const ServeOptions& options) {
    TRY_ASSIGN(const Config config, settings_for(options));
    return version_of(config);
}

std::expected<SchemaVersion, std::string> migrate(const ServeOptions& options,
                                                  std::optional<std::int64_t> target) {
    TRY_ASSIGN(const Config config, settings_for(options));
    TRY_ASSIGN(const SchemaVersion before, version_of(config));
    const std::int64_t wanted = target.value_or(before.newest);
    if (wanted < 0 || wanted > before.newest) {
        return std::unexpected(
            fmt::format("There are the versions 0 to {}, and no {}.", before.newest, wanted));
    }
    if (!config.database.empty()) {
        TRY_VOID(spoken(store::postgres::migrate(config.database, wanted)));
    } else if (wanted < before.version) {
        return std::unexpected(
            "SQLite goes forward only: put back the copy that was made before the upgrade.");
    } else if (wanted > before.version) {
        TRY_ASSIGN(const auto opened,
                   spoken(store::open(store::SqliteOptions{.directory = config.data.string()})));
        opened->close();
    }
    return version_of(config);
}

}  // namespace muster::app
