#include <array>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/patch/patch.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using ::testing::HasSubstr;
using testing::value;

constexpr std::string_view kSchemas =
    R"("schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"])";

std::string message(std::string_view operations) {
    return "{" + std::string{kSchemas} + R"(,"Operations":)" + std::string{operations} + "}";
}

TEST(ParsePatch, ReadsOperationsInOrder) {
    const auto operations = parse_patch(value(message(
        R"([{"op":"replace","path":"active","value":false},
            {"op":"add","value":{"title":"CTO"}},{"OP":"remove","Path":"title"},
            {"op":"replace","path":null,"value":null},{"op":"replace","path":""}])")));
    ASSERT_TRUE(operations.has_value()) << operations.error().detail;
    ASSERT_EQ(operations->size(), 5U);
    EXPECT_EQ((*operations)[0].kind, PatchOperation::Kind::Replace);
    EXPECT_EQ((*operations)[0].path, "active");
    EXPECT_EQ((*operations)[0].value, json::Value(false));
    EXPECT_EQ((*operations)[1].kind, PatchOperation::Kind::Add);
    EXPECT_EQ((*operations)[1].path, "");
    EXPECT_EQ((*operations)[2].kind, PatchOperation::Kind::Remove);
    EXPECT_EQ((*operations)[2].path, "title");
    EXPECT_FALSE((*operations)[2].value.has_value());
    EXPECT_EQ((*operations)[3].path, "");
    ASSERT_TRUE((*operations)[3].value.has_value());
    EXPECT_TRUE((*operations)[3].value->is_null());
    EXPECT_FALSE((*operations)[4].value.has_value());
}

TEST(ParsePatch, FindsOperationsWithoutCase) {
    for (const char* name : {"Operations", "operations", "OPERATIONS"}) {
        const auto body = "{" + std::string{kSchemas} + ",\"" + name + R"(":[{"op":"add"}]})";
        EXPECT_TRUE(parse_patch(value(body)).has_value()) << name;
    }
}

TEST(ParsePatch, RefusesAMessageOfAnotherSchema) {
    for (const char* schemas : {"", R"("schemas":[],)", R"("schemas":null,)",
                                R"("schemas":["urn:x",7],)", R"("schemas":"urn:x",)"}) {
        const auto body = "{" + std::string{schemas} + R"("Operations":[{"op":"add"}]})";
        const auto operations = parse_patch(value(body));
        ASSERT_FALSE(operations.has_value()) << schemas;
        EXPECT_THAT(operations.error().detail, HasSubstr(std::string{kPatchOp})) << schemas;
    }
}

TEST(ParsePatch, RefusesAnOpInAnotherCase) {
    const auto operations = parse_patch(value(message(R"([{"op":"Add"}])")));
    ASSERT_FALSE(operations.has_value());
    EXPECT_THAT(operations.error().detail, HasSubstr("\"Add\""));
}

TEST(ParsePatch, RefusesWhatIsNoPatch) {
    for (const char* body : {"null",
                             "[]",
                             "7",
                             R"("x")",
                             "{}",
                             R"({"Operations":null})",
                             R"({"Operations":[]})",
                             R"({"Operations":{}})",
                             R"({"Operations":{"op":"add"}})",
                             R"({"Operations":[7]})",
                             R"({"Operations":[null]})",
                             R"({"Operations":[[]]})",
                             R"({"Operations":[{}]})",
                             R"({"Operations":[{"op":null}]})",
                             R"({"Operations":[{"op":7}]})",
                             R"({"Operations":[{"op":""}]})",
                             R"({"Operations":[{"op":"move","path":"a"}]})",
                             R"({"Operations":[{"op":"add ","value":{}}]})",
                             R"({"Operations":[{"op":"add","path":7}]})",
                             R"({"Operations":[{"op":"add","path":["a"]}]})"}) {
        const auto operations = parse_patch(value(body));
        ASSERT_FALSE(operations.has_value()) << body;
        EXPECT_EQ(operations.error().type, ScimType::InvalidSyntax) << body;
        EXPECT_EQ(operations.error().status, 400);
    }
}

TEST(ParsePatch, NamesTheOperationThatIsWrong) {
    const auto operations = parse_patch(value(message(R"([{"op":"add"},{"op":"frobnicate"}])")));
    ASSERT_FALSE(operations.has_value());
    EXPECT_THAT(operations.error().detail, HasSubstr("Operation 2 has \"frobnicate\""));
}

TEST(ParsePatch, RefusesTooManyOperations) {
    std::string list = "[";
    for (int i = 0; i < 1000; ++i) list += std::string{i == 0 ? "" : ","} + R"({"op":"add"})";
    EXPECT_TRUE(parse_patch(value(message(list + "]"))).has_value());
    const auto operations = parse_patch(value(message(list + R"(,{"op":"add"}])")));
    ASSERT_FALSE(operations.has_value());
    EXPECT_EQ(operations.error().type, ScimType::TooMany);
}

}  // namespace
}  // namespace muster::scim
