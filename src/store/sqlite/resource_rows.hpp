#pragma once
// What a write does to resources. Runs inside the writer's transaction.

#include "store/sqlite/db.hpp"
#include "store/sqlite/key_rows.hpp"
#include "store/sqlite/member_rows.hpp"

namespace muster::store::sqlite {

class ResourceRows {
  public:
    explicit ResourceRows(const Database& db);

    [[nodiscard]] Outcome<Applied> apply(OrgKey org, const CreateResource& create);
    [[nodiscard]] Outcome<Applied> apply(OrgKey org, const UpdateResource& update);
    /// Applied::members_removed counts memberships on both sides.
    [[nodiscard]] Outcome<Applied> apply(OrgKey org, const DeleteResource& removal);

  private:
    struct Head {
        std::int64_t version = 0;
        Timestamp modified;
    };
    struct Wanted {
        Rid rid;
        std::string_view type;
        std::optional<std::int64_t> version;
    };
    /// NotFound, VersionMismatch.
    [[nodiscard]] Outcome<Head> load(OrgKey org, const Wanted& wanted);
    [[nodiscard]] Outcome<void> change_keys(const KeyOwner& owner, const DocumentChange& change);

    KeyRows keys_;
    MemberRows members_;
    Statement insert_, head_, rewrite_, touch_, retire_, erase_, count_;
};

}  // namespace muster::store::sqlite
