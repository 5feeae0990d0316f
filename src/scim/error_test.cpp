#include "scim/error.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "json/json.hpp"

namespace muster::scim {
namespace {

TEST(ScimError, NamesEveryScimTypeAsTheStandardDoes) {
    const std::vector<std::pair<ScimType, std::string_view>> names = {
        {ScimType::None, ""},
        {ScimType::InvalidFilter, "invalidFilter"},
        {ScimType::TooMany, "tooMany"},
        {ScimType::Uniqueness, "uniqueness"},
        {ScimType::Mutability, "mutability"},
        {ScimType::InvalidSyntax, "invalidSyntax"},
        {ScimType::InvalidPath, "invalidPath"},
        {ScimType::NoTarget, "noTarget"},
        {ScimType::InvalidValue, "invalidValue"},
        {ScimType::InvalidVers, "invalidVers"},
        {ScimType::Sensitive, "sensitive"},
        {ScimType::InvalidCursor, "invalidCursor"},
        {ScimType::ExpiredCursor, "expiredCursor"},
        {ScimType::InvalidCount, "invalidCount"},
    };
    for (const auto& [type, name] : names) EXPECT_EQ(to_string(type), name);
}

TEST(ScimError, FactoriesMakeBadRequests) {
    for (const auto& [error, type] : std::vector<std::pair<Error, ScimType>>{
             {invalid_filter("d"), ScimType::InvalidFilter},
             {invalid_path("d"), ScimType::InvalidPath},
             {invalid_value("d"), ScimType::InvalidValue},
             {invalid_syntax("d"), ScimType::InvalidSyntax},
             {no_target("d"), ScimType::NoTarget},
             {mutability("d"), ScimType::Mutability},
             {too_many("d"), ScimType::TooMany},
         }) {
        EXPECT_EQ(error.status, 400);
        EXPECT_EQ(error.type, type);
        EXPECT_EQ(error.detail, "d");
    }
}

TEST(ScimError, BodyHasTheStatusAsTextAndNoEmptyScimType) {
    const Error not_found{.status = 404, .detail = "No user x."};
    EXPECT_EQ(to_json(not_found), R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],)"
                                  R"("detail":"No user x.","status":"404"})");
    const Error taken{.status = 409, .type = ScimType::Uniqueness, .detail = "Taken."};
    EXPECT_EQ(to_json(taken, "01h8"),
              R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],)"
              R"-("scimType":"uniqueness","detail":"Taken. (log 01h8)","status":"409"})-");
}

TEST(ScimError, BodyIsJsonWhateverTheDetailHolds) {
    const Error error{.status = 400, .detail = "a\xFF\n\"\\\x01"};
    const auto body = json::parse(to_json(error));
    ASSERT_TRUE(body.has_value());
    EXPECT_EQ(body->at("detail").get_string(), "a\xEF\xBF\xBD\n\"\\\x01");
}

TEST(ScimError, QuotesInputBrieflyAndEscaped) {
    EXPECT_EQ(scim::quoted("bob"), R"("bob")");
    EXPECT_EQ(scim::quoted(""), R"("")");
    EXPECT_EQ(scim::quoted("a\n\x1b\"b"), R"("a\n\u001b\"b")");
    EXPECT_EQ(scim::quoted(std::string(64, 'x')), '"' + std::string(64, 'x') + '"');
    EXPECT_EQ(scim::quoted(std::string(65, 'x')), '"' + std::string(64, 'x') + "…\"");
    EXPECT_EQ(scim::quoted(std::string(63, 'x') + "é"), '"' + std::string(63, 'x') + "…\"");
}

}  // namespace
}  // namespace muster::scim
