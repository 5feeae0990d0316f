// What nobody is to read is not told by a filter, an order or a change either, be it the `value` of
// an attribute that names no part.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scim/filter/filter.hpp"
#include "scim/patch/patch.hpp"
#include "scim/resource/resource.hpp"
#include "scim/sort/sort.hpp"

namespace muster::scim {
namespace {

class Hidden : public ::testing::Test {
  protected:
    static Attribute key_with(const Attribute& value) {
        return {.name = "keys",
                .type = Type::Complex,
                .multi_valued = true,
                .sub_attributes = {value, {.name = "type"}}};
    }
    [[nodiscard]] ResourceType type_with(const Attribute& attribute) {
        schema_.attributes = {attribute};
        return {.id = "T",
                .name = "T",
                .endpoint = "/T",
                .description = "",
                .schema = &schema_,
                .extensions = {}};
    }

    Schema schema_{.id = "urn:t", .name = "", .description = "", .attributes = {}};
    const Attribute never_{.name = "value", .returned = Returned::Never};
    const Attribute write_only_{.name = "value", .mutability = Mutability::WriteOnly};
};

TEST_F(Hidden, ValuesAreNotComparedByTheNameOfTheirAttribute) {
    for (const Attribute& value : {never_, write_only_}) {
        const auto type = type_with(key_with(value));
        for (const char* filter :
             {R"(keys eq "x")", R"(keys sw "x")", R"(not (keys gt "x"))", R"(keys.value eq "x")",
              R"(keys[value eq "x"])", R"(keys[type eq "a"].value eq "x")"}) {
            EXPECT_FALSE(parse_filter(type, filter)) << filter;
        }
        EXPECT_TRUE(parse_filter(type, R"(keys[type eq "a"])"));
        EXPECT_TRUE(parse_filter(type, "keys pr"));
        EXPECT_FALSE(parse_sort_by(type, "keys"));
        EXPECT_FALSE(parse_sort_by(type, "keys.value"));
        EXPECT_TRUE(parse_sort_by(type, "keys.type"));
    }
    const auto shown = type_with(key_with({.name = "value"}));
    EXPECT_TRUE(parse_filter(shown, R"(keys eq "x")"));
    EXPECT_TRUE(parse_sort_by(shown, "keys"));
}

TEST_F(Hidden, PartsOfAListHideItsChanges) {
    const auto document = [](const char* value) {
        return json::parse(std::string{R"({"keys":[{"type":"a","value":")"} + value + R"("}]})")
            ->get_object();
    };
    const auto type = type_with(key_with(never_));
    const auto changes = diff(type, document("old"), document("new"));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes.front().before, R"("[redacted]")");
    EXPECT_EQ(changes.front().after, R"("[redacted]")");
    Attribute whole = key_with({.name = "value"});
    whole.multi_valued = false;
    whole.returned = Returned::Never;
    const auto object = [](const char* value) {
        return json::parse(std::string{R"({"keys":{"value":")"} + value + R"("}})")->get_object();
    };
    const auto of_whole = diff(type_with(whole), object("old"), object("new"));
    ASSERT_EQ(of_whole.size(), 1U);
    EXPECT_EQ(of_whole.front().path, "keys");
    EXPECT_EQ(of_whole.front().after, R"("[redacted]")");
    const auto shown =
        diff(type_with(key_with({.name = "value"})), document("old"), document("new"));
    EXPECT_EQ(shown.front().after, R"([{"type":"a","value":"new"}])");
}

TEST_F(Hidden, WhatIsOnlyWrittenIsNotStoredWhereverItStands) {
    Attribute secret = write_only_;
    secret.required = true;
    Attribute list = key_with(secret);
    list.sub_attributes.push_back({.name = "kind"});  // "type" would say nothing by itself
    Attribute single = list;
    single.name = "key";
    single.multi_valued = false;
    const Schema core{.id = "urn:t",
                      .name = "",
                      .description = "",
                      .attributes = {single, list, {.name = "shown"}}};
    auto type = type_with({});
    type.schema = &core;
    schema_.id = "urn:e";
    schema_.attributes = {single, list, secret, {.name = "shown"}};
    type.extensions = {{.schema = &schema_, .required = false}};
    const auto parts = std::string{
        R"("key":{"value":"hunter2","kind":"a"},"keys":[{"value":"hunter2","kind":"b"}],"shown":"s")"};
    const auto body = json::parse(R"({"schemas":["urn:t","urn:e"],)" + parts + R"(,"urn:e":{)" +
                                  parts + R"(,"value":"hunter2"}})");
    const auto kept = prepare(type, *body, nullptr, {});
    ASSERT_TRUE(kept) << kept.error().detail;
    const auto expected = std::string{R"("key":{"kind":"a"},"keys":[{"kind":"b"}],"shown":"s")"};
    EXPECT_EQ(json::to_text(kept->document),
              R"({"schemas":["urn:t","urn:e"],)" + expected + R"(,"urn:e":{)" + expected + "}}");
    EXPECT_EQ(kept->notes.size(), 5U);
    for (const Note& note : kept->notes) EXPECT_EQ(note.rule, "value-dropped");

    for (const char* path : {"key.value", "keys.value", "keys[kind eq \"b\"].value",
                             "urn:e:key.value", "urn:e:value"}) {
        const std::vector<PatchOperation> operations{
            {.kind = PatchOperation::Kind::Replace, .path = path, .value = json::Value("hunter2")}};
        const auto patched = apply_patch(type, kept->document, operations);
        ASSERT_TRUE(patched) << path << patched.error().detail;
        EXPECT_EQ(json::to_text(patched->document), json::to_text(kept->document)) << path;
        EXPECT_EQ(patched->notes.size(), 1U) << path;
    }
    const std::vector<PatchOperation> whole{
        {.kind = PatchOperation::Kind::Replace,
         .path = "key",
         .value = json::parse(R"({"value":"hunter2","kind":"c"})").value()}};
    const auto patched = apply_patch(type, kept->document, whole);
    ASSERT_TRUE(patched) << patched.error().detail;
    EXPECT_FALSE(json::to_text(patched->document).contains("hunter2"));
}

}  // namespace
}  // namespace muster::scim
