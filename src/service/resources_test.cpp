#include "service/resources.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "service/testing.hpp"

namespace muster::service {
namespace {

class ResourcesTest : public ServiceTest {
  protected:
    void set_policy(const std::string& settings) {
        ASSERT_TRUE(
            wait(directory_.change_connector(connector_->connector.id, {.policy = settings})));
    }
    std::size_t members_of(const std::string& group_id) {
        return body(get(groups_, group_id)).at("members").as_array().size();
    }
};

TEST_F(ResourcesTest, WhatWasCreatedIsReadBackWithItsVersion) {
    const auto created = create(users_, user("Ann@acme.example"));
    ASSERT_TRUE(created);
    EXPECT_EQ(created->status, 201);
    EXPECT_EQ(created->etag, "W/\"1\"");
    EXPECT_EQ(created->location, "https://x/scim/v2/Users/" + id(created));
    const auto read = get(users_, id(created));
    EXPECT_EQ(body(read), body(created));
    EXPECT_EQ(body(read).at("userName"), "Ann@acme.example");
    EXPECT_EQ(body(read).at("active"), true);
}

TEST_F(ResourcesTest, ADuplicateIsRefusedAndNamesTheHolder) {
    const auto first = id(create(users_, user("ann@acme.example")));
    const auto second = create(users_, user("ANN@acme.example"));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().status, 409);
    EXPECT_EQ(second.error().type, scim::ScimType::Uniqueness);
    EXPECT_NE(second.error().detail.find(first), std::string::npos);
}

TEST_F(ResourcesTest, AChangeThatChangesNothingKeepsTheVersion) {
    const auto ann = id(create(users_, user("ann")));
    const auto same = patch(users_, ann, R"([{"op":"replace","path":"active","value":true}])");
    ASSERT_TRUE(same);
    EXPECT_EQ(same->etag, "W/\"1\"");
    const auto other = patch(users_, ann, R"([{"op":"replace","value":{"active":false}}])");
    EXPECT_EQ(other->etag, "W/\"2\"");
    EXPECT_EQ(body(other).at("active"), false);
}

TEST_F(ResourcesTest, IfMatchGuardsEveryChange) {
    const auto ann = id(create(users_, user("ann")));
    const auto stale =
        patch(users_, ann, R"([{"op":"replace","path":"title","value":"x"}])", "W/\"9\"");
    ASSERT_FALSE(stale);
    EXPECT_EQ(stale.error().status, 412);
    EXPECT_TRUE(patch(users_, ann, R"([{"op":"replace","path":"title","value":"x"}])", "W/\"1\""));
}

TEST_F(ResourcesTest, TheEchoOfAGetAsPutChangesNothing) {
    const auto ann = create(users_, user("ann", R"(,"name":{"givenName":"Ann"},"title":"Boss")"));
    const auto eng = create(groups_, group("Eng", "[" + member(id(ann)) + "]"));
    ASSERT_TRUE(eng);
    const auto echo = get(users_, id(ann));
    const auto put = replace(users_, id(ann), echo->body);
    EXPECT_EQ(body(put), body(echo));
    EXPECT_EQ(put->etag, "W/\"1\"");
    EXPECT_EQ(members_of(id(eng)), 1U);
}

TEST_F(ResourcesTest, PutWithoutMembersOrActiveNeverEmptiesOrSwitches) {
    const auto ann = id(create(users_, user("ann", R"(,"active":false)")));
    const auto eng = id(create(groups_, group("Eng", "[" + member(ann) + "]")));
    EXPECT_EQ(body(replace(users_, ann, user("ann"))).at("active"), false);
    EXPECT_TRUE(replace(
        groups_, eng,
        R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Eng 2"})"));
    EXPECT_EQ(members_of(eng), 1U);
    EXPECT_TRUE(replace(groups_, eng, group("Eng 2", "[]")));
    EXPECT_EQ(members_of(eng), 0U);
}

TEST_F(ResourcesTest, MembersComeAndGoByDeltas) {
    const auto a = id(create(users_, user("a")));
    const auto b = id(create(users_, user("b")));
    const auto eng = id(create(groups_, group("Eng")));
    const auto added =
        patch(groups_, eng,
              R"([{"op":"add","path":"members","value":[)" + member(a) + "," + member(b) + "]}]");
    ASSERT_TRUE(added) << added.error().detail;
    EXPECT_EQ(added->status, 204);
    EXPECT_EQ(added->etag, "W/\"2\"");
    EXPECT_EQ(
        patch(groups_, eng, R"([{"op":"add","path":"members","value":[)" + member(a) + "]}]")->etag,
        "W/\"2\"")
        << "a repeated add changes nothing";
    EXPECT_TRUE(
        patch(groups_, eng, R"([{"op":"remove","path":"members[value eq \")" + a + R"(\"]"}])"));
    EXPECT_EQ(body(get(groups_, eng)).at("members").at(0).at("value"), json::Value(b));
    EXPECT_EQ(body(get(users_, b)).at("groups").at(0).at("display"), "Eng");
    EXPECT_FALSE(body(get(users_, a)).contains("groups"));
    EXPECT_TRUE(
        patch(groups_, eng, R"([{"op":"replace","value":{"id":"x","displayName":"Eng 2"}}])"));
    EXPECT_EQ(members_of(eng), 1U) << "a rename keeps the members";
}

TEST_F(ResourcesTest, UnknownMembersAreRefusedByNameOrSkippedByPolicy) {
    const auto a = id(create(users_, user("a")));
    const auto eng = id(create(groups_, group("Eng")));
    const auto add =
        R"([{"op":"add","path":"members","value":[)" + member(a) + "," + member("ghost") + "]}]";
    const auto refused = patch(groups_, eng, add);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, 400);
    EXPECT_EQ(refused.error().type, scim::ScimType::InvalidValue);
    EXPECT_NE(refused.error().detail.find("ghost"), std::string::npos);
    EXPECT_EQ(members_of(eng), 0U) << "nothing of a refused request is applied";
    set_policy(R"({"unknown_members":"skip"})");
    EXPECT_TRUE(patch(groups_, eng, add));
    EXPECT_EQ(members_of(eng), 1U);
}

TEST_F(ResourcesTest, AGroupIsNeverItsOwnMember) {
    const auto eng = id(create(groups_, group("Eng")));
    const auto answer =
        patch(groups_, eng, R"([{"op":"add","path":"members","value":[)" + member(eng) + "]}]");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().status, 400);
}

TEST_F(ResourcesTest, ADeletedPersonIsGoneEverywhereAndFreesTheName) {
    const auto a = id(create(users_, user("a")));
    const auto eng = id(create(groups_, group("Eng", "[" + member(a) + "]")));
    auto by = call();
    EXPECT_EQ(wait(resources_.remove(by, users_, a))->status, 204);
    EXPECT_TRUE(by.recorded);
    EXPECT_EQ(get(users_, a).error().status, 404);
    EXPECT_EQ(members_of(eng), 0U);
    EXPECT_EQ(get(groups_, eng)->etag, "W/\"2\"");
    const auto again = create(users_, user("a"));
    ASSERT_TRUE(again);
    EXPECT_NE(id(again), a);
}

TEST_F(ResourcesTest, TheSamePersonSwitchedOffIsRestoredByPost) {
    const auto sent = user("ann", R"(,"externalId":"00u1")");
    const auto ann = id(create(users_, sent));
    EXPECT_EQ(create(users_, sent).error().status, 409) << "still active";
    EXPECT_TRUE(patch(users_, ann, R"([{"op":"replace","value":{"active":false}}])"));
    const auto restored = create(users_, sent);
    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_EQ(restored->status, 201);
    EXPECT_EQ(id(restored), ann);
    EXPECT_EQ(body(restored).at("active"), true);
}

TEST_F(ResourcesTest, NobodyElseIsRestoredByAName) {
    const auto ann = id(create(users_, user("ann", R"(,"externalId":"00u1","active":false)")));
    EXPECT_EQ(create(users_, user("ann", R"(,"externalId":"00u2")")).error().status, 409);
    EXPECT_EQ(create(users_, user("ann")).error().status, 409);
    connector_ = make_connector("acme");
    EXPECT_EQ(create(users_, user("ann", R"(,"externalId":"00u1")")).error().status, 409)
        << "another connector's person";
    EXPECT_EQ(body(get(users_, ann)).at("active"), false);
    set_policy(R"({"restore_on_create":"false"})");
    EXPECT_EQ(create(users_, user("ann", R"(,"externalId":"00u1")")).error().status, 409);
}

TEST_F(ResourcesTest, AnotherOrganisationsIdsDoNotExist) {
    const auto ann = id(create(users_, user("ann")));
    ASSERT_TRUE(wait(directory_.create_organisation("Other", "")));
    connector_ = make_connector("other");
    EXPECT_EQ(get(users_, ann).error().status, 404);
    EXPECT_EQ(replace(users_, ann, user("x")).error().status, 404);
    EXPECT_EQ(create(groups_, group("Eng", "[" + member(ann) + "]")).error().status, 400);
    EXPECT_TRUE(create(users_, user("ann"))) << "names are free in each organisation";
}

TEST_F(ResourcesTest, PasswordsAreTakenAndForgotten) {
    const auto ann = create(users_, user("ann", R"(,"password":"hunter2")"));
    ASSERT_TRUE(ann);
    EXPECT_EQ(ann->body.find("hunter2"), std::string::npos);
    const auto log = wait(store_->log({.limit = 10}));
    ASSERT_TRUE(log);
    for (const auto& record : log->records) EXPECT_EQ(record.find("hunter2"), std::string::npos);
}

TEST_F(ResourcesTest, AWriteCarriesItsLogRecordInTheSameCommit) {
    ASSERT_TRUE(create(users_, user("ann")));
    const auto log = wait(store_->log({.org = connector_->connector.org, .limit = 10}));
    ASSERT_TRUE(log);
    ASSERT_EQ(log->records.size(), 1U);
    EXPECT_NE(log->records.front().find("\"written\":[{\"version\":1"), std::string::npos)
        << log->records.front();
}

TEST_F(ResourcesTest, WhoIsTakenAndWhoIsRestoredIsToldOfOnce) {
    const auto ann = user("ann", R"(,"externalId":"00u1","nobodyKnows":1)");
    const auto made = create(users_, ann);
    ASSERT_TRUE(made);
    EXPECT_EQ(create(users_, ann).error().status, 409);
    const auto id = json::parse(made->body)->at("id").as_string();
    const auto off = user("ann", R"(,"externalId":"00u1","active":false)");
    auto by = call();
    ASSERT_TRUE(wait(resources_.replace(by, users_, std::string{id}, off, {})));
    const auto restored = create(users_, ann);
    ASSERT_TRUE(restored) << restored.error().detail;
    EXPECT_EQ(json::parse(restored->body)->at("id").as_string(), id);
    const auto log = wait(store_->log({.org = connector_->connector.org, .limit = 10}));
    ASSERT_TRUE(log);
    ASSERT_FALSE(log->records.empty());
    const std::string& record = log->records.front();
    const auto count = [&record](std::string_view text) {
        std::size_t found = 0;
        for (auto at = record.find(text); at != std::string::npos; at = record.find(text, at + 1)) {
            ++found;
        }
        return found;
    };
    EXPECT_EQ(count("bytes of JSON"), 1U) << record;
    EXPECT_EQ(count("unknown-attribute-dropped"), 1U) << record;
}

TEST_F(ResourcesTest, ALargePersonIsMadeWhole) {
    // Beyond what lies on the stack, and beyond what the log keeps of a request.
    std::string emails;
    for (int i = 0; i < 900; ++i) {
        emails +=
            fmt::format(R"({}{{"value":"{}@acme.example","type":"other"}})", i == 0 ? "" : ",", i);
    }
    const auto made = create(users_, user("ann", fmt::format(R"(,"emails":[{}])", emails)));
    ASSERT_TRUE(made) << made.error().detail;
    EXPECT_EQ(json::parse(made->body)->at("emails").as_array().size(), 900U);
    const auto log = wait(store_->log({.org = connector_->connector.org, .limit = 1}));
    ASSERT_TRUE(log);
    EXPECT_NE(log->records.front().find("\"changes\":["), std::string::npos);
}

}  // namespace
}  // namespace muster::service
