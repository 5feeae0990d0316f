#include "store/sqlite/directory_rows.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/check.hpp"

namespace muster::store::sqlite {
namespace {

// Some rows of each table that an organisation's data are in.
constexpr std::int64_t kClearRows = 500;
#define MUSTER_CLEAR(table, key)                                                        \
    "DELETE FROM " table " WHERE org = ?1 AND (" key ") IN (SELECT " key " FROM " table \
    " WHERE org = ?1 LIMIT ?2)"
constexpr std::array kClear = {
    MUSTER_CLEAR("member", "grp, member"),
    MUSTER_CLEAR("attr", "type, attribute, key, rid"),
    MUSTER_CLEAR("uniq", "type, attribute, key"),
    MUSTER_CLEAR("counter", "type"),
    "DELETE FROM resource WHERE rid IN (SELECT rid FROM resource INDEXED BY resource_id "
    "WHERE org = ?1 LIMIT ?2)",
    "DELETE FROM log_segment WHERE seq IN (SELECT seq FROM log_segment INDEXED BY log_org "
    "WHERE org = ?1 LIMIT ?2)",
};
#undef MUSTER_CLEAR

/// What was written; a conflict where nothing was.
Outcome<void> settle(Outcome<std::int64_t> outcome, const char* conflict) {
    if (outcome && *outcome > 0) return {};
    if (!outcome && !outcome.error().is_constraint()) {
        return std::unexpected(std::move(outcome).error());
    }
    return std::unexpected(refusal(ErrorCode::DirectoryConflict, conflict));
}

std::optional<std::int64_t> milliseconds(const std::optional<Timestamp>& time) {
    if (!time) return std::nullopt;
    return time->ms;
}

Digest digest(std::span<const std::byte> bytes) {
    Digest out{};
    // The schema's CHECK holds the length.
    MUSTER_CHECK(bytes.size() == out.size());
    std::ranges::copy(bytes, out.begin());
    return out;
}

Organisation organisation_of(const Rows& row) {
    return {OrgKey{row.integer(0)}, std::string(row.text(1)), std::string(row.text(2)),
            Timestamp{row.integer(3)}, std::string(row.text(4))};
}

Connector connector_of(const Rows& row) {
    Connector connector;
    connector.key = ConnectorKey{row.integer(0)};
    connector.org = OrgKey{row.integer(1)};
    connector.id = row.text(2);
    connector.idp = row.text(3);
    connector.name = row.text(4);
    connector.state = static_cast<ConnectorState>(row.integer(5));
    connector.policy = row.text(6);
    connector.created = Timestamp{row.integer(7)};
    return connector;
}

Token token_of(const Rows& row) {
    Token token;
    token.key = TokenKey{row.integer(0)};
    token.connector = ConnectorKey{row.integer(1)};
    token.id = row.text(2);
    token.name = row.text(3);
    token.kind = static_cast<TokenKind>(row.integer(4));
    token.active = row.integer(5) != 0;
    token.hash = digest(row.blob(6));
    if (!row.is_null(7)) token.previous_hash = digest(row.blob(7));
    token.created_by = row.text(8);
    token.created = Timestamp{row.integer(9)};
    token.expires = Timestamp{row.integer(10)};
    if (!row.is_null(11)) token.last_used = Timestamp{row.integer(11)};
    token.last_used_from = row.text(12);
    if (!row.is_null(13)) token.previous_expires = Timestamp{row.integer(13)};
    return token;
}

template <class T>
Outcome<std::vector<T>> read_all(const Database& db, const char* sql, T (*decode)(const Rows&)) {
    std::vector<T> all;
    Statement statement(db, sql);
    Rows rows = statement.query();
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return all;
        all.push_back(decode(rows));
    }
}

}  // namespace

DirectoryRows::DirectoryRows(const Database& db)
    : there_(db, "SELECT 1 FROM organisation WHERE key = ?1 AND NOT removed"),
      authority_(db,
                 "SELECT connector.state FROM token JOIN connector ON connector.key = "
                 "token.connector WHERE token.key = ?1 AND token.active AND "
                 "(token.hash = ?2 OR token.previous_hash = ?2)"),
      same_definitions_(
          db, "SELECT 1 FROM organisation WHERE key = ?1 AND definitions = ?2 AND NOT removed"),
      live_of_type_(db, "SELECT 1 FROM counter WHERE org = ?1 AND type = ?2 AND live > 0"),
      put_organisation_(db,
                        "INSERT INTO organisation (key, slug, name, created, definitions) "
                        "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (key) DO UPDATE SET "
                        "slug = excluded.slug, name = excluded.name, created = excluded.created, "
                        "definitions = excluded.definitions WHERE NOT organisation.removed"),
      remove_tokens_(
          db, "DELETE FROM token WHERE connector IN (SELECT key FROM connector WHERE org = ?1)"),
      remove_connectors_(db, "DELETE FROM connector WHERE org = ?1"),
      mark_removed_(db, "UPDATE organisation SET removed = 1, slug = ?2 WHERE key = ?1"),
      a_removed_(db, "SELECT key FROM organisation WHERE removed LIMIT 1"),
      forget_(db, "DELETE FROM organisation WHERE key = ?1"),
      put_connector_(db,
                     "INSERT INTO connector (key, org, id, idp, name, state, policy, created) "
                     "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE EXISTS (SELECT 1 FROM "
                     "organisation WHERE key = ?2 AND NOT removed) ON CONFLICT (key) DO UPDATE SET "
                     "org = excluded.org, id = excluded.id, idp = excluded.idp, "
                     "name = excluded.name, state = excluded.state, policy = excluded.policy, "
                     "created = excluded.created"),
      put_token_(db,
                 "INSERT INTO token (key, connector, id, name, kind, active, hash, "
                 "previous_hash, created_by, created, expires, last_used, last_used_from, "
                 "previous_expires) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) "
                 "ON CONFLICT (key) DO UPDATE SET connector = excluded.connector, "
                 "id = excluded.id, name = excluded.name, kind = excluded.kind, "
                 "active = excluded.active, hash = excluded.hash, "
                 "previous_hash = excluded.previous_hash, created_by = excluded.created_by, "
                 "created = excluded.created, expires = excluded.expires, "
                 "previous_expires = excluded.previous_expires"),
      remove_token_(db, "DELETE FROM token WHERE key = ?1"),
      touch_token_(db,
                   "UPDATE token SET last_used = ?2, last_used_from = ?3 "
                   "WHERE key = ?1 AND coalesce(last_used, 0) < ?2") {
    for (const char* sql : kClear) clear_.emplace_back(db, sql);
}

Outcome<void> DirectoryRows::require_organisation(OrgKey org) {
    Rows rows = there_.query(org.value);
    TRY_ASSIGN(const bool there, rows.next());
    if (there) return {};
    return std::unexpected(
        refusal(ErrorCode::DirectoryConflict, fmt::format("organisation {} is gone", org.value)));
}

Outcome<void> DirectoryRows::check_authority(TokenKey token, const Digest& secret) {
    Rows rows = authority_.query(token.value, std::as_bytes(std::span(secret)));
    TRY_ASSIGN(const bool there, rows.next());
    if (!there) {
        return std::unexpected(
            refusal(ErrorCode::Revoked, "the token or its connector was switched off"));
    }
    if (rows.integer(0) == static_cast<std::int64_t>(ConnectorState::Paused)) {
        return std::unexpected(refusal(ErrorCode::Paused, "the connector was paused"));
    }
    return {};
}

Outcome<void> DirectoryRows::check_definitions(OrgKey org, std::string_view definitions) {
    Rows rows = same_definitions_.query(org.value, definitions);
    TRY_ASSIGN(const bool same, rows.next());
    if (same) return {};
    return std::unexpected(
        refusal(ErrorCode::Superseded, "the organisation's schemas were changed"));
}

Outcome<void> DirectoryRows::apply(const PutOrganisation& put) {
    const Organisation& org = put.organisation;
    for (const TypeName& type : put.without) {
        Rows rows = live_of_type_.query(org.key.value, type);
        TRY_ASSIGN(const bool found, rows.next());
        if (!found) continue;
        return std::unexpected(
            refusal(ErrorCode::Superseded, "there are resources of the type by now"));
    }
    return settle(put_organisation_.execute(org.key.value, org.slug, org.name, org.created.ms,
                                            org.definitions),
                  "the slug of the organisation is taken");
}

Outcome<void> DirectoryRows::apply(const RemoveOrganisation& removal) {
    TRY_VOID(remove_tokens_.execute(removal.key.value));
    TRY_VOID(remove_connectors_.execute(removal.key.value));
    TRY_VOID(mark_removed_.execute(removal.key.value, slug_of_removed(removal.key)));
    return {};
}

Outcome<bool> DirectoryRows::clear_a_removed_one() {
    std::int64_t org = 0;
    {
        Rows rows = a_removed_.query();
        TRY_ASSIGN(const bool found, rows.next());
        if (!found) return false;
        org = rows.integer(0);
    }
    bool more = false;
    for (Statement& statement : clear_) {
        TRY_ASSIGN(const std::int64_t gone, statement.execute(org, kClearRows));
        more = more || gone == kClearRows;
    }
    // Nothing comes to be in it any more (require_organisation).
    if (!more) TRY_VOID(forget_.execute(org));
    return true;
}

Outcome<void> DirectoryRows::apply(const PutConnector& put) {
    const Connector& connector = put.connector;
    return settle(put_connector_.execute(connector.key.value, connector.org.value, connector.id,
                                         connector.idp, connector.name,
                                         static_cast<std::int64_t>(connector.state),
                                         connector.policy, connector.created.ms),
                  "the connector's id is taken, or its organisation is gone");
}

Outcome<void> DirectoryRows::apply(const PutToken& put) {
    const Token& token = put.token;
    return settle(
        put_token_.execute(token.key.value, token.connector.value, token.id, token.name,
                           static_cast<std::int64_t>(token.kind), token.active, token.hash,
                           token.previous_hash, token.created_by, token.created.ms,
                           token.expires.ms, milliseconds(token.last_used), token.last_used_from,
                           milliseconds(token.previous_expires)),
        "the token's id is taken, or its connector is gone");
}

Outcome<void> DirectoryRows::apply(const RemoveToken& removal) {
    TRY_VOID(remove_token_.execute(removal.key.value));
    return {};
}

Outcome<void> DirectoryRows::apply(const TouchToken& touch) {
    TRY_VOID(touch_token_.execute(touch.key.value, touch.used.ms, touch.from));
    return {};
}

Outcome<Directory> read_directory(const Database& db) {
    Directory directory;
    TRY_ASSIGN(directory.organisations,
               read_all(db,
                        "SELECT key, slug, name, created, definitions FROM organisation "
                        "WHERE NOT removed ORDER BY key",
                        organisation_of));
    TRY_ASSIGN(directory.connectors,
               read_all(db,
                        "SELECT key, org, id, idp, name, state, policy, created "
                        "FROM connector ORDER BY key",
                        connector_of));
    TRY_ASSIGN(directory.tokens,
               read_all(db,
                        "SELECT key, connector, id, name, kind, active, hash, previous_hash, "
                        "created_by, created, expires, last_used, last_used_from, previous_expires "
                        "FROM token ORDER BY key",
                        token_of));
    return directory;
}

}  // namespace muster::store::sqlite
