#include "provlog/redact.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace muster::provlog {
namespace {

const std::string kToken = "mst_abcdefgh23-zz22_" + std::string(49, 'Q');

std::string kept(const std::string& body) {
    return redact_body(body, json::parse(body).value()).text;
}

TEST(Redaction, FindsASecretsNameInAnyCaseAndPlace) {
    for (const char* name : {"password", "PASSWORD", "clientSecret", "xTokens", "aAuthorization",
                             "pPassword", "seSecret", "totoken", "credentialS"}) {
        const std::string body = R"({"a":"p","n":[{")" + std::string{name} + R"(":"hunter2"}]})";
        EXPECT_EQ(kept(body), R"({"a":"p","n":[{")" + std::string{name} + R"(":"[redacted]"}]})");
    }
    for (const char* other : {R"({"passwor":"d","p":"s"})", R"({"secre t":1,"t":[],"c":{}})"}) {
        EXPECT_EQ(kept(other), other);
    }
    EXPECT_EQ(kept(R"({"secret":[],"o":{},"l":[1,2.5,null,true],"t":"p"})"),
              R"({"secret":"[redacted]","o":{},"l":[1,2.5,null,true],"t":"p"})");
}

struct Leak {
    std::string_view name;
    std::string body;
};

TEST(Redaction, NoSecretSurvivesInAnyShape) {
    const std::string canary = "hunter2canary";
    const Leak leaks[] = {
        {"member", R"({"userName":"a","password":")" + canary + R"("})"},
        {"case", R"({"PassWord":")" + canary + R"("})"},
        {"nested", R"({"x":[{"clientSecret":")" + canary + R"("}]})"},
        {"escaped name", R"({"pass\u0077ord":")" + canary + R"("})"},
        {"patch path",
         R"({"Operations":[{"op":"replace","path":"password","value":")" + canary + R"("}]})"},
        {"patch urn path",
         R"({"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:password","value":")" +
             canary + R"("}]})"},
        {"pathless",
         R"({"Operations":[{"op":"replace","value":{"password":")" + canary + R"("}}]})"},
        {"object value", R"({"password":{"v":")" + canary + R"("}})"},
        {"patch member names in another case",
         R"({"Operations":[{"OP":"replace","PATH":"Password","VALUE":")" + canary + R"("}]})"},
        {"patch path with a filter",
         R"({"Operations":[{"op":"replace","path":"password[x eq \")" + canary + R"(\"]"}]})"},
        {"filter", R"({"filter":"password eq \")" + canary + R"(\""})"},
    };
    for (const auto& leak : leaks) {
        const auto value = json::parse(leak.body);
        ASSERT_TRUE(value) << leak.name;
        const auto redacted = redact_body(leak.body, *value).text;
        EXPECT_EQ(redacted.find(canary), std::string::npos) << leak.name << ": " << redacted;
    }
}

TEST(Redaction, LeavesTheRestByteForByte) {
    const std::string body =
        R"({"userName":"Ann","emails":[{"value":"ann@acme.example"}],"n":1.50})";
    const auto value = json::parse(body);
    EXPECT_EQ(redact_body(body, *value).text, body);
}

TEST(Redaction, LeavesABarePrefixWhichARefusalTells) {
    EXPECT_EQ(mask_tokens("it begins with mst_."), "it begins with mst_.");
    EXPECT_EQ(mask_tokens("mst_a"), "[redacted]");
}

TEST(Redaction, MasksTokensInBodies) {
    EXPECT_EQ(kept(R"({"userName":"see )" + kToken + R"( here"})"),
              R"({"userName":"see [redacted] here"})");
}

TEST(Redaction, LeavesOutWhatASecretIsComparedWith) {
    struct Case {
        std::string_view filter;
        std::string_view redacted;
    };
    const Case cases[] = {
        {R"(apiToken eq "hunter2")", "apiToken eq [redacted]"},
        {R"(urn:x:devices.accessToken eq "hunter2")", "urn:x:devices.accessToken eq [redacted]"},
        {R"(tokens[value eq "hunter2" and type ne "a"].type)",
         "tokens[value eq [redacted] and type ne [redacted]].type"},
        {"password\teq\n\"hunter2\"", "password\teq\n[redacted]"},
        {R"(not (password) eq "hunter2")", "not ([redacted]) [redacted]"},
        {R"(not(password eq "hunter2") or a pr)", "not(password eq [redacted]) or a pr"},
        {R"(PassWord eq "a \" hunter2")", "PassWord eq [redacted]"},
        {R"(password eq "hunter2)", "password eq [redacted]"},
        {R"(password eq "a\\" or b eq "hunter2")", "password eq [redacted] or b eq [redacted]"},
        {R"("hunter2" eq password)", "[redacted]"},
        // Without quotation marks, or with others: dialects take some of them.
        {"apiToken eq hunter2", "apiToken eq [redacted]"},
        {"apiToken eq 'hunter 2'", "apiToken eq [redacted]"},
        {"tokenNumber gt 4711 and active eq true",
         "tokenNumber gt [redacted] and active eq [redacted]"},
        {"apiToken = hunter2", "apiToken [redacted]"},
        {"apiToken=hunter2", "apiToken[redacted]"},
        {"apiToken:hunter2", "apiToken[redacted]"},
        {"apiToken eq (hunter2)", "apiToken eq ([redacted])"},
        {"apiToken eq and hunter2", "apiToken eq [redacted]"},
        {"apiToken \xE2\x80\x9Chunter2\xE2\x80\x9D", "apiToken [redacted]"},
        {R"(apiToken "hunter2")", "apiToken [redacted]"},
        // Quotation marks that close what they should not.
        {R"(displayName eq "a and password eq "hunter2")", "displayName eq [redacted]"},
        {R"(displayName eq "a and password eq "hunter2" or title eq "b")",
         "displayName eq [redacted]"},
        {R"(displayName eq "a" "b password" hunter2)", "displayName eq [redacted]"},
    };
    for (const auto& [filter, redacted] : cases) EXPECT_EQ(redact_filter(filter), redacted);
}

TEST(Redaction, LeavesFiltersThatCompareNoSecret) {
    for (const char* filter : {R"(userName eq "ann" and emails[type eq "work"].value co "@")",
                               R"(displayName eq "password team")", R"(not (title co "to\"ken"))",
                               R"(roles[value eq "TokenAdmin"].display)", "tokens",
                               "urn:x:User:apiToken", "password pr or name.familyName pr", ""}) {
        EXPECT_EQ(redact_filter(filter), filter);
    }
}

TEST(Redaction, LeavesTextsThatAreNoFilters) {
    for (const char* text : {"Secretary of State", "keeper of the tokens", "Head of Tokens (EU)",
                             "say \"please\" or [so]", "a eq \"b\""}) {
        EXPECT_EQ(redact_text(text), text);
    }
    EXPECT_EQ(redact_text(R"(see apiToken eq "hunter2")"), "[redacted]");
}

TEST(Redaction, LeavesOutWhatSentencesQuote) {
    const auto shown = [](std::string_view text) { return redact_quotations(text); };
    EXPECT_EQ(shown(R"("many" does not fit seats.)"), R"("many" does not fit seats.)");
    EXPECT_EQ(shown(R"("many" does not fit tokens.age.)"), "[redacted] does not fit tokens.age.");
    EXPECT_EQ(shown(R"(User has no attribute "apiTokn", nor "apiToken".)"),
              R"(User has no attribute "apiTokn", nor "apiToken".)");
    EXPECT_EQ(shown(R"(User has no attribute "tokens[value eq \"hunter2\"].x". Send "y".)"),
              R"(User has no attribute "tokens[value eq [redacted]].x". Send "y".)");
    EXPECT_EQ(shown(R"(There is no "tokens[value eq \"hunt…".)"),
              R"(There is no "tokens[value eq [redacted]".)");
    EXPECT_EQ(shown(R"(There is no "tokens \q hunter2".)"), "There is no [redacted].");
    EXPECT_EQ(redact_quotations(R"(expected a value, found "hunter2".)", Hide::All),
              "expected a value, found [redacted].");
    const auto names = [](std::string_view text) {
        return redact_quotations(text, Hide::AllButNames);
    };
    EXPECT_EQ(names(R"("a.b" is none, nor "urn:x:y", "/Users/7-a" nor "".)"),
              R"("a.b" is none, nor "urn:x:y", "/Users/7-a" nor [redacted].)");
    for (const char* quoted : {R"("a eq 4711")", R"("a\"4711\"")", R"("a=4711")", R"("4711…")",
                               R"("a[4711]")", R"("\u0034711")", R"("4711)"}) {
        EXPECT_EQ(names(fmt::format("There is no {}", quoted)), "There is no [redacted]");
    }
}

TEST(Redaction, ReadsTargetsAsTheServerDoes) {
    for (const char* query :
         {"filter=password%20eq%20%22hunter2%22",
          "filter=%70assword%20eq%20%22hunter2%22",
          "filter=p%41ssword+eq+%22hunter2%22",
          "filter=password%09eq%09%22hunter2%22",
          "filter=not%20(password)%20eq%20%22hunter2%22",
          "filter=apiToken eq \"hunter2\"",
          "filter=urn:x:devices.accessToken%20eq%20%22hunter2%22",
          "filter=apiToken%20eq%20hunter2",
          "filter=tokens[value%20eq%20%22hunter2%22]",
          "access_token=hunter2",
          "a=b&access%5Ftoken=hunter2",
          "filter=userName%20eq%20%22mst%5fhunter2%22",
          "x=mst_hunter%32",
          "id=ms%74_hunter2",
          "a=\"&filter=password eq \"hunter2\"",
          "a=%22&filter=password%20eq%20%22hunter2%22",
          "\"=password eq \"hunter2\"",
          "filter=displayName%20eq%20%22x%20and%20password%20eq%20%22hunter2%22",
          "filter=password%20eq%20%22hunter2%2",
          "a=%00&b=hunter2",
          "hunter2=%zz"}) {
        EXPECT_EQ(redact_target(std::string{"/c/x/scim/v2/Users?"} + query),
                  "/c/x/scim/v2/Users?[redacted]")
            << query;
    }
    EXPECT_EQ(redact_target("/Users/mst%5fhunter2?a=b"), "/Users/mst[redacted]");
    EXPECT_EQ(redact_target("/Users/mst_hunt%65r2"), "/Users/[redacted][redacted]");
    EXPECT_EQ(redact_target("/Users%3Fapi%54oken=hunter2"), "/Users[redacted]");
    EXPECT_EQ(redact_target("/Users&filter=password%20eq%20hunter2"),
              "/Users&filter=password[redacted]");
    EXPECT_EQ(redact_target("/Users/" + kToken + "?a=b"), "/Users/[redacted]?a=b");
}

TEST(Redaction, LeavesTargetsWithoutSecrets) {
    for (const char* target :
         {"/c/x/scim/v2/Users", "/Users?", "/Users?filter=userName%20eq%20%22ann%22&count=1",
          "/Users?filter=displayName+eq+%22password+team%22", "/Tokens/a%40b?count=1",
          "/Users?filter=displayName%20eq%20%22a%26b%20secret%22&sortBy=userName",
          "/Groups?filter=displayName eq \"to%5Cken\""}) {
        EXPECT_EQ(redact_target(target), target);
    }
    const std::string filler(5000, 'x');
    EXPECT_EQ(redact_target("/Users?a=" + filler).size(), 4096U);
    EXPECT_EQ(redact_target("/Users?a=" + filler + "&token=hunter2"), "/Users?[redacted]");
}

TEST(Redaction, LeavesOutLiteralsInBodies) {
    EXPECT_EQ(kept(R"({"filter":"apiToken eq \"hunter2\"","count":1})"),
              R"({"filter":"apiToken eq [redacted]","count":1})");
    EXPECT_EQ(kept(R"({"FILTER":"apiTo\u006ben = hunter2"})"),
              R"({"FILTER":"apiToken [redacted]"})");
    EXPECT_EQ(kept(R"({"op":"remove","path":"tokens[value eq \"hunter2\"]"})"),
              R"({"op":"remove","path":"tokens[value eq [redacted]]"})");
    EXPECT_EQ(kept(R"({"attributes":["tokens[value eq \"hunter2\"]","title"]})"),
              R"({"attributes":["tokens[value eq [redacted]]","title"]})");
    EXPECT_EQ(kept(R"({"filter":"displayName eq \"password team\"","t":"Secretary"})"),
              R"({"filter":"displayName eq \"password team\"","t":"Secretary"})");
}

TEST(Redaction, ReplacesObjectsWhoseNamesHoldLiterals) {
    EXPECT_EQ(kept(R"({"op":"add","value":{"tokens[value eq \"a\"].type":1,"title":"T"}})"),
              R"({"op":"add","value":"[redacted]"})");
    EXPECT_EQ(kept(R"([{"mst_a":1,"mst_b":2},{"apiToken=x":1},{"urn:x:apiToken":true}])"),
              R"(["[redacted]","[redacted]",{"urn:x:apiToken":true}])");
}

TEST(Redaction, FindsSecretsAtEachDepth) {
    std::string body = R"({"password":"hunter2","title":"T"})";
    std::string due = R"({"password":"[redacted]","title":"T"})";
    for (int depth = 2; depth < 14; ++depth) {
        const auto wrapped = [depth](const std::string& inner) {
            return depth % 2 == 0 ? R"([{"a":[1,"x"]},)" + inner + R"(,"plain",null])"
                                  : R"({"before":{"b":true},"in":)" + inner + R"(,"after":"y"})";
        };
        body = wrapped(body);
        due = wrapped(due);
        EXPECT_EQ(kept(body), due) << depth;
    }
}

TEST(Redaction, SaysWhetherAFilterComparedASecret) {
    const auto compares = [](const std::string& body) {
        return redact_body(body, json::parse(body).value()).hides_part;
    };
    EXPECT_TRUE(compares(R"({"filter":"apiToken eq \"x\""})"));
    EXPECT_TRUE(compares(R"({"value":{"tokens[value eq \"a\"]":1}})"));
    EXPECT_FALSE(compares(R"({"path":"tokens","value":"x"})"));
    EXPECT_FALSE(compares(R"({"password":"x","userName":"ann"})"));
}

TEST(Redaction, HidesWhatErrorsQuoteOfFilters) {
    const std::string body =
        R"({"Operations":[{"response":{"scimType":"invalidFilter","detail":"found \"hunter2\""}},)"
        R"({"response":{"scimType":"invalidValue","detail":"not \"many\""}}]})";
    EXPECT_EQ(
        redact_body(body, json::parse(body).value(), Hide::All).text,
        R"({"Operations":[{"response":{"scimType":"invalidFilter","detail":"found [redacted]"}},)"
        R"({"response":{"scimType":"invalidValue","detail":"not \"many\""}}]})");
}

}  // namespace
}  // namespace muster::provlog
