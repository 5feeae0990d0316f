#include "app/config.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::app {
namespace {

using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
  protected:
    ~ConfigTest() override { std::filesystem::remove(file_); }

    std::expected<Config, std::string> with(const std::string& toml,
                                            const Overrides& environment = {},
                                            const Overrides& flags = {}) {
        std::ofstream(file_) << toml;
        return load_config(file_, environment, flags);
    }
    std::string refusal(const std::string& toml) {
        const auto config = with(toml);
        return config ? "taken" : config.error();
    }

    std::filesystem::path file_ =
        std::filesystem::temp_directory_path() / ("muster-config-" + std::to_string(::getpid()));
};

TEST_F(ConfigTest, FlagsStandBeforeTheEnvironmentAndThatBeforeTheFile) {
    const std::string toml = "listen = \"a:1\"\ndata = \"/file\"\n[log]\nretention_days = 7\n";
    const auto config =
        with(toml, {{"data", "/environment"}, {"listen", "b:2"}}, {{"listen", "c:3"}});
    ASSERT_TRUE(config) << config.error();
    EXPECT_EQ(config->listen, "c:3");
    EXPECT_EQ(config->data, "/environment");
    EXPECT_EQ(config->key_file, "/environment/key");
    EXPECT_EQ(config->log_retention_days, 7);
}

TEST_F(ConfigTest, TheEnvironmentNamesSettingsAndTheFile) {
    const char* const known[] = {"MUSTER_LOG_RETENTION_DAYS=9", "MUSTER_CONFIG=/f", "PATH=/bin",
                                 nullptr};
    const auto overrides = from_environment(known);
    ASSERT_TRUE(overrides) << overrides.error();
    EXPECT_EQ(*overrides, (Overrides{{"log.retention_days", "9"}}));
    const char* const unknown[] = {"MUSTER_LISTN=x", nullptr};
    EXPECT_THAT(from_environment(unknown).error(), HasSubstr("Did you mean \"listen\"?"));
}

TEST_F(ConfigTest, MistakesAreNamed) {
    EXPECT_THAT(refusal("listn = \"a:1\""), HasSubstr("Did you mean \"listen\"?"));
    EXPECT_THAT(refusal("data = 5"), HasSubstr("write it in quotes"));
    EXPECT_THAT(refusal("threads = \"many\""), HasSubstr("number from 0 to 256"));
    EXPECT_THAT(refusal("listen = \"8080\""), HasSubstr("HOST:PORT"));
    EXPECT_THAT(refusal("public_url = \"scim.example.com\""), HasSubstr("https://"));
    EXPECT_THAT(refusal("public_url = \"https://a_b.example\""), HasSubstr("underscore"));
    EXPECT_THAT(refusal("public_url = \"https://a.example?x=1\""), HasSubstr("without query"));
    EXPECT_THAT(refusal("base_domain = \"https://a.example\""), HasSubstr("host name alone"));
    EXPECT_THAT(refusal("[tls]\nkey = \"k\""), HasSubstr("go together"));
    EXPECT_THAT(refusal("log = {level = \"loud\"}"), HasSubstr("log.level"));
    EXPECT_THAT(refusal("[limits]\ntoken_requests_per_s = 3"), HasSubstr("at least 25"));
    EXPECT_THAT(refusal("listen = [1]"), HasSubstr("listen must be"));
    EXPECT_THAT(refusal("listen ="), HasSubstr("line 1"));
    EXPECT_THAT(load_config("/nowhere.toml", {}, {}).error(), HasSubstr("MUSTER_CONFIG"));
}

TEST_F(ConfigTest, WhatIsNotSaidIsBuiltIn) {
    const auto config = with("public_url = \"https://scim.example.com/\"");
    ASSERT_TRUE(config) << config.error();
    EXPECT_EQ(config->public_url, "https://scim.example.com");
    EXPECT_EQ(config->data, "./var");
    EXPECT_EQ(config->connections, 10'000);
}

TEST_F(ConfigTest, ThePackagedFileShowsWhatIsBuiltIn) {
    const char* const packaging = std::getenv("PACKAGING");
    if (packaging == nullptr) GTEST_SKIP() << "PACKAGING names no directory";
    std::ifstream file(std::filesystem::path{packaging} / "muster.toml");
    std::string settings;
    for (std::string line; std::getline(file, line);) {
        const bool setting = line.starts_with('#') && !line.starts_with("# ");
        settings.append(line, setting ? 1 : 0).append("\n");
    }
    const auto shown = with(settings);
    ASSERT_TRUE(shown) << shown.error();
    EXPECT_EQ(*shown, with("data = \"/var/lib/muster\"").value());
}

}  // namespace
}  // namespace muster::app
