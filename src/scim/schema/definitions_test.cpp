#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scim/schema/schema.hpp"

namespace muster::scim {
namespace {

std::string schema(std::string_view attributes, std::string_view id = "urn:x:Thing") {
    return fmt::format(R"({{"id":"{}","name":"Thing","attributes":[{}]}})", id, attributes);
}

std::string definitions(std::string_view schemas, std::string_view types = "") {
    return fmt::format(R"({{"schemas":[{}],"resourceTypes":[{}]}})", schemas, types);
}

constexpr std::string_view kThings =
    R"({"name":"Thing","endpoint":"/Things","schema":"urn:x:Thing"})";

const ResourceType* type_in(const std::shared_ptr<const Catalog>& catalog, std::string_view name) {
    return catalog->type_named(name);
}

TEST(Definitions, NoneAreTheStandard) {
    EXPECT_EQ(Catalog::with("").value(), Catalog::standard());
    const auto empty = Catalog::with("{}").value();
    EXPECT_EQ(empty->types().size(), Catalog::standard()->types().size());
    EXPECT_EQ(empty->schemas().size(), Catalog::standard()->schemas().size());
}

TEST(Definitions, WhatIsServedCanBeSetAgain) {
    const auto first =
        Catalog::with(definitions(schema(R"({"name":"size","type":"integer","returned":"request"},
                              {"name":"tags","multiValued":true,"canonicalValues":["a"]},
                              {"name":"place","type":"complex","subAttributes":[{"name":"city"}]})"),
                                  kThings));
    ASSERT_TRUE(first) << first.error().detail;
    const auto* thing = type_in(*first, "Thing");
    ASSERT_NE(thing, nullptr);
    const auto served = json::to_text(to_json(*thing->schema, "https://x"));
    const auto again = Catalog::with(definitions(served, kThings));
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(json::to_text(to_json(*type_in(*again, "Thing")->schema, "https://x")), served);
}

TEST(Definitions, AStandardTypeTakesExtensions) {
    const auto catalog = Catalog::with(definitions(
        schema(R"({"name":"region"})", "urn:x:Crm"),
        R"({"name":"User","schemaExtensions":[{"schema":"URN:X:crm","required":true}]})"));
    ASSERT_TRUE(catalog) << catalog.error().detail;
    const auto& user = (*catalog)->user();
    ASSERT_EQ(user.extensions.size(), 2U);
    EXPECT_TRUE(user.extensions[1].required);
    EXPECT_EQ(user.endpoint, "/Users");
    EXPECT_NE(user.extension("urn:x:crm"), nullptr);
    EXPECT_EQ(Catalog::standard()->user().extensions.size(), 1U) << "of others it stays as it was";
}

TEST(Definitions, AnUnusedSchemaIsNotServed) {
    const auto catalog = Catalog::with(definitions(schema(R"({"name":"a"})")));
    ASSERT_TRUE(catalog);
    EXPECT_EQ((*catalog)->schemas().size(), Catalog::standard()->schemas().size());
}

TEST(Definitions, OktasEntitlementIsThereToBeUsed) {
    const auto catalog = Catalog::with(
        definitions("", fmt::format(R"({{"name":"Licence","endpoint":"/Licences","schema":"{}"}})",
                                    kEntitlementSchema)));
    ASSERT_TRUE(catalog) << catalog.error().detail;
    EXPECT_NE((*catalog)->type_at("/Licences"), nullptr);
}

TEST(Definitions, MistakesAreRefusedWithTheirPlace) {
    const std::string deep = R"({"name":"a","type":"complex","subAttributes":[
        {"name":"b","type":"complex","subAttributes":[{"name":"c"}]}]})";
    const std::pair<std::string, std::string_view> mistakes[] = {
        {"[]", "object"},
        {"{", "definitions"},
        {R"({"schemas":7})", "schemas"},
        {R"({"schemes":[]})", "\"schemes\""},
        {definitions(schema("")), "urn:x:Thing"},
        {definitions(schema(R"({"name":"a b"})")), "attribute name"},
        {definitions(schema(R"({"name":"a","type":"text"})")), "text"},
        {definitions(schema(R"({"name":"a","mutabilty":"readOnly"})")), "mutabilty"},
        {definitions(schema(R"({"name":"a","multiValued":"yes"})")), "multiValued"},
        {definitions(schema(R"({"name":"a"},{"name":"A"})")), "twice"},
        {definitions(schema(deep)), "complex"},
        {definitions(schema(R"({"name":"a","type":"complex"})")), "subAttributes"},
        {definitions(schema(R"({"name":"a","multiValued":true,"uniqueness":"server"})")), "unique"},
        {definitions(schema(R"({"name":"a"})", "thing")), "URN"},
        {definitions(schema(R"({"name":"a"})", kUserSchema)), "already"},
        {definitions(schema(R"({"name":"a"})") + "," + schema(R"({"name":"a"})")), "already"},
        {definitions("", R"({"name":"Thing","endpoint":"/Things","schema":"urn:none"})"),
         "urn:none"},
        {definitions(schema(R"({"name":"members"})"), kThings), "members"},
        {definitions(schema(R"({"name":"a"})"),
                     R"({"name":"T","endpoint":"/users","schema":"urn:x:Thing"})"),
         "taken"},
        {definitions(schema(R"({"name":"a"})"),
                     R"({"name":"T","endpoint":"/Schemas","schema":"urn:x:Thing"})"),
         "taken"},
        {definitions(schema(R"({"name":"a"})"),
                     R"({"name":"T","endpoint":"/a/b","schema":"urn:x:Thing"})"),
         "endpoint"},
    };
    for (const auto& [text, named] : mistakes) {
        const auto catalog = Catalog::with(text);
        ASSERT_FALSE(catalog) << text;
        EXPECT_EQ(catalog.error().status, 400);
        EXPECT_NE(catalog.error().detail.find(named), std::string::npos)
            << text << ": " << catalog.error().detail;
    }
}

TEST(Definitions, WhatCannotBeDoneIsNotSetButRead) {
    const std::vector<std::pair<std::string, std::string>> faults = {
        {definitions(schema(R"({"name":"a","returned":"never","uniqueness":"server"})"), kThings),
         "unique"},
        {definitions(schema(R"({"name":"a","mutability":"writeOnly","uniqueness":"global"})"),
                     kThings),
         "unique"},
        {definitions(schema(R"({"name":"a","type":"complex","required":true,"subAttributes":)"
                            R"([{"name":"v","mutability":"writeOnly"},{"name":"type"}]})"),
                     kThings),
         "nothing of it"},
        {definitions(
             schema(R"({"name":"a","mutability":"writeOnly"})"),
             R"({"name":"User","schemaExtensions":[{"schema":"urn:x:Thing","required":true}]})"),
         "nothing of it"},
    };
    for (const auto& [text, named] : faults) {
        const auto catalog = Catalog::with(text);
        ASSERT_TRUE(catalog) << text << catalog.error().detail;
        EXPECT_NE(fault_of(**catalog).find(named), std::string::npos)
            << text << ": " << fault_of(**catalog);
    }
    EXPECT_EQ(fault_of(*Catalog::standard()), "");
}

std::string conflict(std::string_view before, std::string_view after) {
    const auto first = Catalog::with(definitions(schema(before), kThings));
    const auto second = Catalog::with(definitions(schema(after), kThings));
    EXPECT_TRUE(first && second);
    return conflict_of(*type_in(*first, "Thing"), type_in(*second, "Thing"));
}

TEST(Definitions, WhatStoredValuesDependOnStays) {
    const auto* const name = R"({"name":"n","type":"string"})";
    EXPECT_EQ(conflict(name, name), "");
    EXPECT_EQ(conflict(name, R"({"name":"n","description":"new","mutability":"immutable"})"), "");
    EXPECT_EQ(conflict(name, R"({"name":"n"},{"name":"more","type":"integer"})"), "");
    EXPECT_EQ(conflict(R"({"name":"n"},{"name":"gone"})", name), "");
    EXPECT_NE(conflict(name, R"({"name":"n","type":"integer"})"), "");
    EXPECT_NE(conflict(name, R"({"name":"n","multiValued":true})"), "");
    EXPECT_NE(conflict(name, R"({"name":"n","uniqueness":"server"})"), "");
    EXPECT_NE(conflict(name, R"({"name":"n","caseExact":true})"), "");
    EXPECT_NE(conflict(name, R"({"name":"n"},{"name":"key","uniqueness":"server"})"), "");
    EXPECT_NE(conflict(R"({"name":"n"},{"name":"key","uniqueness":"server"})", name), "");
    EXPECT_NE(
        conflict(
            R"({"name":"c","type":"complex","subAttributes":[{"name":"a"}]})",
            R"({"name":"c","type":"complex","subAttributes":[{"name":"a","type":"integer"}]})"),
        "");
    EXPECT_NE(conflict(R"({"name":"n"},{"name":"hidden","returned":"never"})", name), "");
    EXPECT_NE(conflict(name, R"({"name":"n","mutability":"writeOnly"})"), "");
    EXPECT_EQ(conflict(name, R"({"name":"n","returned":"never"})"), "");
    const auto extended = Catalog::with(
        definitions(schema(R"({"name":"badge","uniqueness":"server"})", "urn:x:Crm"),
                    R"({"name":"User","schemaExtensions":[{"schema":"urn:x:Crm"}]})"));
    const auto standard = Catalog::standard();
    EXPECT_NE(conflict_of((*extended)->user(), &standard->user()), "");
    EXPECT_NE(conflict_of(standard->user(), nullptr), "");
    EXPECT_EQ(conflict_of(standard->user(), &standard->user()), "");
}

}  // namespace
}  // namespace muster::scim
