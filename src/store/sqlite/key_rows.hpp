#pragma once
// The keys of resources: unique ones, whose primary key decides who holds a name, and indexed ones.

#include <vector>

#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

/// Whose keys they are.
struct KeyOwner {
    OrgKey org;
    std::string_view type;
    Rid rid;
};

class KeyRows {
  public:
    explicit KeyRows(const Database& db);

    /// UniqueTaken where another live resource holds one of them.
    [[nodiscard]] Outcome<void> add_unique(const KeyOwner& owner,
                                           const std::vector<scim::IndexKey>& keys);
    [[nodiscard]] Outcome<void> add_index(const KeyOwner& owner,
                                          const std::vector<scim::IndexKey>& keys);
    /// Only rows of this owner go; the others stay.
    [[nodiscard]] Outcome<void> remove_unique(const KeyOwner& owner,
                                              const std::vector<scim::IndexKey>& keys);
    [[nodiscard]] Outcome<void> remove_index(const KeyOwner& owner,
                                             const std::vector<scim::IndexKey>& keys);

  private:
    [[nodiscard]] Outcome<void> take_over(const KeyOwner& owner, const scim::IndexKey& key);
    [[nodiscard]] static Outcome<void> run_each(Statement& statement, const KeyOwner& owner,
                                                const std::vector<scim::IndexKey>& keys);

    Statement insert_unique_, holder_, take_over_, delete_unique_, insert_index_, delete_index_;
};

}  // namespace muster::store::sqlite
