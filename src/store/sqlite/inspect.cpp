#include "store/sqlite/inspect.hpp"

#include <filesystem>

#include <fmt/format.h>

#include "store/sqlite/db.hpp"
#include "store/sqlite/schema.hpp"

namespace muster::store {

namespace {

using sqlite::Database;
using sqlite::Statement;

Result<std::int64_t> number(const Database& db, const char* sql) {
    Statement statement(db, sql);
    auto rows = statement.query();
    TRY_ASSIGN(const bool found, rows.next());
    return found ? rows.integer(0) : 0;
}

Result<void> check_pages(const Database& db) {
    Statement statement(db, "PRAGMA quick_check(1)");
    auto rows = statement.query();
    TRY_ASSIGN(const bool found, rows.next());
    if (found && rows.text(0) == "ok") return {};
    return std::unexpected(Error{.message = found ? std::string{rows.text(0)} : "no answer"});
}

}  // namespace

Result<std::string> inspect(const std::string& directory) {
    const auto path = (std::filesystem::path{directory} / "muster.db").string();
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return "none yet; muster serve makes it";
    TRY_ASSIGN(const auto db, Database::open({.path = path, .access = Database::Access::Read}));
    TRY_ASSIGN(const auto application, number(db, "PRAGMA application_id"));
    if (application != sqlite::kApplicationId) {
        return std::unexpected(Error{.message = fmt::format("{} is not a Muster database", path)});
    }
    TRY_VOID(check_pages(db));
    TRY_ASSIGN(const auto version, number(db, "PRAGMA user_version"));
    TRY_ASSIGN(const auto resources, number(db, "SELECT sum(live) FROM counter"));
    return fmt::format("sound; schema {}, {} users and groups", version, resources);
}

Result<bool> fits_key(const std::string& directory, const Digest& fingerprint) {
    const auto path = (std::filesystem::path{directory} / "muster.db").string();
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return true;
    TRY_ASSIGN(const auto db, Database::open({.path = path, .access = Database::Access::Read}));
    // A database of an older version has none.
    TRY_ASSIGN(const auto kept,
               number(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'instance_key'"));
    if (kept == 0) return true;
    Statement statement(db,
                        "SELECT NOT EXISTS (SELECT 1 FROM instance_key WHERE fingerprint <> ?1)");
    auto rows = statement.query(std::span(fingerprint));
    TRY_ASSIGN(const bool found, rows.next());
    return found && rows.integer(0) == 1;
}

Result<SqliteSchema> schema_of(const std::string& directory) {
    const auto path = (std::filesystem::path{directory} / "muster.db").string();
    std::error_code error;
    if (!std::filesystem::exists(path, error))
        return SqliteSchema{0, sqlite::newest_schema(), false};
    TRY_ASSIGN(const auto db, Database::open({.path = path, .access = Database::Access::Read}));
    TRY_ASSIGN(const auto version, number(db, "PRAGMA user_version"));
    TRY_ASSIGN(const auto unfinished, sqlite::is_unfinished(db));
    return SqliteSchema{version, sqlite::newest_schema(), unfinished};
}

}  // namespace muster::store
