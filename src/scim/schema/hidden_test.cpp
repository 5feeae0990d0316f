// What nobody is to read is not told by a filter, an order or a change either, be it the `value` of
// an attribute that names no part.

#include <string>

#include <gtest/gtest.h>

#include "scim/filter/filter.hpp"
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

}  // namespace
}  // namespace muster::scim
