#include "scenario.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "exchange.hpp"
#include "json/json.hpp"
#include "match.hpp"

namespace muster::scenarios {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

json::Value parsed(std::string_view text) { return json::parse(text).value(); }

std::vector<std::string> differences(std::string_view expected, std::string_view actual) {
    Variables variables;
    std::vector<std::string> out;
    match_json(parsed(expected), parsed(actual), "", variables, out);
    return out;
}

TEST(Scenario, IsReadInBlocks) {
    const auto steps = parse_scenario(
        "# why\n"
        "\n"
        "=== Create\n"
        "# source\n"
        "@repeat 3\n"
        "@run second token generate --connector {connector}\n"
        "@list ids 2..4 {\"value\": \"#\"}\n"
        "POST /Users?a=b c\n"
        "Accept: */*\n"
        "{\n"
        "  \"a\": 1\n"
        "}\n"
        "--- 201\n"
        "ETag: W/\"1\"\n"
        "{\"id\": \"@id\"}\n"
        "\n"
        "=== Plain text\n"
        "POST /Users\n"
        "\n"
        "no json\n"
        "--- 400\n");
    ASSERT_TRUE(steps) << steps.error();
    ASSERT_THAT(*steps, SizeIs(2));
    const Step& create = steps->front();
    EXPECT_EQ(create.name, "Create");
    EXPECT_EQ(create.line, 3);
    EXPECT_EQ(create.repeat, 3);
    ASSERT_THAT(create.runs, SizeIs(1));
    EXPECT_EQ(create.runs[0].name, "second");
    EXPECT_THAT(create.runs[0].words,
                ElementsAre("token", "generate", "--connector", "{connector}"));
    ASSERT_THAT(create.lists, SizeIs(1));
    EXPECT_EQ(create.lists[0].name, "ids");
    EXPECT_EQ(create.lists[0].from, 2);
    EXPECT_EQ(create.lists[0].to, 4);
    EXPECT_EQ(create.lists[0].item, R"({"value": "#"})");
    EXPECT_EQ(create.method, "POST");
    EXPECT_EQ(create.target, "/Users?a=b c");
    EXPECT_THAT(create.headers, ElementsAre(Pair("Accept", "*/*")));
    EXPECT_EQ(create.body, "{\n  \"a\": 1\n}");
    EXPECT_EQ(create.status, 201);
    EXPECT_THAT(create.expected_headers, ElementsAre(Pair("ETag", "W/\"1\"")));
    EXPECT_EQ(create.expected_body, R"({"id": "@id"})");
    EXPECT_EQ(steps->back().body, "no json");
    EXPECT_EQ(steps->back().expected_body, "");
}

TEST(Scenario, WithAMistakeIsRefusedAtItsLine) {
    const struct {
        std::string text;
        std::string error;
    } cases[] = {
        {"", "0: no step"},
        {"GET /Users\n", "1: only comments"},
        {"=== A\nGET Users\n", "2: expected 'METHOD /target'"},
        {"=== A\nGET /Users\n", "2: the step before has no '--- STATUS' line"},
        {"=== A\n=== B\n", "2: the step before has no request line"},
        {"=== A\nGET /\n--- fine\n", "3: the status must be a number"},
        {"=== A\nGET /\n--- 200\n--- 200\n", "4: '--- STATUS' must follow a request"},
        {"=== A\nGET /\nno header\n", "3: expected 'Header: value'"},
        {"=== A\n@repeat x\n", "2: expected '@repeat NUMBER'"},
        {"=== A\n@run name\n", "2: expected '@run NAME WORDS'"},
        {"=== A\n@list a 1-2 #\n", "2: expected '@repeat NUMBER', '@run NAME WORDS' or '@list"},
        {"=== A\n@other\n", "2: expected '@repeat NUMBER', '@run NAME WORDS' or '@list"},
    };
    for (const auto& [text, error] : cases) {
        const auto steps = parse_scenario(text);
        ASSERT_FALSE(steps) << text;
        EXPECT_THAT(steps.error(), HasSubstr(error)) << text;
    }
}

TEST(Scenario, SaysWhoseConnectorItWants) {
    EXPECT_EQ(idp_of("# A\n@idp entra\n\n=== A\nGET /\n--- 200\n"), "entra");
    EXPECT_EQ(idp_of("@idp strict\n=== A\n"), "strict");
    EXPECT_EQ(idp_of("# @idp entra\n=== A\n@idp entra\n"), "okta");
    EXPECT_TRUE(parse_scenario("@idp entra\n=== A\nGET /\n--- 200\n"));
}

TEST(Match, TakesMembersThatWereNotNamed) {
    EXPECT_THAT(differences(R"({"a": 1})", R"({"a": 1, "b": 2})"), IsEmpty());
}

TEST(Match, NamesEachDifferenceByItsPath) {
    const struct {
        std::string expected;
        std::string actual;
        std::string difference;
    } cases[] = {
        {R"({"a": 1})", R"({"a": 2})", "a: expected 1, got 2"},
        {R"({"a": 1})", R"({"a": "1"})", R"(a: expected 1, got "1")"},
        {R"({"a": true})", R"({"a": "true"})", R"(a: expected true, got "true")"},
        {R"({"a": null})", R"({"a": 0})", "a: expected null, got 0"},
        {R"({"a": "x"})", R"({"a": "y"})", R"(a: expected "x", got "y")"},
        {R"({"a": "1"})", R"({"a": 1})", R"(a: expected "1", got 1)"},
        {R"({"a": "x"})", "{}", R"(a: expected "x", but it is absent)"},
        {R"({"a": "!absent"})", R"({"a": null})", "a: must be absent, got null"},
        {R"({"a": {"b": 1}})", R"({"a": {"b": 2}})", "a.b: expected 1, got 2"},
        {R"({"a": {}})", R"({"a": []})", "a: expected an object, got []"},
        {R"({"a": []})", R"({"a": {}})", "a: expected an array, got {}"},
        {R"({"a": []})", R"({"a": [1]})", "a: expected 0 elements, got 1: [1]"},
        {R"({"a": [1, 2]})", R"({"a": [1, 3]})", "a[1]: expected 2, got 3"},
        {R"({"a": [3, "..."]})", R"({"a": [1, 2]})", "a: no element like 3"},
        {R"({"a": [1, 1, "..."]})", R"({"a": [1, 2]})", "a: no element like 1"},
    };
    for (const auto& [expected, actual, difference] : cases)
        EXPECT_THAT(differences(expected, actual), ElementsAre(difference)) << expected;
}

TEST(Match, HasWildcards) {
    EXPECT_THAT(differences(R"({"a": "*"})", R"({"a": [1]})"), IsEmpty());
    EXPECT_THAT(differences(R"({"a": "*"})", "{}"), SizeIs(1));
    EXPECT_THAT(differences(R"({"a": "no *id-9*"})", R"({"a": "no such id-9."})"), IsEmpty());
    EXPECT_THAT(differences(R"({"a": "!absent"})", "{}"), IsEmpty());
    EXPECT_THAT(differences(R"([2, 1, "..."])", "[1, 2, 3]"), IsEmpty());
}

TEST(Match, CapturesForLaterSteps) {
    Variables variables;
    std::vector<std::string> out;
    match_json(parsed(R"({"id": "@id", "list": [{"n": "@n", "k": 2}, "..."]})"),
               parsed(R"({"id": "x\"y", "list": [{"n": 1, "k": 1}, {"n": 2, "k": 2}]})"), "",
               variables, out);
    EXPECT_THAT(out, IsEmpty());
    match_json(parsed(R"({"a": "@a", "b": "{a}/x", "c": "{unknown}"})"),
               parsed(R"({"a": "1", "b": "1/x", "c": ""})"), "", variables, out);
    EXPECT_THAT(out, ElementsAre("c: {unknown} was never set"));
    EXPECT_EQ(variables.fill("/Users/{id}?n={n}", Variables::Context::Plain), "/Users/x\"y?n=2");
    EXPECT_EQ(variables.fill(R"({"id": "{id}"})", Variables::Context::Json), R"({"id": "x\"y"})");
}

TEST(Variables, LeaveOtherBracesAlone) {
    const Variables variables;
    for (const std::string text : {"{}", R"({"a": {}})", "{", "}", "{a b}", "{1}", "{{"})
        EXPECT_EQ(variables.fill(text, Variables::Context::Json), text);
    EXPECT_EQ(variables.fill("{repeat 3 ab}{repeat 2 [}", Variables::Context::Json), "ababab[[");
    EXPECT_FALSE(variables.fill("{unknown}", Variables::Context::Json));
}

TEST(Variables, MakeABasicCredential) {
    Variables variables;
    variables.set("t.user_name", "Aladdin");
    variables.set("t.secret", "open sesame");
    EXPECT_EQ(variables.fill("Basic {base64 t.user_name:t.secret}", Variables::Context::Plain),
              "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    EXPECT_FALSE(variables.fill("{base64 t.user_name:t.unknown}", Variables::Context::Plain));
}

TEST(Glob, MatchesWholeTexts) {
    EXPECT_TRUE(matches_glob("", ""));
    EXPECT_TRUE(matches_glob("*", ""));
    EXPECT_TRUE(matches_glob("a*c*", "abcabd"));
    EXPECT_TRUE(matches_glob("*a", "aba"));
    EXPECT_FALSE(matches_glob("a*c", "abcd"));
    EXPECT_FALSE(matches_glob("", "a"));
    EXPECT_FALSE(matches_glob("a", ""));
}

TEST(Target, IsPercentEncodedOnce) {
    EXPECT_EQ(encode_target(R"(/Users?filter=userName eq "ä[1]"&a=%41+b)"),
              "/Users?filter=userName%20eq%20%22%C3%A4%5B1%5D%22&a=%41+b");
}

net::ClientResponse answer(int status, std::string body, Headers headers = {}) {
    headers.emplace_back("Content-Type", "application/scim+json");
    net::ClientResponse out;
    out.status = status;
    out.body = std::move(body);
    out.headers = std::move(headers);
    return out;
}

constexpr std::string_view kError =
    R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"404","detail":"No."})";
constexpr std::string_view kList =
    R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],)";

TEST(EveryAnswer, PassesWhereItKeepsTheRules) {
    const std::vector<net::ClientResponse> answers = {
        answer(404, std::string{kError}),
        answer(204, ""),
        answer(200, std::string{kList} + R"("totalResults":9,"itemsPerPage":1,"Resources":[{}]})"),
        answer(200, std::string{kList} + R"("totalResults":9})"),
        answer(201, R"({"meta":{"version":"W/\"1\"","location":"x"}})",
               {{"ETag", "W/\"1\""}, {"Location", "x"}}),
    };
    for (const net::ClientResponse& good : answers)
        EXPECT_THAT(breaches_of_every_answer(good), IsEmpty()) << good.body;
}

TEST(EveryAnswer, IsRefusedWhereItBreaksOne) {
    auto plain = answer(404, std::string{kError});
    plain.headers = {{"Content-Type", "text/plain"}};
    const struct {
        net::ClientResponse given;
        std::string_view breach;
    } cases[] = {
        {plain, "the media type must be"},
        {answer(500, ""), "an error must have a body"},
        {answer(400, std::string{kError}), R"("status": "400")"},
        {answer(404, R"({"status":"404","detail":"No."})"), "Error schema"},
        {answer(
             401,
             R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"x"})"),
         "WWW-Authenticate"},
        {answer(204, "{}"), "must have no body"},
        {answer(200, "[]"), "must be a JSON object"},
        {answer(200, std::string{kList} + R"("totalResults":"9"})"), "totalResults"},
        {answer(200, std::string{kList} + R"("totalResults":9,"itemsPerPage":2,"Resources":[{}]})"),
         "itemsPerPage must be 1"},
        {answer(200, R"({"meta":{"version":"W/\"1\""}})"), "ETag"},
        {answer(201, R"({"meta":{"location":"x"}})"), "Location"},
        {answer(200, R"({"password":"x"})"), "password"},
    };
    for (const auto& [given, breach] : cases)
        EXPECT_THAT(breaches_of_every_answer(given), ElementsAre(HasSubstr(breach))) << given.body;
}

}  // namespace
}  // namespace muster::scenarios
