#include "cli/parse.hpp"

#include <gtest/gtest.h>

#include "cli/commands.hpp"

namespace muster::cli {
namespace {

class Parse : public testing::Test {
  protected:
    std::string error(std::vector<std::string> words) {
        const auto parsed = parse(root_, std::move(words));
        const auto* error = std::get_if<UsageError>(&parsed);
        return error == nullptr ? "no error" : error->message;
    }
    Invocation good(std::vector<std::string> words) {
        auto parsed = parse(root_, std::move(words));
        if (const auto* error = std::get_if<UsageError>(&parsed)) {
            ADD_FAILURE() << error->message;
            return {};
        }
        return std::get<Invocation>(std::move(parsed));
    }

    Command root_ = muster_command();
};

TEST_F(Parse, FindsTheCommandAndItsArguments) {
    const auto result = good({"org", "create", "Acme Ltd", "--slug=acme"});
    EXPECT_EQ(spelled(result.path), "muster org create");
    EXPECT_EQ(result.arguments.text("NAME"), "Acme Ltd");
    EXPECT_EQ(result.arguments.text("--slug"), "acme");
    EXPECT_FALSE(result.arguments.flag("--json"));
}

TEST_F(Parse, TakesCommonOptionsBehindEveryWord) {
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"--json", "--data", "d", "org", "list"},
                                               {"org", "--json", "list", "--data=d"},
                                               {"org", "list", "--data", "d", "--json"}}) {
        const auto result = good(words);
        EXPECT_TRUE(result.arguments.flag("--json"));
        EXPECT_EQ(result.arguments.text("--data"), "d");
    }
}

TEST_F(Parse, TakesTheLastOfARepeatedOption) {
    EXPECT_EQ(good({"org", "create", "A", "--slug", "a", "--slug", "b"}).arguments.text("--slug"),
              "b");
}

TEST_F(Parse, TakesWordsThatLookLikeCommandsAsValues) {
    EXPECT_EQ(good({"org", "show", "create"}).arguments.text("SLUG"), "create");
    EXPECT_EQ(good({"connector", "list", "--org", "list"}).arguments.text("--org"), "list");
    EXPECT_EQ(good({"org", "create", "--", "--strange"}).arguments.text("NAME"), "--strange");
}

TEST_F(Parse, TakesAllTheRestForARepeatedArgument) {
    const auto result = good({"connector", "set", "id", "a=b", "c=[d,e]", "f="});
    EXPECT_EQ(result.arguments.text("ID"), "id");
    EXPECT_EQ(result.arguments.all("KEY=VALUE"),
              (std::vector<std::string>{"a=b", "c=[d,e]", "f="}));
}

TEST_F(Parse, GivesDefaultsAndNumbers) {
    const auto result = good({"log", "tail", "-n", "7"});
    EXPECT_EQ(result.arguments.number("--limit"), 7);
    EXPECT_EQ(good({"log", "list"}).arguments.number("--limit"), 50);
    EXPECT_FALSE(good({"log", "list"}).arguments.given("--limit"));
    EXPECT_EQ(good({"org", "create", "A"}).arguments.text_if_given("--slug"), std::nullopt);
}

TEST_F(Parse, NamesTheWordThatIsWrongAndTheOneThatWasMeant) {
    struct Case {
        std::vector<std::string> words;
        std::string_view message;
    };
    const Case cases[]{
        {{"conector", "list"}, "There is no command \"conector\". Did you mean \"connector\"?"},
        {{"org", "crate", "A"}, "There is no command \"crate\". Did you mean \"create\"?"},
        {{"zzzzzzzz"}, "There is no command \"zzzzzzzz\"."},
        {{"\x1b[2J"}, "There is no command \"\\u{1b}[2J\"."},
        {{"org", "create", "A", "--slgu", "a"},
         "There is no option \"--slgu\". Did you mean \"--slug\"?"},
        {{"connector", "create", "--og=acme"},
         "There is no option \"--og\". Did you mean \"--org\"?"},
        {{"org", "list", "--jsn"}, "There is no option \"--jsn\". Did you mean \"--json\"?"},
        {{"--jsn", "org", "list"}, "There is no option \"--jsn\". Did you mean \"--json\"?"},
        {{"org", "list", "-x"}, "There is no option \"-x\"."},
        {{"org", "list", "extra"}, "\"extra\" is one argument too many."},
        {{"org", "show", "a", "b"}, "\"b\" is one argument too many."},
    };
    for (const auto& [words, message] : cases) EXPECT_EQ(error(words), message);
}

TEST_F(Parse, SaysWhatIsMissingOrOutOfRange) {
    struct Case {
        std::vector<std::string> words;
        std::string_view message;
    };
    const Case cases[]{
        {{"org", "create"}, "NAME is missing: its name as people know it."},
        {{"org", "create", ""}, "NAME is empty: its name as people know it."},
        {{"org", "create", "A", "--slug"}, "--slug needs a value."},
        {{"load", "--org", "--json"}, "--org needs a value, and --json is an option."},
        {{"org", "list", "--data", "--json"}, "--data needs a value, and --json is an option."},
        {{"connector", "create", "--idp", "okta"},
         "--org SLUG is missing: whose users and groups it brings."},
        {{"connector", "create", "--org", "a", "--idp", "otka"},
         "--idp can be okta, entra, entra-flagged, onelogin, jumpcloud, ping, google, sailpoint, "
         "cyberark, generic, strict, not \"otka\". Did you mean \"okta\"?"},
        {{"completion", "tcsh"},
         "SHELL can be bash, zsh, fish, not \"tcsh\". Did you mean \"bash\"?"},
        {{"log", "list", "--limit", "0"}, "--limit is a whole number from 1 to 1000, not \"0\"."},
        {{"log", "list", "--limit", "1e3"},
         "--limit is a whole number from 1 to 1000, not \"1e3\"."},
        {{"log", "list", "--limit", "99999999999999999999"},
         "--limit is a whole number from 1 to 1000, not \"99999999999999999999\"."},
        {{"connector", "set", "id"}, "KEY=VALUE... is missing: a setting and its value."},
    };
    for (const auto& [words, message] : cases) EXPECT_EQ(error(words), message);
}

TEST_F(Parse, ShowsHelpWhereverItIsAskedFor) {
    struct Case {
        std::vector<std::string> words;
        std::string_view path;
        bool asked;
    };
    const Case cases[]{
        {{"--help"}, "muster", true},
        {{"org", "create", "-h"}, "muster org create", true},
        {{"help", "org", "create"}, "muster org create", true},
        {{"help"}, "muster", true},
        {{"org", "create", "--nonsense", "--help"}, "muster org create", true},
        {{}, "muster", false},
        {{"org"}, "muster org", false},
        {{"org", "--json"}, "muster org", false},
    };
    for (const auto& [words, path, asked] : cases) {
        const auto parsed = parse(root_, words);
        const auto* wanted = std::get_if<HelpWanted>(&parsed);
        ASSERT_NE(wanted, nullptr) << path;
        EXPECT_EQ(spelled(wanted->path), path);
        EXPECT_EQ(wanted->asked, asked);
    }
}

TEST_F(Parse, SurvivesManyAndStrangeWords) {
    const std::vector<std::string> many(20'000, "x");
    EXPECT_EQ(error(many), "There is no command \"x\".");
    for (const std::string word :
         {"-", "--", "---", "--=", "-=", "=", "++", "--json=maybe", "\xFF", "[a,b]", "--data="}) {
        EXPECT_NO_THROW({ (void)parse(root_, {word}); }) << word;
        EXPECT_NO_THROW({ (void)parse(root_, {"org", "create", word}); }) << word;
    }
}

}  // namespace
}  // namespace muster::cli
