#include "store/sqlite/member_rows.hpp"

#include <fmt/format.h>

#include "store/replacement.hpp"

namespace muster::store::sqlite {

MemberRows::MemberRows(const Database& db)
    : insert_(db,
              "INSERT INTO member (org, grp, member) SELECT ?1, ?2, rid FROM resource "
              "WHERE rid = ?3 AND org = ?1 AND deleted IS NULL ON CONFLICT DO NOTHING"),
      mark_row_(db, "UPDATE member SET is_group = 1 WHERE org = ?1 AND grp = ?2 AND member = ?3"),
      mark_group_(db, "UPDATE resource SET nested = 1 WHERE rid = ?1 AND nested = 0"),
      circle_(db,
              "WITH RECURSIVE above (grp) AS (VALUES (?2) UNION SELECT m.grp FROM above a "
              "CROSS JOIN member m WHERE m.org = ?1 AND m.member = a.grp) "
              "SELECT 1 FROM above WHERE grp = ?3"),
      live_(db, "SELECT 1 FROM resource WHERE rid = ?2 AND org = ?1 AND deleted IS NULL"),
      delete_(db, "DELETE FROM member WHERE org = ?1 AND grp = ?2 AND member = ?3"),
      delete_stretch_(db,
                      "DELETE FROM member WHERE org = ?1 AND grp = ?2 AND "
                      "member BETWEEN ?3 AND ?4"),
      list_(db, "SELECT member FROM member WHERE org = ?1 AND grp = ?2 ORDER BY member"),
      touch_groups_(db,
                    "UPDATE resource SET version = version + 1, modified = ?3 WHERE rid IN "
                    "(SELECT grp FROM member WHERE org = ?1 AND member = ?2) AND rid <> ?2"),
      delete_memberships_(db, "DELETE FROM member WHERE org = ?1 AND member = ?2"),
      delete_members_(db, "DELETE FROM member WHERE org = ?1 AND grp = ?2") {}

Outcome<MemberRows::Delta> MemberRows::change(OrgKey org, Rid group, const MembersChange& change) {
    // Before anything is written: what is above the group does not depend on what comes below it.
    for (const Rid nested : change.groups) TRY_VOID(refuse_circle(org, group, nested));
    Delta delta;
    if (change.replace) {
        TRY_ASSIGN(delta, replace(org, group, change.add));
    } else {
        TRY_ASSIGN(delta.removed, remove(org, group, change.remove));
        TRY_ASSIGN(delta.added, add(org, group, change.add));
    }
    for (const Rid nested : change.groups) TRY_VOID(nest(org, group, nested));
    return delta;
}

Outcome<void> MemberRows::refuse_circle(OrgKey org, Rid group, Rid member) {
    Rows rows = circle_.query(org.value, group.value, member.value);
    TRY_ASSIGN(const bool circle, rows.next());
    if (!circle) return {};
    return std::unexpected(refusal(ErrorCode::Circle, "a group would become its own member"));
}

Outcome<void> MemberRows::nest(OrgKey org, Rid group, Rid member) {
    TRY_VOID(mark_row_.execute(org.value, group.value, member.value));
    TRY_VOID(mark_group_.execute(member.value));
    return {};
}

Outcome<MemberRows::Delta> MemberRows::replace(OrgKey org, Rid group,
                                               const std::vector<Rid>& wanted) {
    std::vector<Rid> present;
    {
        Rows rows = list_.query(org.value, group.value);
        for (;;) {
            TRY_ASSIGN(const bool row, rows.next());
            if (!row) break;
            present.push_back(Rid{rows.integer(0)});
        }
    }
    const Replacement replacement = replacement_of(present, wanted);
    Delta delta;
    for (const MemberRange& gone : replacement.remove) {
        TRY_ASSIGN(
            const std::int64_t removed,
            delete_stretch_.execute(org.value, group.value, gone.first.value, gone.last.value));
        delta.removed += removed;
    }
    TRY_ASSIGN(delta.added, add(org, group, replacement.add));
    return delta;
}

Outcome<std::int64_t> MemberRows::add(OrgKey org, Rid group, const std::vector<Rid>& members) {
    std::int64_t added = 0;
    for (const Rid member : members) {
        TRY_ASSIGN(const std::int64_t inserted,
                   insert_.execute(org.value, group.value, member.value));
        added += inserted;
        if (inserted == 1) continue;
        Rows rows = live_.query(org.value, member.value);
        TRY_ASSIGN(const bool live, rows.next());
        if (!live) {
            return std::unexpected(refusal(
                ErrorCode::MemberGone, fmt::format("row {} is no live resource", member.value)));
        }
    }
    return added;
}

Outcome<std::int64_t> MemberRows::remove(OrgKey org, Rid group, const std::vector<Rid>& members) {
    std::int64_t removed = 0;
    for (const Rid member : members) {
        TRY_ASSIGN(const std::int64_t deleted,
                   delete_.execute(org.value, group.value, member.value));
        removed += deleted;
    }
    return removed;
}

Outcome<std::int64_t> MemberRows::remove_all(OrgKey org, Rid resource, Timestamp now) {
    TRY_VOID(touch_groups_.execute(org.value, resource.value, now.ms));
    TRY_ASSIGN(const std::int64_t memberships,
               delete_memberships_.execute(org.value, resource.value));
    TRY_ASSIGN(const std::int64_t members, delete_members_.execute(org.value, resource.value));
    return memberships + members;
}

}  // namespace muster::store::sqlite
