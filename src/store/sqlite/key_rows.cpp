#include "store/sqlite/key_rows.hpp"

#include <fmt/format.h>

namespace muster::store::sqlite {

KeyRows::KeyRows(const Database& db)
    : insert_unique_(db,
                     "INSERT INTO uniq (org, type, attribute, key, rid) "
                     "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"),
      holder_(db,
              "SELECT r.id FROM uniq u JOIN resource r ON r.rid = u.rid AND r.deleted IS NULL "
              "WHERE u.org = ?1 AND u.type = ?2 AND u.attribute = ?3 AND u.key = ?4"),
      take_over_(db,
                 "UPDATE uniq SET rid = ?5 "
                 "WHERE org = ?1 AND type = ?2 AND attribute = ?3 AND key = ?4"),
      delete_unique_(db,
                     "DELETE FROM uniq WHERE org = ?1 AND type = ?2 AND attribute = ?3 "
                     "AND key = ?4 AND rid = ?5"),
      insert_index_(db,
                    "INSERT INTO attr (org, type, attribute, key, rid) "
                    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"),
      delete_index_(db,
                    "DELETE FROM attr WHERE org = ?1 AND type = ?2 AND attribute = ?3 "
                    "AND key = ?4 AND rid = ?5") {}

Outcome<void> KeyRows::add_unique(const KeyOwner& owner, const std::vector<scim::IndexKey>& keys) {
    for (const scim::IndexKey& key : keys) {
        TRY_ASSIGN(const std::int64_t inserted,
                   insert_unique_.execute(owner.org.value, owner.type, key.attribute, key.key,
                                          owner.rid.value));
        if (inserted == 0) TRY_VOID(take_over(owner, key));
    }
    return {};
}

// A row may outlive its resource where a deletion was computed from an older document. Such a row
// must not block a name for ever.
Outcome<void> KeyRows::take_over(const KeyOwner& owner, const scim::IndexKey& key) {
    {
        Rows rows = holder_.query(owner.org.value, owner.type, key.attribute, key.key);
        TRY_ASSIGN(const bool held, rows.next());
        if (held) {
            Failure taken = refusal(ErrorCode::UniqueTaken, key.attribute + " is taken");
            taken.error.attribute = key.attribute;
            taken.error.holder_id = rows.text(0);
            return std::unexpected(std::move(taken));
        }
    }
    TRY_VOID(
        take_over_.execute(owner.org.value, owner.type, key.attribute, key.key, owner.rid.value));
    return {};
}

Outcome<void> KeyRows::run_each(Statement& statement, const KeyOwner& owner,
                                const std::vector<scim::IndexKey>& keys) {
    for (const scim::IndexKey& key : keys) {
        TRY_VOID(statement.execute(owner.org.value, owner.type, key.attribute, key.key,
                                   owner.rid.value));
    }
    return {};
}

Outcome<void> KeyRows::add_index(const KeyOwner& owner, const std::vector<scim::IndexKey>& keys) {
    return run_each(insert_index_, owner, keys);
}

Outcome<void> KeyRows::remove_unique(const KeyOwner& owner,
                                     const std::vector<scim::IndexKey>& keys) {
    return run_each(delete_unique_, owner, keys);
}

Outcome<void> KeyRows::remove_index(const KeyOwner& owner,
                                    const std::vector<scim::IndexKey>& keys) {
    return run_each(delete_index_, owner, keys);
}

}  // namespace muster::store::sqlite
