#include "simulator/entra_patch.hpp"

#include <gtest/gtest.h>

namespace muster::simulator {
namespace {

constexpr EntraPatch kDefault{false};
constexpr EntraPatch kFlagged{true};

json::Value read(std::string_view text) { return json::parse(text).value(); }

TEST(EntraPatch, SwitchesOffInEitherForm) {
    const json::Object off{{"active", false}};
    EXPECT_EQ(kDefault.replace(off), read(R"([{"op":"Replace","path":"active","value":"False"}])"));
    EXPECT_EQ(kFlagged.replace(off), read(R"([{"op":"replace","path":"active","value":false}])"));
}

TEST(EntraPatch, AddsOneAttributeByItsPathInEitherForm) {
    const json::Object change{{"nickName", "Babs"}};
    EXPECT_EQ(kDefault.add(change), read(R"([{"op":"Add","path":"nickName","value":"Babs"}])"));
    EXPECT_EQ(kFlagged.add(change), read(R"([{"op":"add","path":"nickName","value":"Babs"}])"));
}

TEST(EntraPatch, ReplacesManyByPathsOrByNamesThatArePaths) {
    const json::Object changes{
        {"displayName", "Joy"},
        {R"(emails[type eq "work"].value)", "joy@acme.example"},
        {"name.givenName", "Joyce"},
        {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "7"}};
    EXPECT_EQ(kDefault.replace(changes), read(R"([
        {"op":"Replace","path":"displayName","value":"Joy"},
        {"op":"Replace","path":"emails[type eq \"work\"].value","value":"joy@acme.example"},
        {"op":"Replace","path":"name.givenName","value":"Joyce"},
        {"op":"Replace","path":"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber","value":"7"}])"));
    EXPECT_EQ(kFlagged.replace(changes), read(R"([
        {"op":"replace","path":"emails[type eq \"work\"].value","value":"joy@acme.example"},
        {"op":"replace","value":{
            "displayName":"Joy","name.givenName":"Joyce",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber":"7"}}])"));
}

TEST(EntraPatch, AddsMembersTogetherAndRemovesThemByValueOrByFilter) {
    const std::vector<std::string> ids{"u1", "u2"};
    EXPECT_EQ(kFlagged.add_members(ids), read(R"([{"op":"add","path":"members",
        "value":[{"$ref":null,"value":"u1"},{"$ref":null,"value":"u2"}]}])"));
    EXPECT_EQ(kDefault.remove_members(ids), read(R"([{"op":"Remove","path":"members",
        "value":[{"value":"u1"},{"value":"u2"}]}])"));
    EXPECT_EQ(kFlagged.remove_members(ids), read(R"([
        {"op":"remove","path":"members[value eq \"u1\"]"},
        {"op":"remove","path":"members[value eq \"u2\"]"}])"));
}

TEST(ValueAt, FollowsTheMappingsPaths) {
    const auto resource = read(R"({
        "title":"Dr","name":{"givenName":"Joy"},
        "emails":[{"type":"home","value":"h"},{"type":"work","value":"w"}],
        "roles":[{"primary":true,"value":"dev"}],
        "phoneNumbers":[{"type":"work","value":"1"},{"type":"work","value":"2"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{
            "department":"R&D","manager":{"value":"m"}}})");
    const auto at = [&](std::string_view path) {
        const auto* found = value_at(resource.get_object(), path);
        return found == nullptr ? "nothing" : json::to_text(*found);
    };
    EXPECT_EQ(at("title"), "\"Dr\"");
    EXPECT_EQ(at("name.givenName"), "\"Joy\"");
    EXPECT_EQ(at("name.familyName"), "nothing");
    EXPECT_EQ(at("title.value"), "nothing");
    EXPECT_EQ(at(R"(emails[type eq "work"].value)"), "\"w\"");
    EXPECT_EQ(at(R"(emails[type eq "other"].value)"), "nothing");
    EXPECT_EQ(at(R"(roles[primary eq "True"].value)"), "\"dev\"");
    EXPECT_EQ(at(R"(phoneNumbers[type eq "work"].value)"), "nothing") << "two of one type";
    const std::string enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:";
    EXPECT_EQ(at(enterprise + "department"), "\"R&D\"");
    EXPECT_EQ(at(enterprise + "manager.value"), "\"m\"");
    EXPECT_EQ(at(enterprise + "costCenter"), "nothing");
}

}  // namespace
}  // namespace muster::simulator
