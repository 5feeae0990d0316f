#include <algorithm>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_world.hpp"

namespace muster::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::string_view kAcme =
    R"({"slug":"acme","name":"Acme Ltd","created":"2026-11-22T08:15:30.000Z",
        "users":2,"groups":1,"connectors":0})";
constexpr std::string_view kConnector =
    R"({"id":"abcdefghij","org":"acme","idp":"okta","name":"Okta","state":"active",
        "scim_url":"https://scim.example/c/abcdefghij/scim/v2","tokens":1,
        "created":"2026-11-22T08:15:30.000Z","policy":{"on_delete":"retain"}})";

class Commands : public testing::Test {
  protected:
    int run(std::vector<std::string> words) { return world_.run(std::move(words)); }
    [[nodiscard]] std::string out() const { return world_.out.str(); }
    [[nodiscard]] std::string err() const { return world_.err.str(); }
    FakeApi& api() { return world_.api; }

    FakeWorld world_;
};

// ---- organisations ------------------------------------------------------------------------------

TEST_F(Commands, ListsOrganisationsAsATable) {
    api().answer("GET /organisations", 200, "{\"organisations\":[" + std::string{kAcme} + "]}");
    EXPECT_EQ(run({"org", "list"}), 0);
    EXPECT_EQ(out(),
              "SLUG  NAME      USERS  GROUPS  CONNECTORS  CREATED\n"
              "acme  Acme Ltd      2       1           0  2026-11-22 08:15:30Z\n");
    EXPECT_EQ(err(), "");
    EXPECT_FALSE(world_.may_make_directory);
}

TEST_F(Commands, SaysWhatToDoWhereAListIsEmpty) {
    api().answer("GET /organisations", 200, R"({"organisations":[]})");
    EXPECT_EQ(run({"org", "list"}), 0);
    EXPECT_EQ(out(), "");
    EXPECT_EQ(err(), "There is no organisation yet. Make one: muster org create NAME\n");
    EXPECT_EQ(run({"org", "list", "--json"}), 0);
    EXPECT_EQ(out(), "{\"organisations\":[]}\n");
    EXPECT_EQ(err(), "");
}

TEST_F(Commands, CreatesAnOrganisationAndMayMakeTheDirectory) {
    api().answer("POST /organisations", 201, kAcme);
    EXPECT_EQ(run({"org", "create", "Acme Ltd", "--slug", "acme", "--data", "/d"}), 0);
    EXPECT_TRUE(world_.may_make_directory);
    EXPECT_EQ(world_.installation.data, "/d");
    EXPECT_EQ(json::to_text(api().bodies.at(0)), R"({"name":"Acme Ltd","slug":"acme"})");
    EXPECT_THAT(out(), StartsWith("SLUG        acme\nNAME        Acme Ltd\n"));
    EXPECT_EQ(err(), "Created. Next: muster connector create --org acme --idp okta\n");
}

TEST_F(Commands, DeletesAnOrganisationOnlyWithConsent) {
    api().answer("GET /organisations/acme", 200, kAcme);
    api().answer("DELETE /organisations/acme", 200, R"({"slug":"acme","removed":true})");

    EXPECT_EQ(run({"org", "delete", "acme"}), 2);
    EXPECT_EQ(err(),
              "Error: Nothing was deleted: no terminal can ask for consent.\n"
              "Give --confirm=acme if you mean it.\n");
    EXPECT_EQ(run({"org", "delete", "acme", "--confirm=amce"}), 2);
    EXPECT_EQ(run({"org", "delete", "acme", "--confirm="}), 2);
    EXPECT_THAT(api().calls, testing::Each("GET /organisations/acme"));

    EXPECT_EQ(run({"org", "delete", "acme", "--confirm=acme"}), 0);
    EXPECT_EQ(api().calls.back(), "DELETE /organisations/acme");
    EXPECT_EQ(err(), "Deleted acme.\n");
}

TEST_F(Commands, AsksForTheSlugOnATerminal) {
    api().answer("GET /organisations/acme", 200, kAcme);
    api().answer("DELETE /organisations/acme", 200, "{}");
    world_.environment.in_is_terminal = true;
    for (const std::string typed : {"yes\n", "", "ACME\n"}) {
        world_.in = std::istringstream{typed};
        EXPECT_EQ(run({"org", "delete", "acme"}), 4) << typed;
        EXPECT_EQ(api().calls.back(), "GET /organisations/acme");
        EXPECT_THAT(err(), HasSubstr("Nothing was deleted."));
    }
    world_.in = std::istringstream{"acme\n"};
    EXPECT_EQ(run({"org", "delete", "acme"}), 0);
    EXPECT_EQ(api().calls.back(), "DELETE /organisations/acme");
    EXPECT_THAT(err(), HasSubstr("This deletes \"Acme Ltd\" for ever: 2 users, 1 group, 0 "
                                 "connectors and its log.\nType acme to go on: "));
}

// ---- connectors ---------------------------------------------------------------------------------

TEST_F(Commands, CreatesAConnectorWithIdAndUrl) {
    api().answer("POST /connectors", 201, kConnector);
    EXPECT_EQ(run({"connector", "create", "--org", "acme", "--idp", "okta"}), 0);
    EXPECT_EQ(json::to_text(api().bodies.at(0)), R"({"org":"acme","idp":"okta"})");
    EXPECT_THAT(out(), StartsWith("ID        abcdefghij\n"
                                  "SCIM URL  https://scim.example/c/abcdefghij/scim/v2\n"));
    EXPECT_THAT(out(), HasSubstr("\nPolicy\non_delete  retain\n"));

    EXPECT_EQ(run({"connector", "create", "--org", "acme", "--idp", "okta", "--json"}), 0);
    const auto printed = json::parse(out());
    ASSERT_TRUE(printed);
    EXPECT_EQ(printed->at("id"), "abcdefghij");
    EXPECT_EQ(printed->at("scim_url"), "https://scim.example/c/abcdefghij/scim/v2");
}

TEST_F(Commands, PausesAndResumesAConnectorWhoseIdIsEncoded) {
    api().answer("POST /connectors/a%2Fb/pause", 200, kConnector);
    api().answer("POST /connectors/a%2Fb/resume", 200, kConnector);
    EXPECT_EQ(run({"connector", "pause", "a/b"}), 0);
    EXPECT_EQ(run({"connector", "resume", "a/b"}), 0);
}

TEST_F(Commands, SetsPolicyFromPairs) {
    api().answer("PATCH /connectors/x", 200, kConnector);
    EXPECT_EQ(run({"connector", "set", "x", "on_delete=erase", "note=a=b"}), 0);
    EXPECT_EQ(json::to_text(api().bodies.at(0)),
              R"({"policy":{"on_delete":"erase","note":"a=b"}})");
    EXPECT_EQ(run({"connector", "set", "x", "idp=entra", "name=Entra ID"}), 0);
    EXPECT_EQ(json::to_text(api().bodies.at(1)), R"({"idp":"entra","name":"Entra ID"})");
    EXPECT_EQ(run({"connector", "set", "x", "on_delete"}), 2);
    EXPECT_EQ(run({"connector", "set", "x", "=erase"}), 2);
    EXPECT_EQ(api().calls.size(), 2U);
}

// ---- tokens
// ---------------------------------------------------------------------------------------

TEST_F(Commands, WritesTheSecretAloneToStandardOutput) {
    api().answer("POST /tokens", 201,
                 R"({"id":"abcdefghij-k2m3","kind":"basic","expires":"2027-11-22T08:15:30.000Z",
                     "user_name":"abcdefghij-k2m3","secret":"s3cret"})");
    EXPECT_EQ(run({"token", "generate", "--connector", "abcdefghij", "--kind", "basic", "--expires",
                   "26w", "--name", "second"}),
              0);
    EXPECT_EQ(out(), "s3cret\n");
    EXPECT_EQ(err(),
              "Token abcdefghij-k2m3, expires 2027-11-22 08:15:30Z. Its secret is shown this "
              "once:\nUser name: abcdefghij-k2m3\n");
    EXPECT_EQ(json::to_text(api().bodies.at(0)),
              R"({"connector":"abcdefghij","kind":"basic","name":"second","expires_days":182})");
}

TEST_F(Commands, ReadsTimesInDaysWeeksAndYears) {
    api().answer("POST /tokens", 201, R"({"id":"i","secret":"s"})");
    const std::pair<std::string, int> good[]{
        {"1", 1}, {"365d", 365}, {"2w", 14}, {"1y", 365}, {"100y", 36500}};
    for (const auto& [text, days] : good) {
        EXPECT_EQ(run({"token", "generate", "--connector", "c", "--expires", text}), 0) << text;
        EXPECT_EQ(api().bodies.back().at("expires_days"), days);
    }
    const auto calls = api().calls.size();
    for (const std::string text : {"0d", "-1d", "12h", "d", "", "1.5y", "101y", "365 d",
                                   "99999999999999999999d", "9223372036854775807y"}) {
        EXPECT_EQ(run({"token", "generate", "--connector", "c", "--expires=" + text}), 2) << text;
    }
    EXPECT_EQ(api().calls.size(), calls);
}

TEST_F(Commands, ListsAndChangesTokens) {
    api().answer("GET /tokens?connector=c", 200,
                 R"({"tokens":[{"id":"c-1","name":"n","kind":"bearer","state":"expired",
                     "created":"2026-11-22T08:15:30.000Z","expires":"2026-11-23T08:15:30.000Z",
                     "last_used":null,"last_used_from":null}]})");
    EXPECT_EQ(run({"token", "list", "--connector", "c"}), 0);
    EXPECT_EQ(out(),
              "ID   NAME  KIND    STATE    CREATED               EXPIRES               LAST USED  "
              "FROM\n"
              "c-1  n     bearer  expired  2026-11-22 08:15:30Z  2026-11-23 08:15:30Z  -          "
              "-\n");
    api().answer("POST /tokens/c-1/activate", 200, "{}");
    api().answer("POST /tokens/c-1/deactivate", 200, "{}");
    api().answer("POST /tokens/c-1/renew", 200, R"({"id":"c-1","secret":"new"})");
    api().answer("DELETE /tokens/c-1", 200, R"({"id":"c-1","removed":true})");
    EXPECT_EQ(run({"token", "activate", "c-1"}), 0);
    EXPECT_EQ(err(), "Token c-1 is active now.\n");
    EXPECT_EQ(run({"token", "deactivate", "c-1"}), 0);
    EXPECT_EQ(err(), "Token c-1 is inactive now.\n");
    EXPECT_EQ(run({"token", "renew", "c-1"}), 0);
    EXPECT_EQ(out(), "new\n");
    EXPECT_EQ(run({"token", "remove", "c-1", "--json"}), 0);
    EXPECT_EQ(out(), "{\"id\":\"c-1\",\"removed\":true}\n");
}

// ---- users and groups ---------------------------------------------------------------------------

TEST_F(Commands, ListsUsersAndSaysHowManyMoreThereAre) {
    api().answer("GET /users?org=acme&filter=active%20eq%20true&startIndex=3&count=1", 200,
                 R"({"total":9,"users":[{"id":"1","userName":"ann\u001b]0;x\u0007","active":false,
                     "modified":"2026-11-22T08:15:30.000Z"}]})");
    EXPECT_EQ(run({"user", "list", "--org", "acme", "--filter", "active eq true", "--start", "3",
                   "-n", "1"}),
              0);
    EXPECT_EQ(out(),
              "ID  USER NAME           NAME  EMAIL  ACTIVE  SOURCE  MODIFIED\n"
              "1   ann\\u{1b}]0;x\\u{7}  -     -      no      -       2026-11-22 08:15:30Z\n");
    EXPECT_EQ(err(), "3 to 3 of 9 users. More: --start 4\n");
}

TEST_F(Commands, ShowsAResourceAsATreeOrAsScim) {
    api().answer("GET /groups/g1?org=acme", 200,
                 R"({"resource":{"id":"g1","members":[{"value":"u1"}]}})");
    EXPECT_EQ(run({"group", "show", "g1", "--org", "acme"}), 0);
    EXPECT_EQ(out(), "id                g1\nmembers[0].value  u1\n");
    EXPECT_EQ(run({"group", "show", "g1", "--org", "acme", "--json"}), 0);
    EXPECT_EQ(out(), "{\"id\":\"g1\",\"members\":[{\"value\":\"u1\"}]}\n");
}

// ---- the log
// ----------------------------------------------------------------------------------------

std::string record(std::string_view id, int status = 200) {
    return fmt::format(R"({{"id":"{}","time":"2026-11-22T08:15:30.000Z","connector":"abcdefghij",
        "method":"GET","path":"/x","status":{},"outcome":"accepted","duration_us":1500}})",
                       id, status);
}

TEST_F(Commands, ListsTheLogAndPointsAtTheExplanation) {
    api().answer(
        "GET /log?connector=c&failed=true&before=b&limit=2", 200,
        "{\"records\":[" + record("2222222222222", 409) + "," + record("1111111111111") + "]}");
    EXPECT_EQ(run({"log", "list", "--connector", "c", "--failed", "--before", "b", "-n", "2"}), 0);
    EXPECT_THAT(out(), HasSubstr("\n2222222222222  2026-11-22 08:15:30Z  abcdefghij  409     "
                                 "accepted    1.5 ms  GET     -                     /x\n"));
    EXPECT_EQ(err(), "Why was it refused? muster log explain 2222222222222\n");
}

TEST_F(Commands, ShowsARecordWithItsParts) {
    api().answer("GET /log/1", 200, R"({"id":"1","status":201,"duration_us":90,
        "trace":[{"step":"authenticated","text":"token"}],"notes":[],
        "changes":[{"path":"name","before":"A","after":{"x":1}}],"request":{"a":"b"}})");
    EXPECT_EQ(run({"log", "show", "1"}), 0);
    EXPECT_EQ(out(),
              "ID           1\n"
              "STATUS       201\n"
              "DURATION     0.1 ms\n"
              "\nSteps\nSTEP           WHAT\nauthenticated  token\n"
              "\nChanges\nPATH  BEFORE  AFTER\nname  A       {\"x\":1}\n"
              "\nRequest\na  b\n");
}

TEST_F(Commands, ExplainsARecordInWords) {
    api().answer("GET /log/1/explain", 200,
                 R"({"sentence":"s","happened":"Okta asked.","why":"It\u001b[1m was.","todo":""})");
    EXPECT_EQ(run({"log", "explain", "1"}), 0);
    EXPECT_EQ(out(), "What happened  Okta asked.\nWhy            It\\u{1b}[1m was.\n");
}

// ---- the server and the simulator
// -----------------------------------------------------------------

TEST_F(Commands, ServesWithWhatWasGivenOnly) {
    world_.variables["MUSTER_DATA"] = "/env";
    EXPECT_EQ(run({"serve", "--listen", "127.0.0.1:0", "--json"}), 0);
    EXPECT_EQ(world_.serve_options.listen, "127.0.0.1:0");
    EXPECT_TRUE(world_.serve_options.json);
    EXPECT_EQ(world_.serve_options.data, std::nullopt) << "the environment is the server's to read";
    EXPECT_EQ(world_.serve_options.config, std::nullopt);
    world_.serve_result = 5;
    EXPECT_EQ(run({"serve", "--data", "d", "--config", "c.toml", "--public-url", "https://x"}), 5);
    EXPECT_EQ(world_.serve_options.data, "d");
    EXPECT_EQ(world_.serve_options.config, "c.toml");
    EXPECT_EQ(world_.serve_options.public_url, "https://x");
}

TEST_F(Commands, MigrateTellsVersionsAndGoesDownOnlyWhenToldTwice) {
    EXPECT_EQ(run({"migrate", "status"}), 0);
    EXPECT_THAT(err(), HasSubstr("version 1 of 2"));
    EXPECT_THAT(err(), HasSubstr("Next: muster migrate up\n"));
    EXPECT_EQ(run({"migrate", "status", "--config", "my file"}), 0);
    EXPECT_THAT(err(), HasSubstr("Next: muster migrate up --config 'my file'\n"));
    EXPECT_EQ(run({"migrate", "up", "--json"}), 0);
    EXPECT_EQ(world_.schema->version, 2);
    EXPECT_EQ(run({"migrate", "down", "--to", "1"}), 2);
    EXPECT_EQ(world_.schema->version, 2);
    EXPECT_EQ(run({"migrate", "down", "--to", "1", "--yes"}), 0);
    EXPECT_EQ(world_.schema->version, 1);
    world_.schema->version = 3;
    EXPECT_EQ(run({"migrate", "status"}), 1);
    EXPECT_EQ(run({"migrate", "status", "--json"}), 1);
    world_.schema = std::unexpected(
        app::Failure{app::Failure::Why::Unreachable, "PostgreSQL cannot be reached"});
    EXPECT_EQ(run({"migrate", "status"}), 5);
}

TEST_F(Commands, DoctorFailsWhereACheckFailedButNotForWarnings) {
    using Result = app::DoctorCheck::Result;
    world_.checks = {{"clock", Result::Ok, "right", ""},
                     {"public URL", Result::Warning, "not set", "Set it."}};
    EXPECT_EQ(run({"doctor"}), 0);
    EXPECT_EQ(out(),
              "RESULT   CHECK       FINDING\n"
              "ok       clock       right\n"
              "warning  public URL  not set\n");
    EXPECT_EQ(err(), "public URL: Set it.\n");
    world_.checks.push_back({"disk", Result::Failed, "full", "Make room."});
    EXPECT_EQ(run({"doctor", "--json"}), 1);
    EXPECT_EQ(json::parse(out()).value().at("checks").at(2).at("result"), "failed");
}

TEST_F(Commands, SimulatesOktaWithATokenFromStandardInput) {
    world_.in.str("  mst_abc\r\n\n");
    world_.report = {.steps = {{"Create users",
                                25,
                                1,
                                std::chrono::microseconds{1500},
                                std::chrono::microseconds{20000},
                                {"POST /Users: 500"}}},
                     .requests = 25,
                     .failures = 1,
                     .elapsed = std::chrono::milliseconds{2000}};
    EXPECT_EQ(run({"simulate", "okta", "--base-url", "http://h/scim/v2", "--token-file", "-",
                   "--app", "wizard", "--auth", "header"}),
              1);
    EXPECT_EQ(world_.simulated_secret, "mst_abc");
    EXPECT_EQ(world_.simulated_url, "http://h/scim/v2");
    EXPECT_EQ(world_.simulated_client, simulator::Client::OktaWizard);
    EXPECT_EQ(world_.simulated_auth, simulator::Auth::Header);
    EXPECT_EQ(out(),
              "STEP          REQUESTS  FAILURES     P50      P99\n"
              "Create users        25         1  1.5 ms  20.0 ms\n");
    EXPECT_EQ(err(),
              "Create users: POST /Users: 500\nIf the server is a Muster: is the connector this "
              "client's (muster connector show)?\n25 requests in 2.0 s, 1 failure.\n");

    world_.report.failures = 0;
    world_.in = std::istringstream{"t"};
    EXPECT_EQ(run({"simulate", "okta", "--base-url", "http://h", "--token-file", "-", "--json"}),
              0);
    EXPECT_EQ(json::parse(out()).value().at("steps").at(0).at("p99_us"), 20000);
}

TEST_F(Commands, SimulatesEntraWithItsFlagOrWithout) {
    for (const auto& [mode, client] : {std::pair{"unflagged", simulator::Client::Entra},
                                       std::pair{"flagged", simulator::Client::EntraFlagged}}) {
        world_.in = std::istringstream{"t"};
        EXPECT_EQ(run({"simulate", "entra", "--base-url", "http://h", "--token-file", "-", "--mode",
                       mode}),
                  0);
        EXPECT_EQ(world_.simulated_client, client);
        EXPECT_EQ(world_.simulated_auth, simulator::Auth::Bearer);
    }
}

TEST_F(Commands, ChecksAServerAndSaysWhatIsWrong) {
    const std::vector<std::string> words{"conform", "--base-url", "http://h/scim/v2",
                                         "--token-file", "-"};
    const auto run_with = [&](std::vector<std::string> more) {
        world_.in = std::istringstream{"t"};
        more.insert(more.begin(), words.begin(), words.end());
        return run(std::move(more));
    };
    world_.conform_report = conform::Report{};
    EXPECT_EQ(run_with({"--only", "nothing"}), 2);
    world_.conform_report->checks = {{.id = "filter.eq-1",
                                      .area = "filter",
                                      .section = "RFC 7644 §3.4.2.2",
                                      .title = "eq",
                                      .outcome = conform::Outcome::Wrong,
                                      .detail = "RFC 7644 §3.4.2.2\nwrong:    \x1b[31mno"}};
    EXPECT_EQ(run_with({"--only", "filter,patch.add"}), 1);
    EXPECT_EQ(world_.conform_authorization, "Bearer t");
    EXPECT_THAT(world_.conform_only, ElementsAre("filter", "patch.add"));
    EXPECT_THAT(out(), HasSubstr("wrong: filter.eq-1: eq"));
    EXPECT_THAT(out(), testing::Not(HasSubstr("\x1b")));
    EXPECT_EQ(run_with({"--format", "json"}), 1);
    EXPECT_EQ(json::parse(out()).value().at("summary").at("wrong"), 1);
    world_.conform_report->checks.front().outcome = conform::Outcome::Unsupported;
    EXPECT_EQ(run_with({"--format", "junit"}), 0);
    EXPECT_THAT(out(), HasSubstr("<skipped"));
    EXPECT_EQ(run_with({"--format", "html"}), 0);
    world_.conform_report = std::unexpected("cannot connect");
    EXPECT_EQ(run_with({}), 5);
    EXPECT_THAT(err(), HasSubstr("cannot connect"));
}

TEST_F(Commands, RefusesATokenFileThatHoldsNone) {
    const auto simulate = [&](const std::string& file) {
        return run({"simulate", "okta", "--base-url", "http://h", "--token-file", file});
    };
    EXPECT_EQ(simulate("/nonexistent/token"), 2);
    EXPECT_EQ(err(), "Error: Cannot read the file \"/nonexistent/token\".\n");
    world_.in = std::istringstream{" \n"};
    EXPECT_EQ(simulate("-"), 2);
    world_.in = std::istringstream{std::string(100'000, 'x')};
    EXPECT_EQ(simulate("-"), 2);
    EXPECT_EQ(run({"simulate", "okta", "--base-url", "ftp://h", "--token-file", "-"}), 2);
    EXPECT_EQ(world_.simulated_url, "");
}

// ---- every command ------------------------------------------------------------------------------

TEST_F(Commands, EndWithACodeThatTellsTheKindOfFailure) {
    const std::pair<int, int> codes[]{{400, 2}, {401, 4}, {403, 4}, {404, 3}, {409, 4},
                                      {412, 4}, {422, 2}, {429, 4}, {500, 1}, {503, 5}};
    for (const auto& [status, code] : codes) {
        api().answer("GET /organisations", status,
                     R"({"title":"T","detail":"It is so.","remedy":"Do this."})");
        EXPECT_EQ(run({"org", "list"}), code) << status;
        EXPECT_EQ(err(), "Error: It is so.\nDo this.\n");
        EXPECT_EQ(out(), "");
    }
    EXPECT_EQ(run({"org", "list", "--json"}), 5);
    EXPECT_EQ(json::parse(err()).value().at("remedy"), "Do this.");
}

TEST_F(Commands, SayWhyNothingCanBeReached) {
    world_.cannot_connect = "The data directory is locked.";
    EXPECT_EQ(run({"org", "list"}), 5);
    EXPECT_EQ(err(), "Error: The data directory is locked.\n");
}

TEST_F(Commands, NameTheInstallationByWhatWasGivenOnly) {
    api().answer("GET /organisations", 200, R"({"organisations":[]})");
    world_.variables["MUSTER_DATA"] = "/env";
    EXPECT_EQ(run({"org", "list"}), 0);
    EXPECT_EQ(world_.installation.data, std::nullopt) << "the environment is the application's";
    EXPECT_EQ(world_.installation.config, std::nullopt);
    EXPECT_EQ(run({"--data", "/flag", "org", "list", "--config", "/etc/muster.toml"}), 0);
    EXPECT_EQ(world_.installation.data, "/flag");
    EXPECT_EQ(world_.installation.config, "/etc/muster.toml");
}

TEST_F(Commands, ColourOnlyATerminalThatWantsIt) {
    api().answer("GET /organisations", 200, "{\"organisations\":[" + std::string{kAcme} + "]}");
    const auto coloured = [&](std::vector<std::string> words) {
        EXPECT_EQ(run(std::move(words)), 0);
        return out().find('\x1b') != std::string::npos;
    };
    EXPECT_FALSE(coloured({"org", "list"}));
    world_.environment.out_is_terminal = true;
    EXPECT_TRUE(coloured({"org", "list"}));
    EXPECT_FALSE(coloured({"org", "list", "--no-color"}));
    EXPECT_FALSE(coloured({"org", "list", "--json"}));
    world_.variables = {{"TERM", "dumb"}};
    EXPECT_FALSE(coloured({"org", "list"}));
    world_.variables = {{"TERM", "xterm"}, {"NO_COLOR", "1"}};
    EXPECT_FALSE(coloured({"org", "list"}));
}

TEST_F(Commands, WriteValidJsonWhateverTheDataHolds) {
    const std::string nasty = R"({"id":"\u001b[2J\"\\\u0007\u0085\u202e\u2028漢","connectors":[{}],
        "tokens":[{"id":"\u001b"}],"users":[3],"total":1,"records":[{"id":"\n"}],"secret":"\u001b",
        "resource":{"a":[[[{}]]]}})";
    const std::vector<std::pair<std::string, std::vector<std::string>>> all{
        {"GET /connectors", {"connector", "list"}},
        {"GET /connectors/x", {"connector", "show", "x"}},
        {"GET /tokens", {"token", "list"}},
        {"POST /tokens", {"token", "generate", "--connector", "x"}},
        {"GET /users?startIndex=1&count=100", {"user", "list"}},
        {"GET /users/x", {"user", "show", "x"}},
        {"GET /log?limit=50", {"log", "list"}},
        {"GET /log/x", {"log", "show", "x"}},
        {"GET /log/x/explain", {"log", "explain", "x"}},
    };
    for (auto [call, words] : all) {
        api().answer(call, 200, nasty);
        EXPECT_EQ(run(words), 0) << call << err();
        for (const auto& text : {out(), err()}) {
            EXPECT_EQ(text.find_first_of("\x1b\x07"), std::string::npos) << call;
            EXPECT_EQ(text.find("\xE2\x80\xAE"), std::string::npos) << call;
        }
        words.emplace_back("--json");
        EXPECT_EQ(run(words), 0) << call;
        EXPECT_TRUE(json::parse(out().substr(0, out().size() - 1))) << out();
        EXPECT_EQ(std::ranges::count(out(), '\n'), 1) << "one value, one line";
        EXPECT_EQ(out().find("\xE2\x80\xAE"), std::string::npos) << call;
    }
}

TEST_F(Commands, SurviveAnswersOfAnotherForm) {
    for (const std::string body : {"{}", R"({"organisations":3,"records":{},"users":null})"}) {
        api().answer("GET /organisations", 200, body);
        api().answer("GET /log?limit=1000", 200, body);
        api().answer("GET /users?startIndex=1&count=100", 200, body);
        EXPECT_EQ(run({"org", "list"}), 1);
        EXPECT_EQ(run({"log", "tail"}), 1);
        EXPECT_EQ(run({"user", "list"}), 1);
    }
}

TEST_F(Commands, FailWhereStandardOutputIsFull) {
    world_.out.setstate(std::ios::badbit);
    EXPECT_EQ(muster::cli::run(world_.environment, {"version"}), 1);
    EXPECT_THAT(err(), testing::StartsWith("Error: standard output did not take everything."));
    EXPECT_THAT(err(), testing::Not(testing::HasSubstr("token renew")));
    api().answer("POST /tokens", 201, R"({"id":"t","kind":"bearer","secret":"s3cret"})");
    EXPECT_EQ(muster::cli::run(world_.environment, {"token", "generate", "--connector", "c"}), 1);
    EXPECT_THAT(err(), testing::HasSubstr("muster token renew"));
}

TEST_F(Commands, ShowTheVersionInTwoWays) {
    EXPECT_EQ(run({"version"}), 0);
    EXPECT_EQ(out(), "muster 1.2.3\n");
    EXPECT_EQ(run({"--version"}), 0);
    EXPECT_EQ(out(), "muster 1.2.3\n");
    EXPECT_EQ(run({"version", "--json"}), 0);
    EXPECT_EQ(out(), "{\"version\":\"1.2.3\"}\n");
}

TEST_F(Commands, ExplainMisuseOnStandardErrorOnly) {
    EXPECT_EQ(run({"org", "create", "A", "--slgu", "a"}), 2);
    EXPECT_EQ(out(), "");
    EXPECT_EQ(err(),
              "Error: There is no option \"--slgu\". Did you mean \"--slug\"?\n"
              "Usage: muster org create NAME [--slug SLUG] [OPTIONS]\n"
              "See: muster org create --help\n");
    EXPECT_EQ(run({}), 2);
    EXPECT_EQ(out(), "");
    EXPECT_THAT(err(), HasSubstr("Usage: muster COMMAND"));
    EXPECT_EQ(run({"--help"}), 0);
    EXPECT_THAT(out(), HasSubstr("Usage: muster COMMAND"));
    EXPECT_EQ(err(), "");
}

}  // namespace
}  // namespace muster::cli
