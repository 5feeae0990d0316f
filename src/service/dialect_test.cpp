#include "service/dialect.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing.hpp"

namespace muster::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class DialectTest : public ServiceTest {
  protected:
    /// The log record of a body that was read by a connector of that identity provider.
    std::string log_of(const std::string& idp, scim::Verb verb, std::string_view body,
                       const std::string& user_agent = {}) {
        connector_ = make_connector("acme", idp);
        auto by = call();
        by.user_agent = user_agent;
        const auto read = read_body(by, core_.limits, users_, verb, body);
        last_ = read ? json::to_text(*read) : read.error().detail;
        return by.record.finish(200, {}, 1).json;
    }
    std::string last_;
};

constexpr std::string_view kDisable =
    R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"Replace","path":"active","value":"False"}]})";

TEST_F(DialectTest, WhatWasRewrittenIsInTheLog) {
    const auto log = log_of("entra", scim::Verb::Patch, kDisable);
    EXPECT_THAT(last_, HasSubstr(R"({"op":"replace","path":"active","value":false})"));
    EXPECT_THAT(log, HasSubstr("dialect:operation-case"));
    EXPECT_THAT(log, HasSubstr("dialect:boolean-text"));
    EXPECT_THAT(log, Not(HasSubstr("looks like")));
    EXPECT_THAT(log, HasSubstr("\\\"False\\\""));  // the body as it was sent
}

TEST_F(DialectTest, AnotherClientsMannersAreNamedAndNotApplied) {
    const auto log = log_of("okta", scim::Verb::Patch, kDisable);
    EXPECT_THAT(last_, HasSubstr(R"("op":"Replace")"));
    EXPECT_THAT(log, HasSubstr("looks like entra (the op is written"));
    EXPECT_THAT(log, HasSubstr("; the connector says okta"));
    EXPECT_THAT(log_of("generic", scim::Verb::Create, "{}", "Okta SCIM Client 1.0.0"),
                HasSubstr("looks like okta"));
}

TEST_F(DialectTest, AFilterIsRewrittenToo) {
    connector_ = make_connector("acme", "entra");
    auto by = call();
    std::string filter = "active eq \"True\"";
    ASSERT_TRUE(rewrite_filter(by, users_, filter));
    EXPECT_EQ(filter, "active eq true");
}

TEST_F(DialectTest, AConnectorOfAnUnknownProviderSpeaksTheGenericDialect) {
    auto known = *connector_;
    known.connector.idp = "a-product-of-the-past";
    core_.registry.put(known.connector);
    auto by = call();
    const auto read = read_body(by, core_.limits, users_, scim::Verb::Patch, kDisable);
    ASSERT_TRUE(read);
    EXPECT_THAT(json::to_text(*read), HasSubstr(R"("value":false)"));
}

}  // namespace
}  // namespace muster::service
