#include "scim/projection/projection.hpp"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using testing::expand;
using testing::object;
using testing::value;

constexpr std::string_view kUser = R"({"schemas":["$U","$E"],"id":"u1","externalId":"e1",
    "userName":"ada","name":{"familyName":"King","givenName":"Ada"},"active":true,
    "emails":[{"value":"a@x","type":"work","primary":true},{"value":"b@x"}],
    "groups":[{"value":"g1","display":"Eng"}],
    "$E":{"department":"D","manager":{"value":"m1","displayName":"Bo"}},
    "meta":{"resourceType":"User","version":"W/\"1\""}})";

class ProjectionTest : public ::testing::Test {
  protected:
    std::string projected(std::string_view attributes, std::string_view excluded,
                          std::string_view resource = kUser) const {
        const auto projection =
            Projection::parse(catalog_->user(), expand(attributes), expand(excluded));
        EXPECT_TRUE(projection.has_value());
        json::Object shown = object(resource);
        if (projection) projection->apply(catalog_->user(), shown);
        return json::to_text(shown);
    }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
};

struct Case {
    const char* attributes;
    const char* excluded;
    const char* expected;
};

TEST_F(ProjectionTest, ReturnsWhatTheListsAskFor) {
    constexpr std::array kCases = {
        Case{"userName", "", R"({"schemas":["$U","$E"],"id":"u1","userName":"ada"})"},
        Case{"USERNAME , active", "",
             R"({"schemas":["$U","$E"],"id":"u1","userName":"ada","active":true})"},
        Case{"$U:userName", "", R"({"schemas":["$U","$E"],"id":"u1","userName":"ada"})"},
        Case{"name.givenName", "",
             R"({"schemas":["$U","$E"],"id":"u1","name":{"givenName":"Ada"}})"},
        Case{"name.givenName,name", "",
             R"({"schemas":["$U","$E"],"id":"u1","name":{"familyName":"King","givenName":"Ada"}})"},
        Case{"emails.value", "",
             R"({"schemas":["$U","$E"],"id":"u1","emails":[{"value":"a@x"},{"value":"b@x"}]})"},
        Case{"emails.type", "", R"({"schemas":["$U","$E"],"id":"u1","emails":[{"type":"work"}]})"},
        Case{"emails.display", "", R"({"schemas":["$U","$E"],"id":"u1"})"},
        Case{"emails[type eq \"work\"].value", "",
             R"({"schemas":["$U","$E"],"id":"u1","emails":[{"value":"a@x"},{"value":"b@x"}]})"},
        Case{"$E:department", "", R"({"schemas":["$U","$E"],"id":"u1","$E":{"department":"D"}})"},
        Case{"$E:manager.value", "",
             R"({"schemas":["$U","$E"],"id":"u1","$E":{"manager":{"value":"m1"}}})"},
        Case{"$E", "", R"({"schemas":["$U","$E"],"id":"u1",
                           "$E":{"department":"D","manager":{"value":"m1","displayName":"Bo"}}})"},
        Case{"id", "", R"({"schemas":["$U","$E"],"id":"u1"})"},
        Case{"shoeSize", "", R"({"schemas":["$U","$E"],"id":"u1"})"},
        Case{"shoeSize,active,,", "", R"({"schemas":["$U","$E"],"id":"u1","active":true})"},
        Case{",", "", R"({"schemas":["$U","$E"],"id":"u1"})"},
        Case{"password", "", R"({"schemas":["$U","$E"],"id":"u1"})"},
        Case{"", "id,schemas,userName,name,emails,groups,$E,meta,externalId",
             R"({"schemas":["$U","$E"],"id":"u1","active":true})"},
        Case{"", "name.givenName,emails.value,emails.type,emails.primary,groups,meta,$E,externalId",
             R"({"schemas":["$U","$E"],"id":"u1","userName":"ada","name":{"familyName":"King"},
                 "active":true})"},
        Case{"", "$E:department,meta,groups,emails,name,shoeSize,externalId",
             R"({"schemas":["$U","$E"],"id":"u1","userName":"ada","active":true,
                 "$E":{"manager":{"value":"m1","displayName":"Bo"}}})"},
    };
    for (const Case& each : kCases) {
        EXPECT_EQ(projected(each.attributes, each.excluded), json::to_text(value(each.expected)))
            << each.attributes << " / " << each.excluded;
    }
}

TEST_F(ProjectionTest, WithoutListsReturnsEverythingButWhatIsNeverReturned) {
    EXPECT_EQ(projected("", ""), json::to_text(value(kUser)));
    EXPECT_EQ(projected("", "", R"({"id":"u1","password":"p","userName":"ada"})"),
              R"({"id":"u1","userName":"ada"})");
    EXPECT_EQ(projected("", "title", R"({"id":"u1","password":"p"})"), R"({"id":"u1"})");
}

TEST_F(ProjectionTest, BothListsAtOnceAreRefused) {
    const auto projection = Projection::parse(catalog_->user(), "userName", "name");
    ASSERT_FALSE(projection.has_value());
    EXPECT_EQ(projection.error().type, ScimType::InvalidValue);
}

TEST_F(ProjectionTest, ALongListIsRefused) {
    std::string names;
    for (int i = 0; i < 201; ++i) names += "userName,";
    EXPECT_FALSE(Projection::parse(catalog_->user(), names, "").has_value());
}

TEST_F(ProjectionTest, SaysWhetherWorkForAnAttributeWouldBeThrownAway) {
    const ResourceType& group = catalog_->group();
    const Attribute& members = *group.find("members");
    const auto wants = [&](std::string_view attributes, std::string_view excluded) {
        return Projection::parse(group, attributes, excluded)->wants(members);
    };
    EXPECT_TRUE(Projection{}.wants(members));
    EXPECT_TRUE(wants("", ""));
    EXPECT_FALSE(wants("", "members"));
    EXPECT_FALSE(wants("", "Members"));
    EXPECT_TRUE(wants("", "members.display"));
    EXPECT_FALSE(wants("displayName", ""));
    EXPECT_TRUE(wants("displayName,members", ""));
    EXPECT_TRUE(wants("members.value", ""));
    EXPECT_FALSE(Projection{}.wants(*catalog_->user().find("password")));
    EXPECT_TRUE(Projection::parse(catalog_->user(), "name", "")->wants(*group.find("id")));
}

TEST_F(ProjectionTest, IsDefaultOnlyWithoutLists) {
    EXPECT_TRUE(Projection{}.is_default());
    EXPECT_TRUE(Projection::parse(catalog_->user(), "", "")->is_default());
    EXPECT_FALSE(Projection::parse(catalog_->user(), "shoeSize", "")->is_default());
}

TEST_F(ProjectionTest, AttributesReturnedOnRequestComeOnlyWhenNamed) {
    Attribute note{.name = "note", .returned = Returned::Request};
    Attribute secret{.name = "secret", .returned = Returned::Never};
    Attribute part{.name = "part", .returned = Returned::Request};
    Attribute key{.name = "key", .returned = Returned::Always};
    Attribute box{.name = "box",
                  .type = Type::Complex,
                  .sub_attributes = {part, secret, key, {.name = "lid"}}};
    Attribute chest = box;
    chest.name = "chest";
    chest.returned = Returned::Always;
    const Schema core{
        .id = "urn:T", .name = "", .description = "", .attributes = {note, secret, box, chest}};
    const ResourceType type{.id = "T",
                            .name = "T",
                            .endpoint = "/T",
                            .description = "",
                            .schema = &core,
                            .extensions = {}};
    const auto shown = [&](std::string_view attributes, std::string_view excluded) {
        json::Object resource = object(
            R"({"id":"t","note":"n","secret":"s","box":{"part":"p","secret":"s","key":"k","lid":"l"}})");
        Projection::parse(type, attributes, excluded)->apply(type, resource);
        return json::to_text(resource);
    };
    EXPECT_EQ(shown("", ""), R"({"id":"t","box":{"key":"k","lid":"l"}})");
    EXPECT_EQ(shown("note,secret", ""), R"({"id":"t","note":"n"})");
    EXPECT_EQ(shown("box", ""), R"({"id":"t","box":{"key":"k","lid":"l"}})");
    EXPECT_EQ(shown("box.part,box.secret", ""), R"({"id":"t","box":{"part":"p","key":"k"}})");
    EXPECT_EQ(shown("", "box.key,box.lid"), R"({"id":"t","box":{"key":"k"}})");
    EXPECT_EQ(shown("", "lid"), R"({"id":"t","box":{"key":"k","lid":"l"}})");
    // What is always returned is so without what it hides.
    const auto always = [&](std::string_view attributes, std::string_view excluded) {
        json::Object resource =
            object(R"({"chest":{"part":"p","secret":"s","key":"k","lid":"l"}})");
        Projection::parse(type, attributes, excluded)->apply(type, resource);
        return json::to_text(resource);
    };
    EXPECT_EQ(always("", ""), R"({"chest":{"key":"k","lid":"l"}})");
    EXPECT_EQ(always("note", ""), R"({"chest":{"key":"k","lid":"l"}})");
    EXPECT_EQ(always("chest.part,chest.secret", ""),
              R"({"chest":{"part":"p","key":"k","lid":"l"}})");
    EXPECT_EQ(always("", "chest"), R"({"chest":{"key":"k","lid":"l"}})");
}

}  // namespace
}  // namespace muster::scim
