#pragma once
// Organisations, connectors and tokens in memory, and the one place that says who is asking.

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/policy.hpp"
#include "auth/token.hpp"
#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "scim/schema/schema.hpp"
#include "store/types.hpp"

namespace muster::auth {

/// Where and when a token was last used; outlives the snapshots that refer to it.
class LastUse {
  public:
    LastUse(std::optional<Timestamp> used, std::string from);

    /// Cheap when called again within the same second.
    void note(Timestamp now, std::string_view from);
    struct Use {
        Timestamp used;
        std::string from;
    };
    [[nodiscard]] std::optional<Use> get() const;
    /// The last use where it is later than the one that was saved last.
    [[nodiscard]] std::optional<Use> unsaved() const;
    void note_saved(Timestamp used);
    /// What the store has, whoever saved it: counts where it is later.
    void learn(Timestamp used, std::string_view from);

  private:
    std::atomic<std::int64_t> used_ms_;
    mutable std::mutex mutex_;
    std::string from_;
    std::int64_t saved_ms_;
};

struct TokenEntry {
    store::Token token;
    std::shared_ptr<LastUse> last_use;
};

struct OrganisationEntry {
    store::Organisation organisation;
    std::shared_ptr<const scim::Catalog> catalog;  ///< its schemas and resource types
};

/// A connector with everything that a request on it needs to know. Immutable.
struct ConnectorEntry {
    store::Connector connector;
    store::Organisation organisation;
    std::shared_ptr<const scim::Catalog> catalog;
    Policy policy;
    std::vector<TokenEntry> tokens;
};
using ConnectorPtr = std::shared_ptr<const ConnectorEntry>;

enum class Refusal : std::uint8_t {
    MissingCredential,
    NotAToken,
    BadChecksum,
    UnknownToken,
    OtherConnector,
    WrongSecret,
    WrongScheme,
    Inactive,
    Expired,
    NoSuchConnector,
};
/// "missing-credential" and so on: stable words for logs and metrics.
[[nodiscard]] std::string_view to_string(Refusal refusal);

/// Who is asking. There is no request past authentication without one: organisation and
/// connector are never optional.
struct Principal {
    ConnectorPtr connector;
    TokenKey token;
    std::string token_id;
    Digest secret{};                ///< the keyed hash of what was shown
    bool bare = false;              ///< sent without a scheme
    bool retires_previous = false;  ///< the first use of a renewed secret: the old one must go now
};

enum class Standing : std::uint8_t {
    Good,
    Paused,  ///< the connector is
    Gone,    ///< the token or the connector was switched off or removed
};

struct Denied {
    Refusal refusal = Refusal::MissingCredential;
    std::string token_id;  ///< where the credential named a known token of this connector
};

/// A consistent view of the whole directory. Immutable; cheap to hold.
struct Snapshot {
    std::unordered_map<std::string, ConnectorPtr> by_id;
    std::unordered_map<std::string, OrganisationEntry> by_slug;
};

/// Thread-safe: readers never wait for a writer. Changes are made by service/directory, one at a
/// time, after they are durable (but for the end of a renewed token's old secret, which holds at
/// once); a change holds for every request that is admitted afterwards.
class Registry {
  public:
    explicit Registry(KeyedHash hash)
        : hash_(std::move(hash)), snapshot_(std::make_shared<Snapshot>()) {}

    [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const { return snapshot_.load(); }
    [[nodiscard]] ConnectorPtr connector(std::string_view id) const;
    /// The only connector of the organisation with that slug; null where there are none or many
    /// (then the host name does not say which is meant).
    [[nodiscard]] ConnectorPtr connector_of_slug(std::string_view slug) const;

    /// Decides in constant time over the secret; a state is only told to who knows the secret.
    [[nodiscard]] std::expected<Principal, Denied> authenticate(const ConnectorPtr& connector,
                                                                std::string_view authorization,
                                                                Timestamp now,
                                                                std::string_view peer) const;

    /// What has become of who was let in: for requests that take their time, over their body, in a
    /// line, or over their answer. Without a token it is the connector that counts.
    [[nodiscard]] Standing standing(const Principal& principal) const;

    [[nodiscard]] Digest hash(std::string_view token) const { return hash_(token); }

    /// What belongs to nothing in `directory` is left out: where its tables were not read as of one
    /// moment its version is older than the newest, and it is loaded again.
    void load(const store::Directory& directory);
    /// Of the directory as it is held: as it was loaded last, and a step for each own change since.
    [[nodiscard]] std::int64_t version() const { return version_; }
    /// Rises whenever a look-up could answer otherwise than before: who reads it first and then
    /// looks up knows by it later whether to look up again.
    [[nodiscard]] std::uint64_t generation() const { return generation_; }
    /// A change of this process's own was committed on top of version(): it need not be loaded.
    void note_own_change() { ++version_; }
    void put(const store::Organisation& organisation);
    void put(const store::Connector& connector);
    void put(const store::Token& token);
    void remove(const store::Token& token);
    void remove(const store::Organisation& organisation);

  private:
    template <class Change>
    void change(Change change);

    KeyedHash hash_;
    std::atomic<std::int64_t> version_{0};
    std::atomic<std::uint64_t> generation_{0};  ///< risen behind each new snapshot
    std::mutex writing_;
    std::atomic<std::shared_ptr<const Snapshot>> snapshot_;
};

}  // namespace muster::auth
