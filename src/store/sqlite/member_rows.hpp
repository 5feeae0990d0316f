#pragma once
// Memberships: one row each, so that a change costs the same in every size of group.

#include <vector>

#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

class MemberRows {
  public:
    explicit MemberRows(const Database& db);

    struct Delta {
        std::int64_t added = 0;
        std::int64_t removed = 0;
    };
    /// MemberGone where a row to add is no live resource of `org`; Circle. O(change), and for each
    /// group among them O(groups above); for `replace`, O(old + new) reads.
    [[nodiscard]] Outcome<Delta> change(OrgKey org, Rid group, const MembersChange& change);

    /// Removes a resource as a member and as a group. Groups that lose it rise in version. The
    /// number of rows removed.
    [[nodiscard]] Outcome<std::int64_t> remove_all(OrgKey org, Rid resource, Timestamp now);

  private:
    [[nodiscard]] Outcome<std::int64_t> add(OrgKey org, Rid group, const std::vector<Rid>& members);
    [[nodiscard]] Outcome<std::int64_t> remove(OrgKey org, Rid group,
                                               const std::vector<Rid>& members);
    [[nodiscard]] Outcome<void> refuse_circle(OrgKey org, Rid group, Rid member);
    [[nodiscard]] Outcome<void> nest(OrgKey org, Rid group, Rid member);
    [[nodiscard]] Outcome<Delta> replace(OrgKey org, Rid group, const std::vector<Rid>& wanted);

    Statement insert_, mark_row_, mark_group_, circle_, live_, delete_, delete_stretch_, list_,
        touch_groups_, delete_memberships_, delete_members_;
};

}  // namespace muster::store::sqlite
