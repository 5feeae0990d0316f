// Each rewrite by itself: what a client sent, and the RFC's form of it.

#include "scim/dialect/dialect.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/dialect/rewrites.hpp"
#include "scim/filter/filter.hpp"
#include "scim/resource/testing.hpp"

namespace muster::scim {
namespace {

using ::testing::ElementsAre;
using testing::expand;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::rules;
using testing::value;

/// `sent` and `due` are a body, a list of operations where they begin with "[", or a filter.
struct Row {
    const Rewrite* rewrite;
    char type;  ///< U: user, G: group
    const char* sent;
    const char* due;  ///< null: nothing is changed
};

// clang-format off
const Row kRows[] = {
    {&kOldCoreSchema, 'U', R"({"schemas":["urn:scim:schemas:core:1.0"],"userName":"a"})", R"({"schemas":["$U"],"userName":"a"})"},
    {&kOldCoreSchema, 'G', R"({"schemas":["urn:scim:schemas:core:1.0"]})", R"({"schemas":["$G"]})"},
    {&kOldCoreSchema, 'U', R"({"schemas":["$U"],"displayName":"urn:scim:schemas:core:1.0"})", nullptr},

    {&kManagerId, 'U', R"({"$E":{"manager":{"managerId":"m"}}})", R"({"$E":{"manager":{"value":"m"}}})"},
    {&kManagerId, 'U', R"({"$E":{"manager":{"managerId":"m","value":"n"}}})", nullptr},
    {&kManagerId, 'U', R"({"$E":{"manager":{"managerId":"m","value":""}}})", R"({"$E":{"manager":{"value":"m"}}})"},
    {&kManagerId, 'U', R"([{"op":"add","path":"$E:manager","value":{"managerId":"m"}}])", R"([{"op":"add","path":"$E:manager","value":{"value":"m"}}])"},

    {&kJsonInText, 'U', R"({"roles":["{\"value\":\"admin\",\"display\":\"A\"}"]})", R"({"roles":[{"value":"admin","display":"A"}]})"},
    {&kJsonInText, 'U', R"([{"op":"Add","path":"roles","value":[{"value":"{\"id\":\"1\",\"value\":\"admin\"}"}]}])", R"([{"op":"Add","path":"roles","value":[{"value":"admin"}]}])"},
    {&kJsonInText, 'U', R"({"name":"{\"givenName\":\"A\"}","addresses":["{\"locality\":\"Ulm\"}"]})", R"({"name":{"givenName":"A"},"addresses":[{"locality":"Ulm"}]})"},
    {&kJsonInText, 'U', R"([{"op":"add","path":"roles[type eq \"a\"].value","value":"{\"value\":\"admin\"}"}])", R"([{"op":"add","path":"roles[type eq \"a\"].value","value":"admin"}])"},
    {&kJsonInText, 'U', R"([{"op":"add","path":"roles.type","value":"{\"value\":\"admin\"}"}])", nullptr},
    {&kJsonInText, 'U', R"({"roles":[{"value":"{no JSON"}],"title":"{\"value\":\"x\"}"})", nullptr},

    {&kBooleanText, 'U', R"({"active":"True","emails":[{"value":"a","primary":"false"}]})", R"({"active":true,"emails":[{"value":"a","primary":false}]})"},
    {&kBooleanText, 'U', R"([{"op":"Replace","path":"active","value":"False"}])", R"([{"op":"Replace","path":"active","value":false}])"},
    {&kBooleanText, 'U', R"([{"op":"replace","value":{"active":"FALSE"}}])", R"([{"op":"replace","value":{"active":false}}])"},
    {&kBooleanText, 'U', R"([{"op":"replace","path":"emails[type eq \"work\"].primary","value":"true"}])", R"([{"op":"replace","path":"emails[type eq \"work\"].primary","value":true}])"},
    {&kBooleanText, 'U', R"({"active":"yes","title":"true"})", nullptr},

    {&kSingleValue, 'U', R"({"schemas":"$U","emails":{"value":"a"}})", R"({"schemas":["$U"],"emails":[{"value":"a"}]})"},
    {&kSingleValue, 'G', R"([{"op":"add","path":"members","value":{"value":"a"}}])", R"([{"op":"add","path":"members","value":[{"value":"a"}]}])"},
    {&kSingleValue, 'U', R"({"emails":null,"roles":"","name":{"givenName":"A"}})", nullptr},
    {&kSingleValue, 'U', R"([{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"a"}}])", nullptr},

    {&kArrayOfOne, 'U', R"({"$E":{"manager":[{"value":"m"}]},"title":["CTO"]})", R"({"$E":{"manager":{"value":"m"}},"title":"CTO"})"},
    {&kArrayOfOne, 'U', R"([{"op":"Add","path":"manager","value":[{"$ref":"../Users/m","value":"m"}]}])", R"([{"op":"Add","path":"manager","value":{"$ref":"../Users/m","value":"m"}}])"},
    {&kArrayOfOne, 'U', R"([{"op":"add","path":"emails[type eq \"work\"]","value":[{"value":"a"}]}])", R"([{"op":"add","path":"emails[type eq \"work\"]","value":{"value":"a"}}])"},
    {&kArrayOfOne, 'U', R"({"emails":[{"value":"a"}],"title":["a","b"],"nickName":[]})", nullptr},

    {&kBareValue, 'U', R"({"$E":{"manager":"m"},"emails":["a"]})", R"({"$E":{"manager":{"value":"m"}},"emails":[{"value":"a"}]})"},
    {&kBareValue, 'G', R"({"members":["a",{"value":"b"}]})", R"({"members":[{"value":"a"},{"value":"b"}]})"},
    {&kBareValue, 'U', R"([{"op":"Add","path":"$E:manager","value":"m"}])", R"([{"op":"Add","path":"$E:manager","value":{"value":"m"}}])"},
    {&kBareValue, 'U', R"({"name":"Ada","$E":{"manager":""},"addresses":["Ulm"]})", nullptr},

    {&kOperationCase, 'U', R"([{"op":"Add","path":"title","value":"CTO"},{"op":"REMOVE","path":"title"}])", R"([{"op":"add","path":"title","value":"CTO"},{"op":"remove","path":"title"}])"},
    {&kOperationCase, 'U', R"([{"op":"replace","path":"title","value":"CTO"},{"op":7},{}])", nullptr},

    {&kDottedNames, 'U', R"([{"op":"replace","value":{"displayName":"A","name.givenName":"B","$E:employeeNumber":"1","$E:manager.value":"m"}}])",
     R"([{"op":"replace","value":{"displayName":"A","name":{"givenName":"B"},"$E":{"employeeNumber":"1","manager":{"value":"m"}}}}])"},
    {&kDottedNames, 'U', R"([{"op":"add","value":{"name.givenName":"B","name":{"familyName":"C"},"$U:title":"CTO"}}])",
     R"([{"op":"add","value":{"name":{"familyName":"C","givenName":"B"},"title":"CTO"}}])"},
    {&kDottedNames, 'U', R"([{"op":"add","value":{"title":"CTO","emails[type eq \"work\"].value":"a"}},{"op":"remove","path":"nickName"}])",
     R"([{"op":"add","value":{"title":"CTO"}},{"op":"add","path":"emails[type eq \"work\"].value","value":"a"},{"op":"remove","path":"nickName"}])"},
    {&kDottedNames, 'U', R"([{"op":"add","value":{"name":null,"name.givenName":"B"}}])",
     R"([{"op":"add","value":{"name":null}},{"op":"add","path":"name.givenName","value":"B"}])"},
    {&kDottedNames, 'U', R"([{"op":"add","value":{"shoe.size":1,"name":{"givenName":"A"},"$E":{"division":"D"}}}])", nullptr},
    {&kDottedNames, 'U', R"([{"op":"add","path":"name","value":{"a.b":"B"}}])", nullptr},

    {&kReadOnlyInValue, 'G', R"([{"op":"replace","value":{"members":[],"id":"g","displayName":"E","meta":{},"schemas":[]}}])", R"([{"op":"replace","value":{"members":[],"displayName":"E"}}])"},
    {&kReadOnlyInValue, 'U', R"([{"op":"replace","path":"id","value":"x"},{"op":"replace","value":{"title":"id"}}])", nullptr},

    {&kRemoveByValue, 'G', R"([{"op":"Remove","path":"members","value":[{"value":"a"},{"value":"b","type":"User","$ref":null}]}])", R"([{"op":"remove","path":"members[value eq \"a\" or value eq \"b\"]"}])"},
    {&kRemoveByValue, 'U', R"([{"op":"remove","path":"emails","value":[{"value":"a\"]","type":"work"},{"type":"home"}]}])",
     R"([{"op":"remove","path":"emails[value eq \"a\\\"]\" and type eq \"work\"]"},{"op":"remove","path":"emails[type eq \"home\"]"}])"},
    {&kRemoveByValue, 'G', R"([{"op":"remove","path":"members","value":[]}])", R"([{"op":"add","path":"members","value":[]}])"},
    {&kRemoveByValue, 'G', R"([{"op":"remove","path":"members","value":[{"value":"a"},{"display":"b"}]}])", nullptr},
    {&kRemoveByValue, 'G', R"([{"op":"remove","path":"members"},{"op":"add","path":"members","value":[{"value":"a"}]}])", nullptr},

    {&kReplaceCreates, 'U', R"([{"op":"replace","path":"emails[type eq \"work\"].value","value":"a"}])",
     R"([{"op":"add","path":"emails[type eq \"work\"].value","value":"a"}])"},
    {&kReplaceCreates, 'U', R"([{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"a"}}])",
     R"([{"op":"add","path":"emails[type eq \"work\"]","value":{"type":"work"}},{"op":"replace","path":"emails[type eq \"work\"]","value":{"value":"a"}}])"},
    {&kReplaceCreates, 'U', R"([{"op":"replace","path":"emails[type ne \"work\"].value","value":"a"}])", nullptr},
    {&kReplaceCreates, 'U', R"([{"op":"replace","path":"emails[type eq \"work\"].value","value":""}])", nullptr},
    {&kReplaceCreates, 'U', R"([{"op":"add","path":"emails[type eq \"work\"].value","value":"a"}])", nullptr},
    {&kReplaceCreates, 'G', R"([{"op":"replace","path":"members[value eq \"a\"]","value":{"value":"a"}}])", nullptr},

    {&kQuotedLiterals, 'U', R"(active eq "True" and not (emails.primary eq "false"))", R"(active eq true and not (emails.primary eq false))"},
    {&kQuotedLiterals, 'U', R"(emails[primary eq "TRUE" and value eq "true"] or active eq True)", R"(emails[primary eq true and value eq "true"] or active eq true)"},
    {&kQuotedLiterals, 'U', R"([{"op":"add","path":"roles[primary eq \"True\"].value","value":"a"}])", R"([{"op":"add","path":"roles[primary eq true].value","value":"a"}])"},
    {&kQuotedLiterals, 'U', R"(userName eq "true" and active pr and active eq "maybe" and active eq true)", nullptr},
    {&kQuotedLiterals, 'U', R"(active eq "tr)", nullptr},

    {&kUnquotedText, 'U', R"(externalId eq jyoung or (userName sw O))", R"(externalId eq "jyoung" or (userName sw "O"))"},
    {&kUnquotedText, 'U', R"(emails eq a@x.example)", R"(emails eq "a@x.example")"},
    {&kUnquotedText, 'U', R"(emails[type eq work].value eq a)", R"(emails[type eq "work"].value eq "a")"},
    {&kUnquotedText, 'U', R"(meta.created gt 2015-01-01T00:00:00Z)", R"(meta.created gt "2015-01-01T00:00:00Z")"},
    {&kUnquotedText, 'U', R"(title eq null and active eq true and userName eq 'ada' and shoeSize eq x)", nullptr},
};
// clang-format on

class Rewrites : public ::testing::Test {
  protected:
    const ResourceType& type_of(char letter) const {
        return letter == 'U' ? catalog_->user() : catalog_->group();
    }
    std::shared_ptr<const Catalog> catalog_ = Catalog::standard();
};

json::Value body_of(std::string_view text) {
    return text.starts_with('[') ? json::Value(json::Object{{"Operations", value(text)}})
                                 : value(text);
}

TEST_F(Rewrites, EachTurnsItsShapeIntoTheRfcsAndLeavesOthersAlone) {
    for (const Row& row : kRows) {
        const std::string_view sent = row.sent;
        const std::string_view due = row.due == nullptr ? sent : row.due;
        const bool is_filter = !sent.starts_with('[') && !sent.starts_with('{');
        std::string filter = is_filter ? std::string{sent} : "";
        json::Value body = is_filter ? json::Value(nullptr) : body_of(sent);
        ClientRequest request{.verb = is_filter               ? Verb::Query
                                      : sent.starts_with('[') ? Verb::Patch
                                                              : Verb::Create,
                              .type = type_of(row.type),
                              .filter = is_filter ? &filter : nullptr,
                              .body = is_filter ? nullptr : &body};
        const Dialect alone("alone", "", std::span(&row.rewrite, 1));
        const auto changes = [&] {
            std::vector<Note> notes;
            EXPECT_TRUE(alone.rewrite(request, notes));
            return !notes.empty();
        };
        const std::string where = std::string{row.rewrite->name} + ": " + row.sent;
        EXPECT_EQ(changes(), row.due != nullptr) << where;
        EXPECT_EQ(is_filter ? filter : json::to_text(body),
                  is_filter ? std::string{due} : json::to_text(body_of(due)))
            << where;
        // Done once is done, but that the element to be replaced is seen to each time.
        EXPECT_FALSE(changes() && row.rewrite != &kReplaceCreates) << where;
    }
}

TEST_F(Rewrites, EachHasRowsThatChangeAndRowsThatDoNot) {
    for (const Rewrite* rewrite : generic_dialect().rewrites()) {
        if (rewrite == &kPatchSchema) continue;  // has a test of its own
        bool changes = false;
        bool leaves = false;
        for (const Row& row : kRows) {
            if (row.rewrite == rewrite) (row.due == nullptr ? leaves : changes) = true;
        }
        EXPECT_TRUE(changes && leaves) << rewrite->name;
    }
}

TEST_F(Rewrites, TheSchemaOfAPatchIsAddedWhereItIsMissing) {
    for (const char* sent : {R"({"Operations":[]})", R"({"schemas":null,"Operations":[]})",
                             R"({"schemas":["urn:x"],"Operations":[]})"}) {
        json::Value body = value(sent);
        ClientRequest request{.verb = Verb::Patch, .type = catalog_->user(), .body = &body};
        EXPECT_TRUE(kPatchSchema.apply(request)) << sent;
        EXPECT_EQ(body.at("schemas"), json::Value(json::Array{kPatchOp})) << sent;
        EXPECT_FALSE(kPatchSchema.apply(request)) << sent;
    }
}

TEST_F(Rewrites, ManyRemovalsStayWithinTheLimitsOfAFilter) {
    json::Array members;
    for (int i = 0; i < 10'000; ++i)
        members.push_back({{"value", std::string(36, 'a') + std::to_string(i)}});
    json::Value body = json::Object{
        {"Operations",
         json::Array{json::Object{{"op", "remove"}, {"path", "members"}, {"value", members}}}}};
    ClientRequest request{.verb = Verb::Patch, .type = catalog_->group(), .body = &body};
    EXPECT_TRUE(kRemoveByValue.apply(request));
    const json::Array& operations = body.at("Operations").as_array();
    EXPECT_LE(operations.size(), 110U);
    for (const json::Value& each : operations) {
        EXPECT_TRUE(parse_patch_path(catalog_->group(), each.at("path").as_string()).has_value());
    }
}

TEST_F(Rewrites, UnknownNamesCostNoMoreThanKnownOnes) {
    json::Object names;
    for (int i = 0; i < 20'000; ++i) names["name.x" + std::to_string(i)] = i;
    const json::Value sent = json::Object{
        {"Operations", json::Array{json::Object{{"op", "add"}, {"value", std::move(names)}}}}};
    json::Value body = sent;
    std::vector<Note> notes;
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(generic_dialect().rewrite(
        {.verb = Verb::Patch, .type = catalog_->user(), .body = &body}, notes));
    // To look for the nearest name to each takes many seconds.
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds{2});
    EXPECT_EQ(body.at("Operations"), sent.at("Operations"));
}

TEST_F(Rewrites, WhatIsNoRequestIsLeftForTheCoreToRefuse) {
    for (const char* sent :
         {"null", "[]", "7", R"({"Operations":7})", R"({"Operations":[null,7,[],{}]})",
          R"({"Operations":[{"op":"add","path":7,"value":[]},{"op":null}]})",
          R"({"Operations":[{"op":"replace","path":"emails[","value":1}]})"}) {
        for (const Verb verb : {Verb::Query, Verb::Create, Verb::Replace, Verb::Patch}) {
            for (const Dialect& dialect : dialects()) {
                json::Value body = value(sent);
                std::vector<Note> notes;
                (void)dialect.rewrite({.verb = verb, .type = catalog_->user(), .body = &body},
                                      notes);
            }
        }
    }
}

// ---- deviations within each other -----------------------------------------------------------

using Texts = std::vector<std::string>;

std::string in_array(const std::string& text) { return "[" + text + "]"; }
std::string in_text(const std::string& text) { return json::to_text(json::Value(text)); }

/// Each as it is and as an array of one.
Texts alone_or_in_array(const Texts& texts) {
    Texts result = texts;
    for (const std::string& text : texts) result.push_back(in_array(text));
    return result;
}

/// The spellings of {NAME:"m"}, with `primary` true where that is asked for; the first is the
/// RFC's. JSON is put into a text once.
Texts objects_of(const std::string& name, bool primary) {
    const Texts values = alone_or_in_array({R"("m")"});
    const Texts opened =
        alone_or_in_array({in_text(R"({"id":"1","value":"m"})"), in_text(R"({"value":"m"})")});
    const Texts truths =
        primary ? alone_or_in_array({"true", R"("True")", R"("tRUE")"}) : Texts{""};
    const auto object = [&name](const std::string& inner, const std::string& truth) {
        return "{" + in_text(name) + ":" + inner + (truth.empty() ? "" : R"(,"primary":)" + truth) +
               "}";
    };
    Texts result;
    for (const std::string& truth : truths) {
        for (const std::string& inner : values) result.push_back(object(inner, truth));
    }
    const Texts open = result;
    for (const std::string& text : open) result.push_back(in_text(text));
    if (name != "value") return result;
    for (const std::string& truth : truths) {
        for (const std::string& inner : opened) result.push_back(object(inner, truth));
    }
    if (!primary) result.emplace_back(R"("m")");
    return result;
}

Texts managers() {
    Texts result = objects_of("value", false);
    for (const char* text :
         {R"({"managerId":"m"})", R"({"ManagerID":["m"]})", R"({"managerId":"m","value":null})"}) {
        result.emplace_back(text);
        result.push_back(in_text(text));
    }
    return result;
}

/// What may stand at a place, the RFC's spelling first, and requests with `%` at the place.
struct Nesting {
    Texts spellings;
    Texts requests;
};

std::vector<Nesting> nestings() {
    const std::string add = R"([{"op":"add","path":)";
    const Texts element = objects_of("value", true);
    Texts roles;
    for (const std::string& text : element) {
        roles.push_back(in_array(text));
        roles.push_back(text);
    }
    Texts addresses;
    for (const std::string& text : objects_of("locality", false)) {
        addresses.push_back(in_array(text));
        addresses.push_back(text);
    }
    return {
        {.spellings = alone_or_in_array(managers()),
         .requests = {R"({"$E":{"manager":%}})", add + R"("manager","value":%}])",
                      add + R"("$E:manager","value":%}])", add + R"("$E","value":{"manager":%}}])",
                      R"([{"op":"add","value":{"$E":{"manager":%}}}])",
                      R"([{"op":"add","value":{"$E:manager":%}}])"}},
        {.spellings = alone_or_in_array(objects_of("givenName", false)),
         .requests = {R"({"name":%})", add + R"("name","value":%}])",
                      R"([{"op":"replace","value":{"NAME":%}}])"}},
        {.spellings = roles,
         .requests = {R"({"roles":%})", add + R"("roles","value":%}])",
                      R"([{"op":"replace","value":{"$U:roles":%}}])"}},
        {.spellings = alone_or_in_array(element),
         .requests = {add + R"("roles[type eq \"a\"]","value":%}])",
                      R"([{"op":"add","value":{"roles[type eq \"a\"]":%}}])"}},
        {.spellings = addresses,
         .requests = {R"({"addresses":%})", add + R"("addresses","value":%}])"}},
        {.spellings = alone_or_in_array({R"("m")", in_text(R"({"id":"1","value":"m"})")}),
         .requests = {add + R"("roles[type eq \"a\"].value","value":%}])",
                      add + R"("manager.value","value":%}])",
                      R"([{"op":"add","value":{"$E:manager.value":%}}])",
                      R"([{"op":"add","value":{"roles[type eq \"a\"].value":%}}])"}},
        {.spellings = alone_or_in_array({"true", R"("True")", R"("TRUE")"}),
         .requests = {R"({"active":%})", add + R"("active","value":%}])",
                      add + R"("roles[type eq \"a\"].primary","value":%}])",
                      R"([{"op":"replace","value":{"active":%}}])"}},
        // A simple attribute may hold any text, that of JSON too.
        {.spellings = alone_or_in_array({in_text(R"({"value":"m"})")}),
         .requests = {R"({"title":%,"name":{"givenName":%}})", add + R"("title","value":%}])",
                      add + R"("name.givenName","value":%}])",
                      R"({"$E":{"division":%,"manager":{"value":"m"}}})",
                      R"([{"op":"add","value":{"title":%}}])"}},
    };
}

json::Value request_with(std::string request, const std::string& spelling) {
    for (auto at = request.find('%'); at != std::string::npos;
         at = request.find('%', at + spelling.size())) {
        request.replace(at, 1, spelling);
    }
    if (!request.starts_with('[')) return value(request);
    return json::Object{{"schemas", json::Array{kPatchOp}}, {"Operations", value(request)}};
}

json::Value rewritten(const Dialect& dialect, const ResourceType& type, json::Value body) {
    const Verb verb = body.get_object().contains("Operations") ? Verb::Patch : Verb::Create;
    std::vector<Note> notes;
    (void)dialect.rewrite({.verb = verb, .type = type, .body = &body}, notes);
    return body;
}

TEST_F(Rewrites, DeviationsWithinEachOtherEndAsThePlainSpelling) {
    const ResourceType& type = catalog_->user();
    int cases = 0;
    for (const Nesting& nesting : nestings()) {
        for (const std::string& request : nesting.requests) {
            const auto due = rewritten(generic_dialect(), type,
                                       request_with(request, nesting.spellings.front()));
            for (const std::string& spelling : nesting.spellings) {
                const json::Value sent = request_with(request, spelling);
                const auto once = rewritten(generic_dialect(), type, sent);
                EXPECT_EQ(once, due) << json::to_text(sent);
                EXPECT_EQ(rewritten(generic_dialect(), type, once), due) << json::to_text(sent);
                EXPECT_EQ(rewritten(*find_dialect("strict"), type, sent), sent);
                if (json::to_text(sent).find("anager") == std::string::npos) {
                    EXPECT_EQ(rewritten(*find_dialect("entra"), type, sent), due)
                        << json::to_text(sent);
                }
                ++cases;
            }
        }
    }
    EXPECT_GT(cases, 500);
}

TEST_F(Rewrites, JsonInATextIsOpenedOnceWhereverItStands) {
    const ResourceType& type = catalog_->user();
    const std::string inner = in_text(R"({"value":"m"})");
    const std::string once = R"({"value":)" + inner + "}";
    for (const auto& [request, plain] : {
             std::pair{R"({"roles":[%]})", R"({"roles":[%]})"},
             {R"({"roles":%})", R"({"roles":[%]})"},
             {R"({"$E":{"manager":%}})", R"({"$E":{"manager":%}})"},
             {R"({"$E":{"manager":[%]}})", R"({"$E":{"manager":%}})"},
             {R"([{"op":"add","path":"emails","value":%}])",
              R"([{"op":"add","path":"emails","value":[%]}])"},
             {R"([{"op":"add","path":"emails[type eq \"a\"]","value":[%]}])",
              R"([{"op":"add","path":"emails[type eq \"a\"]","value":%}])"},
         }) {
        EXPECT_EQ(rewritten(generic_dialect(), type, request_with(request, in_text(once))),
                  request_with(plain, once))
            << request;
    }
    // Where it is the text of a text or of an array, it is a text as any other.
    for (const std::string& text : {in_text(inner), in_text(in_array(inner))}) {
        for (const char* request : {R"({"roles":[%]})", R"({"roles":%})"}) {
            EXPECT_EQ(rewritten(generic_dialect(), type, request_with(request, text)),
                      request_with(R"({"roles":[{"value":%}]})", text));
        }
    }
}

TEST_F(Rewrites, AnAttributeOfOnesOwnThatIsNamedAsAnotherClientsIsLeftAlone) {
    const auto own = Catalog::with(R"({"schemas":[{"id":"urn:acme:1.0:User","name":"Own",
        "attributes":[{"name":"manager","type":"complex","multiValued":false,"subAttributes":[
            {"name":"value","type":"string"},{"name":"managerId","type":"string"}]},
          {"name":"notes","type":"complex","multiValued":false,"subAttributes":[
            {"name":"value","type":"string","multiValued":true}]}]}],
        "resourceTypes":[{"name":"User","endpoint":"/Users",
            "schema":"urn:ietf:params:scim:schemas:core:2.0:User",
            "schemaExtensions":[{"schema":"urn:acme:1.0:User","required":false}]}]})");
    ASSERT_TRUE(own) << own.error().detail;
    for (const char* text :
         {R"({"urn:acme:1.0:User":{"manager":{"managerId":"m"}}})",
          R"({"urn:acme:1.0:User":{"notes":{"value":["{\"value\":\"m\"}"]}}})"}) {
        EXPECT_EQ(rewritten(generic_dialect(), (*own)->user(), value(text)), value(text));
    }
}

TEST(Dialects, HaveTheNamesThatAConnectorMayHave) {
    std::vector<std::string> names;
    for (const Dialect& dialect : dialects()) names.emplace_back(dialect.name());
    EXPECT_THAT(names, ElementsAre("okta", "entra", "entra-flagged", "onelogin", "jumpcloud",
                                   "ping", "google", "sailpoint", "cyberark", "generic", "strict"));
    EXPECT_EQ(find_dialect("Okta"), nullptr);
    EXPECT_EQ(find_dialect("entra")->client(), "Microsoft Entra ID");
}

TEST(Dialects, GenericIsTheUnionOfThemAll) {
    const auto all = generic_dialect().rewrites();
    for (const Dialect& dialect : dialects()) {
        // In the same order, so that a client's dialect means what it means within the union.
        auto next = all.begin();
        for (const Rewrite* rewrite : dialect.rewrites()) {
            next = std::find(next, all.end(), rewrite);
            EXPECT_NE(next, all.end()) << dialect.name() << ' ' << rewrite->name;
        }
    }
    EXPECT_THAT(find_dialect("strict")->rewrites(), IsEmpty());
}

TEST(Dialects, EveryRewriteThatFiredIsNoted) {
    const auto catalog = Catalog::standard();
    json::Value body = value(R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations":[{"op":"Replace","path":"active","value":"False"}]})");
    std::vector<Note> notes;
    const ClientRequest request{.verb = Verb::Patch, .type = catalog->user(), .body = &body};
    ASSERT_TRUE(find_dialect("entra")->rewrite(request, notes).has_value());
    EXPECT_THAT(rules(notes), ElementsAre("dialect:operation-case", "dialect:boolean-text"));
    EXPECT_EQ(
        notes.back().text,
        "\"True\" or \"False\" as a text was taken as a boolean (thomaspoignant/scim-patch#872).");
}

TEST(Dialects, StrictRefusesWhatTheInteroperabilityProfileForbids) {
    const auto catalog = Catalog::standard();
    const auto detail = [&](Verb verb, std::string_view sent) {
        json::Value body = value(sent);
        std::vector<Note> notes;
        const auto checked = find_dialect("strict")->rewrite(
            {.verb = verb, .type = catalog->user(), .body = &body}, notes);
        EXPECT_THAT(notes, IsEmpty());
        if (!checked) EXPECT_EQ(checked.error().type, ScimType::InvalidSyntax);
        return checked ? std::string{} : checked.error().detail;
    };
    EXPECT_THAT(
        detail(Verb::Patch, R"({"Operations":[{"op":"replace","value":{"active":false}}]})"),
        HasSubstr("An operation has no path"));
    EXPECT_THAT(detail(Verb::Create, R"({"userName":"a","shoeSize":1})"),
                HasSubstr("\"shoeSize\""));
    EXPECT_THAT(detail(Verb::Replace, R"({"emails":[{"value":"a","mail":"b"}]})"),
                HasSubstr("\"mail\""));
    EXPECT_THAT(detail(Verb::Create, R"({"$E":{"hat":"big"}})"), HasSubstr("\"hat\""));
    EXPECT_THAT(
        detail(Verb::Patch, R"({"Operations":[{"op":"add","path":"name","value":{"nick":"A"}}]})"),
        HasSubstr("\"nick\""));
    EXPECT_THAT(
        detail(Verb::Patch, R"({"Operations":[{"op":"add","path":"$E","value":{"hat":"A"}}]})"),
        HasSubstr("\"hat\""));
    EXPECT_EQ(detail(Verb::Create, R"({"schemas":["$U"],"id":"x","userName":"a","password":"p",
                                       "emails":[{"value":"a"}],"$E":{"manager":{"value":"m"}}})"),
              "");
    EXPECT_EQ(
        detail(Verb::Patch, R"({"Operations":[{"op":"replace","path":"active","value":false}]})"),
        "");
}

TEST(Detect, TellsClientsApartByWhatOnlyTheyWrite) {
    struct Case {
        const char* agent;
        const char* body;
        const char* dialect;
    };
    for (
        const Case& one : {
            Case{"Okta SCIM Client 1.0.0", "null", "okta"},
            Case{"OKTA SCIM Integration", R"({"Operations":[{"op":"Add"}]})", "okta"},
            Case{"", R"({"Operations":[{"op":"Add","path":"title","value":"x"}]})", "entra"},
            Case{"", R"({"Operations":[{"op":"replace","value":{"name.givenName":"x"}}]})",
                 "entra-flagged"},
            Case{"", R"({"Operations":[{"op":"replace","value":{"$E:division":"x"}}]})",
                 "entra-flagged"},
            Case{
                "",
                R"({"schemas":["$G","http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"]})",
                "entra"},
            Case{"", R"({"schemas":["urn:okta:custom:group:1.0"]})", "okta"},
            Case{"", R"({"schemas":["urn:scim:schemas:core:1.0"]})", "onelogin"},
            Case{"curl/8", R"({"schemas":["$U"],"userName":"a"})", ""},
            Case{"", R"({"Operations":[{"op":"replace","value":{"$E":{"division":"x"}}}]})", ""},
            Case{"", "7", ""},
        }) {
        const json::Value body = value(one.body);
        const auto suggestion = detect(one.agent, &body);
        EXPECT_EQ(suggestion ? suggestion->dialect : "", one.dialect) << one.agent << one.body;
        if (suggestion) EXPECT_FALSE(suggestion->reason.empty());
    }
    EXPECT_FALSE(detect("", nullptr).has_value());
}

TEST(Detect, AConnectorThatTakesMoreIsNotCorrected) {
    EXPECT_TRUE(covers(*find_dialect("entra-flagged"), "entra"));
    EXPECT_FALSE(covers(*find_dialect("entra"), "entra-flagged"));
    EXPECT_FALSE(covers(generic_dialect(), "okta"));
}

}  // namespace
}  // namespace muster::scim
