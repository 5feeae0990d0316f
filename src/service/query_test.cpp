#include "service/query.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <ranges>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "service/testing.hpp"

namespace muster::service {
namespace {

class QueryTest : public ServiceTest {
  protected:
    const std::vector<const scim::ResourceType*> both_{&users_, &groups_};
    Query::Types types_ = std::span(both_).first(1);

    json::Object list(ListRequest request) {
        auto by = call();
        return body(wait(query_.list(by, types_, std::move(request))));
    }
    scim::Error refused(ListRequest request) {
        auto by = call();
        const auto answer = wait(query_.list(by, types_, std::move(request)));
        EXPECT_FALSE(answer);
        return answer ? scim::Error{} : answer.error();
    }
    std::vector<std::string> names(const json::Object& page, std::string_view name = "userName") {
        std::vector<std::string> found;
        for (const auto& resource : page.at("Resources").as_array()) {
            found.emplace_back(json::string_or_empty(resource.as_object(), name));
        }
        return found;
    }
    /// Every page of a walk by cursor, in order; `between` is called after each.
    std::vector<std::string> walk(
        ListRequest request, const std::function<void()>& between = [] {}) {
        std::vector<std::string> seen;
        request.cursor = "";
        for (;;) {
            const auto page = list(request);
            EXPECT_FALSE(page.contains("startIndex"));
            for (auto& name : names(page)) seen.push_back(std::move(name));
            if (!page.contains("nextCursor")) return seen;
            request.cursor = std::string{page.at("nextCursor").as_string()};
            between();
        }
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

TEST_F(QueryTest, TheLogHoldsNothingThatASecretIsComparedWith) {
    ASSERT_TRUE(wait(directory_.set_definitions(
        "acme",
        R"({"schemas":[{"id":"urn:x:T","attributes":[{"name":"n"},{"name":"pin","returned":"never"}]},)"
        R"({"id":"urn:x:D","attributes":[{"name":"apiToken"}]}],"resourceTypes":[)"
        R"({"name":"Thing","endpoint":"/Things","schema":"urn:x:T"},)"
        R"({"name":"Device","endpoint":"/Devices","schema":"urn:x:D"}]})")));
    const auto logged = [this](const char* endpoint, const std::string& filter) {
        auto by = call();
        const auto* type = by.catalog().type_at(endpoint);
        by.record = provlog::Record({7}, {}, {.method = "GET", .target = "/T?filter=" + filter});
        const auto body = R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],)"
                          R"("filter":")" +
                          filter + "\"}";
        const auto answer = wait(query_.search(by, std::span(&type, 1), body));
        const auto error = answer ? "" : scim::to_json(answer.error());
        return by.record.finish(answer ? 200 : answer.error().status, error, 1).json;
    };
    for (const char* filter : {R"(apiToken eq \"hunter2\")", R"(apiToken \"hunter2\")",
                               "apiToken eq hunter2", R"(tokens[value eq \"hunter2\"])"}) {
        EXPECT_FALSE(logged("/Devices", filter).contains("hunter2")) << logged("/Devices", filter);
    }
    for (const char* filter :
         {R"(pin eq \"hunter2\")", R"(pin \"hunter2\")", R"(n pr or pin eq \"hunter2\")"}) {
        EXPECT_FALSE(logged("/Things", filter).contains("hunter2")) << logged("/Things", filter);
    }
    EXPECT_TRUE(logged("/Things", R"(n eq \"ann\")").contains(R"(filter n eq \"ann\")"));
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
        by, types_,
        R"({"filter":"userName sw \"user\"","startIndex":2,"count":2,"attributes":["userName"]})")));
    EXPECT_EQ(found.at("totalResults"), 5);
    EXPECT_EQ(found.at("itemsPerPage"), 2);
    for (const char* bad : {"[]", R"({"count":"2"})", R"({"attributes":[1]})", R"({"filter":7})"}) {
        auto again = call();
        const auto answer = wait(query_.search(again, types_, bad));
        ASSERT_FALSE(answer) << bad;
        EXPECT_EQ(answer.error().status, 400);
    }
}

TEST_F(QueryTest, SortsByAnyAttributeWithTheMissingLast) {
    for (const char* more :
         {R"("title":"b")", R"("title":"A")", R"("nickName":"n")", R"("title":"c")"}) {
        ASSERT_TRUE(create(
            users_, user(more[1] == 'n' ? "none" : std::string{more[9]}, std::string{","} + more)));
    }
    using Names = std::vector<std::string>;
    EXPECT_EQ(names(list({.sort_by = "title"})), (Names{"A", "b", "c", "none"}));
    EXPECT_EQ(names(list({.sort_by = "title", .sort_order = "descending"})),
              (Names{"none", "c", "b", "A"}));
    EXPECT_EQ(names(list({.sort_by = "title", .start_index = 2, .count = 2})), (Names{"b", "c"}));
    EXPECT_EQ(list({.sort_by = "title", .count = 0}).at("totalResults"), 4);
    EXPECT_EQ(
        names(list({.filter = "title pr", .sort_by = "userName", .sort_order = "descending"})),
        (Names{"c", "b", "A"}));
    EXPECT_EQ(refused({.sort_by = "nosuch"}).type, scim::ScimType::InvalidPath);
    EXPECT_EQ(refused({.sort_by = "title", .sort_order = "up"}).type, scim::ScimType::InvalidValue);
}

TEST_F(QueryTest, AWalkByCursorSeesEveryoneOnceInEveryOrder) {
    make(23);
    for (const char* sort_by : {"", "userName", "title", "meta.created"}) {
        for (const char* order : {"ascending", "descending"}) {
            for (const char* filter : {"userName pr", R"(not (title eq "zzz"))"}) {
                auto seen =
                    walk({.filter = filter, .sort_by = sort_by, .sort_order = order, .count = 5});
                EXPECT_EQ(seen.size(), 23U) << sort_by << order << filter;
                std::ranges::sort(seen);
                EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
            }
        }
    }
    EXPECT_EQ(walk({.filter = R"(title eq "t1")", .count = 3}).size(), 8U);
    EXPECT_EQ(walk({.filter = R"(title eq "nobody")"}).size(), 0U);
}

TEST_F(QueryTest, AWalkByCursorIsNotMovedByWrites) {
    make(12);
    int more = 0;
    auto seen = walk({.count = 4}, [&] {
        // Someone behind the place goes, someone comes.
        const auto everyone = list({.count = 1});
        const auto id = everyone.at("Resources").at(0).at("id").as_string();
        auto by = call();
        ASSERT_TRUE(wait(resources_.remove(by, users_, std::string{id})));
        ASSERT_TRUE(create(users_, user(fmt::format("late{}", more++))));
    });
    std::erase_if(seen, [](const std::string& name) { return name.starts_with("late"); });
    EXPECT_EQ(seen.size(), 12U);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 12U);
}

TEST_F(QueryTest, AWalkByIndexIsNotMovedByDeletions) {
    make(12);
    for (const bool filtered : {false, true}) {
        const auto filter = filtered ? std::optional<std::string>("title pr") : std::nullopt;
        for (const char* sort_by : {"", "userName"}) {
            const auto everyone = names(list({.sort_by = sort_by, .count = 200}));
            std::vector<std::string> seen;
            for (std::int64_t start = 1;; start += 4) {
                const auto page =
                    list({.filter = filter, .sort_by = sort_by, .start_index = start, .count = 4});
                if (page.at("Resources").as_array().empty()) break;
                for (auto& name : names(page)) seen.push_back(std::move(name));
                if (start > 1) continue;
                EXPECT_EQ(page.at("totalResults").as_int64(), std::ssize(everyone));
                const auto first = page.at("Resources").at(0).at("id").as_string();
                auto by = call();
                ASSERT_TRUE(wait(resources_.remove(by, users_, std::string{first})));
            }
            EXPECT_EQ(seen, everyone) << filter.value_or("") << sort_by;
        }
    }
}

TEST_F(QueryTest, CursorsGoBackTheSameWay) {
    make(10);
    for (const char* sort_by : {"", "userName"}) {
        ListRequest request{.sort_by = sort_by, .count = 4, .cursor = ""};
        std::vector<std::vector<std::string>> pages;
        json::Object page;
        for (int i = 0; i < 3; ++i) {
            page = list(request);
            pages.push_back(names(page));
            EXPECT_EQ(page.contains("previousCursor"), i > 0);
            if (i < 2) request.cursor = std::string{page.at("nextCursor").as_string()};
        }
        EXPECT_FALSE(page.contains("nextCursor"));
        for (int i = 1; i >= 0; --i) {
            request.cursor = std::string{page.at("previousCursor").as_string()};
            page = list(request);
            EXPECT_EQ(names(page), pages[static_cast<std::size_t>(i)]) << sort_by;
            EXPECT_TRUE(page.contains("nextCursor"));
        }
        EXPECT_FALSE(page.contains("previousCursor"));
    }
}

TEST_F(QueryTest, ACursorIsOfOneQueryOneConnectorAndOneHour) {
    make(10);
    const auto page = list({.count = 4, .cursor = ""});
    const std::string cursor{page.at("nextCursor").as_string()};
    const auto type = [this](ListRequest request) { return refused(std::move(request)).type; };
    using enum scim::ScimType;
    EXPECT_EQ(type({.filter = "title pr", .cursor = cursor}), InvalidCursor);
    EXPECT_EQ(type({.sort_by = "title", .cursor = cursor}), InvalidCursor);
    EXPECT_EQ(type({.cursor = cursor.substr(1)}), InvalidCursor);
    EXPECT_EQ(type({.cursor = "x"}), InvalidCursor);
    EXPECT_EQ(type({.cursor = std::string(100'000, 'A')}), InvalidCursor);
    EXPECT_EQ(type({.start_index = 1, .cursor = ""}), InvalidValue);
    EXPECT_EQ(type({.count = 0, .cursor = ""}), InvalidCount);
    for (std::size_t i = 0; i < cursor.size(); ++i) {
        std::string forged = cursor;
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        const auto refusal = refused({.count = 4, .cursor = forged});
        EXPECT_EQ(refusal.type, InvalidCursor) << i;
    }
    const auto first = std::exchange(connector_, make_connector("acme"));
    EXPECT_EQ(type({.count = 4, .cursor = cursor}), InvalidCursor);
    connector_ = first;
    EXPECT_EQ(names(list({.count = 2, .cursor = cursor})).size(), 2U) << "count may change";
    clock_.advance_ms(2 * 3'600'000);
    EXPECT_EQ(type({.count = 4, .cursor = cursor}), ExpiredCursor);
}

TEST_F(QueryTest, SeveralTypesAreSearchedAsOneList) {
    make(5);
    for (const char* name : {"A team", "user2 and friends", "Z team"}) {
        ASSERT_TRUE(create(groups_, group(name)));
    }
    types_ = both_;
    EXPECT_EQ(list({}).at("totalResults"), 8);
    EXPECT_EQ(names(list({.start_index = 5, .count = 2}), "id").size(), 2U);
    EXPECT_EQ(names(list({.start_index = 6, .count = 9}), "displayName"),
              (std::vector<std::string>{"A team", "user2 and friends", "Z team"}));
    EXPECT_EQ(list({.filter = R"(userName sw "user" or displayName co "team")"}).at("totalResults"),
              7);
    EXPECT_EQ(list({.filter = R"(not (userName eq "user1"))"}).at("totalResults"), 7)
        << "a group has no userName";
    EXPECT_EQ(list({.filter = R"(meta.resourceType eq "Group")"}).at("totalResults"), 3);
    EXPECT_EQ(refused({.filter = R"(nosuch eq "x")"}).type, scim::ScimType::InvalidFilter);
    EXPECT_EQ(walk({.count = 3}).size(), 8U);
    EXPECT_EQ(walk({.sort_by = "displayName", .count = 3}).size(), 8U);
    EXPECT_EQ(names(list({.sort_by = "displayName", .count = 3}), "displayName"),
              (std::vector<std::string>{"A team", "user2 and friends", "Z team"}));
    EXPECT_EQ(refused({.sort_by = "nosuch"}).type, scim::ScimType::InvalidPath);
}

}  // namespace
}  // namespace muster::service
