#include "store/sqlite/schema.hpp"

#include <array>

#include <fmt/format.h>

namespace muster::store::sqlite {
namespace {

// A step, once released, never changes; a new one is appended.
//
// - `rid` rises with time, so rid order is creation order and new rows go to the end of the tree.
// - Keys are folded before they come here and compare by their bytes.
// - Columns read by look-ups of references stand before the document, which may overflow its page.
// - `member.grp` and `.member` are rids: 100,000 members are 100,000 narrow rows, never one value.
// - Few groups are members of groups: `resource.nested` (has been one) and `member_nested` keep the
//   look for indirect membership free for all others.
// - The identifiers of one log segment lie within 2^32 of each other, about one second of them.
constexpr std::array<const char*, 3> kMigrations = {R"sql(
CREATE TABLE organisation (
    key     INTEGER PRIMARY KEY,
    slug    TEXT NOT NULL UNIQUE,
    name    TEXT NOT NULL,
    created INTEGER NOT NULL,
    definitions TEXT NOT NULL
) STRICT;

CREATE TABLE connector (
    key     INTEGER PRIMARY KEY,
    org     INTEGER NOT NULL REFERENCES organisation (key),
    id      TEXT NOT NULL UNIQUE,
    idp     TEXT NOT NULL,
    name    TEXT NOT NULL,
    state   INTEGER NOT NULL,
    policy  TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX connector_org ON connector (org);

CREATE TABLE token (
    key            INTEGER PRIMARY KEY,
    connector      INTEGER NOT NULL REFERENCES connector (key),
    id             TEXT NOT NULL UNIQUE,
    name           TEXT NOT NULL,
    kind           INTEGER NOT NULL,
    active         INTEGER NOT NULL,
    hash           BLOB NOT NULL CHECK (length(hash) = 32),
    previous_hash  BLOB CHECK (length(previous_hash) = 32),
    created_by     TEXT NOT NULL,
    created        INTEGER NOT NULL,
    expires        INTEGER NOT NULL,
    last_used      INTEGER,
    last_used_from TEXT NOT NULL,
    previous_expires INTEGER
) STRICT;
CREATE INDEX token_connector ON token (connector);

CREATE TABLE resource (
    rid      INTEGER PRIMARY KEY,
    org      INTEGER NOT NULL REFERENCES organisation (key),
    type     TEXT NOT NULL,
    id       TEXT NOT NULL,
    version  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    active   INTEGER NOT NULL,
    deleted  INTEGER,
    source   INTEGER NOT NULL,
    nested   INTEGER NOT NULL DEFAULT 0,
    display  TEXT NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX resource_id ON resource (org, id);
CREATE INDEX resource_live ON resource (org, type) WHERE deleted IS NULL;
CREATE INDEX resource_deleted ON resource (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE uniq (
    org       INTEGER NOT NULL,
    type      TEXT NOT NULL,
    attribute TEXT NOT NULL,
    key       TEXT NOT NULL,
    rid       INTEGER NOT NULL,
    PRIMARY KEY (org, type, attribute, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE attr (
    org       INTEGER NOT NULL,
    type      TEXT NOT NULL,
    attribute TEXT NOT NULL,
    key       TEXT NOT NULL,
    rid       INTEGER NOT NULL,
    PRIMARY KEY (org, type, attribute, key, rid)
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    org    INTEGER NOT NULL,
    grp    INTEGER NOT NULL,
    member INTEGER NOT NULL,
    is_group INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (org, grp, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_nested ON member (org, grp) WHERE is_group = 1;
CREATE INDEX member_groups ON member (org, member, grp);

CREATE TABLE counter (
    org  INTEGER NOT NULL,
    type TEXT NOT NULL,
    live INTEGER NOT NULL,
    PRIMARY KEY (org, type)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_segment (
    seq       INTEGER PRIMARY KEY,
    org       INTEGER NOT NULL,
    connector INTEGER NOT NULL,
    first_id  INTEGER NOT NULL,
    last_id   INTEGER NOT NULL,
    records   INTEGER NOT NULL,
    failures  INTEGER NOT NULL,
    data      BLOB NOT NULL
) STRICT;
CREATE INDEX log_time ON log_segment (last_id, first_id);
CREATE INDEX log_org ON log_segment (org, last_id);
CREATE INDEX log_connector ON log_segment (connector, last_id);
CREATE INDEX log_time_failed ON log_segment (last_id) WHERE failures > 0;
CREATE INDEX log_org_failed ON log_segment (org, last_id) WHERE failures > 0;
CREATE INDEX log_connector_failed ON log_segment (connector, last_id) WHERE failures > 0;
)sql",
                                                    R"sql(
CREATE TABLE instance_key (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    fingerprint BLOB NOT NULL
) STRICT;
)sql",
                                                    // The rest of one that was removed goes bit by
                                                    // bit (purge), and its row last.
                                                    R"sql(
ALTER TABLE organisation ADD COLUMN removed INTEGER NOT NULL DEFAULT 0;
)sql"};

Outcome<std::int64_t> read_number(const Database& db, const char* sql) {
    Statement statement(db, sql);
    Rows rows = statement.query();
    TRY_ASSIGN(const bool row, rows.next());
    return row ? rows.integer(0) : 0;
}

Outcome<void> refuse(const char* message) {
    return std::unexpected(refusal(ErrorCode::Unavailable, message));
}

Outcome<void> apply(Database& db, std::size_t step) {
    TRY_VOID(db.run("BEGIN IMMEDIATE"));
    // Pragmas that change the file's header are part of the transaction.
    const std::string sql =
        fmt::format("{} PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT",
                    kMigrations[step], kApplicationId, step + 1);
    Outcome<void> done = db.run(sql);
    if (!done && db.in_transaction()) TRY_VOID(db.run("ROLLBACK"));
    return done;
}

}  // namespace

std::int64_t newest_schema() { return static_cast<std::int64_t>(kMigrations.size()); }

Outcome<bool> is_unfinished(const Database& db) {
    Statement statement(db, "SELECT 1 FROM sqlite_schema WHERE name = ?1");
    Rows rows = statement.query(std::string_view(kUnfinished));
    return rows.next();
}

Outcome<void> migrate(Database& db) {
    TRY_ASSIGN(const std::int64_t application, read_number(db, "PRAGMA application_id"));
    TRY_ASSIGN(const std::int64_t version, read_number(db, "PRAGMA user_version"));
    TRY_ASSIGN(const std::int64_t objects, read_number(db, "SELECT count(*) FROM sqlite_schema"));
    const bool empty = application == 0 && version == 0 && objects == 0;
    if (!empty && application != kApplicationId) {
        return refuse("the file muster.db is not a database of Muster; choose another directory");
    }
    if (version < 0 || version > static_cast<std::int64_t>(kMigrations.size())) {
        return refuse("the database was written by a newer version of Muster; start that version");
    }
    TRY_ASSIGN(const bool unfinished, is_unfinished(db));
    if (unfinished) {
        return refuse(
            "the database is a copy that was not finished: run the same muster copy or muster "
            "restore again, or remove muster.db to begin anew");
    }
    for (auto step = static_cast<std::size_t>(version); step < kMigrations.size(); ++step) {
        TRY_VOID(apply(db, step));
    }
    return {};
}

}  // namespace muster::store::sqlite
