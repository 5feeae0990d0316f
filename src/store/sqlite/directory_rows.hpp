#pragma once
// What a write does to organisations, connectors and tokens. Runs inside the writer's transaction.

#include <string_view>
#include <vector>

#include "store/sqlite/db.hpp"

namespace muster::store::sqlite {

/// Each change may end in DirectoryConflict: a name is taken, or a parent is missing.
class DirectoryRows {
  public:
    explicit DirectoryRows(const Database& db);

    /// Superseded where the organisation's definitions are others.
    [[nodiscard]] Outcome<void> check_definitions(OrgKey org, std::string_view definitions);
    [[nodiscard]] Outcome<void> apply(const PutOrganisation& put);
    [[nodiscard]] Outcome<void> apply(const RemoveOrganisation& removal);
    [[nodiscard]] Outcome<void> apply(const PutConnector& put);
    [[nodiscard]] Outcome<void> apply(const PutToken& put);
    [[nodiscard]] Outcome<void> apply(const RemoveToken& removal);
    [[nodiscard]] Outcome<void> apply(const TouchToken& touch);

  private:
    Statement same_definitions_, live_of_type_;
    Statement put_organisation_, put_connector_, put_token_, remove_token_, touch_token_;
    std::vector<Statement> remove_organisation_;  ///< children first
};

/// Store::load_directory.
[[nodiscard]] Outcome<Directory> read_directory(const Database& db);

}  // namespace muster::store::sqlite
