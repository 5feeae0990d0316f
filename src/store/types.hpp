#pragma once
// The values that pass between the use cases and a store. A store applies them and decides nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "base/ids.hpp"
#include "scim/resource/resource.hpp"

namespace muster::store {

// ---- resources -----------------------------------------------------------------------------

/// Which resource type a row is: the type's name ("User"). Kept as text: organisations may add
/// types of their own.
using TypeName = std::string;

struct Record {
    Rid rid;
    std::string id;
    TypeName type;
    std::int64_t version = 0;  ///< 1 at creation, +1 a change; the ETag is W/"version"
    Timestamp created;
    Timestamp modified;
    bool active = true;
    ConnectorKey source;   ///< the connector that created it
    std::string document;  ///< JSON text of a scim document
};

/// A resource that others point at, as a membership needs it.
struct Reference {
    Rid rid;
    std::string id;
    TypeName type;
    std::string display;  ///< displayName, else userName, of the moment of reading; may be empty
    bool direct = true;   ///< false: by way of another group
};

struct CreateResource {
    Rid rid;
    std::string id;
    TypeName type;
    ConnectorKey source;
    Timestamp now;
    bool active = true;
    std::string display;  ///< what a Reference to it shows
    std::string document;
    std::vector<scim::IndexKey> unique;
    std::vector<scim::IndexKey> index;
    std::vector<Rid> members;      ///< of a group; each must be live when the write is applied
    std::vector<Rid> groups = {};  ///< those of `members` that are groups
};

struct DocumentChange {
    bool active = true;
    std::string display;
    std::string document;
    std::vector<scim::IndexKey> unique_removed, unique_added;
    std::vector<scim::IndexKey> index_removed, index_added;
};

/// With `replace`: afterwards exactly `add` are members, and only differences are written. Without:
/// `remove` go, `add` come; both idempotent. A row that is no live resource fails the whole set,
/// and so does a group that would become its own member, directly or by way of others.
struct MembersChange {
    bool replace = false;
    std::vector<Rid> add;
    std::vector<Rid> remove;
    std::vector<Rid> groups = {};  ///< those of `add` that are groups
};

/// The version rises by one if the document changed or any member row did, else stays; `modified`
/// with it. `expected_version` is required where `document` is set (the change was computed from
/// that version) and where the client sent If-Match.
struct UpdateResource {
    Rid rid;
    TypeName type;
    Timestamp now;
    std::optional<std::int64_t> expected_version;
    std::optional<DocumentChange> document;
    std::optional<MembersChange> members;
};

/// Removes a resource from every view: by id, queries, uniqueness, memberships on both sides
/// (groups that lose a member rise in version). `erase` false keeps the row for the retention time,
/// so that an operator can bring it back; true deletes it now.
struct DeleteResource {
    Rid rid;
    TypeName type;
    Timestamp now;
    bool erase = false;
    std::optional<std::int64_t> expected_version;
    std::vector<scim::IndexKey> unique;
    std::vector<scim::IndexKey> index;
};

// ---- organisations, connectors, tokens ------------------------------------------------------

struct Organisation {
    OrgKey key;
    std::string slug;  ///< unique; a host label
    std::string name;
    Timestamp created;
    std::string
        definitions;  ///< own schemas and resource types (scim::Catalog::with); may be empty
};

enum class ConnectorState : std::uint8_t { Active, Paused };

struct Connector {
    ConnectorKey key;
    OrgKey org;
    std::string id;   ///< in the SCIM URL; unique in the instance
    std::string idp;  ///< the name of a dialect: "okta"
    std::string name;
    ConnectorState state = ConnectorState::Active;
    std::string policy;  ///< JSON object of settings that differ from their defaults
    Timestamp created;
};

enum class TokenKind : std::uint8_t { Bearer, Basic };

struct Token {
    TokenKey key;
    ConnectorKey connector;
    std::string id;  ///< the public part, shown everywhere
    std::string name;
    TokenKind kind = TokenKind::Bearer;
    bool active = true;
    Digest hash{};                        ///< keyed hash of the secret
    std::optional<Digest> previous_hash;  ///< after a renewal, until the new secret is first used
    std::optional<Timestamp>
        previous_expires;  ///< a renewal does not lengthen the old secret's life
    std::string created_by;
    Timestamp created;
    Timestamp expires;
    std::optional<Timestamp> last_used;
    std::string last_used_from;
};

struct PutOrganisation {
    Organisation organisation;
    /// Refused (Superseded) where the organisation has a live resource of one of these types.
    std::vector<TypeName> without = {};
};
/// Takes it out of the directory with its connectors, tokens and log, and frees its slug. From then
/// on nothing is written into it; Store::purge deletes what it held, bit by bit.
struct RemoveOrganisation {
    OrgKey key;
};
/// What a removed organisation is called until all of it is deleted: nobody's slug ends like that.
[[nodiscard]] inline std::string slug_of_removed(OrgKey key) {
    return "removed-" + std::to_string(key.value) + "-";
}
struct PutConnector {
    Connector connector;
};
struct PutToken {
    Token token;
};
struct RemoveToken {
    TokenKey key;
};
/// Only the last use, so that it never undoes a concurrent change of state; the later one stays.
/// Missing token: nothing.
struct TouchToken {
    TokenKey key;
    Timestamp used;
    std::string from;
};

/// Everything about organisations, connectors and tokens; small enough to live in memory.
struct Directory {
    std::int64_t version = 0;  ///< rises with every change, whichever process makes it
    std::vector<Organisation> organisations;
    std::vector<Connector> connectors;
    std::vector<Token> tokens;
};

// ---- the provisioning log -------------------------------------------------------------------

/// One record, encoded by provlog/. `json` is a JSON object text *without* its closing brace: the
/// store ends it with `,"written":[…]}` (one Applied an entry) inside the commit, or with `}`.
struct LogEntry {
    LogId id;
    OrgKey org;              ///< none where the request reached no organisation
    ConnectorKey connector;  ///< none where it reached no connector
    bool failed = false;     ///< status 400 or above
    std::string json;
};

struct LogQuery {
    std::optional<OrgKey> org;
    std::optional<ConnectorKey> connector;
    bool failed_only = false;
    std::optional<LogId> before;  ///< records with a smaller id only
    std::optional<LogId> after;   ///< records with a greater id only
    std::size_t limit = 50;       ///< newest first
    /// Only records in whose JSON this stands, ASCII letters without case; empty: any.
    std::string mentions = {};
};

struct LogPage {
    std::vector<std::string> records;  ///< complete JSON texts, newest first
    /// Where LogQuery::mentions had to be looked for in too much at once: with this as `before` the
    /// same query goes on, whatever it has found so far.
    std::optional<LogId> rest = {};
};

// ---- one write ------------------------------------------------------------------------------

using Mutation = std::variant<CreateResource, UpdateResource, DeleteResource, PutOrganisation,
                              RemoveOrganisation, PutConnector, PutToken, RemoveToken, TouchToken>;

/// Applied whole or not at all, durable when acknowledged.
struct WriteSet {
    OrgKey org;
    /// The token in whose name this is written. Refused (Revoked, Paused) where the token or its
    /// connector was switched off before, by whichever process.
    TokenKey token = {};
    /// The keyed hash of the secret that was shown with it: the token's own, or its previous one
    /// while that is good. Refused (Revoked) likewise.
    Digest secret = {};
    /// Where the set changes the directory: the version that the change was computed from. A store
    /// that several processes share refuses it (VersionMismatch) where another one came first.
    std::optional<std::int64_t> directory_version = {};
    /// The organisation's definitions that resources were checked by. Refused (Superseded) where
    /// they are others by now, in this process or another.
    std::optional<std::string> definitions = {};
    std::vector<Mutation> mutations;
    std::vector<LogEntry> log;
};

/// What one resource mutation did.
struct Applied {
    std::int64_t version = 0;
    Timestamp modified;
    std::int64_t members_added = 0;
    std::int64_t members_removed = 0;
};

struct Committed {
    std::vector<Applied> applied;  ///< one a mutation, in order; zeros for directory mutations
};

enum class ErrorCode : std::uint8_t {
    Unavailable,       ///< the store cannot serve now (disk, shutdown, deadline): try later
    OutcomeUnknown,    ///< the database went while it committed: done or not, nobody knows
    VersionMismatch,   ///< expected_version is not the current one
    NotFound,          ///< the resource to change is gone
    UniqueTaken,       ///< another resource holds a unique key; `attribute` says which
    MemberGone,        ///< a member row is no live resource
    Circle,            ///< a group would become its own member
    Revoked,           ///< the token was switched off meanwhile, or its connector removed
    Paused,            ///< the connector was paused meanwhile
    Superseded,        ///< what the set was checked by holds no more
    Locked,            ///< another process holds the store
    Unfit,             ///< a copy cannot be made from here, or to there: what it is, or holds
    DirectoryConflict  ///< slug, connector id or token id is taken, or a parent is missing: what an
                       ///< organisation that was removed is to all that is written into it
};

struct Error {
    ErrorCode code = ErrorCode::Unavailable;
    std::string message;    ///< for the server's log
    std::string attribute;  ///< UniqueTaken: path in lower case
    std::string holder_id;  ///< UniqueTaken: the resource that has it
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace muster::store
