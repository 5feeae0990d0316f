#include "conform/run.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conform/report.hpp"

namespace muster::conform {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

net::ClientResponse answer(int status, std::string body) {
    net::ClientResponse out;
    out.status = status;
    out.headers = {{"Content-Type", "application/scim+json"}};
    out.body = std::move(body);
    return out;
}

/// A server that declares sort but no bulk, makes users, and answers /odd with 500.
struct FakeServer {
    std::vector<std::string> calls;
    bool deletes = true;
    bool dead = false;

    Send send() {
        return [this](const net::ClientRequest& request) { return serve(request); };
    }

    std::expected<net::ClientResponse, std::string> serve(const net::ClientRequest& request) {
        const std::string call = request.method + " " + request.target;
        calls.push_back(call);
        dead = dead || request.target == "/v2/death";
        if (dead) return std::unexpected("no answer");
        if (call == "POST /v2/odd-text")
            return answer(201, R"({"id": "5", "id": "6", "title": "\u0000"})");
        if (call == "GET /v2/ServiceProviderConfig")
            return answer(200, R"({"sort": {"supported": true}, "bulk": {"supported": false}})");
        if (request.method == "DELETE") return answer(deletes ? 204 : 403, "");
        if (request.method == "POST" && request.target == "/v2/Users")
            return answer(201, R"({"id": "7", "meta": {}})");
        if (request.method == "POST" && request.target == "/v2/Bulk")
            return answer(200, R"({"Operations": [
                {"method": "post", "status": "201", "location": "http://h/v2/Users/8"},
                {"method": "PUT", "status": "200", "location": "http://h/v2/Users/9"}]})");
        if (request.target.starts_with("/v2/odd")) return answer(500, "");
        if (request.target.starts_with("/v2/silent")) return std::unexpected("no answer");
        if (request.target.starts_with("/v2/fine")) return answer(200, "{}");
        return answer(501, "");
    }
};

Report play_text(FakeServer& server, std::string_view text, std::vector<std::string> only = {"x"},
                 const Stop& stop = {}) {
    const NamedText file{"x", text};
    const Suite suite = load(std::span{&file, 1}).value();
    Options options;
    options.base_url = "http://h/v2";
    options.only = std::move(only);
    return play(suite, options, server.send(), {}, stop);
}

std::vector<std::string> outcomes(const Report& report) {
    std::vector<std::string> out;
    for (const Result& result : report.checks)
        out.push_back(result.id + " " + std::string{word_of(result.outcome)});
    return out;
}

TEST(Run, TellsTheOutcomesApart) {
    FakeServer server;
    const Report report = play_text(server,
                                    "## RFC 1 §1 Free\n"
                                    "=== a fine\nGET /fine\n--- 200\n"
                                    "=== b another status\nGET /fine\n--- 404\n"
                                    "=== c refused\nGET /gone\n--- 200\n"
                                    "## RFC 1 §2 Declared\n@needs sort\n"
                                    "=== d fine\nGET /fine\n--- 200\n"
                                    "=== e does it in another way\nGET /fine\n--- 204\n"
                                    "=== f is not implemented\nGET /gone\n--- 200\n"
                                    "## RFC 1 §3 Not declared\n@needs bulk\n"
                                    "=== g refused\nGET /gone\n--- 200\n"
                                    "=== h works by chance\nGET /fine\n--- 200\n"
                                    "=== i breaks\nGET /odd\n--- 200\n"
                                    "=== j is silent\nGET /silent\n--- 200\n");
    EXPECT_THAT(outcomes(report),
                ElementsAre("x.a passed", "x.b wrong", "x.c wrong", "x.d passed", "x.e wrong",
                            "x.f undeclared", "x.g unsupported", "x.h unsupported",
                            "x.i undeclared", "x.j undeclared"));
    EXPECT_FALSE(report.good());
    EXPECT_THAT(report.checks[1].detail,
                testing::AllOf(HasSubstr("RFC 1 §1"), HasSubstr("sent:     GET /v2/fine"),
                               HasSubstr("answered: 200"), HasSubstr("due:      404")));
}

constexpr std::string_view kMakes =
    "## RFC 1 §1 S\n"
    "=== fixture: one\nPOST /Users\n{}\n--- 201\n"
    "=== a makes another, and fails\nPOST /Users\n{}\n--- 200\n"
    "=== b fine\nGET /fine\n--- 200\n";

TEST(Run, DeletesWhatItMadeAlsoAfterAFailure) {
    FakeServer server;
    const Report report = play_text(server, kMakes);
    EXPECT_EQ(std::ranges::count(server.calls, "DELETE /v2/Users/7"), 2);
    EXPECT_THAT(report.left_behind, IsEmpty());
}

TEST(Run, EndsWhereTheServerCeasesToAnswer) {
    FakeServer server;
    const Report report =
        play_text(server,
                  "## RFC 1 §1 S\n=== a fine\nGET /fine\n--- 200\n"
                  "=== b is its end\nGET /death\n--- 200\n=== c fine\nGET /fine\n--- 200\n");
    EXPECT_THAT(outcomes(report), ElementsAre("x.a passed", "x.b wrong"));
    EXPECT_TRUE(report.interrupted);
    EXPECT_FALSE(report.good());
    EXPECT_EQ(report.reason, "The server ceased to answer in x.b: no answer.");
    EXPECT_THAT(as_text(report), HasSubstr(report.reason));
}

TEST(Run, ReadsWhatJsonLeavesToItsReader) {
    FakeServer server;
    const Report report = play_text(
        server, "## RFC 1 §1 S\n=== a a NUL\nPOST /odd-text\n{}\n--- 201\n{\"id\": \"*\"}\n");
    EXPECT_THAT(outcomes(report), ElementsAre("x.a passed"));
    EXPECT_EQ(std::ranges::count(server.calls, "DELETE /v2/odd-text/6"), 1);
}

TEST(Run, DeletesWhatABulkRequestMadeHoweverItsMethodIsWritten) {
    FakeServer server;
    play_text(server, "## RFC 1 §1 S\n=== a makes one\nPOST /Bulk\n{}\n--- 200\n");
    EXPECT_EQ(std::ranges::count(server.calls, "DELETE /v2/Users/8"), 1);
    EXPECT_EQ(std::ranges::count(server.calls, "DELETE /v2/Users/9"), 0);
}

TEST(Run, DeletesWhatItMadeWhereItIsStopped) {
    FakeServer server;
    int asked = 0;
    const Report report = play_text(server, kMakes, {"x"}, [&asked] { return ++asked == 3; });
    EXPECT_TRUE(report.interrupted);
    EXPECT_FALSE(report.good());
    EXPECT_THAT(outcomes(report), ElementsAre("x.a wrong"));
    EXPECT_EQ(std::ranges::count(server.calls, "DELETE /v2/Users/7"), 2);
}

TEST(Run, TellsWhatCouldNotBeDeleted) {
    FakeServer server;
    server.deletes = false;
    const Report report = play_text(server, kMakes);
    EXPECT_THAT(report.left_behind, ElementsAre("/v2/Users/7", "/v2/Users/7"));
    EXPECT_THAT(as_text(report), HasSubstr("Left behind: /v2/Users/7"));
}

TEST(Run, PlaysOnlyWhatIsAskedForAndRulesForEveryAnswer) {
    FakeServer server;
    constexpr std::string_view kText =
        "## RFC 1 §1 S\n=== aa-1 fine\nGET /fine\n--- 200\n=== b fine\nGET /fine\n--- 200\n";
    EXPECT_THAT(outcomes(play_text(server, kText, {"x.aa"})), ElementsAre("x.aa-1 passed"));
    EXPECT_THAT(outcomes(play_text(server, kText, {"other"})), IsEmpty());
    const Report all =
        play_text(server, "## RFC 1 §1 S\n=== a an error without a body\nGET /odd\n--- 500\n", {});
    EXPECT_THAT(outcomes(all), testing::Contains("always.error-body wrong"));
    EXPECT_THAT(outcomes(all), testing::Contains("always.location passed"));
}

TEST(Run, SaysBeforehandWhatMakesItPointless) {
    struct Case {
        net::ClientResponse config;
        net::ClientResponse users;
        std::string said;
    };
    net::ClientResponse moved = answer(301, "");
    moved.headers = {{"Location", "https://h/v2"}};
    for (const Case& c : {Case{answer(200, "{}"), answer(200, "{}"), ""},
                          Case{answer(404, ""), answer(200, "{}"), ""},
                          Case{answer(200, "{}"), answer(500, ""), ""},
                          Case{answer(200, "{}"), answer(401, "{}"), "refuses the token (401)"},
                          Case{answer(401, ""), answer(403, ""), "refuses the token (403)"},
                          Case{answer(404, "{}"), answer(404, "{}"), "no SCIM at this URL"},
                          Case{answer(200, "<html>"), answer(200, "<html>"), "no SCIM at this URL"},
                          Case{moved, answer(200, "{}"), "https://h/v2"}}) {
        Options options;
        options.base_url = "http://h/v2";
        const auto looked = look_at(options, [&c](const net::ClientRequest& request) {
            return request.target == "/v2/ServiceProviderConfig" ? c.config : c.users;
        });
        EXPECT_THAT(looked ? "" : looked.error(), HasSubstr(c.said));
        EXPECT_EQ(looked.has_value(), c.said.empty());
    }
}

TEST(Report, IsWellFormedWhateverComesBack) {
    Report report;
    report.checks = {{.id = "a.b",
                      .area = "a",
                      .section = "RFC 1 §1",
                      .title = "<&\">",
                      .outcome = Outcome::Wrong,
                      .detail = "RFC 1 §1\nanswered: </pre>\x01"}};
    EXPECT_THAT(as_junit(report),
                testing::AllOf(HasSubstr("&lt;&amp;&quot;&gt;"), HasSubstr("&lt;/pre&gt;?")));
    EXPECT_THAT(as_html(report), HasSubstr("<pre>RFC 1 §1\nanswered: &lt;/pre&gt;?</pre>"));
    const json::Object object = as_json(report);
    EXPECT_EQ(object.at("checks").at(0).at("outcome"), "wrong");
    EXPECT_EQ(object.at("summary").at("wrong"), 1);
}

}  // namespace
}  // namespace muster::conform
