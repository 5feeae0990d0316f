#include "service/pieces.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service/testing.hpp"

namespace muster::service {
namespace {

using ::testing::HasSubstr;

constexpr int kPeople = 2500;
/// A piece, and a slice of members more.
constexpr std::size_t kMostBytes = 512 * 1024;

class PiecesTest : public ServiceTest {
  protected:
    PiecesTest() {
        for (int i = 0; i < kPeople; ++i) {
            people_.push_back(id(create(users_, user(fmt::format("user{}", i)))));
        }
    }

    std::string group_of(int begin, int end) {
        std::string members;
        for (int i = begin; i < end; ++i) {
            members += (i > begin ? "," : "") + member(people_[static_cast<std::size_t>(i)]);
        }
        return id(create(groups_, group(fmt::format("g{}", ++groups_made_), "[" + members + "]")));
    }
    scim::Projection only(std::string_view attributes) {
        return scim::Projection::parse(groups_, attributes, {}).value();
    }
    scim::Result<Answer> show(const std::string& id, scim::Projection projection = {}) {
        auto by = call();
        return wait(resources_.get(by, groups_, id, std::move(projection)));
    }
    scim::Result<Answer> list(ListRequest request) {
        auto by = call();
        const std::array<const scim::ResourceType*, 1> types{&groups_};
        return wait(query_.list(by, types, std::move(request)));
    }
    /// The whole body of an answer that comes in pieces.
    json::Object all_of(const scim::Result<Answer>& answer) {
        EXPECT_TRUE(answer && answer->rest) << "it came whole";
        if (!answer) return {};
        std::string text = answer->body;
        EXPECT_LT(text.size(), kMostBytes);
        while (answer->rest) {
            const auto piece = wait(answer->rest->next());
            EXPECT_TRUE(piece);
            if (!piece || piece->empty()) break;
            EXPECT_LT(piece->size(), kMostBytes);
            text += *piece;
        }
        const auto parsed = json::parse(text);
        EXPECT_TRUE(parsed) << text.substr(0, 1000);
        return parsed ? parsed->get_object() : json::Object{};
    }
    bool is_broken_off(const Answer& answer) {
        while (true) {
            const auto piece = wait(answer.rest->next());
            if (!piece) return true;
            if (piece->empty()) return false;
        }
    }
    static std::vector<std::string> values(const json::Object& group) {
        std::vector<std::string> values;
        for (const auto& one : group.at("members").as_array()) {
            values.emplace_back(json::string_or_empty(one.as_object(), "value"));
        }
        return values;
    }

    std::vector<std::string> people_;
    int groups_made_ = 0;
};

TEST_F(PiecesTest, AGroupShowsEachOfItsMembersOnce) {
    const auto large = group_of(0, kPeople);
    const auto answer = show(large);
    EXPECT_EQ(answer->etag, "W/\"1\"") << "with the first piece";
    const auto whole = all_of(answer);
    EXPECT_EQ(values(whole), people_);
    EXPECT_EQ(whole.at("displayName"), "g1");
    EXPECT_EQ(whole.at("meta").at("version"), "W/\"1\"");
    EXPECT_EQ(whole.at("members").at(0).at("type"), "User");
    EXPECT_EQ(json::string_or_empty(whole.at("members").at(0).as_object(), "$ref"),
              "https://x/scim/v2/Users/" + people_.front());

    const auto small = body(show(group_of(0, 900)));
    EXPECT_EQ(values(small).size(), 900U) << "what is short comes whole";
}

TEST_F(PiecesTest, AProjectionHoldsForEachPiece) {
    const auto large = group_of(0, kPeople);
    const auto whole = body(show(large, only("members.value")));
    EXPECT_EQ(values(whole), people_);
    for (const auto& one : whole.at("members").as_array()) ASSERT_EQ(one.as_object().size(), 1U);
    EXPECT_FALSE(whole.contains("displayName"));
    EXPECT_TRUE(whole.contains("id"));

    const auto without = show(large, scim::Projection::parse(groups_, "", "members").value());
    EXPECT_FALSE(body(without).contains("members"));
    EXPECT_FALSE(without->rest);
}

TEST_F(PiecesTest, APageOfGroupsIsHeldPieceByPiece) {
    const std::vector<std::string> groups{group_of(0, kPeople), group_of(0, 3), group_of(500, 2000),
                                          group_of(7, 7), group_of(0, 1001)};
    const auto page = all_of(list({}));
    EXPECT_EQ(page.at("totalResults"), 5);
    EXPECT_EQ(page.at("itemsPerPage"), 5);
    const auto& resources = page.at("Resources").as_array();
    ASSERT_EQ(resources.size(), 5U);
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(json::string_or_empty(resources[i].as_object(), "id"), groups[i]);
        sizes.push_back(values(resources[i].as_object()).size());
    }
    EXPECT_EQ(sizes, (std::vector<std::size_t>{kPeople, 3, 1500, 0, 1001}));

    const auto walk = all_of(list({.count = 2, .cursor = ""}));
    EXPECT_EQ(walk.at("Resources").as_array().size(), 2U);
    EXPECT_TRUE(walk.contains("nextCursor"));
}

TEST_F(PiecesTest, WhatIsKeptForLaterPiecesIsKnownAndGoesWithThem) {
    constexpr std::size_t kText = 60'000;
    for (int i = 0; i < 20; ++i) {
        const auto text = fmt::format(R"(,"displayName":"{}")", std::string(kText, 'x'));
        ASSERT_TRUE(create(users_, user(fmt::format("fat{}", i), text)));
    }
    auto by = call();
    const std::array<const scim::ResourceType*, 1> types{&users_};
    const auto answer = wait(query_.list(by, types, {.filter = R"(userName sw "fat")"}));
    ASSERT_TRUE(answer && answer->rest);
    std::size_t left = 20 * kText - answer->body.size();
    for (std::string piece = "first"; !piece.empty();) {
        EXPECT_GE(answer->rest->held() + kText, left);
        EXPECT_LE(answer->rest->held(), left + kText);
        piece = wait(answer->rest->next()).value_or("");
        left -= std::min(left, piece.size());
    }
    EXPECT_EQ(left, 0U);
    EXPECT_EQ(answer->rest->held(), 0U);
}

TEST_F(PiecesTest, WhoStaysAMemberMeanwhileIsShownOnce) {
    const auto large = group_of(0, kPeople - 1);
    const auto answer = show(large);
    ASSERT_TRUE(answer && answer->rest);
    const auto gone = {people_[1], people_[2400]};
    for (const auto& one : gone) {
        ASSERT_TRUE(
            patch(groups_, large,
                  fmt::format(R"([{{"op":"remove","path":"members[value eq \"{}\"]"}}])", one)));
    }
    ASSERT_TRUE(patch(
        groups_, large,
        fmt::format(R"([{{"op":"add","path":"members","value":[{}]}}])", member(people_.back()))));
    const auto shown = values(all_of(answer));
    const std::set<std::string> once(shown.begin(), shown.end());
    EXPECT_EQ(once.size(), shown.size());
    for (const auto& one : people_) {
        const bool stayed = std::ranges::find(gone, one) == gone.end() && one != people_.back();
        EXPECT_TRUE(!stayed || once.contains(one)) << one;
    }
}

TEST_F(PiecesTest, AnAnswerIsBrokenOffWhereItsGroupGoes) {
    const auto large = group_of(0, kPeople);
    const auto answer = show(large);
    const auto page = list({});
    ASSERT_TRUE(answer && answer->rest && page && page->rest);
    auto by = call();
    ASSERT_TRUE(wait(resources_.remove(by, groups_, large)));
    for (const auto& one : {answer, page}) EXPECT_TRUE(is_broken_off(*one));
}

TEST_F(PiecesTest, AnAnswerIsBrokenOffWhereWhoAskedMayNoLonger) {
    const auto large = group_of(0, kPeople);
    auto by = call();
    const auto answer = wait(resources_.get(by, groups_, large, {}));
    ASSERT_TRUE(answer && answer->rest);
    ASSERT_TRUE(wait(directory_.set_token_active(by.principal.token_id, false)));
    EXPECT_TRUE(is_broken_off(*answer));
}

TEST_F(PiecesTest, AnAnswerToAWriteIsHeldPieceByPieceToo) {
    const auto large = group_of(0, kPeople);
    auto by = call();
    const auto answer = wait(resources_.replace(by, groups_, large, group("renamed", "null"), {}));
    const auto whole = all_of(answer);
    EXPECT_EQ(whole.at("displayName"), "renamed");
    EXPECT_EQ(values(whole).size(), people_.size());
}

TEST_F(PiecesTest, AFilterThatWouldHoldTooManyMembersIsRefused) {
    group_of(0, 1500);
    core_.limits.max_members_held = 1200;
    const std::string filter = R"(members.value ne "x")";
    const auto refused = list({.filter = filter});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().type, scim::ScimType::TooMany);
    EXPECT_THAT(refused.error().detail, HasSubstr("more than 1200 members"));
    EXPECT_THAT(refused.error().detail, HasSubstr("excludedAttributes=members"));
    core_.limits.max_members_held = 1500;
    EXPECT_TRUE(list({.filter = filter}));
}

TEST_F(PiecesTest, MembersWhoAreLookedForAreFoundInAGroupOfAnySize) {
    const auto large = group_of(0, 1500);
    const auto small = group_of(0, 3);
    core_.limits.max_members_held = 1200;
    const auto& first = people_[0];
    const auto& last = people_[1499];
    const auto& outside = people_[1500];
    const auto found = [&](const std::string& filter) {
        const auto page = body(list({.filter = filter, .excluded_attributes = "members"}));
        std::vector<std::string> ids;
        for (const auto& one : page.at("Resources").as_array()) {
            ids.emplace_back(json::string_or_empty(one.as_object(), "id"));
        }
        return ids;
    };
    using Ids = std::vector<std::string>;
    const auto is = [](std::string_view id) { return fmt::format(R"(members.value eq "{}")", id); };
    EXPECT_EQ(found(fmt::format(R"(id eq "{}" and {})", large, is(last))), Ids{large});
    EXPECT_EQ(found(fmt::format(R"(id eq "{}" and {})", large, is(outside))), Ids{});
    EXPECT_EQ(found(fmt::format("not ({})", is(last))), Ids{small});
    EXPECT_EQ(found(fmt::format("{} and {}", is(first), is(last))), Ids{large});
    EXPECT_EQ(found(fmt::format("{} or {}", is(outside), is("nobody"))), Ids{});
    EXPECT_EQ(found(fmt::format(R"(displayName sw "g" and members[value eq "{}"])", last)),
              Ids{large});
    EXPECT_FALSE(list({.filter = fmt::format(R"(members[not (value eq "{}")])", last)}))
        << "which asks for any other";
}

}  // namespace
}  // namespace muster::service
