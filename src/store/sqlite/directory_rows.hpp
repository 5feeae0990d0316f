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

    /// DirectoryConflict where the organisation was removed, or never was.
    [[nodiscard]] Outcome<void> require_organisation(OrgKey org);
    /// Revoked or Paused where the token, its secret or its connector was switched off.
    [[nodiscard]] Outcome<void> check_authority(TokenKey token, const Digest& secret);
    /// Superseded where the organisation's definitions are others, or it was removed.
    [[nodiscard]] Outcome<void> check_definitions(OrgKey org, std::string_view definitions);
    [[nodiscard]] Outcome<void> apply(const PutOrganisation& put);
    [[nodiscard]] Outcome<void> apply(const RemoveOrganisation& removal);
    [[nodiscard]] Outcome<void> apply(const PutConnector& put);
    [[nodiscard]] Outcome<void> apply(const PutToken& put);
    [[nodiscard]] Outcome<void> apply(const RemoveToken& removal);
    [[nodiscard]] Outcome<void> apply(const TouchToken& touch);

    /// Deletes some rows of an organisation that was removed, its own last. Whether there was one.
    [[nodiscard]] Outcome<bool> clear_a_removed_one();

  private:
    Statement there_, authority_, same_definitions_, live_of_type_, put_organisation_;
    Statement remove_tokens_, remove_connectors_, mark_removed_, a_removed_, forget_;
    Statement put_connector_, put_token_, remove_token_, touch_token_;
    std::vector<Statement> clear_;  ///< a table each
};

/// Store::load_directory.
[[nodiscard]] Outcome<Directory> read_directory(const Database& db);

}  // namespace muster::store::sqlite
