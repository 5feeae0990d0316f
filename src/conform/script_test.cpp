#include "conform/script.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conform/always.hpp"
#include "conform/exchange.hpp"
#include "conform/match.hpp"
#include "json/json.hpp"

namespace muster::conform {
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
    const auto steps = parse_script(
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
    EXPECT_EQ(steps->front().name, "Create");
    EXPECT_EQ(steps->front().line, 3);
    const Step& create = steps->front().steps.front();
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
    EXPECT_THAT(create.statuses, ElementsAre("201"));
    EXPECT_THAT(create.expected_headers, ElementsAre(Pair("ETag", "W/\"1\"")));
    EXPECT_EQ(create.expected_body, R"({"id": "@id"})");
    EXPECT_EQ(steps->back().steps.front().body, "no json");
    EXPECT_EQ(steps->back().steps.front().expected_body, "");
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
        {"=== A\n@list a 1-2 #\n",
         "2: expected '@needs FEATURE', '@repeat NUMBER', '@run NAME WORDS' or '@list"},
        {"@table a | b\n@rows\n1 | 2 | 3\n@end\n", "3: 3 cells, but the table has 2 columns"},
        {"@table a\n@rows\n", "2: the last table has no '@end'"},
        {"@end\n", "1: '@end' without its '@table'"},
        {"+++\n", "1: '+++' must follow a step"},
        {"=== A\n@other\n",
         "2: expected '@needs FEATURE', '@repeat NUMBER', '@run NAME WORDS' or '@list"},
    };
    for (const auto& [text, error] : cases) {
        const auto steps = parse_script(text);
        ASSERT_FALSE(steps) << text;
        EXPECT_THAT(steps.error(), HasSubstr(error)) << text;
    }
}

TEST(Script, WritesTablesOutAndHandsSectionsDown) {
    const auto checks = parse_script(
        "## RFC 7644 §3.4.2.2 Filters\n"
        "@needs filter, type User\n"
        "@header User-Agent: x\n"
        "@table id | filter | found\n"
        "=== <id> <filter>\n"
        "GET /Users?filter=<filter>&x=<y>\n"
        "--- 200\n"
        "{\"totalResults\": <found:count>, \"Resources\": <found:resources>}\n"
        "+++\n"
        "DELETE /x\n"
        "--- 204 | 4xx\n"
        "@rows\n"
        "a | userName pr | ann, bob\n"
        "## Second\n"
        "b | title pr\n"
        "@end\n");
    ASSERT_TRUE(checks) << checks.error();
    ASSERT_THAT(*checks, SizeIs(2));
    const Check& first = checks->front();
    EXPECT_EQ(first.name, "a userName pr");
    EXPECT_EQ(first.section, "RFC 7644 §3.4.2.2 Filters");
    EXPECT_EQ(first.line, 13);
    EXPECT_THAT(first.needs, ElementsAre("filter", "type User"));
    EXPECT_THAT(first.headers, ElementsAre(Pair("User-Agent", "x")));
    ASSERT_THAT(first.steps, SizeIs(2));
    EXPECT_EQ(first.steps[0].target, "/Users?filter=userName pr&x=<y>");
    EXPECT_EQ(
        first.steps[0].expected_body,
        R"({"totalResults": 2, "Resources": [{"id": "{ann}"}, {"id": "{bob}"}, "!any-order"]})");
    EXPECT_THAT(first.steps[1].statuses, ElementsAre("204", "4xx"));
    EXPECT_EQ(checks->back().section, "Second");
    EXPECT_THAT(checks->back().needs, IsEmpty());
    EXPECT_EQ(checks->back().steps[0].expected_body,
              R"({"totalResults": 0, "Resources": "!none"})");
}

TEST(Script, HasStatusPatterns) {
    EXPECT_TRUE(matches_status("204", 204));
    EXPECT_TRUE(matches_status("4xx", 412));
    EXPECT_FALSE(matches_status("4xx", 500));
    EXPECT_FALSE(matches_status("204", 200));
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

TEST(Match, KnowsWords) {
    EXPECT_THAT(
        differences(R"({"a": "!none", "b": "!none", "c": "!none"})", R"({"a": null, "b": []})"),
        IsEmpty());
    EXPECT_THAT(differences(R"({"a": "!none"})", R"({"a": [1]})"), SizeIs(1));
    EXPECT_THAT(differences(R"({"a": "!one-of x | 2"})", R"({"a": 2})"), IsEmpty());
    EXPECT_THAT(differences(R"({"a": "!one-of x | y"})", R"({"a": "z"})"), SizeIs(1));
    EXPECT_THAT(differences(R"({"a": "!one-of x|y"})", R"({})"), SizeIs(1));
    EXPECT_THAT(differences(R"({"a": "!one-of x|y|"})", R"({})"), IsEmpty());
    EXPECT_THAT(differences(R"({"a": "!one-of x|y|"})", R"({"a": "z"})"), SizeIs(1));
    EXPECT_THAT(differences(R"({"a": "!not x"})", R"({"a": "y"})"), IsEmpty());
    EXPECT_THAT(differences(R"({"a": "!not x"})", R"({"a": "x"})"), SizeIs(1));
    EXPECT_THAT(differences(R"([1, 2.0, "!any-order"])", "[2, 1]"), IsEmpty());
    EXPECT_THAT(differences(R"([1, "!any-order"])", "[2, 1]"), SizeIs(1));
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
        EXPECT_THAT(breaches_of(good), IsEmpty()) << good.body;
}

TEST(EveryAnswer, IsRefusedWhereItBreaksOne) {
    auto plain = answer(404, std::string{kError});
    plain.headers = {{"Content-Type", "text/plain"}};
    const struct {
        net::ClientResponse given;
        std::string_view breach;
    } cases[] = {
        {plain, "media-type: "},
        {answer(500, ""), "error-body: "},
        {answer(400, std::string{kError}), "error-status: "},
        {answer(404, R"({"status":"404","detail":"No."})"), "error-schema: "},
        {answer(
             401,
             R"({"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"x"})"),
         "www-authenticate: "},
        {answer(204, "{}"), "no-body: "},
        {answer(200, "[]"), "json-object: "},
        {answer(200, std::string{kList} + R"("totalResults":"9"})"), "total-results: "},
        {answer(200, std::string{kList} + R"("totalResults":9,"itemsPerPage":2,"Resources":[{}]})"),
         "items-per-page: 1 "},
        {answer(200, R"({"meta":{"version":"W/\"1\""}})"), "etag: "},
        {answer(201, R"({"meta":{"location":"x"}})"), "location: "},
        {answer(200, R"({"password":"x"})"), "password: "},
    };
    for (const auto& [given, breach] : cases)
        EXPECT_THAT(breaches_of(given), ElementsAre(HasSubstr(breach))) << given.body;
}

}  // namespace
}  // namespace muster::conform
