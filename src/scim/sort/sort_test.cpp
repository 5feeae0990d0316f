#include "scim/sort/sort.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace muster::scim {
namespace {

const ResourceType& user() { return Catalog::standard()->user(); }

json::Object document(std::string_view text) { return json::parse(text).value().get_object(); }

std::string key(std::string_view sort_by, std::string_view text) {
    return sort_key(parse_sort_by(user(), sort_by).value(), document(text));
}

TEST(Sort, TextsCompareAsTheirAttributeDoes) {
    EXPECT_EQ(key("userName", R"({"userName":"ANN"})"), key("username", R"({"userName":"ann"})"));
    EXPECT_LT(key("userName", R"({"userName":"ann"})"), key("userName", R"({"userName":"Bob"})"));
    EXPECT_LT(key("externalId", R"({"externalId":"B"})"),
              key("externalId", R"({"externalId":"a"})"))
        << "caseExact";
    EXPECT_LT(key("name.familyName", R"({"name":{"familyName":"a"}})"),
              key("name.familyName", R"({"name":{"familyName":"aa"}})"));
}

TEST(Sort, WhatHasNoValueComesLast) {
    const auto missing = missing_sort_key();
    for (const char* text : {"{}", R"({"title":""})", R"({"title":null})"}) {
        EXPECT_EQ(key("title", text), missing) << text;
    }
    EXPECT_EQ(key("emails", R"({"emails":[]})"), missing);
    EXPECT_LT(key("title", R"({"title":"\uFFFF"})"), missing);
}

TEST(Sort, ThePrimaryValueCountsElseTheFirst) {
    const auto* emails =
        R"({"emails":[{"value":"z@x"},{"value":"a@x","primary":true},{"value":"m@x"}]})";
    EXPECT_EQ(key("emails", emails), key("emails.value", R"({"emails":[{"value":"a@x"}]})"));
    EXPECT_EQ(key("emails.value", R"({"emails":[{"value":"z@x"},{"value":"a@x"}]})"),
              key("emails", R"({"emails":[{"value":"Z@X"}]})"));
}

TEST(Sort, BooleansAndInstantsCompareByMeaning) {
    EXPECT_LT(key("active", R"({"active":false})"), key("active", R"({"active":true})"));
    EXPECT_LT(key("meta.created", R"({"meta":{"created":"2026-01-01T01:00:00+02:00"}})"),
              key("meta.created", R"({"meta":{"created":"2025-12-31T23:30:00Z"}})"));
}

TEST(Sort, NumbersCompareByValue) {
    AttributePath path;
    const Attribute integer{.name = "n", .type = Type::Integer};
    const Attribute decimal{.name = "n", .type = Type::Decimal};
    for (const Attribute* attribute : {&integer, &decimal}) {
        path.attribute = attribute;
        std::vector<std::string> keys;
        for (const char* number : {"-9007199254740993", "-7", "0", "3", "9007199254740993"}) {
            keys.push_back(sort_key(path, document(std::string{"{\"n\":"} + number + "}")));
        }
        EXPECT_TRUE(std::ranges::is_sorted(keys));
        EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
    }
    path.attribute = &decimal;
    EXPECT_LT(sort_key(path, document(R"({"n":-1.5})")), sort_key(path, document(R"({"n":-1})")));
    EXPECT_EQ(sort_key(path, document(R"({"n":-0.0})")), sort_key(path, document(R"({"n":0})")));
}

TEST(Sort, LongTextsAreCutWithoutBreakingACharacter) {
    const std::string text(1000, 'a');
    EXPECT_LE(key("title", R"({"title":")" + text + "\"}").size(), 256U);
}

TEST(Sort, WhatHasNoOrderIsRefusedByName) {
    for (const char* bad : {"nosuch", "password", "name", "addresses", "emails.nosuch", "",
                            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}) {
        const auto path = parse_sort_by(user(), bad);
        ASSERT_FALSE(path) << bad;
        EXPECT_EQ(path.error().status, 400);
        EXPECT_EQ(path.error().type, ScimType::InvalidPath) << bad;
    }
}

TEST(Sort, OrderIsOneOfTwoWords) {
    EXPECT_FALSE(is_descending("").value());
    EXPECT_FALSE(is_descending("Ascending").value());
    EXPECT_TRUE(is_descending("descending").value());
    EXPECT_FALSE(is_descending("desc").has_value());
}

}  // namespace
}  // namespace muster::scim
