#include "store/sqlite/resource_rows.hpp"

#include <fmt/format.h>

namespace muster::store::sqlite {

ResourceRows::ResourceRows(const Database& db)
    : keys_(db),
      members_(db),
      insert_(db,
              "INSERT INTO resource (rid, org, type, id, version, created, modified, active, "
              "source, display, document) VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5, ?6, ?7, ?8, ?9)"),
      head_(db,
            "SELECT version, modified FROM resource "
            "WHERE rid = ?1 AND org = ?2 AND type = ?3 AND deleted IS NULL"),
      rewrite_(db,
               "UPDATE resource SET version = version + 1, modified = ?2, active = ?3, "
               "display = ?4, document = ?5 WHERE rid = ?1"),
      touch_(db, "UPDATE resource SET version = version + 1, modified = ?2 WHERE rid = ?1"),
      retire_(db,
              "UPDATE resource SET version = version + 1, modified = ?2, deleted = ?2 "
              "WHERE rid = ?1"),
      erase_(db, "DELETE FROM resource WHERE rid = ?1"),
      count_(db,
             "INSERT INTO counter (org, type, live) VALUES (?1, ?2, ?3) "
             "ON CONFLICT (org, type) DO UPDATE SET live = live + ?3") {}

Outcome<ResourceRows::Head> ResourceRows::load(OrgKey org, const Wanted& wanted) {
    Rows rows = head_.query(wanted.rid.value, org.value, wanted.type);
    TRY_ASSIGN(const bool found, rows.next());
    if (!found) {
        return std::unexpected(
            refusal(ErrorCode::NotFound, fmt::format("row {} is gone", wanted.rid.value)));
    }
    const Head head{rows.integer(0), Timestamp{rows.integer(1)}};
    if (wanted.version && *wanted.version != head.version) {
        return std::unexpected(
            refusal(ErrorCode::VersionMismatch,
                    fmt::format("version is {}, expected was {}", head.version, *wanted.version)));
    }
    return head;
}

Outcome<Applied> ResourceRows::apply(OrgKey org, const CreateResource& create) {
    const KeyOwner owner{org, create.type, create.rid};
    // Unique keys first: a taken name is the common refusal, and costs nothing so early.
    TRY_VOID(keys_.add_unique(owner, create.unique));
    TRY_VOID(insert_.execute(create.rid.value, org.value, create.type, create.id, create.now.ms,
                             create.active, create.source.value, create.display, create.document));
    TRY_VOID(keys_.add_index(owner, create.index));
    TRY_VOID(count_.execute(org.value, create.type, 1));
    MembersChange members;
    members.add = create.members;
    members.groups = create.groups;
    TRY_ASSIGN(const MemberRows::Delta delta, members_.change(org, create.rid, members));
    return Applied{1, create.now, delta.added, 0};
}

Outcome<void> ResourceRows::change_keys(const KeyOwner& owner, const DocumentChange& change) {
    TRY_VOID(keys_.remove_unique(owner, change.unique_removed));
    TRY_VOID(keys_.add_unique(owner, change.unique_added));
    TRY_VOID(keys_.remove_index(owner, change.index_removed));
    return keys_.add_index(owner, change.index_added);
}

Outcome<Applied> ResourceRows::apply(OrgKey org, const UpdateResource& update) {
    TRY_ASSIGN(const Head head, load(org, {update.rid, update.type, update.expected_version}));
    // Keys first, as in a creation: a taken name is found before thousands of members are changed.
    if (update.document) {
        TRY_VOID(change_keys({org, update.type, update.rid}, *update.document));
    }
    MemberRows::Delta delta;
    if (update.members) {
        TRY_ASSIGN(delta, members_.change(org, update.rid, *update.members));
    }
    if (update.document) {
        const DocumentChange& change = *update.document;
        TRY_VOID(rewrite_.execute(update.rid.value, update.now.ms, change.active, change.display,
                                  change.document));
    } else if (delta.added + delta.removed > 0) {
        TRY_VOID(touch_.execute(update.rid.value, update.now.ms));
    } else {
        return Applied{head.version, head.modified, 0, 0};
    }
    return Applied{head.version + 1, update.now, delta.added, delta.removed};
}

Outcome<Applied> ResourceRows::apply(OrgKey org, const DeleteResource& removal) {
    TRY_ASSIGN(const Head head, load(org, {removal.rid, removal.type, removal.expected_version}));
    const KeyOwner owner{org, removal.type, removal.rid};
    TRY_ASSIGN(const std::int64_t memberships, members_.remove_all(org, removal.rid, removal.now));
    TRY_VOID(keys_.remove_unique(owner, removal.unique));
    TRY_VOID(keys_.remove_index(owner, removal.index));
    TRY_VOID(count_.execute(org.value, removal.type, -1));
    if (removal.erase) {
        TRY_VOID(erase_.execute(removal.rid.value));
    } else {
        TRY_VOID(retire_.execute(removal.rid.value, removal.now.ms));
    }
    return Applied{head.version + 1, removal.now, 0, memberships};
}

}  // namespace muster::store::sqlite
