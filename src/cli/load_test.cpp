#include <filesystem>
#include <set>
#include <stdlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_world.hpp"
#include "cli/made_up.hpp"

namespace muster::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// ---- who is made up -----------------------------------------------------------------------------

TEST(MadeUp, TheSameSeedMakesTheSamePeopleAndAnotherOneOthers) {
    EXPECT_EQ(made_up_person("acme", 7, 3), made_up_person("acme", 7, 3));
    EXPECT_NE(made_up_person("acme", 7, 3), made_up_person("acme", 8, 3));
    EXPECT_EQ(made_up_members(7, 3, 20, 1'000), made_up_members(7, 3, 20, 1'000));
    EXPECT_NE(made_up_members(7, 3, 20, 1'000), made_up_members(8, 3, 20, 1'000));
}

TEST(MadeUp, NobodySharesAKeyWithAnybody) {
    std::set<std::string> keys;
    for (std::uint64_t seed : {0U, 1U, 11U}) {
        for (std::uint64_t i = 0; i < 1'000; ++i) {
            const auto person = made_up_person("acme", seed, i);
            keys.emplace(json::string_or_empty(person, "userName"));
            keys.emplace(json::string_or_empty(person, "externalId"));
        }
    }
    EXPECT_EQ(keys.size(), 6'000U);
}

TEST(MadeUp, AGroupHasAsManyDifferentMembersAsWereAskedFor) {
    for (std::uint64_t people : {1U, 2U, 7U, 60U, 1'000U}) {
        for (std::uint64_t number = 0; number < 20; ++number) {
            const auto members = made_up_members(1, number, people, people);
            const std::set<std::uint64_t> different(members.begin(), members.end());
            EXPECT_EQ(different.size(), people);
            EXPECT_LT(*different.rbegin(), people);
        }
    }
    EXPECT_TRUE(made_up_members(1, 1, 0, 0).empty());
}

// ---- what is asked ------------------------------------------------------------------------------

class Load : public testing::Test {
  protected:
    Load() {
        world_.api.answer("GET /connectors?org=acme", 200,
                          R"({"connectors":[{"id":"first"},{"id":"second"}]})");
    }
    void answer_bulk(std::string_view operations) {
        world_.api.answer("POST /connectors/first/bulk", 200,
                          "{\"Operations\":[" + std::string{operations} + "]}");
    }
    int run(std::vector<std::string> words) {
        std::vector<std::string> all{"load", "--org", "acme"};
        all.insert(all.end(), words.begin(), words.end());
        return world_.run(std::move(all));
    }

    FakeWorld world_;
};

TEST_F(Load, MakesThePeopleAndThenTheGroupsOfThem) {
    answer_bulk(R"({"method":"POST","location":"https://x/Users/a","status":"201"},
                   {"method":"POST","location":"https://x/Users/b","status":"201"})");
    EXPECT_EQ(run({"--users", "2", "--groups", "3", "--members", "2,0", "--json"}), 0);
    EXPECT_THAT(world_.api.calls,
                ElementsAre("GET /connectors?org=acme", "POST /connectors/first/bulk",
                            "POST /connectors/first/bulk"));
    const auto& people = world_.api.bodies.at(1).at("Operations").as_array();
    ASSERT_EQ(people.size(), 2U);
    EXPECT_EQ(people.at(0).at("data"), made_up_person("acme", 1, 0));
    const auto& groups = world_.api.bodies.at(2).at("Operations").as_array();
    ASSERT_EQ(groups.size(), 3U);
    EXPECT_EQ(groups.at(0).at("path"), "/Groups");
    EXPECT_EQ(groups.at(0).at("data").at("members").as_array().size(), 2U);
    EXPECT_EQ(groups.at(1).at("data").at("members").as_array().size(), 0U);
    EXPECT_EQ(groups.at(2).at("data").at("members").as_array().size(), 2U);
    const auto said = json::parse(world_.out.str());
    ASSERT_TRUE(said);
    EXPECT_EQ(said->at("users"), 2);
    EXPECT_EQ(said->at("memberships"), 4);
}

TEST_F(Load, EndsWithWhatWasRefused) {
    answer_bulk(R"({"method":"POST","status":"409","response":{"detail":"userName is taken."}})");
    EXPECT_EQ(run({"--users", "1", "--groups", "0"}), 4);
    EXPECT_THAT(world_.err.str(), HasSubstr("userName is taken."));
}

TEST_F(Load, EndsWhereAnswersDoNotSayWhoWasMade) {
    answer_bulk("");
    EXPECT_EQ(run({"--users", "1", "--groups", "1", "--members", "1"}), 1);
    EXPECT_THAT(world_.err.str(), HasSubstr("do not say who was made"));
}

TEST_F(Load, NeedsAConnector) {
    world_.api.answer("GET /connectors?org=acme", 200, R"({"connectors":[]})");
    EXPECT_EQ(run({}), 4);
    EXPECT_THAT(world_.err.str(), HasSubstr("muster connector create --org acme --idp okta"));
    world_.api.answers.clear();
    EXPECT_EQ(run({}), 3);
}

TEST_F(Load, TakesSizesThatPeopleSufficeFor) {
    for (const std::string sizes : {"", "ten", "10,", "10;20", "-1"}) {
        EXPECT_EQ(run({"--members=" + sizes}), 2) << sizes;
    }
    EXPECT_TRUE(world_.api.calls.empty());
    EXPECT_EQ(run({"--users", "10", "--members", "10,11"}), 2);
    EXPECT_EQ(world_.err.str(), "Error: A group would have more members than --users.\n");
    EXPECT_THAT(world_.api.calls, ElementsAre("GET /connectors?org=acme")) << "nobody was made";
    world_.api.answers.clear();
    EXPECT_EQ(run({"--users", "10", "--members", "10,11"}), 3) << "that comes first";
}

TEST_F(Load, MakesGroupsOfAsManyAsThereAreWhereNothingElseIsSaid) {
    answer_bulk(R"({"method":"POST","location":"https://x/Users/a","status":"201"},
                   {"method":"POST","location":"https://x/Users/b","status":"201"})");
    EXPECT_EQ(run({"--users", "2", "--groups", "1", "--json"}), 0) << world_.err.str();
    EXPECT_EQ(json::parse(world_.out.str()).value().at("memberships"), 2);
}

// ---- and done -----------------------------------------------------------------------------------

TEST(LoadForReal, FillsADataDirectory) {
    auto pattern = (std::filesystem::temp_directory_path() / "muster-load-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    FakeWorld world;
    world.environment.connect = [](const app::ServeOptions& installation, bool may_make) {
        return connect(installation, may_make);
    };
    const auto run = [&](std::vector<std::string> words) {
        words.insert(words.end(), {"--data", pattern, "--json"});
        const int code = world.run(std::move(words));
        EXPECT_EQ(code, 0) << world.err.str();
        return json::parse(world.out.str()).value_or(json::Value{});
    };
    run({"org", "create", "ACME"});
    EXPECT_THAT(world.err.str(), testing::StartsWith("A new data directory was made: " + pattern));
    run({"connector", "create", "--org", "acme", "--idp", "okta"});
    EXPECT_EQ(world.err.str(), "");
    // More people than one request takes. The last group's creation is the last operation of its
    // request; two more operations with its members follow.
    run({"load", "--org", "acme", "--users", "10100", "--groups", "6", "--members",
         "10100,10100,10100,10100,5000,10100"});
    const auto org = run({"org", "show", "acme"});
    EXPECT_EQ(org.at("users"), 10'100);
    EXPECT_EQ(org.at("groups"), 6);
    std::multiset<std::int64_t> sizes;
    for (const auto& group : run({"group", "list", "--org", "acme"}).at("groups").as_array()) {
        sizes.insert(group.at("members").as_int64());
    }
    EXPECT_THAT(sizes, ElementsAre(5'000, 10'100, 10'100, 10'100, 10'100, 10'100));
    std::filesystem::remove_all(pattern);
}

}  // namespace
}  // namespace muster::cli
