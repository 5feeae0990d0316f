#include "scim/schema/schema.hpp"

#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::scim {
namespace {

using testing::ElementsAre;

const ResourceType& user() { return Catalog::standard()->user(); }
const ResourceType& group() { return Catalog::standard()->group(); }

const Attribute& attribute(const ResourceType& type, std::string_view name) {
    const Attribute* found = type.find(name);
    EXPECT_NE(found, nullptr) << name;
    return *found;
}

std::vector<std::string> names_of(const std::vector<Attribute>& attributes) {
    std::vector<std::string> names;
    for (const Attribute& one : attributes) names.push_back(one.name);
    return names;
}

void for_each_attribute(const std::function<void(const Attribute&)>& visit) {
    const auto visit_all = [&](const Schema& schema) {
        for (const Attribute& one : schema.attributes) {
            visit(one);
            for (const Attribute& sub : one.sub_attributes) visit(sub);
        }
    };
    for (const auto& schema : Catalog::standard()->schemas()) visit_all(*schema);
    visit_all(common_attributes());
}

TEST(StandardCatalog, HoldsTheSchemasAndTypesOfTheStandard) {
    const auto catalog = Catalog::standard();
    ASSERT_EQ(catalog->schemas().size(), 4U);
    EXPECT_EQ(catalog->schemas()[0]->id, kUserSchema);
    EXPECT_EQ(catalog->schemas()[1]->id, kGroupSchema);
    EXPECT_EQ(catalog->schemas()[2]->id, kEnterpriseUserSchema);
    EXPECT_EQ(catalog->schemas()[3]->id, kRoleSchema);
    EXPECT_NE(catalog->type_at("/Roles"), nullptr);
    EXPECT_EQ(catalog->type_at("/Users"), &catalog->user());
    EXPECT_EQ(catalog->type_at("/Groups"), &catalog->group());
    EXPECT_EQ(catalog->type_at("/users"), nullptr);
    EXPECT_EQ(catalog->type_named("Device"), nullptr);
    EXPECT_EQ(user().schema->id, kUserSchema);
    EXPECT_EQ(user().extension("URN:ietf:params:scim:schemas:extension:Enterprise:2.0:user")->name,
              "EnterpriseUser");
    EXPECT_EQ(group().extension(kEnterpriseUserSchema), nullptr);
}

TEST(StandardCatalog, IsTheSameEveryTime) {
    EXPECT_EQ(Catalog::standard().get(), Catalog::standard().get());
}

TEST(StandardCatalog, ListsTheAttributesOfTheStandard) {
    EXPECT_THAT(names_of(user().schema->attributes),
                ElementsAre("userName", "name", "displayName", "nickName", "profileUrl", "title",
                            "userType", "preferredLanguage", "locale", "timezone", "active",
                            "password", "emails", "phoneNumbers", "ims", "photos", "addresses",
                            "groups", "entitlements", "roles", "x509Certificates"));
    EXPECT_THAT(names_of(group().schema->attributes), ElementsAre("displayName", "members"));
    EXPECT_THAT(names_of(user().extensions[0].schema->attributes),
                ElementsAre("employeeNumber", "costCenter", "organization", "division",
                            "department", "manager"));
    EXPECT_THAT(names_of(common_attributes().attributes),
                ElementsAre("schemas", "id", "externalId", "meta"));
    EXPECT_THAT(names_of(attribute(user(), "name").sub_attributes),
                ElementsAre("formatted", "familyName", "givenName", "middleName", "honorificPrefix",
                            "honorificSuffix"));
    for (std::string_view name :
         {"emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates"}) {
        EXPECT_THAT(names_of(attribute(user(), name).sub_attributes),
                    ElementsAre("value", "display", "type", "primary"));
        EXPECT_TRUE(attribute(user(), name).multi_valued);
    }
    EXPECT_THAT(names_of(attribute(group(), "members").sub_attributes),
                ElementsAre("value", "$ref", "type", "display"));
    EXPECT_THAT(names_of(attribute(user(), "meta").sub_attributes),
                ElementsAre("resourceType", "created", "lastModified", "location", "version"));
}

TEST(StandardCatalog, DecidesWhatIsUniqueAndRequired) {
    const Attribute& user_name = attribute(user(), "userName");
    EXPECT_TRUE(user_name.required);
    EXPECT_EQ(user_name.uniqueness, Uniqueness::Server);
    EXPECT_FALSE(user_name.case_exact);
    const Attribute& group_name = attribute(group(), "displayName");
    EXPECT_TRUE(group_name.required);
    EXPECT_EQ(group_name.uniqueness, Uniqueness::Server);
    const Attribute& id = attribute(group(), "id");
    EXPECT_EQ(id.mutability, Mutability::ReadOnly);
    EXPECT_EQ(id.returned, Returned::Always);
    EXPECT_EQ(id.uniqueness, Uniqueness::Server);
    EXPECT_TRUE(id.case_exact);

    std::multiset<std::string> unique;
    for_each_attribute([&](const Attribute& one) {
        if (one.uniqueness != Uniqueness::None) unique.insert(one.name);
    });
    EXPECT_THAT(unique, ElementsAre("displayName", "displayName", "id", "userName"));
}

TEST(StandardCatalog, DecidesWhatIsIndexed) {
    EXPECT_TRUE(attribute(user(), "externalId").indexed);
    EXPECT_TRUE(attribute(group(), "externalId").indexed);
    EXPECT_TRUE(attribute(user(), "externalId").case_exact);
    EXPECT_TRUE(attribute(user(), "displayName").indexed);
    EXPECT_FALSE(attribute(user(), "emails").indexed);
    EXPECT_TRUE(attribute(user(), "emails").find("value")->indexed);
    int indexed = 0;
    for_each_attribute([&](const Attribute& one) { indexed += one.indexed ? 1 : 0; });
    EXPECT_EQ(indexed, 3);
}

TEST(StandardCatalog, NeverReturnsAPassword) {
    const Attribute& password = attribute(user(), "password");
    EXPECT_EQ(password.mutability, Mutability::WriteOnly);
    EXPECT_EQ(password.returned, Returned::Never);
}

TEST(StandardCatalog, MarksWhatAClientCannotWrite) {
    EXPECT_EQ(attribute(user(), "groups").mutability, Mutability::ReadOnly);
    EXPECT_EQ(attribute(user(), "meta").mutability, Mutability::ReadOnly);
    for (const Attribute& sub : attribute(user(), "groups").sub_attributes) {
        EXPECT_EQ(sub.mutability, Mutability::ReadOnly) << sub.name;
    }
    const Attribute& manager = *user().extensions[0].schema->find("manager");
    EXPECT_EQ(manager.find("displayName")->mutability, Mutability::ReadOnly);
    EXPECT_EQ(manager.find("value")->mutability, Mutability::ReadWrite);
    EXPECT_EQ(attribute(group(), "members").find("value")->mutability, Mutability::Immutable);
}

TEST(StandardCatalog, ListsCanonicalValues) {
    const auto types = [](const ResourceType& type, std::string_view name) {
        return attribute(type, name).find("type")->canonical_values;
    };
    EXPECT_THAT(types(user(), "emails"), ElementsAre("work", "home", "other"));
    EXPECT_THAT(types(user(), "phoneNumbers"),
                ElementsAre("work", "home", "mobile", "fax", "pager", "other"));
    EXPECT_THAT(types(user(), "ims"),
                ElementsAre("aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"));
    EXPECT_THAT(types(user(), "photos"), ElementsAre("photo", "thumbnail"));
    EXPECT_THAT(types(user(), "addresses"), ElementsAre("work", "home", "other"));
    EXPECT_THAT(types(user(), "groups"), ElementsAre("direct", "indirect"));
    EXPECT_THAT(types(group(), "members"), ElementsAre("User", "Group"));
}

TEST(StandardCatalog, DescribesEveryAttributeInASentence) {
    for_each_attribute([](const Attribute& one) {
        EXPECT_GT(one.description.size(), 8U) << one.name;
        EXPECT_LE(one.description.size(), 100U) << one.name;
        EXPECT_EQ(one.description.back(), '.') << one.name;
    });
}

TEST(StandardCatalog, HasSubAttributesJustWhereTheTypeIsComplex) {
    for_each_attribute([](const Attribute& one) {
        EXPECT_EQ(one.type == Type::Complex, !one.sub_attributes.empty()) << one.name;
        EXPECT_EQ(one.type == Type::Reference, !one.reference_types.empty()) << one.name;
        for (const Attribute& sub : one.sub_attributes) EXPECT_NE(sub.type, Type::Complex);
    });
}

TEST(SchemaLookUp, IgnoresCase) {
    EXPECT_EQ(user().find("USERNAME"), user().schema->find("userName"));
    EXPECT_EQ(user().find("ID"), common_attributes().find("id"));
    EXPECT_EQ(user().schema->find("id"), nullptr);
    EXPECT_EQ(attribute(user(), "name").find("GIVENNAME")->name, "givenName");
    EXPECT_EQ(attribute(user(), "name").find("first"), nullptr);
    EXPECT_EQ(user().find(""), nullptr);
    EXPECT_EQ(user().find("department"), nullptr);
}

TEST(SchemaJson, ShowsASchema) {
    const json::Object schema = to_json(*group().schema, "https://h/scim/v2");
    EXPECT_EQ(schema.at("schemas"), (json::Array{"urn:ietf:params:scim:schemas:core:2.0:Schema"}));
    EXPECT_EQ(schema.at("id"), json::Value(kGroupSchema));
    EXPECT_EQ(schema.at("name"), "Group");
    EXPECT_EQ(schema.at("meta").at("resourceType"), "Schema");
    EXPECT_EQ(schema.at("meta").at("location"),
              "https://h/scim/v2/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group");
    const json::Array& attributes = schema.at("attributes").get_array();
    ASSERT_EQ(attributes.size(), 2U);
    EXPECT_EQ(json::to_text(attributes[0]),
              R"({"name":"displayName","type":"string","multiValued":false,)"
              R"("description":"The name of the group; no two groups share one.",)"
              R"("required":true,"caseExact":false,"mutability":"readWrite",)"
              R"("returned":"default","uniqueness":"server"})");
    const json::Value& reference = attributes[1].at("subAttributes").at(1);
    EXPECT_EQ(json::to_text(reference),
              R"({"name":"$ref","type":"reference","multiValued":false,)"
              R"("description":"The URL of the member.","required":false,"caseExact":true,)"
              R"("mutability":"immutable","returned":"default","uniqueness":"none",)"
              R"("referenceTypes":["User","Group"]})");
    EXPECT_EQ(attributes[1].at("subAttributes").at(2).at("canonicalValues"),
              (json::Array{"User", "Group"}));
}

TEST(SchemaJson, ShowsNoNullsAndNothingOfOurOwn) {
    for (const auto& schema : Catalog::standard()->schemas()) {
        const std::string text = json::to_text(to_json(*schema, "https://h"));
        EXPECT_EQ(text.find("null"), std::string::npos);
        EXPECT_EQ(text.find("indexed"), std::string::npos);
        EXPECT_EQ(text.find("\"id\",\"type\""), std::string::npos);
    }
}

TEST(SchemaJson, NamesTypesAsTheStandardDoes) {
    EXPECT_EQ(to_string(Type::String), "string");
    EXPECT_EQ(to_string(Type::DateTime), "dateTime");
    EXPECT_EQ(to_string(Type::Complex), "complex");
}

TEST(SchemaJson, ShowsAResourceType) {
    EXPECT_EQ(json::to_text(to_json(user(), "https://h/scim/v2")),
              R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],)"
              R"("id":"User","name":"User","endpoint":"/Users","description":"User accounts.",)"
              R"("schema":"urn:ietf:params:scim:schemas:core:2.0:User","schemaExtensions":[)"
              R"({"schema":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",)"
              R"("required":false}],"meta":{"resourceType":"ResourceType",)"
              R"("location":"https://h/scim/v2/ResourceTypes/User"}})");
    EXPECT_EQ(to_json(group(), "").at("schemaExtensions"), json::Array{});
}

}  // namespace
}  // namespace muster::scim
