// The schemas of RFC 7643 §3.1, §4 and §8.7 and Okta's two as a table. Where it departs from
// §8.7.1:
// - Group.displayName is required (§4.2 says so) and unique: Okta links groups by their name;
// - attributes that hold a resource id are caseExact, because `id` itself is (§3.1), and so are
//   references and certificates (§2.3.6, §2.3.7);
// - addresses have `primary` (§2.4), which Okta sends.

#include <algorithm>
#include <array>
#include <utility>

#include "scim/schema/library.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

namespace {

using Attributes = std::vector<Attribute>;
using Strings = std::vector<std::string>;

/// The type and the marker that every element of a multi-valued attribute can carry (§2.4).
Attribute type_of_element(Strings canonical) {
    return {.name = "type",
            .description = "What this value is used for.",
            .canonical_values = std::move(canonical)};
}

Attribute primary() {
    return {.name = "primary",
            .description = "Whether this value is preferred to the others; at most one is.",
            .type = Type::Boolean};
}

/// A multi-valued attribute of the usual shape: value, display, type, primary (§2.4).
Attribute plural(std::string name, std::string description, Attribute value, Strings types) {
    return {.name = std::move(name),
            .description = std::move(description),
            .type = Type::Complex,
            .multi_valued = true,
            .sub_attributes = {
                std::move(value),
                {.name = "display", .description = "A form of the value for people to read."},
                type_of_element(std::move(types)),
                primary(),
            }};
}

Attribute value(std::string description) {
    return {.name = "value", .description = std::move(description)};
}

Attribute name() {
    return {.name = "name",
            .description = "The parts of the person's name.",
            .type = Type::Complex,
            .sub_attributes = {
                {.name = "formatted", .description = "The whole name, as it is written out."},
                {.name = "familyName", .description = "The last name."},
                {.name = "givenName", .description = "The first name."},
                {.name = "middleName", .description = "The names between first and last."},
                {.name = "honorificPrefix", .description = "What precedes the name: Dr, Ms."},
                {.name = "honorificSuffix", .description = "What follows the name: Jr, III."},
            }};
}

Attribute emails() {
    Attribute address = value("The e-mail address.");
    address.indexed = true;
    return plural("emails", "The person's e-mail addresses.", std::move(address),
                  {"work", "home", "other"});
}

Attribute photos() {
    return plural("photos", "Pictures of the person.",
                  {.name = "value",
                   .description = "The URL of the picture.",
                   .type = Type::Reference,
                   .case_exact = true,
                   .reference_types = {"external"}},
                  {"photo", "thumbnail"});
}

Attribute addresses() {
    return {.name = "addresses",
            .description = "The person's postal addresses.",
            .type = Type::Complex,
            .multi_valued = true,
            .sub_attributes = {
                {.name = "formatted", .description = "The whole address, as on an envelope."},
                {.name = "streetAddress", .description = "Street, house number, post box."},
                {.name = "locality", .description = "The town or city."},
                {.name = "region", .description = "The state, province or region."},
                {.name = "postalCode", .description = "The postal code."},
                {.name = "country", .description = "The country as an ISO 3166-1 alpha-2 code."},
                type_of_element({"work", "home", "other"}),
                primary(),
            }};
}

/// Derived from Group.members, never written through the user (§4.1.2).
Attribute groups() {
    return {.name = "groups",
            .description = "The groups that the person is a member of; changed at the group.",
            .type = Type::Complex,
            .multi_valued = true,
            .mutability = Mutability::ReadOnly,
            .sub_attributes = {
                {.name = "value",
                 .description = "The id of the group.",
                 .case_exact = true,
                 .mutability = Mutability::ReadOnly},
                {.name = "$ref",
                 .description = "The URL of the group.",
                 .type = Type::Reference,
                 .case_exact = true,
                 .mutability = Mutability::ReadOnly,
                 .reference_types = {"User", "Group"}},
                {.name = "display",
                 .description = "The name of the group.",
                 .mutability = Mutability::ReadOnly},
                {.name = "type",
                 .description = "Whether the membership is direct or by way of another group.",
                 .mutability = Mutability::ReadOnly,
                 .canonical_values = {"direct", "indirect"}},
            }};
}

Attribute certificates() {
    return plural("x509Certificates", "X.509 certificates issued to the person.",
                  {.name = "value",
                   .description = "A DER certificate in base 64.",
                   .type = Type::Binary,
                   .case_exact = true},
                  {});
}

Attributes user_attributes() {
    return {
        {.name = "userName",
         .description = "The name by which the person signs in; no two users share one.",
         .required = true,
         .uniqueness = Uniqueness::Server},
        name(),
        {.name = "displayName", .description = "The name shown to other people.", .indexed = true},
        {.name = "nickName", .description = "What the person is called informally."},
        {.name = "profileUrl",
         .description = "The URL of a page about the person.",
         .type = Type::Reference,
         .case_exact = true,
         .reference_types = {"external"}},
        {.name = "title", .description = "The job title."},
        {.name = "userType",
         .description = "How the person stands to the organisation: employee, contractor."},
        {.name = "preferredLanguage",
         .description = "The languages that the person reads, as in an Accept-Language header."},
        {.name = "locale", .description = "The conventions for dates and numbers: en-GB."},
        {.name = "timezone", .description = "The IANA name of the time zone: Europe/Paris."},
        {.name = "active",
         .description = "Whether the person may use the service.",
         .type = Type::Boolean},
        {.name = "password",
         .description = "A password in clear text; accepted, never returned.",
         .case_exact = true,
         .mutability = Mutability::WriteOnly,
         .returned = Returned::Never},
        emails(),
        plural("phoneNumbers", "The person's telephone numbers.", value("The telephone number."),
               {"work", "home", "mobile", "fax", "pager", "other"}),
        plural("ims", "The person's instant messaging addresses.", value("The address."),
               {"aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"}),
        photos(),
        addresses(),
        groups(),
        plural("entitlements", "What the person is entitled to.", value("The entitlement."), {}),
        plural("roles", "The person's roles.", value("The role."), {}),
        certificates(),
    };
}

Attribute members() {
    return {.name = "members",
            .description = "The users and groups that belong to the group.",
            .type = Type::Complex,
            .multi_valued = true,
            .sub_attributes = {
                {.name = "value",
                 .description = "The id of the member.",
                 .case_exact = true,
                 .mutability = Mutability::Immutable},
                {.name = "$ref",
                 .description = "The URL of the member.",
                 .type = Type::Reference,
                 .case_exact = true,
                 .mutability = Mutability::Immutable,
                 .reference_types = {"User", "Group"}},
                {.name = "type",
                 .description = "Whether the member is a user or a group.",
                 .mutability = Mutability::Immutable,
                 .canonical_values = {"User", "Group"}},
                {.name = "display",
                 .description = "The name of the member.",
                 .mutability = Mutability::ReadOnly},
            }};
}

Attributes group_attributes() {
    return {
        {.name = "displayName",
         .description = "The name of the group; no two groups share one.",
         .required = true,
         .uniqueness = Uniqueness::Server},
        members(),
    };
}

Attribute manager() {
    return {.name = "manager",
            .description = "The person to whom this person reports.",
            .type = Type::Complex,
            .sub_attributes = {
                {.name = "value", .description = "The manager's id.", .case_exact = true},
                {.name = "$ref",
                 .description = "The URL of the manager.",
                 .type = Type::Reference,
                 .case_exact = true,
                 .reference_types = {"User"}},
                {.name = "displayName",
                 .description = "The manager's name, looked up by the service.",
                 .mutability = Mutability::ReadOnly},
            }};
}

Attributes enterprise_user_attributes() {
    return {
        {.name = "employeeNumber", .description = "The number by which the employer knows them."},
        {.name = "costCenter", .description = "The cost centre that pays for them."},
        {.name = "organization", .description = "The company or organisation they work for."},
        {.name = "division", .description = "The division within the organisation."},
        {.name = "department", .description = "The department within the division."},
        manager(),
    };
}

Attributes role_attributes() {
    return {
        {.name = "displayName",
         .description = "The name of the role; no two roles share one.",
         .required = true,
         .uniqueness = Uniqueness::Server},
        {.name = "description", .description = "What the role is for."},
    };
}

Attributes entitlement_attributes() {
    return {
        {.name = "displayName",
         .description = "The name of the entitlement.",
         .required = true,
         .indexed = true},
        {.name = "type", .description = "The name of the resource type that it is of."},
        {.name = "description", .description = "What the entitlement is for."},
    };
}

Attribute meta() {
    return {.name = "meta",
            .description = "What the service knows about the resource itself.",
            .type = Type::Complex,
            .mutability = Mutability::ReadOnly,
            .sub_attributes = {
                {.name = "resourceType",
                 .description = "The name of the resource's type.",
                 .case_exact = true,
                 .mutability = Mutability::ReadOnly},
                {.name = "created",
                 .description = "When the resource was created.",
                 .type = Type::DateTime,
                 .mutability = Mutability::ReadOnly},
                {.name = "lastModified",
                 .description = "When the resource was last changed.",
                 .type = Type::DateTime,
                 .mutability = Mutability::ReadOnly},
                {.name = "location",
                 .description = "The URL of the resource.",
                 .type = Type::Reference,
                 .case_exact = true,
                 .mutability = Mutability::ReadOnly,
                 .reference_types = {"uri"}},
                {.name = "version",
                 .description = "The version of the resource, as in its ETag.",
                 .case_exact = true,
                 .mutability = Mutability::ReadOnly},
            }};
}

Schema common() {
    return {.id = "",
            .name = "Common",
            .description = "Attributes of every resource.",
            .attributes = {
                {.name = "schemas",
                 .description = "The URNs of the schemas that the resource uses.",
                 .type = Type::Reference,
                 .multi_valued = true,
                 .required = true,
                 .case_exact = true,
                 .returned = Returned::Always,
                 .reference_types = {"uri"}},
                {.name = "id",
                 .description = "The identifier that the service gave to the resource.",
                 .case_exact = true,
                 .mutability = Mutability::ReadOnly,
                 .returned = Returned::Always,
                 .uniqueness = Uniqueness::Server},
                {.name = "externalId",
                 .description = "The identifier that the client gave to the resource.",
                 .case_exact = true,
                 .indexed = true},
                meta(),
            }};
}

}  // namespace

const Schema& common_attributes() {
    static const Schema schema = common();
    return schema;
}

std::span<const std::unique_ptr<const Schema>> schema_library() {
    static const auto library = [] {
        const auto schema = [](std::string_view id, std::string name, std::string description,
                               Attributes attributes) {
            return std::make_unique<const Schema>(Schema{.id = std::string{id},
                                                         .name = std::move(name),
                                                         .description = std::move(description),
                                                         .attributes = std::move(attributes)});
        };
        return std::array{
            schema(kUserSchema, "User", "A person's account.", user_attributes()),
            schema(kEnterpriseUserSchema, "EnterpriseUser", "What an employer adds to a user.",
                   enterprise_user_attributes()),
            schema(kGroupSchema, "Group", "A set of users and groups.", group_attributes()),
            schema(kRoleSchema, "Role", "What a person may be in the product.", role_attributes()),
            schema(kEntitlementSchema, "Entitlement", "What a person may have in the product.",
                   entitlement_attributes()),
        };
    }();
    return library;
}

std::shared_ptr<const Catalog> Catalog::standard() {
    static const std::shared_ptr<const Catalog> standard = [] {
        auto catalog = std::make_shared<Catalog>();
        const auto use = [&](std::string_view id) {
            const auto known = std::ranges::find_if(
                schema_library(), [id](const auto& schema) { return schema->id == id; });
            catalog->schemas_.push_back(std::make_unique<Schema>(**known));
            return catalog->schemas_.back().get();
        };
        const auto add_type = [&](ResourceType type) {
            catalog->types_.push_back(std::make_unique<ResourceType>(std::move(type)));
        };
        const Schema* user = use(kUserSchema);
        const Schema* group = use(kGroupSchema);
        const Schema* enterprise = use(kEnterpriseUserSchema);
        const Schema* role = use(kRoleSchema);
        add_type({.id = "User",
                  .name = "User",
                  .endpoint = "/Users",
                  .description = "User accounts.",
                  .schema = user,
                  .extensions = {{.schema = enterprise, .required = false}}});
        add_type({.id = "Group",
                  .name = "Group",
                  .endpoint = "/Groups",
                  .description = "Groups of users.",
                  .schema = group,
                  .extensions = {}});
        add_type({.id = "Role",
                  .name = "Role",
                  .endpoint = "/Roles",
                  .description = "Roles that a user can be given.",
                  .schema = role,
                  .extensions = {}});
        return catalog;
    }();
    return standard;
}

}  // namespace muster::scim
