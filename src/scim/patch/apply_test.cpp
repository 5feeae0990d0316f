// PATCH as clients in the field send it: sequences, notes, atomicity, limits.

#include <chrono>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/dialect/testing.hpp"
#include "scim/patch/patch.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::object;
using testing::rules;
using testing::value;

class ApplyPatch : public ::testing::Test {
  protected:
    Result<Patched> patch(const ResourceType& type, std::string_view document,
                          std::string_view operations, const PatchLimits& limits = {}) const {
        const auto before = finish_document(type, object(document));
        EXPECT_TRUE(before.has_value()) << document;
        std::vector<Note> fired;
        const auto parsed = testing::read_patch(type, value(operations), generic_dialect(), &fired);
        EXPECT_TRUE(parsed.has_value()) << operations;
        if (!before || !parsed) return std::unexpected(Error{});
        auto patched = apply_patch(type, *before, *parsed, limits);
        if (patched) patched->notes.insert(patched->notes.begin(), fired.begin(), fired.end());
        return patched;
    }

    Patched user(std::string_view document, std::string_view operations) const {
        auto patched = patch(catalog_->user(), document, operations);
        EXPECT_TRUE(patched.has_value()) << operations << '\n' << patched.error().detail;
        return patched ? *std::move(patched) : Patched{};
    }
    Patched group(std::string_view operations) const {
        auto patched = patch(catalog_->group(), R"({"displayName":"Eng"})", operations);
        EXPECT_TRUE(patched.has_value()) << operations << '\n' << patched.error().detail;
        return patched ? *std::move(patched) : Patched{};
    }
    static void expect_document(const Patched& patched, std::string_view expected) {
        EXPECT_EQ(json::to_text(patched.document), json::to_text(value(expected)));
    }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
};

// ---- users ----------------------------------------------------------------------------------

TEST_F(ApplyPatch, OktaDeactivatesWithoutAPath) {
    const Patched patched = user(R"({"userName":"ada","active":true})",
                                 R"([{"op":"replace","value":{"active":false}}])");
    EXPECT_FALSE(is_active(patched.document));
    EXPECT_THAT(patched.notes, IsEmpty());
}

TEST_F(ApplyPatch, EntraDeactivatesWithAStringAndIsNoted) {
    const Patched patched = user(R"({"userName":"ada","active":true})",
                                 R"([{"op":"Replace","path":"active","value":"False"}])");
    EXPECT_FALSE(is_active(patched.document));
    EXPECT_THAT(rules(patched.notes),
                ElementsAre("dialect:operation-case", "dialect:boolean-text"));
}

TEST_F(ApplyPatch, EntraWithTheFlagSendsDottedAndUrnKeys) {
    expect_document(
        user(R"({"userName":"ada","name":{"familyName":"K"}})",
             R"([{"op":"replace","value":{"displayName":"Ada","name.givenName":"Ada",
                 "$E:employeeNumber":"7","$E:manager.value":"m1"}},
                 {"op":"replace","path":"emails[type eq \"work\"].value","value":"a@x"}])"),
        R"({"schemas":["$U","$E"],"userName":"ada","name":{"familyName":"K","givenName":"Ada"},
            "displayName":"Ada","emails":[{"value":"a@x","type":"work"}],
            "$E":{"employeeNumber":"7","manager":{"value":"m1"}}})");
}

TEST_F(ApplyPatch, SeveralFilteredAddsLandInOneElement) {
    expect_document(
        user(R"({"userName":"ada"})",
             R"([{"op":"Add","path":"addresses[type eq \"work\"].locality","value":"Ulm"},
                 {"op":"Add","path":"addresses[type eq \"work\"].postalCode","value":"89073"},
                 {"op":"Add","path":"addresses[type eq \"work\"].primary","value":true},
                 {"op":"Add","path":"addresses[type eq \"home\"].locality","value":"Bonn"}])"),
        R"({"schemas":["$U"],"userName":"ada","addresses":[
            {"locality":"Ulm","postalCode":"89073","type":"work","primary":true},
            {"locality":"Bonn","type":"home"}]})");
}

TEST_F(ApplyPatch, AnElementMadeOfLabelsWaitsForItsValueUntilTheEnd) {
    const Patched patched =
        user(R"({"userName":"ada"})",
             R"([{"op":"add","path":"emails[type eq \"work\"].primary","value":true},
                 {"op":"add","path":"emails[type eq \"work\"].value","value":"a@x"}])");
    expect_document(patched, R"({"schemas":["$U"],"userName":"ada",
                                 "emails":[{"value":"a@x","type":"work","primary":true}]})");
    const Patched alone =
        user(R"({"userName":"ada"})",
             R"([{"op":"add","path":"emails[type eq \"work\"].primary","value":true}])");
    expect_document(alone, R"({"schemas":["$U"],"userName":"ada"})");
    EXPECT_THAT(rules(alone.notes), ElementsAre("empty-element-dropped"));
}

TEST_F(ApplyPatch, AFilteredValueIsNotCutAtASpace) {
    expect_document(user(R"({"userName":"ada"})",
                         R"([{"op":"replace","path":"addresses[type eq \"work place\"].formatted",
                  "value":"1 Main Street, Ulm"}])"),
                    R"({"schemas":["$U"],"userName":"ada",
            "addresses":[{"formatted":"1 Main Street, Ulm","type":"work place"}]})");
}

TEST_F(ApplyPatch, TheManagerComesInFourForms) {
    for (const char* sent : {R"("m2")", R"({"value":"m2"})", R"([{"value":"m2"}])", R"(["m2"])"}) {
        for (const char* op : {"Add", "Replace"}) {
            expect_document(
                user(R"({"userName":"ada","$E":{"manager":{"value":"m1","$ref":"../Users/m1"}}})",
                     fmt::format(R"([{{"op":"{}","path":"$E:manager","value":{}}}])", op, sent)),
                R"({"schemas":["$U","$E"],"userName":"ada","$E":{"manager":{"value":"m2"}}})");
        }
    }
}

TEST_F(ApplyPatch, AnEmptyStringThenNullClear) {
    const Patched patched = user(R"({"userName":"ada","title":"CTO","nickName":"A"})",
                                 R"([{"op":"Replace","path":"title","value":""},
                                     {"op":"Replace","path":"nickName","value":null}])");
    expect_document(patched, R"({"schemas":["$U"],"userName":"ada"})");
}

TEST_F(ApplyPatch, APartialReplaceOfAComplexAttributeKeepsItsSiblings) {
    expect_document(user(R"({"userName":"ada","name":{"familyName":"King","middleName":"M"}})",
                         R"([{"op":"replace","path":"name","value":{"givenName":"Ada"}}])"),
                    R"({"schemas":["$U"],"userName":"ada",
            "name":{"familyName":"King","givenName":"Ada","middleName":"M"}})");
}

TEST_F(ApplyPatch, NothingButTheNamedAttributesChanges) {
    const char* document = R"({"userName":"ada","title":"CTO","emails":[{"value":"a@x"}],
                               "active":false,"$E":{"department":"D"}})";
    for (const char* sent :
         {"{}", R"({"displayName":null})", R"({"shoeSize":1})", R"({"$E":{}})", R"({"name":{}})"}) {
        expect_document(user(document, fmt::format(R"([{{"op":"replace","value":{}}}])", sent)),
                        R"({"schemas":["$U","$E"],"userName":"ada","title":"CTO","active":false,
                "emails":[{"value":"a@x"}],"$E":{"department":"D"}})");
    }
}

TEST_F(ApplyPatch, WhatWasNotDoneToTheLetterIsNoted) {
    const Patched patched =
        user(R"({"userName":"ada"})",
             R"([{"op":"replace","value":{"id":"x","shoeSize":1,"password":"hunter2",
             "emails":{"value":"a@x"},"$E":{"manager":"m1","hat":"big"}}},
            {"op":"add","path":"roles","value":["dev"]}])");
    EXPECT_THAT(
        rules(patched.notes),
        ElementsAre("dialect:read-only-in-value", "dialect:single-value", "dialect:bare-value",
                    "unknown-attribute-dropped", "password-dropped", "unknown-attribute-dropped"));
    for (const Note& note : patched.notes) {
        EXPECT_EQ(note.text.find("hunter2"), std::string::npos);
    }
}

TEST_F(ApplyPatch, AListThatFailsLeavesNothing) {
    const json::Object before =
        *finish_document(catalog_->user(), object(R"({"userName":"ada","title":"CTO"})"));
    const json::Object copy = before;
    const auto operations = testing::read_patch(catalog_->user(), value(R"([
        {"op":"replace","path":"title","value":"CEO"},
        {"op":"remove","path":"shoeSize"}])"));
    EXPECT_FALSE(apply_patch(catalog_->user(), before, *operations).has_value());
    EXPECT_EQ(before, copy);
}

TEST_F(ApplyPatch, ErrorsNameTheAttributeAndTheWayOut) {
    const auto detail = [&](std::string_view operations) {
        const auto patched = patch(catalog_->user(), R"({"userName":"ada"})", operations);
        return patched ? std::string{} : patched.error().detail;
    };
    EXPECT_THAT(detail(R"([{"op":"replace","path":"groups","value":[]}])"),
                HasSubstr("groups is read-only. Leave it out"));
    EXPECT_THAT(detail(R"([{"op":"remove","path":"userName"}])"),
                HasSubstr("userName is required and cannot be removed"));
    EXPECT_THAT(detail(R"([{"op":"add","path":"emails[type ne \"a\"].value","value":"x"}])"),
                HasSubstr("No value of emails matches"));
    EXPECT_THAT(detail(R"([{"op":"add","path":"titel","value":"x"}])"), HasSubstr("title"));
}

TEST_F(ApplyPatch, TheNumberOfValuesIsBounded) {
    PatchLimits limits;
    limits.values.max_elements = 2;
    const auto document = R"({"userName":"ada","roles":[{"value":"a"},{"value":"b"}]})";
    for (const char* operation :
         {R"({"op":"add","path":"roles","value":[{"value":"c"}]})",
          R"({"op":"add","path":"roles[value eq \"c\"].display","value":"C"})",
          R"({"op":"replace","path":"roles","value":["c","d","e"]})"}) {
        const auto patched =
            patch(catalog_->user(), document, fmt::format("[{}]", operation), limits);
        ASSERT_FALSE(patched.has_value()) << operation;
        EXPECT_EQ(patched.error().type, ScimType::InvalidValue);
    }
    EXPECT_TRUE(patch(catalog_->user(), document, R"([{"op":"add","path":"roles","value":["b"]}])",
                      limits));
}

TEST_F(ApplyPatch, ManyUnknownNamesAreRefused) {
    std::string names;
    for (int i = 0; i < 5000; ++i) names += fmt::format("{}\"x{}\":1", i == 0 ? "" : ",", i);
    const auto patched = patch(catalog_->user(), R"({"userName":"ada"})",
                               fmt::format(R"([{{"op":"add","value":{{{}}}}}])", names));
    ASSERT_FALSE(patched.has_value());
    EXPECT_THAT(patched.error().detail, HasSubstr("More than 50 unknown attributes"));
}

TEST_F(ApplyPatch, PathsOverTheLimitsAreRefused) {
    const auto type_of_error = [&](const std::string& path) {
        const auto patched = apply_patch(
            catalog_->user(), object(R"({"userName":"ada"})"),
            {{.kind = PatchOperation::Kind::Add, .path = path, .value = json::Value("x")}});
        return patched ? ScimType::None : patched.error().type;
    };
    EXPECT_EQ(type_of_error(std::string(100'000, 'a')), ScimType::InvalidPath);
    EXPECT_EQ(type_of_error("emails[" + std::string(8000, '(')), ScimType::InvalidFilter);
    std::string dots = "a";
    for (int i = 0; i < 4000; ++i) dots += ".a";
    EXPECT_EQ(type_of_error(dots), ScimType::InvalidPath);
    EXPECT_EQ(type_of_error(std::string("title\0x", 7)), ScimType::InvalidPath);
    EXPECT_EQ(type_of_error("title\xff"), ScimType::InvalidPath);
}

// ---- groups ---------------------------------------------------------------------------------

using Ids = std::vector<std::string>;

TEST_F(ApplyPatch, OktaRemovesAndAddsMembersInOneRequest) {
    const Patched patched = group(
        R"([{"op":"remove","path":"members[value eq \"u1\"]"},
            {"op":"add","path":"members","value":[{"value":"u2","display":"test@okta.local"}]}])");
    EXPECT_FALSE(patched.members.cleared);
    EXPECT_EQ(patched.members.remove, Ids{"u1"});
    EXPECT_EQ(patched.members.add, Ids{"u2"});
    expect_document(patched, R"({"schemas":["$G"],"displayName":"Eng"})");
}

TEST_F(ApplyPatch, ARenameLeavesTheMembersAlone) {
    const Patched patched =
        group(R"([{"op":"replace","value":{"id":"abf4dd94","displayName":"Ops"}}])");
    EXPECT_TRUE(patched.members.empty());
    EXPECT_EQ(patched.document.at("displayName"), "Ops");
    EXPECT_FALSE(patched.document.contains("id"));
    EXPECT_THAT(rules(patched.notes), ElementsAre("dialect:read-only-in-value"));
}

TEST_F(ApplyPatch, PushNowOfAnEmptyGroupEmptiesItInBothForms) {
    for (const char* operation : {R"({"op":"replace","path":"members","value":[]})",
                                  R"({"op":"replace","value":{"members":[],"id":"g"}})"}) {
        const Patched patched = group(fmt::format("[{}]", operation));
        EXPECT_TRUE(patched.members.cleared);
        EXPECT_THAT(patched.members.add, IsEmpty());
    }
}

TEST_F(ApplyPatch, EntraRemovesJustTheNamedMembers) {
    const Patched patched =
        group(R"([{"op":"Remove","path":"members","value":[{"value":"u1"},{"value":"u2"}]}])");
    EXPECT_FALSE(patched.members.cleared);
    EXPECT_EQ(patched.members.remove, (Ids{"u1", "u2"}));
}

TEST_F(ApplyPatch, OperationsOnMembersFoldInOrder) {
    const Patched patched = group(
        R"([{"op":"add","path":"members","value":["a","b"]},
            {"op":"remove","path":"members[value eq \"a\"]"},
            {"op":"remove","path":"members[value eq \"c\"]"},
            {"op":"add","path":"members","value":["c"]}])");
    EXPECT_EQ(patched.members.add, (Ids{"b", "c"}));
    EXPECT_EQ(patched.members.remove, Ids{"a"});
    const Patched cleared = group(
        R"([{"op":"add","path":"members","value":["a"]},
            {"op":"replace","path":"members","value":["b","c"]},
            {"op":"remove","path":"members[value eq \"b\"]"},
            {"op":"remove","path":"members[value eq \"d\"]"}])");
    EXPECT_TRUE(cleared.members.cleared);
    EXPECT_EQ(cleared.members.add, Ids{"c"});
    EXPECT_THAT(cleared.members.remove, IsEmpty());
}

TEST_F(ApplyPatch, AMemberIdIsTakenAsItIsWritten) {
    const Patched patched = group(R"([{"op":"remove","path":"members[value eq \"ABC\"]"}])");
    EXPECT_EQ(patched.members.remove, Ids{"ABC"});
}

TEST_F(ApplyPatch, MembersInOneRequestAreBounded) {
    PatchLimits limits;
    limits.values.max_members = 3;
    const auto add = [](std::string_view ids) {
        return fmt::format(R"({{"op":"add","path":"members","value":[{}]}})", ids);
    };
    const auto type = [&](const std::string& operations) {
        const auto patched =
            patch(catalog_->group(), R"({"displayName":"E"})", "[" + operations + "]", limits);
        return patched ? ScimType::None : patched.error().type;
    };
    EXPECT_EQ(type(add(R"("a","b","c")")), ScimType::None);
    EXPECT_EQ(type(add(R"("a","b","c","d")")), ScimType::TooMany);
    EXPECT_EQ(type(add(R"("a","b")") + "," + add(R"("b","c")")), ScimType::None);
    EXPECT_EQ(type(add(R"("a","b")") + "," + add(R"("c","d")")), ScimType::TooMany);
}

TEST_F(ApplyPatch, ValuesLookedAtInOneRequestAreBounded) {
    const ResourceType& user = catalog_->user();
    const json::Object before =
        object(R"({"userName":"ada","emails":[{"value":"a@x"},{"value":"b@x","type":"work"}]})");
    const auto type = [&](std::string_view filter, std::size_t looked_at) {
        PatchOperation operation{.kind = PatchOperation::Kind::Replace,
                                 .path = fmt::format("emails[{}].display", filter),
                                 .value = json::Value("x")};
        PatchLimits limits;
        limits.max_looked_at = looked_at;
        const auto patched = apply_patch(user, before, {operation, operation}, limits);
        return patched ? ScimType::None : patched.error().type;
    };
    EXPECT_EQ(type("value pr", 4), ScimType::None);
    EXPECT_EQ(type("value pr", 3), ScimType::TooMany) << "all operations share the limit";
    EXPECT_EQ(type("value pr or type pr", 12), ScimType::None);
    EXPECT_EQ(type("value pr or type pr", 11), ScimType::TooMany);
}

/// Milliseconds for one PATCH with `count` removals, each an operation of its own.
double removal_ms(const ResourceType& type, int count) {
    std::vector<PatchOperation> operations;
    for (int i = 0; i < count; ++i) {
        operations.push_back({.kind = PatchOperation::Kind::Remove,
                              .path = fmt::format("members[value eq \"user-{:08}\"]", i),
                              .value = std::nullopt});
    }
    const json::Object before = object(R"({"displayName":"Eng"})");
    const auto start = std::chrono::steady_clock::now();
    const auto patched = apply_patch(type, before, operations);
    const auto spent = std::chrono::steady_clock::now() - start;
    EXPECT_TRUE(patched.has_value());
    EXPECT_EQ(patched->members.remove.size(), static_cast<std::size_t>(count));
    return std::chrono::duration<double, std::milli>(spent).count();
}

TEST_F(ApplyPatch, TenThousandRemovalsTakeLinearTime) {
    removal_ms(catalog_->group(), 1'000);
    const double thousand = removal_ms(catalog_->group(), 1'000);
    const double ten_thousand = removal_ms(catalog_->group(), 10'000);
    // A quadratic fold would take 100 times as long; the rest is room for a busy machine.
    EXPECT_LT(ten_thousand, thousand * 40 + 20);
}

}  // namespace
}  // namespace muster::scim
