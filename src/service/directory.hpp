#pragma once
// Organisations, connectors and tokens: what an operator does to them. Every change is durable,
// then held in memory, then answered, one change at a time; so a change holds from the next request
// on. One thing is held in memory first: that a renewed token's old secret ended.

#include <atomic>
#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "base/task.hpp"
#include "service/core.hpp"
#include "service/turn.hpp"

namespace muster::service {

/// An operator's request that was refused (RFC 9457 without its URIs).
struct Problem {
    int status = 400;
    std::string title;
    std::string detail;
    std::string remedy;
};
template <class T>
using Outcome = std::expected<T, Problem>;

struct NewConnector {
    std::string org_slug;
    std::string idp;   ///< the name of a dialect: "okta"
    std::string name;  ///< empty: the provider's name
};

/// What is not named stays as it is.
struct ConnectorChange {
    std::optional<std::string> idp;
    std::optional<std::string> name;
    std::string policy = "{}";  ///< a JSON object
};

struct NewToken {
    std::string connector_id;
    std::string name;
    store::TokenKind kind = store::TokenKind::Bearer;
    std::chrono::days life{365};
    std::string created_by;
};

/// A token and, this one time, its secret: for a basic token what stands behind the user name.
struct IssuedToken {
    store::Token token;
    Secret secret;
};

struct DirectoryLimits {
    std::size_t tokens_per_connector = 2;
    std::chrono::days longest_life{366};
};

class Directory {
  public:
    Directory(const Core& core, DirectoryLimits limits);

    [[nodiscard]] Task<Outcome<store::Organisation>> create_organisation(std::string name,
                                                                         std::string slug);
    [[nodiscard]] Task<Outcome<void>> remove_organisation(std::string slug);
    /// Replaces the organisation's own schemas and resource types (scim::Catalog::with). Holds from
    /// the next request. What would contradict resources that there are is refused; to know that of
    /// a new attribute, all resources of its type are looked at, and what is stored meanwhile is
    /// missed (docs/adr/0012).
    [[nodiscard]] Task<Outcome<auth::OrganisationEntry>> set_definitions(std::string slug,
                                                                         std::string definitions);

    [[nodiscard]] Task<Outcome<auth::ConnectorPtr>> create_connector(NewConnector request);
    [[nodiscard]] Task<Outcome<auth::ConnectorPtr>> set_state(std::string connector_id,
                                                              store::ConnectorState state);
    /// From the next request on.
    [[nodiscard]] Task<Outcome<auth::ConnectorPtr>> change_connector(std::string connector_id,
                                                                     ConnectorChange change);

    [[nodiscard]] Task<Outcome<IssuedToken>> generate_token(NewToken request);
    [[nodiscard]] Task<Outcome<store::Token>> set_token_active(std::string token_id, bool active);
    /// A new secret and a new year. The secret in use stays good until the new one is first used;
    /// one that was never used ends at once. Not for a token that is switched off.
    [[nodiscard]] Task<Outcome<IssuedToken>> renew_token(std::string token_id);
    [[nodiscard]] Task<Outcome<store::Token>> remove_token(std::string token_id);

    /// After the first use of a renewed secret: the old one ends here, before that use is answered.
    [[nodiscard]] Task<void> retire_previous_secret(std::string token_id);
    /// Takes over what other nodes changed. To be called about twice a second where there are any.
    [[nodiscard]] Task<void> follow();
    /// Whether all is taken over that other nodes had changed a second before `then`, as it is as a
    /// rule where somebody calls `follow`.
    [[nodiscard]] bool is_current(BootClock::time_point then) const;
    /// Waits until it is. False: that could not be learnt within 5 s.
    [[nodiscard]] Task<bool> becomes_current(BootClock::time_point then) const;
    /// Writes when and from where tokens were used since the last call; losing the last minute of
    /// it in a crash is accepted, slowing every request is not.
    [[nodiscard]] Task<void> save_last_uses();
    /// Takes over what other nodes saved of it. Reads the whole directory: not to be called often.
    [[nodiscard]] Task<void> learn_last_uses();

  private:
    [[nodiscard]] Outcome<auth::OrganisationEntry> known_organisation(
        const std::string& slug) const;
    /// Types of which nothing may come to be stored while `catalog` becomes the organisation's.
    [[nodiscard]] Task<Outcome<std::vector<store::TypeName>>> types_to_stay_empty(
        const auth::OrganisationEntry& organisation, const scim::Catalog& catalog) const;
    [[nodiscard]] Task<Outcome<void>> check_stored(const auth::OrganisationEntry& organisation,
                                                   const scim::Catalog& catalog) const;
    /// The turn to change something, with what other nodes changed before taken over.
    [[nodiscard]] Task<TurnQueue::Turn> begin_change();
    [[nodiscard]] Task<Outcome<void>> write(store::Mutation mutation, OrgKey org);
    [[nodiscard]] Task<Outcome<void>> write(std::vector<store::Mutation> mutations, OrgKey org);
    [[nodiscard]] Outcome<auth::ConnectorPtr> known_connector(std::string_view id) const;
    [[nodiscard]] Outcome<store::Token> known_token(std::string_view id) const;
    [[nodiscard]] Task<Outcome<store::Token>> put_token(store::Token token);

    const Core& core_;
    DirectoryLimits limits_;
    TurnQueue changes_;  ///< one change at a time
    /// When the store was last asked, and answered, what other nodes changed.
    std::atomic<BootClock::time_point> asked_{};
};

/// Whether a token is active, inactive or expired at `now`, in the seeds' words.
[[nodiscard]] std::string_view state_of(const store::Token& token, Timestamp now);

}  // namespace muster::service
