#include "store/postgres/reads.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "base/check.hpp"

namespace muster::store::postgres {
namespace {

#define MUSTER_RECORD_COLUMNS \
    "r.rid, r.id, r.type, r.version, r.created, r.modified, r.active, r.source, r.document"

// A row by its key, for each of some rids. The limit keeps the planner from turning the join round:
// what a statement costs must not depend on what was known of the tables when it was prepared.
#define MUSTER_ROW_OF(rid, condition)                                                 \
    " CROSS JOIN LATERAL (SELECT * FROM resource o WHERE o.org = $1 AND o.rid = " rid \
    " AND " MUSTER_IS_LIVE("o") condition " LIMIT 1) AS r "

constexpr Statement kFind{"SELECT " MUSTER_RECORD_COLUMNS
                          " FROM resource r WHERE r.org = $1 AND r.id = $2 AND r.type = $3 "
                          "AND " MUSTER_IS_LIVE("r")};
constexpr Statement kRecords{"SELECT " MUSTER_RECORD_COLUMNS
                             " FROM unnest($2::bigint[]) AS w (rid)" MUSTER_ROW_OF("w.rid", "")};

// ---- candidates ------------------------------------------------------------------------------

// Every way to find candidates gives rids and takes the same parameters: $1 organisation, $2 type,
// $3 id or attribute, $4 key, $5 end of the key's range, $6 rid to go on
// behind, $7 limit, $8 rows to skip. The rows are fetched afterwards, so skipping reads no
// document. All are mentioned in each, so that one set of parameters fits.
#define MUSTER_ALL_PARAMETERS                                           \
    " AND ($3::bytea IS NULL OR true) AND ($4::bytea IS NULL OR true) " \
    "AND ($5::bytea IS NULL OR true)"

#define MUSTER_PAGE_OF(rids, rid, order, compare)                                                \
    "SELECT " MUSTER_RECORD_COLUMNS " FROM (" rids MUSTER_ALL_PARAMETERS " AND " rid " " compare \
    " $6 ORDER BY " rid " " order                                                                \
    " LIMIT $7 OFFSET $8) AS c (rid)" MUSTER_ROW_OF("c.rid", "") "ORDER BY c.rid " order
#define MUSTER_COUNT_OF(rids)                                                 \
    "SELECT count(*) FROM (" rids MUSTER_ALL_PARAMETERS                       \
    " AND ($6::bigint IS NULL OR true) AND ($7::bigint IS NULL OR true) AND " \
    "($8::bigint IS NULL OR true)) AS candidate"

struct Access {
    Statement forward;
    Statement backward;
    Statement count;
};
#define MUSTER_ACCESS(rids, rid)                                                             \
    Access {                                                                                 \
        {MUSTER_PAGE_OF(rids, rid, "ASC", ">")}, {MUSTER_PAGE_OF(rids, rid, "DESC", "<")}, { \
            MUSTER_COUNT_OF(rids)                                                            \
        }                                                                                    \
    }

enum AccessKind : std::size_t {
    kAll,
    kId,
    kMember,
    kGroup,
    kGroupNested,
    kUniqueEqual,
    kIndexedEqual,
    kUniquePrefix,
    kIndexedPrefix,
};

#define MUSTER_LIVE(rid) MUSTER_ROW_OF(rid, "")
#define MUSTER_LIVE_OF_TYPE(rid) MUSTER_ROW_OF(rid, " AND o.type = $2")
#define MUSTER_KEY_ROWS(table) \
    " FROM " table             \
    " k" MUSTER_LIVE("k.rid") "WHERE k.org = $1 AND k.type = $2 AND k.attribute = $3 "
// What has one key comes in order of creation from the index, and its rows are read to see whether
// they are live: there is nothing to fetch afterwards.
#define MUSTER_ROWS_OF_KEY(table, order, compare) \
    "SELECT " MUSTER_RECORD_COLUMNS MUSTER_KEY_ROWS(table) "AND k.key = $4 AND "              \
    "($5::bytea IS NULL OR true) AND k.rid " compare " $6 ORDER BY k.rid " order " LIMIT $7 " \
    "OFFSET $8"
#define MUSTER_ACCESS_BY_KEY(table)                                                          \
    Access {                                                                                 \
        {MUSTER_ROWS_OF_KEY(table, "ASC", ">")}, {MUSTER_ROWS_OF_KEY(table, "DESC", "<")}, { \
            MUSTER_COUNT_OF("SELECT k.rid" MUSTER_KEY_ROWS(table) "AND k.key = $4")          \
        }                                                                                    \
    }
#define MUSTER_RID_OF_ID \
    "(SELECT i.rid FROM resource i WHERE i.org = $1 AND i.id = $3 AND " MUSTER_IS_LIVE("i") ")"

constexpr std::array kAccess = {
    MUSTER_ACCESS("SELECT c.rid FROM resource c WHERE c.org = $1 AND c.type = $2 AND "
                  "c.deleted IS NULL",
                  "c.rid"),
    MUSTER_ACCESS("SELECT c.rid FROM (SELECT i.rid FROM resource i WHERE i.org = $1 AND i.id = $3 "
                  "AND i.type = $2 AND " MUSTER_IS_LIVE("i") " LIMIT 1) AS c WHERE true",
                  "c.rid"),
    MUSTER_ACCESS("SELECT m.grp FROM member m" MUSTER_LIVE_OF_TYPE(
                      "m.grp") "WHERE m.org = $1 AND m.member = " MUSTER_RID_OF_ID,
                  "m.grp"),
    MUSTER_ACCESS("SELECT m.member FROM member m" MUSTER_LIVE_OF_TYPE(
                      "m.member") "WHERE m.org = $1 AND m.grp = " MUSTER_RID_OF_ID,
                  "m.member"),
    MUSTER_ACCESS("SELECT DISTINCT m.member FROM (WITH RECURSIVE within (grp) AS "
                  "(SELECT " MUSTER_RID_OF_ID
                  " UNION SELECT n.member FROM within w CROSS JOIN LATERAL (SELECT member FROM "
                  "member o WHERE o.org = $1 AND o.grp = w.grp AND o.is_group OFFSET 0) AS n) "
                  "SELECT grp FROM within) AS w CROSS JOIN LATERAL (SELECT member FROM member o "
                  "WHERE o.org = $1 AND o.grp = w.grp OFFSET 0) AS m" MUSTER_LIVE_OF_TYPE(
                      "m.member") "WHERE true",
                  "m.member"),
    MUSTER_ACCESS_BY_KEY("uniq"),
    MUSTER_ACCESS_BY_KEY("attr"),
    // A multi-valued attribute may hold several keys of one range, hence DISTINCT.
    MUSTER_ACCESS("SELECT DISTINCT k.rid" MUSTER_KEY_ROWS("uniq") "AND k.key >= $4 AND k.key < $5",
                  "k.rid"),
    MUSTER_ACCESS("SELECT DISTINCT k.rid" MUSTER_KEY_ROWS("attr") "AND k.key >= $4 AND k.key < $5",
                  "k.rid"),
};
constexpr Statement kLiveCount{
    "SELECT coalesce(sum(live), 0)::bigint FROM counter WHERE org = $1 AND type = $2"};
constexpr Statement kHasNested{
    "SELECT 1::bigint FROM member WHERE org = $1 AND is_group AND grp = "
    "(SELECT rid FROM resource r WHERE org = $1 AND id = $2 AND " MUSTER_IS_LIVE("r") ") LIMIT 1"};

/// The least byte string greater than every one that begins with `prefix`; where there is none, one
/// greater than every key: an entry of an index has fewer bytes. A bound that may be missing would
/// not bound the scan of the index.
std::string end_of_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
    if (prefix.empty()) return std::string(4'096, '\xFF');
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

/// The arguments of a plan.
struct Arguments {
    AccessKind kind = kAll;
    std::optional<std::string_view> name;
    std::optional<std::string_view> key;
    std::optional<std::string> end;

    Arguments(const Plan& plan, bool nested) {
        std::visit(*this, plan.access);
        if (kind == kGroup && nested) kind = kGroupNested;
    }
    void operator()(const ScanAll&) {}
    void operator()(const ById& access) { set(kId, access.id); }
    void operator()(const ByMember& access) { set(kMember, access.member_id); }
    void operator()(const ByGroup& access) { set(kGroup, access.group_id); }
    void operator()(const ByKey& access) {
        key = access.key;
        if (access.prefix) {
            set(access.unique ? kUniquePrefix : kIndexedPrefix, access.attribute);
            end = end_of_prefix(access.key);
        } else {
            set(access.unique ? kUniqueEqual : kIndexedEqual, access.attribute);
        }
    }
    void set(AccessKind which, std::string_view what) {
        kind = which;
        name = what;
    }
};

std::int64_t clamp(std::size_t number) {
    constexpr auto kMost = std::size_t{std::numeric_limits<std::int32_t>::max()};
    return static_cast<std::int64_t>(std::min(number, kMost));
}

// ---- members and groups ----------------------------------------------------------------------

// Each group once, whoever is in it, and with it whether it is in groups itself: few are, and only
// then is it worth while to climb (kGroupsOf), which costs PostgreSQL several times as much.
#define MUSTER_GROUPS_AMONG(rids)                                 \
    "SELECT r.rid, r.id, r.type, r.display, r.nested FROM (" rids \
    ") AS g (rid)" MUSTER_ROW_OF("g.rid", "")
#define MUSTER_MEMBERSHIPS_OF(members)                              \
    " FROM (" members                                               \
    ") AS w (member) CROSS JOIN LATERAL (SELECT grp FROM member o " \
    "WHERE o.org = $1 AND o.member = w.member OFFSET 0) AS m"
// From the direct groups upwards through those that are members of groups themselves; a group met
// again is not followed again, so that even a circle would end. One statement, one snapshot.
#define MUSTER_GROUPS_OF(members)                                                                \
    "WITH RECURSIVE up (member, grp, direct) AS (SELECT w.member, m.grp, true FROM (" members    \
    ") AS w (member) CROSS JOIN LATERAL (SELECT grp FROM member o WHERE o.org = $1 AND "         \
    "o.member = w.member OFFSET 0) AS m UNION SELECT u.member, m.grp, false FROM up u "          \
    "CROSS JOIN LATERAL (SELECT rid FROM resource o WHERE o.org = $1 AND o.rid = u.grp AND "     \
    "o.nested LIMIT 1) AS g CROSS JOIN LATERAL (SELECT grp FROM member o WHERE o.org = $1 AND "  \
    "o.member = g.rid OFFSET 0) AS m), above AS (SELECT member, grp, bool_or(direct) AS direct " \
    "FROM up GROUP BY member, grp) SELECT r.rid, r.id, r.type, r.display, a.direct, a.member "   \
    "FROM above a" MUSTER_ROW_OF("a.grp", "") "ORDER BY a.member, a.direct DESC, a.grp"
#define MUSTER_MEMBERS_BY_RID "SELECT unnest($2::bigint[])"
#define MUSTER_MEMBER_BY_ID                                                        \
    "SELECT i.rid FROM resource i WHERE i.org = $1 AND i.id = $2 AND i.type = $3 " \
    "AND " MUSTER_IS_LIVE("i")

constexpr Statement kDirectGroupsOf{
    MUSTER_GROUPS_AMONG("SELECT DISTINCT m.grp" MUSTER_MEMBERSHIPS_OF(MUSTER_MEMBERS_BY_RID))};
constexpr Statement kDirectGroupsOfId{
    MUSTER_GROUPS_AMONG("SELECT m.grp" MUSTER_MEMBERSHIPS_OF(MUSTER_MEMBER_BY_ID))};
constexpr Statement kMembershipsOf{
    "SELECT w.member, m.grp" MUSTER_MEMBERSHIPS_OF(MUSTER_MEMBERS_BY_RID)};
constexpr Statement kGroupsOf{MUSTER_GROUPS_OF(MUSTER_MEMBERS_BY_RID)};
constexpr Statement kGroupsOfId{MUSTER_GROUPS_OF(MUSTER_MEMBER_BY_ID)};
constexpr Statement kMembersOf{"SELECT r.rid, r.id, r.type, r.display FROM member m" MUSTER_ROW_OF(
    "m.member", "") "WHERE m.org = $1 AND m.grp = $2 AND m.member > $3 ORDER BY m.member LIMIT $4"};
constexpr Statement kMemberCount{"SELECT count(*) FROM member WHERE org = $1 AND grp = $2"};
constexpr Statement kResolve{
    "SELECT r.rid, r.id, r.type, r.display FROM unnest($2::bytea[]) AS w (id) CROSS JOIN LATERAL "
    "(SELECT * FROM resource o WHERE o.org = $1 AND o.id = w.id AND " MUSTER_IS_LIVE("o") " LIMIT 1) "
    "AS r"};

Reference reference_of(const Rows& rows, int row) {
    return {Rid{rows.integer(row, 0)}, std::string(rows.text(row, 1)),
            std::string(rows.text(row, 2)), std::string(rows.text(row, 3))};
}

// ---- the directory ---------------------------------------------------------------------------

constexpr Statement kOrganisations{
    "SELECT key, slug, name, created, definitions FROM organisation WHERE NOT removed ORDER BY "
    "key"};
constexpr Statement kRemovedOrganisations{
    "SELECT key FROM organisation WHERE removed ORDER BY key"};
constexpr Statement kConnectors{
    "SELECT key, org, id, idp, name, state, policy, created "
    "FROM connector ORDER BY key"};
constexpr Statement kTokens{
    "SELECT key, connector, id, name, kind, active, hash, previous_hash, "
    "created_by, created, expires, last_used, last_used_from, "
    "previous_expires FROM token ORDER BY key"};

constexpr Statement kDirectoryVersion{"SELECT number FROM directory_version WHERE one"};

Digest digest(std::span<const std::byte> bytes) {
    Digest out{};
    // The schema's CHECK holds the length.
    MUSTER_CHECK(bytes.size() == out.size());
    std::ranges::copy(bytes, out.begin());
    return out;
}

Organisation organisation_of(const Rows& rows, int row) {
    return {OrgKey{rows.integer(row, 0)}, std::string(rows.text(row, 1)),
            std::string(rows.text(row, 2)), Timestamp{rows.integer(row, 3)},
            std::string(rows.text(row, 4))};
}

Connector connector_of(const Rows& rows, int row) {
    Connector connector;
    connector.key = ConnectorKey{rows.integer(row, 0)};
    connector.org = OrgKey{rows.integer(row, 1)};
    connector.id = rows.text(row, 2);
    connector.idp = rows.text(row, 3);
    connector.name = rows.text(row, 4);
    connector.state = static_cast<ConnectorState>(rows.integer(row, 5));
    connector.policy = rows.text(row, 6);
    connector.created = Timestamp{rows.integer(row, 7)};
    return connector;
}

Token token_of(const Rows& rows, int row) {
    Token token;
    token.key = TokenKey{rows.integer(row, 0)};
    token.connector = ConnectorKey{rows.integer(row, 1)};
    token.id = rows.text(row, 2);
    token.name = rows.text(row, 3);
    token.kind = static_cast<TokenKind>(rows.integer(row, 4));
    token.active = rows.boolean(row, 5);
    token.hash = digest(rows.bytes(row, 6));
    if (!rows.is_null(row, 7)) token.previous_hash = digest(rows.bytes(row, 7));
    token.created_by = rows.text(row, 8);
    token.created = Timestamp{rows.integer(row, 9)};
    token.expires = Timestamp{rows.integer(row, 10)};
    if (!rows.is_null(row, 11)) token.last_used = Timestamp{rows.integer(row, 11)};
    token.last_used_from = rows.text(row, 12);
    if (!rows.is_null(row, 13)) token.previous_expires = Timestamp{rows.integer(row, 13)};
    return token;
}

template <class T>
std::vector<T> each(const Rows& rows, T (*decode)(const Rows&, int)) {
    std::vector<T> all;
    all.reserve(static_cast<std::size_t>(rows.size()));
    for (int row = 0; row < rows.size(); ++row) all.push_back(decode(rows, row));
    return all;
}

// ---- the log ---------------------------------------------------------------------------------

#define MUSTER_SEGMENTS(condition)                                                        \
    "SELECT first_id, last_id FROM log_segment WHERE org = $1 AND last_id <= $2 AND "     \
    "last_id > $3 AND first_id < $4 AND ($5::bigint IS NULL OR connector = $5)" condition \
    " AND NOT EXISTS (SELECT 1 FROM organisation WHERE key = $1 AND removed)"             \
    " ORDER BY last_id DESC LIMIT $6"
constexpr std::size_t kFewestSegments = 16;
constexpr Statement kSegments{MUSTER_SEGMENTS("")};
constexpr Statement kSegmentsFailed{MUSTER_SEGMENTS(" AND failures > 0")};
constexpr Statement kSegment{"SELECT data FROM log_segment WHERE org = $1 AND first_id = $2"};

Record record_at(const Rows& rows, int row) {
    Record record;
    record.rid = Rid{rows.integer(row, 0)};
    record.id = rows.text(row, 1);
    record.type = rows.text(row, 2);
    record.version = rows.integer(row, 3);
    record.created = Timestamp{rows.integer(row, 4)};
    record.modified = Timestamp{rows.integer(row, 5)};
    record.active = rows.boolean(row, 6);
    record.source = ConnectorKey{rows.integer(row, 7)};
    record.document = rows.text(row, 8);
    return record;
}

}  // namespace

Query find(OrgKey org, std::string_view type, std::string_view id) {
    return {&kFind, Parameters(org, id, type)};
}

std::optional<Record> record_of(const Rows& rows) {
    if (rows.size() == 0) return std::nullopt;
    return record_at(rows, 0);
}

std::vector<Record> records_of(const Rows& rows) { return each(rows, record_at); }

Query records(OrgKey org, std::span<const Rid> rids) { return {&kRecords, Parameters(org, rids)}; }

Query has_nested(OrgKey org, std::string_view group_id) {
    return {&kHasNested, Parameters(org, group_id)};
}

Query candidates(OrgKey org, const Plan& plan, const Stretch& stretch, bool nested) {
    const Arguments arguments(plan, nested);
    const Access& access = kAccess[arguments.kind];
    const bool from_end = stretch.backward && stretch.behind == Rid{};
    const std::int64_t behind =
        from_end ? std::numeric_limits<std::int64_t>::max() : stretch.behind.value;
    return {stretch.backward ? &access.backward : &access.forward,
            Parameters(org, plan.type, arguments.name, arguments.key, arguments.end, behind,
                       clamp(stretch.limit) + 1, clamp(stretch.skip))};
}

Query count(OrgKey org, const Plan& plan, bool nested) {
    const Arguments arguments(plan, nested);
    if (arguments.kind == kAll) return {&kLiveCount, Parameters(org, plan.type)};
    constexpr std::optional<std::int64_t> kNothing;
    return {&kAccess[arguments.kind].count,
            Parameters(org, plan.type, arguments.name, arguments.key, arguments.end, kNothing,
                       kNothing, kNothing)};
}

Query direct_groups_of(OrgKey org, std::string_view type, std::string_view id) {
    return {&kDirectGroupsOfId, Parameters(org, id, type)};
}

std::vector<Query> direct_groups_of(OrgKey org, std::span<const Rid> members) {
    return {{&kDirectGroupsOf, Parameters(org, members)},
            {&kMembershipsOf, Parameters(org, members)}};
}

bool lead_further(const Rows& groups) {
    constexpr int kNested = 4;
    for (int row = 0; row < groups.size(); ++row) {
        if (groups.boolean(row, kNested)) return true;
    }
    return false;
}

std::vector<Reference> direct_groups_in(const Rows& groups) {
    std::vector<Reference> all = references_of(groups);
    std::ranges::sort(all, {}, &Reference::rid);
    return all;
}

std::vector<std::vector<Reference>> direct_groups_in(const Rows& groups, const Rows& memberships,
                                                     std::span<const Rid> members) {
    const std::vector<Reference> all = direct_groups_in(groups);
    std::unordered_map<Rid, std::vector<Reference>> by_member;
    for (int row = 0; row < memberships.size(); ++row) {
        const Rid group{memberships.integer(row, 1)};
        const auto known = std::ranges::lower_bound(all, group, {}, &Reference::rid);
        if (known == all.end() || known->rid != group) continue;  // deleted
        by_member[Rid{memberships.integer(row, 0)}].push_back(*known);
    }
    std::vector<std::vector<Reference>> of_each;
    of_each.reserve(members.size());
    for (const Rid member : members) {
        std::vector<Reference>& of_member = by_member[member];
        std::ranges::sort(of_member, {}, &Reference::rid);
        of_each.push_back(of_member);
    }
    return of_each;
}

Query all_groups_of(OrgKey org, std::string_view type, std::string_view id) {
    return {&kGroupsOfId, Parameters(org, id, type)};
}

Query all_groups_of(OrgKey org, std::span<const Rid> members) {
    return {&kGroupsOf, Parameters(org, members)};
}

std::vector<Reference> all_groups_in(const Rows& rows) {
    std::vector<Reference> groups = references_of(rows);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        groups[i].direct = rows.boolean(static_cast<int>(i), 4);
    }
    return groups;
}

std::vector<std::vector<Reference>> all_groups_in(const Rows& rows, std::span<const Rid> members) {
    const std::vector<Reference> groups = all_groups_in(rows);
    std::unordered_map<Rid, std::vector<Reference>> by_member;
    for (std::size_t i = 0; i < groups.size(); ++i) {
        by_member[Rid{rows.integer(static_cast<int>(i), 5)}].push_back(groups[i]);
    }
    std::vector<std::vector<Reference>> of_each;
    of_each.reserve(members.size());
    for (const Rid member : members) of_each.push_back(by_member[member]);
    return of_each;
}

Query members_of(OrgKey org, Rid group, Rid after, std::size_t limit) {
    return {&kMembersOf, Parameters(org, group, after, clamp(limit) + 1)};
}

Query member_count(OrgKey org, Rid group) { return {&kMemberCount, Parameters(org, group)}; }

Query resolve(OrgKey org, std::span<const std::string> ids) {
    return {&kResolve, Parameters(org, ids)};
}

std::vector<Reference> references_of(const Rows& rows) { return each(rows, reference_of); }

std::vector<Query> directory() {
    // The version first: what changes meanwhile is only read once more. Tables that Citus copied to
    // its workers are not read as of one moment.
    return {directory_version(), {&kOrganisations, {}}, {&kConnectors, {}}, {&kTokens, {}}};
}

Query directory_version() { return {&kDirectoryVersion, {}}; }

Directory directory_of(std::span<const Rows> answers) {
    return {answers[0].number(), each(answers[1], organisation_of), each(answers[2], connector_of),
            each(answers[3], token_of)};
}

Query segments(OrgKey org, const LogQuery& query, const SegmentReading::Bounds& bounds) {
    return {query.failed_only ? &kSegmentsFailed : &kSegments,
            Parameters(org, bounds.newest, bounds.oldest, bounds.before, query.connector,
                       clamp(std::max(query.limit, kFewestSegments)))};
}

Query segment(OrgKey org, std::int64_t first_id) { return {&kSegment, Parameters(org, first_id)}; }

Query organisations() { return {&kOrganisations, {}}; }

Query removed_organisations() { return {&kRemovedOrganisations, {}}; }

std::vector<const Statement*> read_statements() {
    std::vector<const Statement*> all = {&kFind,
                                         &kRecords,
                                         &kLiveCount,
                                         &kHasNested,
                                         &kDirectGroupsOf,
                                         &kDirectGroupsOfId,
                                         &kMembershipsOf,
                                         &kGroupsOf,
                                         &kGroupsOfId,
                                         &kMembersOf,
                                         &kMemberCount,
                                         &kResolve,
                                         &kOrganisations,
                                         &kRemovedOrganisations,
                                         &kConnectors,
                                         &kTokens,
                                         &kDirectoryVersion,
                                         &kSegments,
                                         &kSegmentsFailed,
                                         &kSegment};
    for (const Access& access : kAccess) {
        all.insert(all.end(), {&access.forward, &access.backward, &access.count});
    }
    return all;
}

}  // namespace muster::store::postgres
