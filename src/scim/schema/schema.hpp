#pragma once
// Schemas as data (RFC 7643 §7). One table decides what is accepted, compared, returned and
// advertised; nothing else in the product knows an attribute by name except where a standard gives
// that attribute a meaning of its own (userName, active, members, groups, password, meta).

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"

namespace muster::scim {

inline constexpr std::string_view kUserSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
inline constexpr std::string_view kGroupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";
inline constexpr std::string_view kEnterpriseUserSchema =
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// Okta's entitlement management reads these.
inline constexpr std::string_view kRoleSchema = "urn:okta:scim:schemas:core:1.0:Role";
inline constexpr std::string_view kEntitlementSchema = "urn:okta:scim:schemas:core:1.0:Entitlement";
inline constexpr std::string_view kListResponse =
    "urn:ietf:params:scim:api:messages:2.0:ListResponse";
inline constexpr std::string_view kSearchRequest =
    "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
inline constexpr std::string_view kPatchOp = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
inline constexpr std::string_view kBulkRequest =
    "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
inline constexpr std::string_view kBulkResponse =
    "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
inline constexpr std::string_view kErrorSchema = "urn:ietf:params:scim:api:messages:2.0:Error";

enum class Type : std::uint8_t {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
};
/// "string", "dateTime" and so on (RFC 7643 §7).
[[nodiscard]] std::string_view to_string(Type type);

enum class Mutability : std::uint8_t { ReadWrite, ReadOnly, Immutable, WriteOnly };
enum class Returned : std::uint8_t { Default, Always, Never, Request };
enum class Uniqueness : std::uint8_t { None, Server, Global };

/// RFC 7643 §2.2. `indexed` is ours: the store keeps a key for it, so that `eq` need not scan.
struct Attribute {
    std::string name;
    std::string description;
    Type type = Type::String;
    bool multi_valued = false;
    bool required = false;
    bool case_exact = false;
    bool indexed = false;
    Mutability mutability = Mutability::ReadWrite;
    Returned returned = Returned::Default;
    Uniqueness uniqueness = Uniqueness::None;
    std::vector<std::string> canonical_values = {};
    std::vector<std::string> reference_types = {};
    std::vector<Attribute> sub_attributes = {};

    /// Nobody is to read it, be it by a filter or an order.
    [[nodiscard]] bool is_hidden() const {
        return returned == Returned::Never || mutability == Mutability::WriteOnly;
    }
    /// It is taken, and not kept.
    [[nodiscard]] bool is_only_written() const { return mutability == Mutability::WriteOnly; }
    /// What an element of a multi-valued attribute says *about* its value (RFC 7643 §2.4).
    [[nodiscard]] bool is_label() const;
    /// The sub-attribute of that name without case, or null.
    [[nodiscard]] const Attribute* find(std::string_view sub_name) const;
};

struct Schema {
    std::string id;
    std::string name;
    std::string description;
    std::vector<Attribute> attributes;

    [[nodiscard]] const Attribute* find(std::string_view attribute_name) const;
};

struct Extension {
    const Schema* schema = nullptr;
    bool required = false;
};

/// RFC 7643 §6. `endpoint` begins with a slash: "/Users".
struct ResourceType {
    std::string id;
    std::string name;
    std::string endpoint;
    std::string description;
    const Schema* schema = nullptr;
    std::vector<Extension> extensions;
    /// Some stored attribute is not returned unless asked for, so that a stored document cannot be
    /// returned as it stands.
    bool hides_attributes = false;

    /// A core or common attribute (schemas, id, externalId, meta) by name without case, or null.
    [[nodiscard]] const Attribute* find(std::string_view attribute_name) const;
    /// The extension with that URN without case, or null.
    [[nodiscard]] const Schema* extension(std::string_view urn) const;
};

/// The schemas and resource types that a service offers. Immutable once built, so it may be read
/// from every thread; attributes and types are referred to by address for its whole life.
class Catalog {
  public:
    /// User with EnterpriseUser, Group (RFC 7643 §4) and Okta's Role.
    [[nodiscard]] static std::shared_ptr<const Catalog> standard();
    /// The standard ones and an organisation's own: a JSON object with `schemas` and
    /// `resourceTypes` in the form of RFC 7643 §7 and §6. A resource type with the name of a
    /// standard one adds its schemaExtensions to that. Empty text: none. Errors: InvalidValue,
    /// which names the place.
    [[nodiscard]] static Result<std::shared_ptr<const Catalog>> with(std::string_view definitions);

    [[nodiscard]] std::span<const std::unique_ptr<Schema>> schemas() const { return schemas_; }
    [[nodiscard]] std::span<const std::unique_ptr<ResourceType>> types() const { return types_; }
    [[nodiscard]] const ResourceType* type_at(std::string_view endpoint) const;  ///< "/Users"
    [[nodiscard]] const ResourceType* type_named(std::string_view name) const;   ///< "User"
    /// Whether an organisation's own schemas have an attribute that nobody may read.
    [[nodiscard]] bool hides_attributes() const { return !hidden_names_.empty(); }
    /// Whether the name of one stands in the text, or could, as an escape.
    [[nodiscard]] bool may_name_hidden(std::string_view text) const;
    [[nodiscard]] const ResourceType& user() const { return *type_named("User"); }
    [[nodiscard]] const ResourceType& group() const { return *type_named("Group"); }

  private:
    friend class CatalogBuilder;
    std::vector<std::unique_ptr<Schema>> schemas_;
    std::vector<std::unique_ptr<ResourceType>> types_;
    std::vector<std::string> hidden_names_;  ///< in small letters
};

/// Why a catalogue is not to be set, though one that was set before is read: what it asks for
/// cannot be done, or would tell what it hides. A sentence; empty: nothing.
[[nodiscard]] std::string fault_of(const Catalog& catalog);

/// Why resources of the type `before` would not fit `after` (null: the type is gone), as a sentence
/// part; empty where they do. Attributes may come and go; one that stays keeps what its stored
/// values and keys depend on.
[[nodiscard]] std::string conflict_of(const ResourceType& before, const ResourceType* after);

/// Attributes that every resource has (RFC 7643 §3): schemas, id, externalId, meta.
[[nodiscard]] const Schema& common_attributes();

/// The objects served at /Schemas and /ResourceTypes, without `meta.location`'s base: `base_url`
/// is the connector's SCIM URL. Common attributes are not listed (RFC 7643 §7).
[[nodiscard]] json::Object to_json(const Schema& schema, std::string_view base_url);
[[nodiscard]] json::Object to_json(const ResourceType& type, std::string_view base_url);

}  // namespace muster::scim
