#pragma once
// Everything that is written to PostgreSQL. Each statement names its organisation ($1) by equality,
// or touches only the small tables that all organisations share. An INSERT of rows that a SELECT
// makes says ON CONFLICT: without it Citus sends them by COPY, which row-level security refuses.

#include <array>
#include <vector>

#include "store/postgres/values.hpp"

namespace muster::store::postgres {

// Locks the row against other changes until the transaction ends. FOR UPDATE, before a deletion,
// also keeps it from becoming a member meanwhile (kLiveMembers).
#define MUSTER_HEAD(lock)                                                                   \
    "SELECT max(version), max(modified), 1 / count(*) FROM (SELECT version, modified FROM " \
    "resource WHERE org = $1 AND rid = $2 AND type = $3 AND deleted IS NULL AND "           \
    "($4::bigint IS NULL OR version = $4) " lock ") AS head"
inline constexpr Statement kHead{MUSTER_HEAD("FOR NO KEY UPDATE")};
inline constexpr Statement kDoomedHead{MUSTER_HEAD("FOR UPDATE")};

inline constexpr Statement kInsert{
    "INSERT INTO resource (org, rid, type, id, version, created, modified, active, source, "
    "display, "
    "document) VALUES ($1, $2, $3, $4, 1, $5, $5, $6, $7, $8, $9)"};
inline constexpr Statement kRewrite{
    "UPDATE resource SET version = version + 1, modified = $3, active = "
    "$4, display = $5, document = $6 WHERE org = $1 AND rid = $2"};
inline constexpr Statement kTouch{
    "UPDATE resource SET version = version + 1, modified = $3 "
    "WHERE org = $1 AND rid = $2"};
inline constexpr Statement kRetire{
    "UPDATE resource SET version = version + 1, modified = $3, deleted = "
    "$3 WHERE org = $1 AND rid = $2"};
inline constexpr Statement kErase{"DELETE FROM resource WHERE org = $1 AND rid = $2"};
inline constexpr Statement kCount{
    "INSERT INTO counter (org, type, slot, live) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (org, type, slot) DO UPDATE SET live = counter.live + excluded.live"};

inline constexpr Statement kInsertUnique{
    "INSERT INTO uniq (org, type, attribute, key, rid) VALUES ($1, $2, $3, $4, $5)"};
inline constexpr Statement kDeleteUnique{
    "DELETE FROM uniq WHERE org = $1 AND type = $2 AND attribute = "
    "$3 AND key = $4 AND rid = $5"};
inline constexpr Statement kInsertIndexed{
    "INSERT INTO attr (org, type, attribute, key, rid) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT DO NOTHING"};
inline constexpr Statement kDeleteIndexed{
    "DELETE FROM attr WHERE org = $1 AND type = $2 AND attribute = "
    "$3 AND key = $4 AND rid = $5"};
// Who has a unique key. A row may outlive its resource where a deletion was computed from an older
// document; such a row must not block a name for ever.
inline constexpr Statement kHolder{
    "SELECT r.id FROM uniq u JOIN resource r ON r.org = $1 AND r.rid = "
    "u.rid AND " MUSTER_IS_LIVE("r") " WHERE u.org = $1 AND u.type = $2 AND "
    "u.attribute = $3 AND u.key = $4"};
inline constexpr Statement kForgetStale{
    "DELETE FROM uniq WHERE org = $1 AND type = $2 AND attribute = $3 AND key = $4 AND NOT EXISTS "
    "(SELECT 1 FROM resource r WHERE r.org = $1 AND r.rid = uniq.rid "
    "AND " MUSTER_IS_LIVE("r") ")"};
inline constexpr Statement kVersion{
    "SELECT version FROM resource WHERE org = $1 AND rid = $2 AND type = "
    "$3 AND deleted IS NULL"};

inline constexpr Statement kPresent{
    "SELECT member FROM member WHERE org = $1 AND grp = $2 ORDER BY member"};
// Holds the members until the transaction ends against being deleted, not against being changed.
inline constexpr Statement kLiveMembers{
    "SELECT 1 / (count(r.rid) = $3)::int FROM unnest($2::bigint[]) AS w (rid) CROSS JOIN LATERAL "
    "(SELECT rid FROM resource o WHERE o.org = $1 AND o.rid = w.rid "
    "AND " MUSTER_IS_LIVE("o") " LIMIT 1 "
    "FOR KEY SHARE) AS r"};
// Behind kLiveMembers, which holds them. Who was added is counted by the rows that come back: of
// such an INSERT Citus may name all that it was given as affected.
inline constexpr Statement kAddMembers{
    "INSERT INTO member (org, grp, member, is_group) SELECT $1::bigint, $2::bigint, w.rid, "
    "w.rid = ANY ($4::bigint[]) FROM unnest($3::bigint[]) AS w (rid) ON CONFLICT DO NOTHING "
    "RETURNING member"};
inline constexpr Statement kRemoveMember{
    "DELETE FROM member WHERE org = $1 AND grp = $2 AND member = $3"};
// Where many go, those who lie between two who stay go together: the key of each would be a
// statement each, and a list of keys may be planned as a filter of all members.
inline constexpr Statement kRemoveMembers{
    "DELETE FROM member WHERE org = $1 AND grp = $2 AND member >= $3 AND member <= $4"};
inline constexpr Statement kMarkRow{
    "UPDATE member SET is_group = true WHERE org = $1 AND grp = $2 AND member = $3 AND NOT "
    "is_group"};
inline constexpr Statement kMarkGroup{
    "UPDATE resource SET nested = true WHERE org = $1 AND rid = $2 AND NOT nested"};
// Two groups that are put into each other at once must not miss each other: changes of what is
// nested take turns in an organisation.
inline constexpr Statement kTakeTurns{
    "INSERT INTO counter (org, type, slot, live) VALUES ($1, '\\x00', -1, 0) "
    "ON CONFLICT (org, type, slot) DO UPDATE SET live = counter.live"};
inline constexpr Statement kNoCircle{
    "WITH RECURSIVE above (grp) AS (SELECT $2::bigint UNION SELECT m.grp FROM above a CROSS JOIN "
    "LATERAL (SELECT grp FROM member o WHERE o.org = $1 AND o.member = a.grp OFFSET 0) AS m) "
    "SELECT 1 / (count(*) = 0)::int FROM above "
    "WHERE grp = ANY ($3)"};

inline constexpr Statement kMemberships{"SELECT grp FROM member WHERE org = $1 AND member = $2"};
inline constexpr Statement kDeleteMemberships{"DELETE FROM member WHERE org = $1 AND member = $2"};
inline constexpr Statement kDeleteMembers{"DELETE FROM member WHERE org = $1 AND grp = $2"};

// Who changes an organisation's definitions, or deletes what it held, waits for those who are just
// making resources in it, and they for him: a new row's reference to the organisation's holds that
// FOR KEY SHARE. So does who removes it, as he changes its slug, which is a key.
inline constexpr Statement kTakeOrganisation{
    "SELECT 1 FROM organisation WHERE key = $1 FOR UPDATE"};
inline constexpr Statement kOrganisationThere{
    "SELECT 1 / count(*) FROM organisation WHERE key = $1 AND NOT removed"};
inline constexpr Statement kPutOrganisation{
    "INSERT INTO organisation (key, slug, name, created, definitions) VALUES ($1, $2, $3, $4, $5) "
    "ON CONFLICT (key) DO UPDATE SET slug = excluded.slug, name = excluded.name, "
    "created = excluded.created, definitions = excluded.definitions WHERE NOT "
    "organisation.removed"};
inline constexpr Statement kPutConnector{
    "INSERT INTO connector (key, org, id, idp, name, state, policy, created) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key) DO UPDATE SET org = excluded.org, "
    "id = excluded.id, idp = excluded.idp, name = excluded.name, state = excluded.state, "
    "policy = excluded.policy, created = excluded.created"};
inline constexpr Statement kPutToken{
    "INSERT INTO token (key, connector, id, name, kind, active, hash, previous_hash, created_by, "
    "created, expires, last_used, last_used_from, previous_expires) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) "
    "ON CONFLICT (key) DO UPDATE SET connector = excluded.connector, id = excluded.id, "
    "name = excluded.name, kind = excluded.kind, active = excluded.active, hash = excluded.hash, "
    "previous_hash = excluded.previous_hash, created_by = excluded.created_by, "
    "created = excluded.created, expires = excluded.expires, "
    "previous_expires = excluded.previous_expires"};
inline constexpr Statement kRemoveToken{"DELETE FROM token WHERE key = $1"};
inline constexpr Statement kTouchToken{
    "UPDATE token SET last_used = $2, last_used_from = $3 "
    "WHERE key = $1 AND coalesce(last_used, 0) < $2"};
// The directory as other nodes left it decides, and not what this one remembers: looked at behind
// all that is written, just before COMMIT.
inline constexpr Statement kAuthority{
    "SELECT 1 / count(*) FROM token t JOIN connector c ON c.key = t.connector "
    "WHERE t.key = $1 AND t.active AND c.state = 0 AND (t.hash = $2 OR t.previous_hash = $2)"};
inline constexpr Statement kAuthorityPaused{
    "SELECT 1::bigint FROM token t JOIN connector c ON c.key = t.connector "
    "WHERE t.key = $1 AND t.active AND c.state <> 0"};
inline constexpr Statement kSameDefinitions{
    "SELECT 1 / count(*) FROM organisation WHERE key = $1 AND definitions = $2 AND NOT removed"};
inline constexpr Statement kNoneOfType{
    "SELECT 1 / (1 - least(coalesce(sum(live), 0), 1)) FROM counter WHERE org = $1 AND type = $2"};
inline constexpr Statement kSameDirectory{
    "SELECT 1 / count(*) FROM (SELECT 1 FROM directory_version WHERE one AND number = $1 FOR "
    "UPDATE) AS same"};
inline constexpr Statement kNewDirectory{
    "UPDATE directory_version SET number = number + 1 WHERE one"};

inline constexpr Statement kRemoveTokens{
    "DELETE FROM token WHERE connector IN (SELECT key FROM connector WHERE org = $1)"};
inline constexpr Statement kRemoveConnectors{"DELETE FROM connector WHERE org = $1"};
inline constexpr Statement kMarkRemoved{
    "UPDATE organisation SET removed = true, slug = $2 WHERE key = $1"};

// Rows of an organisation that was removed, the first $2 of each table by its key. The bound is a
// part of the condition on the index, whatever is known of the table; a list of rows may become a
// filter.
#define MUSTER_CLEAR(table, key, last)                                             \
    Statement{"DELETE FROM " table " WHERE org = $1 AND (" key ") <= (SELECT " key \
              " FROM (SELECT " key " FROM " table " WHERE org = $1 ORDER BY " key  \
              " LIMIT $2) AS few ORDER BY " last " LIMIT 1)"}
inline constexpr std::array kClearOrganisation = {
    MUSTER_CLEAR("member", "grp, member", "few.grp DESC, few.member DESC"),
    MUSTER_CLEAR("attr", "type, attribute, key, rid",
                 "type DESC, attribute DESC, key DESC, rid DESC"),
    MUSTER_CLEAR("uniq", "type, attribute, key", "type DESC, attribute DESC, key DESC"),
    MUSTER_CLEAR("counter", "type, slot", "type DESC, slot DESC"),
    MUSTER_CLEAR("resource", "rid", "rid DESC"),
    MUSTER_CLEAR("log_segment", "first_id", "first_id DESC"),
};
#undef MUSTER_CLEAR
inline constexpr Statement kForgetOrganisation{
    "DELETE FROM organisation WHERE key = $1 AND removed"};

inline constexpr Statement kInsertSegment{
    "INSERT INTO log_segment (org, first_id, last_id, connector, records, failures, data) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"};

inline constexpr Statement kSegmentThere{
    "SELECT last_id, records FROM log_segment WHERE org = $1 AND first_id = $2"};
inline constexpr Statement kPurgeLog{
    "DELETE FROM log_segment WHERE org = $1 AND first_id = ANY (ARRAY(SELECT first_id FROM "
    "log_segment WHERE org = $1 AND last_id < $2 ORDER BY last_id LIMIT $3))"};
inline constexpr Statement kPurgeDeleted{
    "DELETE FROM resource WHERE org = $1 AND rid = ANY (ARRAY(SELECT rid FROM resource WHERE "
    "org = $1 AND deleted < $2 ORDER BY deleted LIMIT $3))"};

#undef MUSTER_HEAD

/// All of the above, for the test that looks at their plans.
[[nodiscard]] inline std::vector<const Statement*> write_statements() {
    std::vector<const Statement*> all = {&kHead,
                                         &kDoomedHead,
                                         &kInsert,
                                         &kRewrite,
                                         &kTouch,
                                         &kRetire,
                                         &kErase,
                                         &kCount,
                                         &kInsertUnique,
                                         &kDeleteUnique,
                                         &kInsertIndexed,
                                         &kDeleteIndexed,
                                         &kHolder,
                                         &kForgetStale,
                                         &kVersion,
                                         &kPresent,
                                         &kLiveMembers,
                                         &kAddMembers,
                                         &kRemoveMember,
                                         &kRemoveMembers,
                                         &kMarkRow,
                                         &kMarkGroup,
                                         &kTakeTurns,
                                         &kNoCircle,
                                         &kMemberships,
                                         &kDeleteMemberships,
                                         &kDeleteMembers,
                                         &kTakeOrganisation,
                                         &kOrganisationThere,
                                         &kPutOrganisation,
                                         &kPutConnector,
                                         &kPutToken,
                                         &kRemoveToken,
                                         &kTouchToken,
                                         &kAuthority,
                                         &kAuthorityPaused,
                                         &kSameDefinitions,
                                         &kNoneOfType,
                                         &kSameDirectory,
                                         &kNewDirectory,
                                         &kRemoveTokens,
                                         &kRemoveConnectors,
                                         &kMarkRemoved,
                                         &kForgetOrganisation,
                                         &kInsertSegment,
                                         &kSegmentThere,
                                         &kPurgeLog,
                                         &kPurgeDeleted};
    for (const Statement& statement : kClearOrganisation) all.push_back(&statement);
    return all;
}

}  // namespace muster::store::postgres
