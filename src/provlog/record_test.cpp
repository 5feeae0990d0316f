#include "provlog/record.hpp"

#include <array>

#include <gtest/gtest.h>

#include "provlog/explain.hpp"

namespace muster::provlog {
namespace {

const std::string kToken = "mst_abcdefgh23-zz22_" + std::string(49, 'Q');

Record record_of(std::string_view method, std::string_view target) {
    return Record({1'234'567},
                  {.org_slug = "acme", .connector_id = "abcdefgh23", .peer = "192.0.2.1"},
                  {.method = method, .target = target});
}

json::Object finished(Record record, int status, std::string_view response) {
    auto entry = record.finish(status, response, 42);
    const auto parsed = json::parse(entry.json + "}");
    EXPECT_TRUE(parsed && parsed->is_object()) << entry.json;
    return parsed ? parsed->get_object() : json::Object{};
}

TEST(Record, TellsTheWholeStoryAsOneJsonLine) {
    auto record = record_of("PATCH", "/c/abcdefgh23/scim/v2/Users/7");
    record.step("authenticated", "token");
    record.resource("User", "7", "Ann \"A\" Ash");
    const std::vector<scim::Note> notes{{"read-only-ignored", "id was ignored"}};
    record.notes(notes);
    const std::vector<scim::Change> changes{{"active", "true", "false"}};
    record.changes(changes);
    const std::string body = "{\"active\":\n false}";
    const auto value = json::parse(body);
    record.request_body(body, &*value);
    const auto object = finished(std::move(record), 200, R"({"id":"7"})");
    EXPECT_EQ(object.at("outcome"), "accepted");
    EXPECT_EQ(object.at("status"), 200);
    EXPECT_EQ(object.at("duration_us"), 42);
    EXPECT_EQ(object.at("resource").at("display"), "Ann \"A\" Ash");
    EXPECT_EQ(object.at("changes").at(0).at("after"), false);
    EXPECT_EQ(object.at("notes").at(0).at("rule"), "read-only-ignored");
    EXPECT_EQ(object.at("request").at("active"), false);
    EXPECT_EQ(object.at("response").at("id"), "7");
}

TEST(Record, GoesBackToAMark) {
    const auto told = [](bool tries_in_vain) {
        auto record = record_of("PUT", "/x");
        record.step("parsed", "2 bytes");
        record.reason("first");
        const auto mark = record.mark();
        if (tries_in_vain) {
            record.step("matched", "another");
            record.notes(std::vector<scim::Note>{{"rule", "text"}});
            record.changes(std::vector<scim::Change>{{"active", "true", "false"}});
            record.resource("User", "7", "Ann");
            record.reason("second");
            record.rewind(mark);
        }
        return json::to_text(finished(std::move(record), 409, "{}"));
    };
    EXPECT_EQ(told(true), told(false));
}

TEST(Record, HoldsNoLineEnd) {
    auto record = record_of("POST", "/x\n\"y");
    const std::string body = "{\r\n\"a\":\"b\\n\"\r\n}";
    const auto value = json::parse(body);
    record.request_body(body, &*value);
    const auto entry = record.finish(400, {}, 1);
    EXPECT_EQ(entry.json.find('\n'), std::string::npos);
    EXPECT_TRUE(entry.failed);
}

TEST(Record, KeepsNothingOfABodyThatItCannotRead) {
    auto record = record_of("POST", "/c/x/scim/v2/Users");
    record.request_body(R"({"password":"hunter2")", nullptr);
    const auto entry = record.finish(400, {}, 1);
    EXPECT_EQ(entry.json.find("hunter2"), std::string::npos);
    EXPECT_NE(entry.json.find("omitted_bytes"), std::string::npos);
}

TEST(Record, KeepsTheSizeOfChangesThatAreTooLarge) {
    auto record = record_of("PUT", "/c/x/scim/v2/Users/7");
    const std::string large = "\"" + std::string(8'000'000, 'x') + "\"";
    const std::vector<scim::Change> changes{
        {"title", "\"a\"", "\"b\""}, {"nickName", large, large}, {"locale", "", "\"de\""}};
    record.changes(changes);
    const auto entry = record.finish(200, {}, 1);
    EXPECT_LT(entry.json.size(), 2 * kMaxBodyBytes);
    const auto whole = json::parse(entry.json + "}");
    ASSERT_TRUE(whole);
    const auto& kept = whole->at("changes").as_array();
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept[0].at("after"), "b");
    EXPECT_EQ(kept[1].at("before").at("omitted_bytes"), large.size());
    EXPECT_EQ(kept[2].at("after"), "de");
}

TEST(Redaction, MasksTokensWhereverTheyStand) {
    auto record = Record({1}, {.user_agent = kToken}, {.method = "GET", .target = "/"});
    EXPECT_EQ(record.finish(200, {}, 1).json.find(kToken), std::string::npos);
}

TEST(Redaction, MasksTokensThatWereTakenForSomethingElse) {
    auto record = record_of("GET", "/Users");
    record.resource("User", kToken, kToken);
    record.step("parsed", "filter userName eq \"" + kToken + "\"");
    const std::vector<scim::Change> changes{{"userName", {}, "\"" + kToken + "\""}};
    record.changes(changes);
    const auto entry = record.finish(404, R"({"detail":")" + kToken + "\"}", 1);
    EXPECT_EQ(entry.json.find("QQQQ"), std::string::npos) << entry.json;
    EXPECT_TRUE(json::parse(entry.json + "}"));
}

TEST(Redaction, HidesTheOldAndTheNewValueOfASecret) {
    auto record = Record({1}, {}, {.method = "PATCH", .target = "/Users/7"});
    const std::vector<scim::Change> changes{{"urn:x:apiToken", "\"old1\"", "\"new1\""}};
    record.changes(changes);
    const auto entry = record.finish(200, R"({"id":"7","apiToken":"new1"})", 1);
    EXPECT_EQ(entry.json.find("old1"), std::string::npos) << entry.json;
    EXPECT_EQ(entry.json.find("new1"), std::string::npos) << entry.json;
}

TEST(Redaction, HidesSecretsWithinTheValuesThatChanged) {
    auto record = Record({1}, {}, {.method = "POST", .target = "/Users"});
    const std::vector<scim::Change> changes{
        {"urn:x:devices", R"([{"value":"a","accessToken":"old1"}])",
         R"([{"value":"a","accessToken":"new1"}])"},
        {"urn:x:conf", {}, R"({"n":1,"clientSecret":["new1"]})"},
        {"title", {}, R"("keeper of the tokens")"}};
    record.changes(changes);
    const auto object = finished(std::move(record), 201, "{}");
    EXPECT_EQ(json::to_text(object.at("changes")),
              R"([{"path":"urn:x:devices","before":[{"value":"a","accessToken":"[redacted]"}],)"
              R"("after":[{"value":"a","accessToken":"[redacted]"}]},)"
              R"({"path":"urn:x:conf","after":{"n":1,"clientSecret":"[redacted]"}},)"
              R"({"path":"title","after":"keeper of the tokens"}])");
}

TEST(Redaction, HidesWhatAFilterComparesASecretWithInEveryPart) {
    auto record = record_of("POST", "/Users/.search?filter=api%54oken%20eq%20%22hunter2%22");
    const std::string body = R"({"filter":"apiToken eq \"hunter2\""})";
    const auto value = json::parse(body);
    record.request_body(body, &*value);
    record.filter(R"(apiToken eq "hunter2" and tokenNumber gt 4711)");
    record.notes(std::vector<scim::Note>{
        {"unknown-attribute-dropped", R"("tokens[a eq \"hunter2\"]" is no attribute)"}});
    record.changes(std::vector<scim::Change>{{"tokens[value eq \"hunter2\"]", "1", "2"},
                                             {"title", {}, R"("apiToken eq \"hunter2\"")"}});
    record.resource("User", "a?token eq \"hunter2\"", "Ann");
    const auto entry =
        record.finish(400, R"({"scimType":"invalidFilter","detail":"found \"hunter2\""})", 1);
    EXPECT_FALSE(entry.json.contains("hunter2")) << entry.json;
    const auto object = finished(std::move(record), 400, "");
    EXPECT_EQ(object.at("target"), "/Users/.search?[redacted]");
    EXPECT_EQ(object.at("request").at("filter"), "apiToken eq [redacted]");
    EXPECT_EQ(object.at("trace").at(0).at("text"),
              "filter apiToken eq [redacted] and tokenNumber gt [redacted]");
}

TEST(Redaction, HidesWhatErrorsQuoteOfFiltersThatAreNotKept) {
    const std::string filter_error =
        R"({"scimType":"invalidFilter","detail":"found \"hunter2\"","status":"400"})";
    const std::string value_error = R"({"scimType":"invalidValue","detail":"not \"many\""})";
    const auto told = [](Record record, const std::string& error) {
        return json::to_text(finished(std::move(record), 400, error).at("response"));
    };
    const auto plain = [] {
        auto record = record_of("GET", "/Users?filter=a%20%22hunter2%22");
        record.tell_all();
        return record;
    };
    EXPECT_EQ(told(plain(), filter_error), filter_error);
    const auto secret = [] { return record_of("GET", "/Users?filter=apiToken%20%22hunter2%22"); };
    EXPECT_EQ(told(secret(), filter_error),
              R"({"scimType":"invalidFilter","detail":"found [redacted]","status":"400"})");
    EXPECT_EQ(told(secret(), value_error), value_error);
    const auto unread = [] {
        auto record = record_of("PATCH", "/Users/7");
        record.request_body(R"({"path":"tokens \"hunter2\""})", nullptr);
        return record;
    };
    EXPECT_FALSE(told(unread(), filter_error).contains("hunter2"));
    EXPECT_EQ(told(unread(), value_error), value_error);
    const std::string taken = R"({"scimType":"uniqueness","detail":"\"ann b\" is taken"})";
    EXPECT_FALSE(told(unread(), taken).contains("ann b"));
    auto large = unread();
    large.tell_all();
    EXPECT_EQ(told(std::move(large), taken), taken) << "though its body was not kept";
    const auto bulk =
        unread().finish(200, R"({"Operations":[{"response":)" + filter_error + "}]}", 1);
    EXPECT_FALSE(bulk.json.contains("hunter2")) << bulk.json;
}

TEST(Redaction, HidesWhatMayBeAGuessUntilNothingIsKnownToBeHidden) {
    const auto* error = R"({"detail":"no \"pin eq \\\"hunter2\\\"\""})";
    for (const char* odd :
         {"?filter=pin%20eq%20%22hunter2%22", "?count=x&FILTER=pin%20eq%20%22hunter2%22",
          "?%66ilter=pin+eq+%22hunter2%22", "&filter=pin+eq+%22hunter2%22",
          "%3Ffilter=pin+eq+%22hunter2%22", ";filter=pin,hunter2", "?sortBy=pin+eq+hunter2",
          "?attributes=pin%20eq%20hunter2", "?pin=hunter2", "?count=1&PIN=hunter2", "*hunter2",
          "=hunter2/filter"}) {
        const std::string target = std::string{"/Licences"} + odd;
        const auto tell = [error](Record record) {
            record.step("parsed", "?");
            record.notes(std::vector<scim::Note>{
                {"unknown-attribute-dropped", R"("pin eq \"hunter2\"" is no attribute)"}});
            record.resource("Licence", R"(7?filter=pin eq "hunter2")", {});
            return json::to_text(finished(std::move(record), 400, error));
        };
        auto record = record_of("GET", target);
        const auto hidden = tell(record);
        EXPECT_FALSE(hidden.contains("hunter2")) << hidden;
        EXPECT_TRUE(hidden.contains(R"("target":"/Licences?[redacted]")")) << hidden;
        EXPECT_TRUE(hidden.contains(R"([redacted] is no attribute)")) << hidden;

        record.tell_all();
        const auto kept = json::parse(tell(record))->get_object();
        EXPECT_EQ(kept.at("target"), json::Value(target));
        EXPECT_EQ(kept.at("trace").as_array().size(), 1U);
        EXPECT_EQ(kept.at("response").at("detail"), R"(no "pin eq \"hunter2\"")");
        EXPECT_TRUE(json::to_text(kept.at("notes")).contains("hunter2"));
        EXPECT_TRUE(json::to_text(kept.at("resource")).contains("hunter2"));
    }
    // Whatever else of the target was redacted or cut.
    const std::string query = "?filter=pin%20eq%20%22hunter2%22";
    for (const auto& target :
         {"/Licences" + query + "&x=" + std::string(5000, 'y'), "/Licences/mst_x" + query}) {
        EXPECT_FALSE(record_of("GET", target).finish(401, error, 1).json.contains("hunter2"));
    }
    // What was redacted for another reason stays so.
    auto search = record_of("POST", "/Users/.search?filter=x");
    const std::string body = R"({"filter":"\"hunter2\" eq apiToken"})";
    const auto parsed = json::parse(body);
    search.request_body(body, &*parsed);
    search.tell_all();
    const auto* filter_error = R"({"scimType":"invalidFilter","detail":"no \"hunter2\""})";
    EXPECT_FALSE(search.finish(400, filter_error, 1).json.contains("hunter2"));

    auto secret = record_of("GET", "/Users?filter=apiToken%20eq%20%22hunter2%22");
    secret.tell_all();
    EXPECT_EQ(finished(std::move(secret), 200, "").at("target"), "/Users?[redacted]");
    for (const char* harmless : {"/Licences", "/Users?count=1&attributes=a%2Cb", "/Users/filter",
                                 "/Users/ann@acme.example"}) {
        EXPECT_EQ(finished(record_of("GET", harmless), 200, "").at("target"), harmless);
    }
}

TEST(Redaction, KeepsNoAnswerOfWhichAPartCannotBeRead) {
    auto record = Record({1}, {}, {.method = "GET", .target = "/Users/7"});
    const std::string deep = R"({"apiToken":)" + std::string(40, '[') + "1" + std::string(40, ']');
    const auto object = finished(std::move(record), 200, deep + "}");
    EXPECT_EQ(object.at("response").at("omitted_bytes"), deep.size() + 1);
}

TEST(Explain, SaysWhatHappenedWhyAndWhatToDo) {
    auto record = Record({1}, {.user_agent = "Okta SCIM Client 1.0.0"},
                         {.method = "POST", .target = "/c/x/scim/v2/Users"});
    record.resource("User", "7", "ann@acme.example");
    record.reason("uniqueness");
    const auto explanation = explain(finished(std::move(record), 409, "{}"));
    EXPECT_NE(explanation.happened.find("Okta asked to create User ann@acme.example"),
              std::string::npos)
        << explanation.happened;
    EXPECT_NE(explanation.happened.find("refused (409)"), std::string::npos);
    EXPECT_FALSE(explanation.why.empty());
    EXPECT_FALSE(explanation.todo.empty());
    EXPECT_NE(explanation.sentence.find(explanation.todo), std::string::npos);
}

TEST(Explain, SaysFirstWhenTheRequestLooksLikeAnotherClients) {
    auto record = record_of("PATCH", "/c/x/scim/v2/Users/1");
    record.step("dialect", "looks like entra (by its user agent); the connector says okta");
    record.reason("invalidSyntax");
    const auto explanation = explain(finished(std::move(record), 400, "{}"));
    EXPECT_NE(explanation.todo.find("looks like entra"), std::string::npos);
    EXPECT_NE(explanation.todo.find("muster connector set abcdefgh23 idp=entra."),
              std::string::npos)
        << explanation.todo;
}

/// What is said of a record with these members beside.
Explanation told(const char* method, const char* target, int status, const char* more,
                 std::string_view idp = "Okta") {
    const auto text = fmt::format(R"({{"method":"{}","target":"{}","status":{}{}}})", method,
                                  target, status, more);
    return explain(json::parse(text)->get_object(), idp);
}

TEST(Explain, SaysWhatWasWritten) {
    struct Case {
        const char* method;
        const char* target;
        int status;
        const char* more;
        const char* why;
    };
    constexpr std::array kCases{
        Case{"PATCH", "/Groups/1", 204,
             R"(,"written":[{"version":2,"members_added":3,"members_removed":1}])",
             "Members added: 3. Members removed: 1."},
        Case{"PUT", "/Groups/1", 200,
             R"(,"changes":[{"path":"displayName","before":"a","after":"b"},
                            {"path":"externalId","before":"x"},{"path":"title","after":"t"}],
                "written":[{"version":2,"members_removed":1}])",
             "Changed: displayName, title. Cleared: externalId. Members removed: 1."},
        Case{"PATCH", "/Users/1", 200,
             R"(,"changes":[{"path":"active","before":true,"after":false}],"written":[{}])",
             "Switched off (not active)."},
        Case{"PATCH", "/Users/1", 200,
             R"(,"changes":[{"path":"title","after":"t"},{"path":"active","after":true}],
                "written":[{}])",
             "Switched on (active). Changed: title."},
        Case{"POST", "/Users", 201, R"(,"written":[{"version":1}])", "It was made."},
        Case{"POST", "/Users", 201, R"(,"changes":[{"path":"title","after":"t"}],"written":[{}])",
             "It was made."},
        Case{"POST", "/Groups", 201, R"(,"written":[{"version":1,"members_added":2}])",
             "It was made. Members added: 2."},
        Case{"POST", "/Users", 201,
             R"(,"trace":[{"step":"matched","text":"a deactivated person with this userName"}],
                "changes":[{"path":"active","before":false,"after":true}],"written":[{}])",
             "A deactivated person with this userName and externalId was there and is the one "
             "again. Switched on (active)."},
        Case{"PATCH", "/Groups/1", 204, R"(,"written":[{"version":2}],
                "notes":[{"rule":"unknown-member-skipped","text":"left out: \"ghost\"."}])",
             "Nothing was left to be changed. Note: left out: \"ghost\"."},
        Case{"PATCH", "/Users/1", 200, R"(,"changes":[{"path":"title","after":"t"}],
                "written":[{}],"notes":[{"rule":"dialect:boolean-text","text":"taken."}])",
             "Changed: title."},
        Case{"DELETE", "/Users/1", 204, R"(,"written":[{}],"resource":{"type":"User"})",
             "It was deleted, and is in no group any more."},
        Case{"DELETE", "/Groups/1", 204, R"(,"written":[{}],"resource":{"type":"Group"})",
             "It was deleted; who was a member stays."},
        Case{"DELETE", "/Roles/1", 204, R"(,"written":[{}],"resource":{"type":"Role"})",
             "It was deleted."},
        Case{"HEAD", "/Users/1", 200, "", "Nothing was to be changed."},
        Case{"PUT", "/Users/1", 200, R"(,"written":[])", "Nothing had to be changed."},
        Case{"PUT", "/Users/1", 200, R"(,"written":1)", "Nothing had to be changed."},
        Case{"POST", "/Bulk", 200, "", "Each of its operations has a record of its own."},
        Case{"POST", "/Bulk/?a=b", 200, "", "Each of its operations has a record of its own."},
        Case{"PUT", "/Users/1?attributes=.search&x=/Bulk", 200, R"(,"written":[])",
             "Nothing had to be changed."},
        Case{"GET", "/Users/1", 200, "", "Nothing was to be changed."},
        Case{"GET", "/Users?count=2", 200,
             R"(,"trace":[{"step":"answered","text":"2 of 9 resources"}])",
             "Nothing was to be changed. It was given 2 of 9 resources."},
        Case{"POST", "/Users/.search", 200,
             R"(,"trace":[{"step":"parsed","text":"filter userName eq \"ann\""},
                          {"step":"answered","text":"0 of 0 resources"}])",
             "Nothing was to be changed. It looked for userName eq \"ann\" and was given 0 of 0 "
             "resources."},
    };
    for (const Case& one : kCases) {
        EXPECT_EQ(told(one.method, one.target, one.status, one.more).why, one.why) << one.more;
    }
}

TEST(Explain, SpeaksOfWhatWasRefused) {
    const auto todo = [](const char* method, const char* target, const char* more,
                         std::string_view idp) {
        return told(method, target, 409, more, idp).todo;
    };
    const auto* taken = R"(,"reason":"uniqueness")";
    EXPECT_TRUE(todo("POST", "/Groups", taken, "Okta").contains("in Okta: Push Groups"));
    EXPECT_TRUE(todo("POST", "/Users", taken, "Okta").contains("in Okta: import from this app"));
    EXPECT_EQ(todo("POST", "/Badges", taken, "Okta"),
              "Give one of the two another value; then retry.");
    const auto entras = todo("POST", "/Users", taken, "Microsoft Entra ID");
    EXPECT_FALSE(entras.contains("Okta")) << entras;
    EXPECT_TRUE(entras.contains("the person in Microsoft Entra ID, or give")) << entras;
    EXPECT_EQ(todo("DELETE", "/Users/1", R"(,"reason":"not-found")", "Okta"),
              "Nothing is to be done.");
    EXPECT_TRUE(todo("PATCH", "/Users/1", R"(,"reason":"not-found")", "Okta").contains("unlink"));
    EXPECT_TRUE(todo("GET", "/Users", R"(,"reason":"paused","connector":"c7")", "Okta")
                    .contains("(muster connector resume c7)"));
    EXPECT_TRUE(todo("GET", "/Users", R"(,"reason":"inactive")", "Okta")
                    .contains("(muster token activate ID)"));

    const auto* named = R"(,"request":{"schemas":[],"userName":"ann"})";
    EXPECT_TRUE(told("POST", "/c/x/scim/v2/Users", 409, named)
                    .happened.contains("asked to create /c/x/scim/v2/Users (ann) at"));
}

TEST(Explain, TellsWhatMusterDidByItself) {
    const auto own = told("DELETE", "/Groups/7", 204,
                          R"(,"written":[{"version":2}],"resource":{"type":"Group","id":"7"},)"
                          R"("trace":[{"step":"itself","text":"It was taken back"}])");
    EXPECT_TRUE(own.happened.contains("'s bulk request made Muster delete Group 7 at "))
        << own.happened;
    EXPECT_TRUE(own.happened.ends_with(" (204).")) << own.happened;
    EXPECT_EQ(own.why, "It was taken back. It was deleted; who was a member stays.");
    EXPECT_EQ(told("POST", "/c/x/scim/v2/Bulk", 200,
                   R"(,"trace":[{"step":"decided","text":"Of 2 operations 1 failed"}])")
                  .why,
              "Of 2 operations 1 failed.");
}

TEST(Explain, NamesTheClientThatTheConnectorIsFor) {
    const auto told = [](auto... idp) {
        auto record = record_of("GET", "/c/x/scim/v2/Users");
        record.reason("paused");
        const auto explanation = explain(finished(std::move(record), 429, "{}"), idp...);
        return explanation.why + explanation.todo;
    };
    EXPECT_NE(told("Microsoft Entra ID").find("; Microsoft Entra ID retries"), std::string::npos);
    EXPECT_NE(told("Microsoft Entra ID").find("if Microsoft Entra ID gave"), std::string::npos);
    EXPECT_NE(told().find("; the identity provider retries"), std::string::npos);
}

TEST(Explain, FallsBackToTheAnswersOwnWords) {
    auto record = record_of("GET", "/c/x/scim/v2/Users");
    record.reason("something-new");
    const auto explanation = explain(finished(std::move(record), 400, R"({"detail":"Because."})"));
    EXPECT_EQ(explanation.why, "Because.");
}

TEST(Explain, SurvivesAnyObject) {
    EXPECT_FALSE(explain({}).sentence.empty());
    EXPECT_FALSE(explain({{"status", "x"}, {"changes", 1}, {"resource", 2}}).sentence.empty());
}

}  // namespace
}  // namespace muster::provlog
