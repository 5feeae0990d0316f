#include <array>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/dialect/dialect.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::object;
using testing::rules;
using testing::value;

class Prepare : public ::testing::Test {
  protected:
    const ResourceType& user() const { return catalog_->user(); }
    const ResourceType& group() const { return catalog_->group(); }

    /// A user's body that is complete but for what is added to it.
    static std::string user_with(std::string_view members) {
        return complete(R"({"schemas":["$U"],"userName":"ada")", members);
    }
    static std::string group_with(std::string_view members) {
        return complete(R"({"schemas":["$G"],"displayName":"Eng")", members);
    }

    static std::string complete(std::string_view start, std::string_view members) {
        return fmt::format("{}{}{}}}", start, members.empty() ? "" : ",", members);
    }

    Prepared accepted(const ResourceType& type, std::string_view body,
                      const json::Object* current = nullptr) const {
        auto prepared = prepare_generic(type, value(body), current);
        EXPECT_TRUE(prepared.has_value()) << body << '\n' << prepared.error().detail;
        // To the same end as a document that was changed.
        if (prepared) {
            const auto finished = finish_document(type, prepared->document);
            EXPECT_TRUE(finished.has_value()) << finished.error().detail;
            if (finished) {
                EXPECT_EQ(json::to_text(*finished), json::to_text(prepared->document));
            }
        }
        return prepared ? *std::move(prepared) : Prepared{};
    }

    /// As a connector of the generic dialect hands it over; what the bare core refuses of that
    /// stands in WhatNoDialectRewroteIsRefused.
    static Result<Prepared> prepare_generic(const ResourceType& type, json::Value body,
                                            const json::Object* current,
                                            const PrepareLimits& limits = {}) {
        std::vector<Note> fired;
        const ClientRequest request{.verb = Verb::Create, .type = type, .body = &body};
        if (const auto rewritten = generic_dialect().rewrite(request, fired); !rewritten) {
            return std::unexpected(rewritten.error());
        }
        auto prepared = prepare(type, body, current, limits);
        if (prepared) {
            prepared->notes.insert(prepared->notes.begin(), fired.begin(), fired.end());
        }
        return prepared;
    }

    std::string document(std::string_view body, const json::Object* current = nullptr) const {
        return json::to_text(accepted(user(), body, current).document);
    }

    Error refused(const ResourceType& type, std::string_view body,
                  const json::Object* current = nullptr, const PrepareLimits& limits = {}) const {
        const auto prepared = prepare_generic(type, value(body), current, limits);
        EXPECT_FALSE(prepared.has_value()) << body;
        return prepared ? Error{} : prepared.error();
    }

    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
    testing::Gadgets gadgets_;
};

TEST_F(Prepare, TheBodyThatOktaSendsGivesADocumentInTheOrderOfTheSchema) {
    const Prepared prepared = accepted(user(), R"({
        "schemas":["$U","$E"],
        "userName":"test.user@okta.local","name":{"givenName":"Test","familyName":"User"},
        "emails":[{"primary":true,"value":"test.user@okta.local","type":"work"}],
        "$E":{"department":"R&D"},
        "displayName":"Test User","locale":"en-US","externalId":"00ujl29u0le5T6Aj10h7",
        "groups":[],"password":"1mz050nq","active":true})");
    EXPECT_EQ(json::to_text(prepared.document), json::to_text(value(R"({
        "schemas":["$U","$E"],"externalId":"00ujl29u0le5T6Aj10h7",
        "userName":"test.user@okta.local","name":{"familyName":"User","givenName":"Test"},
        "displayName":"Test User","locale":"en-US","active":true,
        "emails":[{"value":"test.user@okta.local","type":"work","primary":true}],
        "$E":{"department":"R&D"}})")));
    EXPECT_THAT(rules(prepared.notes), ElementsAre("password-dropped"));
    EXPECT_EQ(prepared.notes.front().text, "password was accepted and dropped: it is not stored.");
    EXPECT_FALSE(prepared.members.has_value());
}

TEST_F(Prepare, ThePasswordStandsNeitherInTheDocumentNorInANote) {
    const Prepared prepared = accepted(user(), user_with(R"("Password":"hunter2-s3cret")"));
    std::string everything = json::to_text(prepared.document);
    for (const Note& note : prepared.notes) everything += note.rule + note.text;
    EXPECT_EQ(everything.find("hunter2"), std::string::npos);
}

TEST_F(Prepare, NamesInAnyCaseGetTheSpellingOfTheSchema) {
    EXPECT_EQ(
        document(R"({"Schemas":["$U"],"USERNAME":"Ada","Name":{"GIVENNAME":"A"},
                           "EMAILS":[{"VALUE":"a@x","Primary":true}],
                           "URN:ietf:params:scim:schemas:EXTENSION:enterprise:2.0:user":
                               {"Department":"D","MANAGER":{"Value":"m1"}}})"),
        json::to_text(value(R"({"schemas":["$U","$E"],"userName":"Ada","name":{"givenName":"A"},
                  "active":true,"emails":[{"value":"a@x","primary":true}],
                  "$E":{"department":"D","manager":{"value":"m1"}}})")));
}

TEST_F(Prepare, WhatIsUnassignedIsAbsent) {
    EXPECT_EQ(document(user_with(R"("title":null,"nickName":"","emails":[],"roles":[{}],
                                    "phoneNumbers":[{"type":"work","value":""},null],
                                    "name":{"givenName":null},"$E":{"manager":null})")),
              json::to_text(value(R"({"schemas":["$U"],"userName":"ada","active":true})")));
}

struct Correction {
    const char* sent;
    const char* stored;
    const char* rule;
};

TEST_F(Prepare, ToleratedFormsAreCorrectedAndNoted) {
    constexpr std::array kCorrections = {
        Correction{R"("active":"True")", R"("active":true)", "dialect:boolean-text"},
        Correction{R"("active":"False")", R"("active":false)", "dialect:boolean-text"},
        Correction{R"("active":"fALSE")", R"("active":false)", "dialect:boolean-text"},
        Correction{R"("emails":{"value":"a@x"})", R"("active":true,"emails":[{"value":"a@x"}])",
                   "dialect:single-value"},
        Correction{R"("emails":["a@x"])", R"("active":true,"emails":[{"value":"a@x"}])",
                   "dialect:bare-value"},
        Correction{R"("$E":{"manager":"m1"})", R"("active":true,"$E":{"manager":{"value":"m1"}})",
                   "dialect:bare-value"},
        Correction{R"("$E":{"manager":[{"value":"m1"}]})",
                   R"("active":true,"$E":{"manager":{"value":"m1"}})", "dialect:array-of-one"},
        Correction{R"("$E":{"manager":{"value":"m1","displayName":"Bo"}})",
                   R"("active":true,"$E":{"manager":{"value":"m1"}})", "read-only-ignored"},
        Correction{R"("shoeSize":44)", R"("active":true)", "unknown-attribute-dropped"},
        Correction{R"("name":{"nick":"A"})", R"("active":true)", "unknown-attribute-dropped"},
        Correction{R"("$E":{"shoeSize":44})", R"("active":true)", "unknown-attribute-dropped"},
        Correction{R"("urn:okta:custom:1.0":{"a":1})", R"("active":true)",
                   "unknown-attribute-dropped"},
        Correction{R"("id":"mine")", R"("active":true)", "read-only-ignored"},
        Correction{R"("phoneNumbers":[{"type":"work","primary":true}])", R"("active":true)",
                   "empty-element-dropped"},
    };
    for (const Correction& correction : kCorrections) {
        const Prepared prepared = accepted(user(), user_with(correction.sent));
        const bool extended = std::string_view{correction.stored}.find("$E") != std::string::npos;
        const std::string expected = std::string{R"({"schemas":["$U")"} +
                                     (extended ? R"(,"$E"])" : "]") + R"(,"userName":"ada",)" +
                                     correction.stored + "}";
        EXPECT_EQ(json::to_text(prepared.document), json::to_text(value(expected)))
            << correction.sent;
        EXPECT_THAT(rules(prepared.notes), ElementsAre(correction.rule)) << correction.sent;
    }
}

TEST_F(Prepare, WhatNoDialectRewroteIsRefused) {
    for (const char* sent : {R"("active":"True")", R"("emails":{"value":"a@x"})",
                             R"("emails":["a@x"])", R"("title":["CTO"])",
                             R"("$E":{"manager":"m1"})", R"("$E":{"manager":[{"value":"m1"}]})"}) {
        const auto prepared = prepare(user(), value(user_with(sent)), nullptr);
        ASSERT_FALSE(prepared.has_value()) << sent;
        EXPECT_EQ(prepared.error().type, ScimType::InvalidValue) << sent;
    }
    for (const char* sent : {R"("members":["a"])", R"("members":{"value":"a"})"}) {
        EXPECT_FALSE(prepare(group(), value(group_with(sent)), nullptr).has_value()) << sent;
    }
    EXPECT_FALSE(prepare(user(), value(R"({"schemas":"$U","userName":"a"})"), nullptr).has_value());
}

TEST_F(Prepare, WhatEveryClientEchoesIsIgnoredWithoutANote) {
    const json::Object current =
        object(R"({"schemas":["$U"],"id":"u1","userName":"ada","active":true})");
    const Prepared prepared = accepted(
        user(), user_with(R"("id":"u1","meta":{"resourceType":"User"},"groups":[{"value":"g1"}])"),
        &current);
    EXPECT_EQ(json::to_text(prepared.document), json::to_text(current));
    EXPECT_THAT(prepared.notes, IsEmpty());
}

TEST_F(Prepare, AnIdOfTheClientsChoiceOverwritesNothing) {
    EXPECT_FALSE(accepted(user(), user_with(R"("id":"victim")")).document.contains("id"));
    const json::Object current = object(R"({"schemas":["$U"],"id":"u1","userName":"ada"})");
    const Prepared prepared = accepted(user(), user_with(R"("id":"victim")"), &current);
    EXPECT_EQ(prepared.document.at("id"), "u1");
    EXPECT_THAT(rules(prepared.notes), ElementsAre("read-only-ignored"));
}

struct Refusal {
    const char* sent;
    ScimType type;
    const char* named;  ///< part of the detail
};

TEST_F(Prepare, WrongTypesAreRefusedByName) {
    constexpr std::array kRefusals = {
        Refusal{R"("externalId":1)", ScimType::InvalidValue, "externalId must be a string"},
        Refusal{R"("externalId":{"a":1})", ScimType::InvalidValue, "externalId"},
        Refusal{R"("title":true)", ScimType::InvalidValue, "title must be a string"},
        Refusal{R"("title":["a","b"])", ScimType::InvalidValue, "title has a single value"},
        Refusal{R"("active":1)", ScimType::InvalidValue, "active must be true or false"},
        Refusal{R"("active":"yes")", ScimType::InvalidValue, "without quotation marks"},
        Refusal{R"("name":"Ada")", ScimType::InvalidValue, "name must be an object"},
        Refusal{R"("name":{"givenName":7})", ScimType::InvalidValue, "name.givenName"},
        Refusal{R"("emails":7)", ScimType::InvalidValue, "emails must be an object"},
        Refusal{R"("emails":[[{"value":"a"}]])", ScimType::InvalidValue, "emails"},
        Refusal{R"("emails":[{"value":7}])", ScimType::InvalidValue, "emails.value"},
        Refusal{R"("emails":[{"value":"a","primary":"maybe"}])", ScimType::InvalidValue,
                "emails.primary"},
        Refusal{R"("emails":[{"value":"a","primary":true},{"value":"b","primary":true}])",
                ScimType::InvalidValue, "emails has 2 values marked as primary"},
        Refusal{R"("addresses":["Ulm"])", ScimType::InvalidValue, "addresses"},
        Refusal{R"("$E":"x")", ScimType::InvalidValue, "enterprise:2.0:User must be an object"},
        Refusal{R"("$E":{"department":7})", ScimType::InvalidValue, "User:department"},
        Refusal{R"("$E":{"manager":7})", ScimType::InvalidValue, "User:manager"},
        Refusal{R"("$E":{"manager":{"value":7}})", ScimType::InvalidValue, "User:manager.value"},
        Refusal{R"("x509Certificates":[{"value":"<xml>"}])", ScimType::InvalidValue, "base 64"},
    };
    for (const Refusal& refusal : kRefusals) {
        const Error error = refused(user(), user_with(refusal.sent));
        EXPECT_EQ(error.type, refusal.type) << refusal.sent;
        EXPECT_EQ(error.status, 400);
        EXPECT_THAT(error.detail, HasSubstr(refusal.named)) << refusal.sent;
    }
}

TEST_F(Prepare, ABodyThatIsNoResourceIsRefused) {
    for (const char* body : {"[]", "null", "7", R"("ada")", "true", R"([{"userName":"ada"}])"}) {
        EXPECT_EQ(refused(user(), body).type, ScimType::InvalidSyntax) << body;
    }
}

TEST_F(Prepare, SchemasMustNameTheCoreSchema) {
    for (const char* body : {
             R"({"userName":"ada"})",
             R"({"schemas":null,"userName":"ada"})",
             R"({"schemas":[],"userName":"ada"})",
             R"({"schemas":["$E"],"userName":"ada"})",
             R"({"schemas":["$G"],"userName":"ada"})",
             R"({"schemas":[7],"userName":"ada"})",
             R"({"schemas":{"a":"$U"},"userName":"ada"})",
         }) {
        const Error error = refused(user(), body);
        EXPECT_EQ(error.type, ScimType::InvalidValue) << body;
        EXPECT_THAT(error.detail, HasSubstr(std::string{kUserSchema})) << body;
    }
}

TEST_F(Prepare, SchemasMayNameOthersAndAreRecomputed) {
    EXPECT_EQ(document(R"({"schemas":["urn:x","$E","$U"],"userName":"ada"})"),
              json::to_text(value(R"({"schemas":["$U"],"userName":"ada","active":true})")));
    EXPECT_EQ(document(R"({"schemas":"$U","userName":"ada","$E":{"division":"D"}})"),
              json::to_text(value(R"({"schemas":["$U","$E"],"userName":"ada","active":true,
                                      "$E":{"division":"D"}})")));
}

TEST_F(Prepare, ARequiredAttributeMayNotBeMissing) {
    for (const char* body :
         {R"({"schemas":["$U"]})", R"({"schemas":["$U"],"userName":null})",
          R"({"schemas":["$U"],"userName":""})", R"({"schemas":["$U"],"userName":" \t"})"}) {
        const Error error = refused(user(), body);
        EXPECT_EQ(error.type, ScimType::InvalidValue) << body;
        EXPECT_THAT(error.detail, HasSubstr("userName")) << body;
    }
    EXPECT_EQ(refused(group(), R"({"schemas":["$G"]})").type, ScimType::InvalidValue);
}

TEST_F(Prepare, IdentifiersHoldNoControlCharactersOrOverridesOfDirection) {
    for (const char* name :
         {R"("a\u0007b")", R"("a\u202eb")", R"("a\u2066b")", R"("a\nb")", R"("a\u0085b")"}) {
        const Error error =
            refused(user(), std::string{R"({"schemas":["$U"],"userName":)"} + name + "}");
        EXPECT_THAT(error.detail, HasSubstr("U+")) << name;
    }
    // Names of people may be written with marks of direction.
    accepted(user(), user_with("\"displayName\":\"\\u202b\\u05d0\\u202c\""));
}

TEST_F(Prepare, NumbersInStringsStayText) {
    for (const char* id : {"1", "0", "-1", "01", "1.0"}) {
        const Prepared prepared =
            accepted(user(), user_with(R"("externalId":")" + std::string{id} + '"'));
        EXPECT_EQ(prepared.document.at("externalId"), id);
    }
}

TEST_F(Prepare, LimitsHoldForEachValue) {
    const PrepareLimits limits{
        .max_value_bytes = 10, .max_identifier_bytes = 5, .max_elements = 2, .max_members = 2};
    EXPECT_TRUE(prepare(user(), value(user_with(R"("title":"0123456789")")), nullptr, limits));
    EXPECT_THAT(refused(user(), user_with(R"("title":"0123456789a")"), nullptr, limits).detail,
                HasSubstr("title is 11 bytes long; at most 10"));
    EXPECT_THAT(
        refused(user(), R"({"schemas":["$U"],"userName":"abcdef"})", nullptr, limits).detail,
        HasSubstr("userName is 6 bytes long; at most 5"));
    EXPECT_THAT(refused(user(), user_with(R"("roles":["a","b","c"])"), nullptr, limits).detail,
                HasSubstr("roles has 3 values; at most 2"));
    EXPECT_EQ(refused(group(), group_with(R"("members":["a","b","c"])"), nullptr, limits).type,
              ScimType::TooMany);
    EXPECT_THAT(refused(group(), group_with(R"("members":["abcdef"])"), nullptr, limits).detail,
                HasSubstr("6 bytes"));
}

TEST_F(Prepare, NotesStopAtFifty) {
    std::string members;
    for (int i = 0; i < 2000; ++i) {
        members += (i == 0 ? "" : ",") + ("\"x" + std::to_string(i)) + "\":1";
    }
    EXPECT_EQ(accepted(user(), user_with(members)).notes.size(), 50U);
}

TEST_F(Prepare, AnUnknownAttributeIsNotedBesideAnyNumberOfOthers) {
    std::string emails;
    for (int i = 0; i < 60; ++i) emails += R"({"type":"x"},)";
    emails.pop_back();
    for (const char* unknown : {R"("bogus":1)", R"("$E":{"bogus":1})"}) {
        const auto prepared =
            accepted(user(), user_with(fmt::format(R"("emails":[{}],{})", emails, unknown)));
        EXPECT_EQ(prepared.notes.size(), 50U);
        EXPECT_THAT(rules(prepared.notes), Contains("unknown-attribute-dropped")) << unknown;
    }
}

TEST_F(Prepare, ActiveIsTrueWhereACreateLeavesItOut) {
    EXPECT_TRUE(is_active(accepted(user(), user_with("")).document));
    EXPECT_TRUE(is_active(accepted(user(), user_with(R"("active":null)")).document));
    EXPECT_FALSE(is_active(accepted(user(), user_with(R"("active":false)")).document));
    EXPECT_FALSE(accepted(group(), group_with("")).document.contains("active"));
}

TEST_F(Prepare, AnOmissionNeverSwitchesAPersonOnOrOff) {
    const json::Object off = object(R"({"schemas":["$U"],"userName":"ada","active":false})");
    const json::Object on = object(R"({"schemas":["$U"],"userName":"ada","active":true})");
    for (const char* body : {"", R"("active":null)", R"("active":"")"}) {
        EXPECT_FALSE(is_active(accepted(user(), user_with(body), &off).document)) << body;
        EXPECT_TRUE(is_active(accepted(user(), user_with(body), &on).document)) << body;
    }
    EXPECT_TRUE(is_active(accepted(user(), user_with(R"("active":true)"), &off).document));
}

TEST_F(Prepare, PutDropsWhatItLeavesOut) {
    const json::Object current = object(R"({"schemas":["$U","$E"],"id":"u1","externalId":"e",
        "userName":"ada","title":"CTO","active":true,"emails":[{"value":"a@x"}],
        "$E":{"department":"D"}})");
    EXPECT_EQ(document(user_with(R"("title":"CEO")"), &current),
              json::to_text(value(R"({"schemas":["$U"],"id":"u1","userName":"ada","title":"CEO",
                                      "active":true})")));
}

TEST_F(Prepare, PutKeepsReadOnlyAndImmutableValues) {
    const json::Object current = object(R"({"schemas":["urn:test:Gadget"],"id":"t1",
        "userName":"ada","badge":"b1","serial":"s1"})");
    const auto put = [&](std::string_view rest) {
        return prepare(
            gadgets_.type(),
            value(R"({"schemas":["urn:test:Gadget"],"userName":"ada")" + std::string{rest} + "}"),
            &current);
    };
    for (const char* rest : {"", R"(,"badge":"b1","serial":"s9")", R"(,"badge":null)"}) {
        const auto prepared = put(rest);
        ASSERT_TRUE(prepared.has_value()) << rest << prepared.error().detail;
        EXPECT_EQ(prepared->document.at("badge"), "b1") << rest;
        EXPECT_EQ(prepared->document.at("serial"), "s1") << rest;
    }
    const auto changed = put(R"(,"badge":"b2")");
    ASSERT_FALSE(changed.has_value());
    EXPECT_EQ(changed.error().type, ScimType::Mutability);
    EXPECT_THAT(changed.error().detail, HasSubstr("badge is immutable"));
}

TEST_F(Prepare, PostSetsImmutableButNotReadOnlyAttributes) {
    const auto prepared = prepare(
        gadgets_.type(),
        value(R"({"schemas":["urn:test:Gadget"],"userName":"a","badge":"b1","serial":"s1"})"),
        nullptr);
    ASSERT_TRUE(prepared.has_value());
    EXPECT_EQ(prepared->document.at("badge"), "b1");
    EXPECT_FALSE(prepared->document.contains("serial"));
}

TEST_F(Prepare, AnExtensionIsCheckedLikeTheCore) {
    const auto post = [&](std::string_view extra) {
        return prepare(gadgets_.type(),
                       value(R"({"schemas":["urn:test:Gadget"],"userName":"a",
                                 "urn:test:Extra:1.0":)" +
                             std::string{extra} + "}"),
                       nullptr);
    };
    EXPECT_TRUE(post(R"({"plant":"p","tags":["t"]})").has_value());
    const auto missing = post(R"({"tags":["t"]})");
    ASSERT_FALSE(missing.has_value());
    EXPECT_THAT(missing.error().detail, HasSubstr("urn:test:Extra:1.0:plant is required"));
    // Who has nothing of it need not have what it requires.
    for (const char* nothing :
         {"{}", R"({"plant":null,"tags":[]})", R"({"links":[{"type":"x"}]})"}) {
        const auto without = post(nothing);
        ASSERT_TRUE(without.has_value()) << nothing << without.error().detail;
        EXPECT_FALSE(without->document.contains("urn:test:Extra:1.0")) << nothing;
        EXPECT_EQ(without->document.at("schemas"), value(R"(["urn:test:Gadget"])")) << nothing;
    }
}

TEST_F(Prepare, MembersAreIdsInOrderWithoutDuplicates) {
    using Ids = std::vector<std::string>;
    const auto members = [&](std::string_view sent) {
        return accepted(group(), group_with(sent)).members;
    };
    EXPECT_EQ(members(R"("members":[{"value":"b"},{"value":"a","display":null,"type":null,
                         "$ref":"../Users/a"},"c",{"value":"b"}])"),
              (Ids{"b", "a", "c"}));
    EXPECT_EQ(members(R"("Members":{"VALUE":"a"})"), (Ids{"a"}));
    EXPECT_EQ(members(R"("members":[])"), Ids{});
    EXPECT_EQ(members(""), std::nullopt);
    EXPECT_EQ(members(R"("members":null)"), std::nullopt);
    EXPECT_FALSE(
        accepted(group(), group_with(R"("members":[{"value":"a"}])")).document.contains("members"));
}

TEST_F(Prepare, AHundredThousandMembersAreTakenWhole) {
    json::Array members;
    for (int i = 0; i < 100'000; ++i) members.push_back({{"value", std::to_string(i)}});
    json::Object body = object(group_with(""));
    body["members"] = members;
    const auto prepared = prepare(group(), json::Value(body), nullptr);
    ASSERT_TRUE(prepared.has_value());
    ASSERT_EQ(prepared->members->size(), 100'000U);
    EXPECT_EQ(prepared->members->back(), "99999");
    body["members"].as_array().push_back({{"value", "0"}});
    EXPECT_EQ(prepare(group(), json::Value(body), nullptr).error().type, ScimType::TooMany);
}

TEST_F(Prepare, AMemberWithoutAnIdIsRefused) {
    for (const char* sent :
         {R"("members":[{}])", R"("members":[{"display":"A"}])", R"("members":[{"value":null}])",
          R"("members":[{"value":""}])", R"("members":[{"value":7}])", R"("members":[7])",
          R"("members":[null])", R"("members":[""])", R"("members":"")", R"("members":7)",
          R"("members":{})"}) {
        EXPECT_EQ(refused(group(), group_with(sent)).type, ScimType::InvalidValue) << sent;
    }
}

TEST_F(Prepare, MicrosoftsGroupSchemaIsTolerated) {
    accepted(group(), R"({"schemas":["$G",
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "externalId":"e1","displayName":"Eng","meta":{"resourceType":"Group"}})");
}

TEST_F(Prepare, ValuesComeBackAsTheyWereSent) {
    const std::string body =
        R"({"schemas":["$U"],"userName":" ÅLICE@Example.COM ","displayName":" x  y ",
            "active":true,"emails":[{"value":"A@B","type":"WORK"}]})";
    EXPECT_EQ(document(body), json::to_text(value(body)));
}

TEST(NormaliseValue, GivesOneElementInTheSpellingOfTheSchema) {
    const auto catalog = Catalog::standard();
    const Attribute& emails = *catalog->user().find("emails");
    std::vector<Note> notes;
    const auto normal =
        normalise_value(emails, value(R"({"VALUE":"a@x","primary":true})"), "emails", notes);
    ASSERT_TRUE(normal.has_value());
    EXPECT_EQ(json::to_text(*normal), R"({"value":"a@x","primary":true})");
    EXPECT_THAT(notes, IsEmpty());
    const auto wrong = normalise_value(emails, value(R"({"value":1})"), "emails", notes);
    ASSERT_FALSE(wrong.has_value());
    EXPECT_THAT(wrong.error().detail, HasSubstr("emails.value must be a string"));
}

}  // namespace
}  // namespace muster::scim
