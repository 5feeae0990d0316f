#include "scim/schema/path.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::scim {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

const ResourceType& user() { return Catalog::standard()->user(); }
const ResourceType& group() { return Catalog::standard()->group(); }

const std::string kUser{kUserSchema};
const std::string kEnterprise{kEnterpriseUserSchema};

TEST(AttributePath, ResolvesEveryNotationToSchemaSpelling) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"userName", "userName"},
        {"USERNAME", "userName"},
        {"name.givenName", "name.givenName"},
        {"Name.GIVENNAME", "name.givenName"},
        {"emails.value", "emails.value"},
        {"members.$ref", ""},
        {"groups.$ref", "groups.$ref"},
        {"id", "id"},
        {"meta.lastModified", "meta.lastModified"},
        {"meta.Created", "meta.created"},
        {"schemas", "schemas"},
        {kUser + ":userName", "userName"},
        {kUser + ":emails.value", "emails.value"},
        {kUser + ":id", "id"},
        {kUser + ".userName", "userName"},
        {"URN:IETF:PARAMS:SCIM:SCHEMAS:CORE:2.0:USER:username", "userName"},
        {kEnterprise, kEnterprise},
        {kEnterprise + ":department", kEnterprise + ":department"},
        {kEnterprise + ":Manager.DisplayName", kEnterprise + ":manager.displayName"},
        {kEnterprise + ".manager", kEnterprise + ":manager"},
        {kEnterprise + ".manager.value", kEnterprise + ":manager.value"},
        {"department", kEnterprise + ":department"},
        {"manager.value", kEnterprise + ":manager.value"},
    };
    for (const auto& [text, expected] : cases) {
        const auto path = resolve(user(), text, ScimType::InvalidPath);
        if (expected.empty()) {
            EXPECT_FALSE(path.has_value()) << text;
            continue;
        }
        ASSERT_TRUE(path.has_value()) << text << ": " << path.error().detail;
        EXPECT_EQ(path->to_string(), expected) << text;
        EXPECT_EQ(*resolve(user(), path->to_string(), ScimType::None), *path) << text;
    }
}

TEST(AttributePath, RefusesWhatTheSchemaDoesNotHave) {
    const std::string many_dots = [] {
        std::string text = "a";
        for (int i = 0; i < 8'000; ++i) text += ".a";
        return text;
    }();
    for (const std::string& text : {std::string{},
                                    std::string{"."},
                                    std::string{"name."},
                                    std::string{".givenName"},
                                    std::string{"name.givenName.x"},
                                    std::string{"userName.x"},
                                    std::string{"nosuch"},
                                    std::string{"id);DROP"},
                                    std::string{"${jndi:x}"},
                                    std::string{"userName "},
                                    std::string{"userName\0x", 10},
                                    std::string{"\xFF\xFE"},
                                    std::string{"urn:"},
                                    std::string{"urn:x:y"},
                                    kUser,
                                    kUser + ":",
                                    kUser + "X:userName",
                                    kUser + "userName",
                                    kUser + ":department",
                                    kUser + ":nosuch",
                                    kEnterprise + ":",
                                    kEnterprise + ":userName",
                                    kEnterprise + ".",
                                    kEnterprise + "::department",
                                    std::string{kGroupSchema} + ":members",
                                    many_dots,
                                    std::string(50'000, 'x'),
                                    "urn:" + std::string(50'000, ':')}) {
        const auto path = resolve(user(), text, ScimType::InvalidPath);
        ASSERT_FALSE(path.has_value()) << text.substr(0, 80);
        EXPECT_EQ(path.error().status, 400);
        EXPECT_EQ(path.error().type, ScimType::InvalidPath);
        EXPECT_LT(path.error().detail.size(), 400U);
    }
}

TEST(AttributePath, NamesTheNearestAttribute) {
    const auto detail = [](const ResourceType& type, std::string_view text) {
        return resolve(type, text, ScimType::InvalidFilter).error().detail;
    };
    EXPECT_EQ(detail(user(), "usrName"),
              R"(User has no attribute "usrName". Did you mean userName?)");
    EXPECT_THAT(detail(user(), "name.givnName"), EndsWith(R"(Did you mean name.givenName?)"));
    EXPECT_THAT(detail(user(), kEnterprise + ":departmant"),
                EndsWith("Did you mean " + kEnterprise + ":department?"));
    EXPECT_THAT(detail(group(), "member"), EndsWith(R"(Did you mean members?)"));
    EXPECT_THAT(detail(user(), "zzzzzzzzzzzz"), Not(HasSubstr("Did you mean")));
    EXPECT_EQ(resolve(user(), "x", ScimType::InvalidFilter).error().type, ScimType::InvalidFilter);
}

TEST(AttributePath, RefusesLongNamesQuickly) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(resolve(user(), std::string(64'000, 'x'), ScimType::InvalidPath).has_value());
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{500});
}

TEST(AttributePath, LeafIsTheSubAttributeIfThereIsOne) {
    EXPECT_EQ(resolve(user(), "name", ScimType::None)->leaf().name, "name");
    EXPECT_EQ(resolve(user(), "name.familyName", ScimType::None)->leaf().name, "familyName");
}

TEST(AttributePath, FindsValuesInADocument) {
    const json::Value document = *json::parse(
        R"({"userName":"bob","name":{"givenName":"Bob"},)"
        R"("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"IT"}})");
    const json::Object& object = document.get_object();
    const auto value_at = [&](std::string_view text) {
        return find(object, *resolve(user(), text, ScimType::None));
    };
    EXPECT_EQ(*value_at("userName"), "bob");
    EXPECT_EQ(value_at("name.givenName"), object.if_contains("name"));
    EXPECT_EQ(*value_at(kEnterprise + ":department"), "IT");
    EXPECT_EQ(value_at(kEnterprise), object.if_contains(kEnterprise));
    EXPECT_EQ(value_at("title"), nullptr);
    EXPECT_EQ(value_at("manager"), nullptr);

    const auto department = *resolve(user(), "department", ScimType::None);
    EXPECT_EQ(container(object, department), object.at(kEnterprise).if_object());
    EXPECT_EQ(container(object, *resolve(user(), "id", ScimType::None)), &object);
    EXPECT_EQ(container({}, department), nullptr);
    EXPECT_EQ(find({}, department), nullptr);
    const json::Object spoiled{{kEnterprise, "text"}};
    EXPECT_EQ(find(spoiled, department), nullptr);
}

}  // namespace
}  // namespace muster::scim
