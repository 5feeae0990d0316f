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

using Texts = std::pair<std::string, std::string>;
/// What is left and what was taken.
Texts split(std::string_view text, const std::set<std::string>& missing) {
    auto value = json::parse(text).value();
    auto taken = take_out_references(value.as_object(), missing);
    return {json::to_text(value), json::to_text(json::Value(std::move(taken)))};
}

TEST(BulkRequest, WhatCannotBeReferredToYetIsTakenOut) {
    EXPECT_EQ(
        split(R"({"n":"x","members":[{"value":"bulkId:a","type":"User"},{"value":"bulkId:b"}]})",
              {"a"}),
        Texts(R"({"n":"x","members":[{"value":"bulkId:b"}]})",
              R"({"members":[{"value":"bulkId:a","type":"User"}]})"));
    EXPECT_EQ(
        split(R"({"n":"x","urn:e":{"manager":{"value":"bulkId:a","displayName":"B"}}})", {"a"}),
        Texts(R"({"n":"x"})", R"({"urn:e":{"manager":{"value":"bulkId:a","displayName":"B"}}})"));
    EXPECT_EQ(split(R"({"x":"bulkId:a","y":["bulkId:a"],"z":[],"o":{},"n":null})", {"a"}),
              Texts(R"({"z":[],"o":{},"n":null})", R"({"x":"bulkId:a","y":["bulkId:a"]})"));
    EXPECT_EQ(split(R"({"list":[{"k":1,"who":"bulkId:a"},{"k":2}],"one":{"k":1,"who":"bulkId:a"}})",
                    {"a"}),
              Texts(R"({"list":[{"k":2}],"one":{"k":1}})",
                    R"({"list":[{"k":1,"who":"bulkId:a"}],"one":{"who":"bulkId:a"}})"));
    EXPECT_EQ(split(R"({"value":"bulkId:a","n":"x"})", {"a"}),
              Texts(R"({"n":"x"})", R"({"value":"bulkId:a"})"));
    EXPECT_EQ(split(R"({"x":"bulkId:b"})", {"a"}), Texts(R"({"x":"bulkId:b"})", "{}"));
}

/// "bulkId>reference,reference" for each POST, "=reference" for a change; what comes out is the
/// order, with what each lacks.
std::string ordered(const std::vector<std::string>& short_forms) {
    std::vector<BulkOperation> operations;
    for (const std::string& text : short_forms) {
        const auto mark = text.find_first_of(">=");
        BulkOperation one{.method = text[mark] == '=' ? BulkOperation::Method::Patch
                                                      : BulkOperation::Method::Post,
                          .path = text[mark] == '=' ? "/Users/7" : "/Users",
                          .bulk_id = text.substr(0, mark),
                          .version = {},
                          .data = json::Array(),
                          .malformed = {}};
        for (const char id : text.substr(mark + 1)) {
            one.data.as_array().emplace_back("bulkId:" + std::string(1, id));
        }
        operations.push_back(std::move(one));
    }
    std::string order;
    for (const auto& [index, missing] : order_of(operations)) {
        order += std::to_string(index);
        for (const auto& id : missing) order += "-" + id;
        order += ' ';
    }
    return order;
}

TEST(BulkRequest, TheOrderIsKeptButForWhatIsReferredTo) {
    EXPECT_EQ(ordered({"a>", "=", "b>", "="}), "0 1 2 3 ");
    EXPECT_EQ(ordered({"=c", "=", "b>", "c>"}), "3 0 1 2 ") << "a waiting change is not overtaken";
    EXPECT_EQ(ordered({"g>cba", "a>", "b>c", "c>"}), "1 3 2 0 ");
    EXPECT_EQ(ordered({"=x"}), "0 ") << "nobody makes it";
    EXPECT_EQ(ordered({}), "");
}

TEST(BulkRequest, ACircleIsBrokenWhereMostOthersWait) {
    EXPECT_EQ(ordered({"a>b", "b>a"}), "0-b 1 ");
    EXPECT_EQ(ordered({"a>a"}), "0-a ");
    EXPECT_EQ(ordered({"a>b", "b>c", "c>d", "d>a"}), "0-b 3 2 1 ");
    EXPECT_EQ(ordered({"=a", "a>b", "b>c", "c>ad", "d>"}), "4 1-b 3 2 0 ");
    EXPECT_EQ(ordered({"x>g", "y>g", "z>g", "g>xyz"}), "3-x-y-z 0 1 2 ");
    EXPECT_EQ(ordered({"a>b", "b>a", "=c", "c>d", "d>c"}), "0-b 1 3-d 4 2 ");
}

TEST(BulkRequest, AChainOfAnyLengthIsOrdered) {
    constexpr std::size_t kLength = 200'000;
    std::vector<BulkOperation> operations;
    for (std::size_t i = 0; i < kLength; ++i) {
        operations.push_back({.method = BulkOperation::Method::Post,
                              .path = "/Users",
                              .bulk_id = std::to_string(i),
                              .version = {},
                              .data = json::Value("bulkId:" + std::to_string(i + 1)),
                              .malformed = {}});
    }
    const auto steps = order_of(operations);
    ASSERT_EQ(steps.size(), kLength);
    EXPECT_EQ(steps.front().index, kLength - 1);
}

}  // namespace
}  // namespace muster::service
