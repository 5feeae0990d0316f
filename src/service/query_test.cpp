#include "service/query.hpp"

#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "service/testing.hpp"

namespace muster::service {
namespace {

class QueryTest : public ServiceTest {
  protected:
    json::Object list(ListRequest request) {
        auto by = call();
        return body(wait(query_.list(by, users_, std::move(request))));
    }
    scim::Error refused(ListRequest request) {
        auto by = call();
        const auto answer = wait(query_.list(by, users_, std::move(request)));
        EXPECT_FALSE(answer);
        return answer ? scim::Error{} : answer.error();
    }
    void make(int users) {
        for (int i = 0; i < users; ++i) {
            ASSERT_TRUE(create(
                users_, user(fmt::format("user{}", i), fmt::format(R"(,"title":"t{}")", i % 3))));
        }
    }
};

TEST_F(QueryTest, PagesCoverEveryoneOnceWithTrueTotals) {
    make(25);
    std::set<std::string> seen;
    for (std::int64_t start = 1; start <= 31; start += 10) {
        const auto page = list({.start_index = start, .count = 10});
        EXPECT_EQ(page.at("totalResults"), 25);
        EXPECT_EQ(page.at("startIndex"), start);
        EXPECT_EQ(page.at("itemsPerPage").as_int64(),
                  static_cast<std::int64_t>(page.at("Resources").as_array().size()));
        for (const auto& resource : page.at("Resources").as_array()) {
            EXPECT_TRUE(seen.insert(std::string{resource.at("id").as_string()}).second);
        }
    }
    EXPECT_EQ(seen.size(), 25U);
}

TEST_F(QueryTest, OddNumbersAreReadAsTheRfcSays) {
    make(3);
    EXPECT_EQ(list({.start_index = 0}).at("startIndex"), 1);
    EXPECT_EQ(list({.start_index = -5, .count = 2}).at("itemsPerPage"), 2);
    EXPECT_EQ(list({.count = 0}).at("totalResults"), 3);
    EXPECT_EQ(list({.count = 0}).at("itemsPerPage"), 0);
    EXPECT_EQ(list({.count = -1}).at("itemsPerPage"), 0);
    EXPECT_EQ(list({.count = std::numeric_limits<std::int64_t>::max()}).at("itemsPerPage"), 3);
    EXPECT_EQ(list({.start_index = std::numeric_limits<std::int64_t>::max()}).at("itemsPerPage"),
              0);
}

TEST_F(QueryTest, FiltersAnswerFromIndicesAndFromScansAlike) {
    make(20);
    EXPECT_EQ(list({.filter = R"(userName eq "USER7")"}).at("totalResults"), 1);
    EXPECT_EQ(list({.filter = R"(userName eq "nobody")"}).at("totalResults"), 0);
    const auto scanned = list({.filter = R"(title eq "t1")", .start_index = 2, .count = 2});
    EXPECT_EQ(scanned.at("totalResults"), 7);
    EXPECT_EQ(scanned.at("itemsPerPage"), 2);
    EXPECT_EQ(list({.filter = R"(not (title eq "t1"))"}).at("totalResults"), 13);
    EXPECT_EQ(list({.filter = R"(userName sw "user1")"}).at("totalResults"), 11);
    EXPECT_EQ(list({.filter = R"(meta.created gt "2020-01-01T00:00:00Z")"}).at("totalResults"), 20);
}

TEST_F(QueryTest, FiltersOnMembershipReadTheRows) {
    const auto ann = id(create(users_, user("ann")));
    ASSERT_TRUE(create(users_, user("bob")));
    const auto eng = id(create(groups_, group("Eng", "[" + member(ann) + "]")));
    EXPECT_EQ(list({.filter = "groups.value eq \"" + eng + "\""}).at("totalResults"), 1);
    EXPECT_EQ(list({.filter = R"(groups.display eq "eng")"}).at("totalResults"), 1);
    EXPECT_EQ(list({.filter = R"(groups.value eq "x")"}).at("totalResults"), 0);
}

TEST_F(QueryTest, AnUnknownAttributeIsNeverEveryone) {
    make(2);
    const auto error = refused({.filter = R"(usrName eq "user1")"});
    EXPECT_EQ(error.status, 400);
    EXPECT_EQ(error.type, scim::ScimType::InvalidFilter);
    EXPECT_NE(error.detail.find("usrName"), std::string::npos);
}

TEST_F(QueryTest, ProjectionsKeepTheId) {
    make(1);
    const auto page = list({.attributes = "userName"});
    const auto& one = page.at("Resources").at(0).as_object();
    EXPECT_TRUE(one.contains("id"));
    EXPECT_TRUE(one.contains("userName"));
    EXPECT_FALSE(one.contains("title"));
}

TEST_F(QueryTest, ASearchBodyMeansWhatTheQueryMeans) {
    make(5);
    auto by = call();
    const auto found = body(wait(query_.search(
        by, users_,
        R"({"filter":"userName sw \"user\"","startIndex":2,"count":2,"attributes":["userName"]})")));
    EXPECT_EQ(found.at("totalResults"), 5);
    EXPECT_EQ(found.at("itemsPerPage"), 2);
    for (const char* bad : {"[]", R"({"count":"2"})", R"({"attributes":[1]})", R"({"filter":7})"}) {
        auto again = call();
        const auto answer = wait(query_.search(again, users_, bad));
        ASSERT_FALSE(answer) << bad;
        EXPECT_EQ(answer.error().status, 400);
    }
}

}  // namespace
}  // namespace muster::service
