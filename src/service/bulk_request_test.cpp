#include "service/bulk_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::service {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

scim::Result<BulkRequest> parsed(std::string_view text) {
    return parse_bulk(json::parse(text).value(), 3);
}

BulkOperation operation(std::string_view text) {
    const auto request = parsed(R"({"Operations":[)" + std::string{text} + "]}");
    EXPECT_TRUE(request);
    return request->operations.at(0);
}

TEST(BulkRequest, ReadsOperationsWithoutCase) {
    const auto request = parsed(
        R"({"failOnErrors":2,"operations":[{"METHOD":"patch","Path":"/Users/7","version":"W/\"3\"","data":{"a":1}}]})");
    ASSERT_TRUE(request) << request.error().detail;
    EXPECT_EQ(request->fail_on_errors, 2U);
    const auto& one = request->operations.at(0);
    EXPECT_EQ(one.method, BulkOperation::Method::Patch);
    EXPECT_EQ(one.path, "/Users/7");
    EXPECT_EQ(one.version, "W/\"3\"");
    EXPECT_FALSE(one.malformed);
}

TEST(BulkRequest, ARequestThatIsNoneIsRefusedAsAWhole) {
    for (const char* bad :
         {"[]", "{}", R"({"Operations":{}})", R"({"Operations":"x"})",
          R"({"Operations":[],"failOnErrors":"x"})", R"({"Operations":[],"failOnErrors":0})"}) {
        const auto request = parsed(bad);
        ASSERT_FALSE(request) << bad;
        EXPECT_EQ(request.error().status, 400) << bad;
    }
    const auto request = parsed(R"({"Operations":[{},{},{},{}]})");
    ASSERT_FALSE(request);
    EXPECT_EQ(request.error().status, 413);
    EXPECT_NE(request.error().detail.find('3'), std::string::npos);
}

TEST(BulkRequest, AMalformedOperationIsRefusedAlone) {
    for (const char* bad :
         {"7", "{}", R"({"method":"GET","path":"/Users"})",
          R"({"method":"POST","path":"/Users","data":{}})",
          R"({"method":"POST","path":"/Users/7","bulkId":"a","data":{}})",
          R"({"method":"POST","path":"Users","bulkId":"a","data":{}})",
          R"({"method":"PUT","path":"/Users","data":{}})", R"({"method":"PUT","path":"/Users/7"})",
          R"({"method":"PATCH","path":"/Users/7","data":[]})",
          R"({"method":"DELETE","path":"/Users"})"}) {
        EXPECT_TRUE(operation(bad).malformed) << bad;
    }
    EXPECT_FALSE(operation(R"({"method":"DELETE","path":"/Users/7"})").malformed);
    const auto twice = parsed(
        R"({"Operations":[{"method":"POST","path":"/Users","bulkId":"a","data":{}},{"method":"POST","path":"/Users","bulkId":"a","data":{}}]})");
    ASSERT_TRUE(twice);
    EXPECT_FALSE(twice->operations[0].malformed);
    EXPECT_TRUE(twice->operations[1].malformed);
}

TEST(BulkRequest, ReferencesAreFoundAndResolvedWhereverTheyStand) {
    auto one = operation(
        R"({"method":"PATCH","path":"/Groups/bulkId:g","data":{"a":["bulkId:u",{"value":"bulkId:v"}],"b":"see bulkId:x"}})");
    EXPECT_THAT(references_of(one), ElementsAre("g", "u", "v"));
    resolve_references(one, {{"g", "1"}, {"u", "2"}, {"w", "3"}});
    EXPECT_EQ(one.path, "/Groups/1");
    EXPECT_EQ(json::to_text(one.data), R"({"a":["2",{"value":"bulkId:v"}],"b":"see bulkId:x"})");
    EXPECT_THAT(references_of(operation(R"({"method":"DELETE","path":"/Users/7"})")), IsEmpty());
}

std::string without(std::string_view text, const std::set<std::string>& missing) {
    auto value = json::parse(text).value();
    take_out_references(value, missing);
    return json::to_text(value);
}

TEST(BulkRequest, WhatCannotBeReferredToYetIsTakenOut) {
    EXPECT_EQ(
        without(R"({"n":"x","members":[{"value":"bulkId:a","type":"User"},{"value":"bulkId:b"}]})",
                {"a"}),
        R"({"n":"x","members":[{"value":"bulkId:b"}]})");
    EXPECT_EQ(
        without(R"({"n":"x","urn:e":{"manager":{"value":"bulkId:a","displayName":"B"}}})", {"a"}),
        R"({"n":"x"})");
    EXPECT_EQ(without(R"({"x":"bulkId:a","y":["bulkId:a"],"z":[],"o":{}})", {"a"}),
              R"({"z":[],"o":{}})");
    EXPECT_EQ(without(R"("bulkId:a")", {"a"}), "null");
    EXPECT_EQ(without(R"({"value":"bulkId:a"})", {"a"}), "{}");
    EXPECT_EQ(without(R"(["bulkId:a"])", {"a"}), "null");
}

}  // namespace
}  // namespace muster::service
