// What no schema has, where a connector keeps it: through POST, PUT, PATCH, the log and
// projections.

#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/patch/patch.hpp"
#include "scim/projection/projection.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using ::testing::ElementsAre;
using testing::object;
using testing::rules;
using testing::value;

class Kept : public ::testing::Test {
  protected:
    Kept() { limits_.values.keep_unknown = true; }

    Result<Prepared> prepare(std::string_view body) const {
        return scim::prepare(user(), value(body), nullptr, limits_.values);
    }
    /// The document after one operation, as text; or the error.
    std::string patched(std::string_view before, std::string_view operation) const {
        const auto document = finish_document(user(), object(before));
        const auto operations = parse_patch(value(fmt::format(
            R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{}]}})",
            operation)));
        if (!document || !operations) return "test is wrong";
        const auto result = apply_patch(user(), *document, *operations, limits_);
        return result ? json::to_text(result->document) : result.error().detail;
    }
    static std::string document(std::string_view text) { return json::to_text(value(text)); }
    [[nodiscard]] const ResourceType& user() const { return catalog_->user(); }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
    PatchLimits limits_;
};

TEST_F(Kept, ABodyKeepsItAsItCame) {
    const auto prepared = prepare(R"({"schemas":["$U"],"userName":"ada","badge":{"n":[1,"x"]},
        "$E":{"hat":"big"},"urn:x:Desk":{"floor":3},"gone":null,"password":"p"})");
    ASSERT_TRUE(prepared);
    EXPECT_EQ(json::to_text(prepared->document),
              document(R"({"schemas":["$U","$E"],"userName":"ada","active":true,"$E":{"hat":"big"},
                           "badge":{"n":[1,"x"]},"urn:x:Desk":{"floor":3}})"));
    EXPECT_THAT(rules(prepared->notes),
                ElementsAre("password-dropped", "unknown-attribute-kept", "unknown-attribute-kept",
                            "unknown-attribute-kept"));
}

TEST_F(Kept, SubAttributesOfWhatASchemaHasAreDropped) {
    const auto prepared =
        prepare(R"({"schemas":["$U"],"userName":"ada","name":{"nick":"A","givenName":"Ada"}})");
    ASSERT_TRUE(prepared);
    EXPECT_EQ(json::to_text(prepared->document.at("name")), R"({"givenName":"Ada"})");
    EXPECT_THAT(rules(prepared->notes), ElementsAre("unknown-attribute-dropped"));
}

TEST_F(Kept, PatchSetsAndRemovesItByName) {
    const std::string_view ada = R"({"userName":"ada","badge":7,"$E":{"hat":"big"}})";
    const auto with = [](std::string_view rest) {
        return document(fmt::format(R"({{"schemas":["$U"],"userName":"ada"{}}})", rest));
    };
    const auto with_extension = [](std::string_view rest) {
        return document(fmt::format(R"({{"schemas":["$U","$E"],"userName":"ada"{}}})", rest));
    };
    EXPECT_EQ(patched(ada, R"({"op":"replace","value":{"BADGE":8,"desk":"d"}})"),
              with_extension(R"(,"$E":{"hat":"big"},"badge":8,"desk":"d")"));
    EXPECT_EQ(patched(ada, R"({"op":"add","path":"badge","value":[9]})"),
              with_extension(R"(,"$E":{"hat":"big"},"badge":[9])"));
    EXPECT_EQ(patched(ada, R"({"op":"remove","path":"badge"})"),
              with_extension(R"(,"$E":{"hat":"big"})"));
    EXPECT_EQ(patched(ada, R"({"op":"remove","path":"$E:hat"})"), with(R"(,"badge":7)"));
    EXPECT_EQ(patched(ada, R"({"op":"replace","path":"$E:hat","value":"small"})"),
              with_extension(R"(,"$E":{"hat":"small"},"badge":7)"));
    EXPECT_EQ(patched(ada, R"({"op":"add","path":"urn:x:Desk:floor","value":3})"),
              with_extension(R"(,"$E":{"hat":"big"},"badge":7,"urn:x:Desk":{"floor":3})"));
}

TEST_F(Kept, AUrnIsTakenApartAtItsLastColon) {
    const std::string_view ada = R"({"userName":"ada","urn:x:Desk:2.0":{"floor":3,"seat":"a"}})";
    EXPECT_EQ(patched(ada, R"({"op":"remove","path":"urn:x:Desk:2.0:seat"})"),
              document(R"({"schemas":["$U"],"userName":"ada","urn:x:Desk:2.0":{"floor":3}})"));
    EXPECT_EQ(patched(ada, R"({"op":"remove","path":"urn:x:Desk:2.0"})"),
              document(R"({"schemas":["$U"],"userName":"ada"})"));
    EXPECT_EQ(patched(ada, R"({"op":"replace","path":"urn:x:Desk:2.0","value":{"floor":4}})"),
              document(R"({"schemas":["$U"],"userName":"ada","urn:x:Desk:2.0":{"floor":4}})"));
}

TEST_F(Kept, NothingIsKnownOfItsParts) {
    const std::string_view ada = R"({"userName":"ada","badge":{"n":1}})";
    for (const char* path : {"badge.n", "badge[n eq 1]", "name.nick", "emails.nick", "bad ge"}) {
        EXPECT_THAT(patched(ada, fmt::format(R"({{"op":"replace","path":"{}","value":2}})", path)),
                    ::testing::Not(::testing::StartsWith("{")))
            << path;
    }
}

TEST_F(Kept, IsBoundedWhateverComes) {
    std::string many = R"({"schemas":["$U"],"userName":"ada")";
    for (int i = 0; i < 51; ++i) many += fmt::format(R"(,"n{}":1)", i);
    const auto too_many = prepare(many + "}");
    ASSERT_FALSE(too_many);
    EXPECT_EQ(too_many.error().type, ScimType::InvalidValue);
    EXPECT_FALSE(prepare(fmt::format(R"({{"schemas":["$U"],"userName":"ada","n":"{}"}})",
                                     std::string(17'000, 'x'))));
    EXPECT_FALSE(
        patched(R"({"userName":"ada"})",
                fmt::format(R"({{"op":"add","path":"n","value":"{}"}})", std::string(17'000, 'x')))
            .starts_with("{"));
}

TEST_F(Kept, APasswordIsNeverKept) {
    const auto group = scim::prepare(
        catalog_->group(), value(R"({"schemas":["$G"],"displayName":"Eng","PassWord":"hunter2"})"),
        nullptr, limits_.values);
    ASSERT_TRUE(group);
    EXPECT_EQ(json::to_text(group->document).find("hunter2"), std::string::npos);
}

TEST_F(Kept, TheLogTellsItsChanges) {
    const auto before = object(R"({"userName":"ada","badge":7,"gone":true,"$E":{"hat":"big"}})");
    const auto after = object(R"({"userName":"ada","badge":8,"$E":{"hat":"small"},"new":"n"})");
    std::vector<std::string> told;
    for (const Change& change : diff(user(), before, after)) {
        told.push_back(fmt::format("{} {} {}", change.path, change.before, change.after));
    }
    EXPECT_THAT(told, ElementsAre(testing::expand(R"($E:hat "big" "small")"), "badge 7 8",
                                  R"(new  "n")", "gone true "));
}

TEST_F(Kept, IsReturnedByDefaultAndByName) {
    const auto shown = [this](std::string_view attributes, std::string_view excluded) {
        auto ada = object(R"({"userName":"ada","$E":{"hat":"big","department":"D"},"badge":7})");
        const auto projection =
            Projection::parse(user(), testing::expand(attributes), testing::expand(excluded));
        EXPECT_TRUE(projection);
        if (projection) projection->apply(user(), ada);
        return json::to_text(ada);
    };
    EXPECT_EQ(shown("", ""),
              document(R"({"userName":"ada","$E":{"hat":"big","department":"D"},"badge":7})"));
    EXPECT_EQ(shown("userName", ""), document(R"({"userName":"ada"})"));
    EXPECT_EQ(shown("Badge", ""), document(R"({"badge":7})"));
    EXPECT_EQ(shown("$E:hat", ""), document(R"({"$E":{"hat":"big"}})"));
    EXPECT_EQ(shown("$E", ""), document(R"({"$E":{"hat":"big","department":"D"}})"));
    EXPECT_EQ(shown("", "badge,$E:hat"), document(R"({"userName":"ada","$E":{"department":"D"}})"));
}

}  // namespace
}  // namespace muster::scim
