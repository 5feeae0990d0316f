#include "app/application.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <stdlib.h>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace muster::app {
namespace {

using ::testing::HasSubstr;
using Why = Failure::Why;

class ApplicationTest : public ::testing::Test {
  protected:
    ApplicationTest() {
        auto pattern = (std::filesystem::temp_directory_path() / "muster-app-XXXXXX").string();
        if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
        place_ = pattern;
    }
    ~ApplicationTest() override { std::filesystem::remove_all(place_); }

    [[nodiscard]] ServeOptions at(const char* name) const { return {.data = place_ / name}; }
    static DoctorCheck check(const ServeOptions& options, std::string_view name) {
        const auto checks = doctor(options);
        const auto found = std::ranges::find(checks, name, &DoctorCheck::name);
        return found == checks.end() ? DoctorCheck{} : *found;
    }

    std::filesystem::path place_;
};

const TransferProgress kUnwatched = [](auto...) {};

TEST_F(ApplicationTest, MigratesNoDatabaseThatIsNotThere) {
    for (const auto& failure : {schema_version(at("none")), migrate(at("none"), std::nullopt)}) {
        ASSERT_FALSE(failure);
        EXPECT_EQ(failure.error().why, Why::Unreachable);
        EXPECT_THAT(failure.error().message, HasSubstr("There is no database in"));
    }
    EXPECT_FALSE(std::filesystem::exists(place_ / "none"));
    ASSERT_TRUE(Offline::open(at("here")));
    EXPECT_EQ(migrate(at("here"), 99).error().why, Why::WrongSetting);
    EXPECT_EQ(migrate(at("here"), 0).error().why, Why::Refused);
    const auto version = schema_version(at("here"));
    ASSERT_TRUE(version);
    EXPECT_EQ(version->version, version->newest);
}

TEST_F(ApplicationTest, CommandsOnOneDirectoryWaitForEachOther) {
    ASSERT_TRUE(Offline::open(at("data")));
    std::vector<std::thread> commands;
    std::atomic<int> done{0};
    for (int i = 0; i < 4; ++i) {
        commands.emplace_back([this, i, &done] {
            const auto offline = Offline::open(at("data"));
            if (!offline) return;
            const auto answer = (*offline)->call("POST", "/admin/v1/organisations",
                                                 fmt::format(R"({{"name":"org{}"}})", i));
            done += answer.first == 201 ? 1 : 0;
        });
    }
    for (auto& command : commands) command.join();
    EXPECT_EQ(done, 4);
}

TEST_F(ApplicationTest, SaysWhichDirectoryItBeganToFill) {
    EXPECT_EQ((*Offline::open(at("data")))->made(), place_ / "data");
    EXPECT_EQ((*Offline::open(at("data")))->made(), "");
}

TEST_F(ApplicationTest, RepeatsTheOptionsOfACommandWithoutPasswords) {
    const auto repeated = [](ServeOptions options) { return with_options("muster x", options); };
    EXPECT_EQ(repeated({}), "muster x");
    EXPECT_EQ(repeated({.data = "/a b", .config = "/c'd.toml"}),
              "muster x --config '/c'\\''d.toml' --data '/a b'");
    EXPECT_EQ(repeated({.database = "postgres://muster@db1,db2/muster?sslmode=verify-full"}),
              "muster x --database 'postgres://muster@db1,db2/muster?sslmode=verify-full'");
    for (const char* secret : {"postgres://muster:s3cret@db/muster", "postgres://:s3cret@db/muster",
                               "postgres://db/muster?user=a&password=s3cret",
                               "host=db PASSWORD=s3cret", "postgres://a:s3/cr@et@db/muster"}) {
        EXPECT_EQ(repeated({.database = secret}), "muster x --database URL");
    }
}

TEST_F(ApplicationTest, RestoresNothingThatIsNoBackup) {
    std::ofstream(place_ / "text") << "database = \"postgres://db/muster\"\n";
    std::ofstream(place_ / "empty") << "";
    for (const auto& file : {place_, place_ / "text", place_ / "empty"}) {
        const auto done = restore(at("data"), file.string(), kUnwatched);
        ASSERT_FALSE(done);
        EXPECT_EQ(done.error().why, Why::Refused);
        EXPECT_THAT(done.error().message, HasSubstr("is not a backup of Muster"));
    }
    EXPECT_EQ(restore(at("data"), (place_ / "none").string(), kUnwatched).error().why,
              Why::Unreachable);
    EXPECT_FALSE(std::filesystem::exists(place_ / "data"));
}

TEST_F(ApplicationTest, NamesTheKeyFileOfABackupWhereItFits) {
    ASSERT_TRUE(Offline::open(at("data")));
    const auto file = (place_ / "backup").string();
    const auto first = backup(at("data"), file, kUnwatched);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(first->key_file, place_ / "data/key");
    EXPECT_TRUE(first->key_fits);
    const auto bare = restore(at("bare"), file, kUnwatched);
    ASSERT_TRUE(bare) << bare.error().message;
    EXPECT_FALSE(bare->key_fits);
    std::filesystem::create_directory(place_ / "whole");
    std::filesystem::copy(place_ / "data/key", place_ / "whole/key");
    EXPECT_TRUE(restore(at("whole"), file, kUnwatched)->key_fits);
    EXPECT_EQ(backup(at("none"), (place_ / "other").string(), kUnwatched).error().why,
              Why::Unreachable);
}

TEST_F(ApplicationTest, DoctorSaysWhatToDoAboutWhatItFound) {
    using Result = DoctorCheck::Result;
    ASSERT_TRUE(Offline::open(at("data")));
    EXPECT_EQ(check(at("data"), "key file").result, Result::Ok);
    EXPECT_EQ(check(at("data"), "database").result, Result::Ok);
    EXPECT_THAT(check(at("data"), "public URL").finding,
                HasSubstr("unless the server was started"));
    auto listening = at("data");
    listening.listen = "127.0.0.1:9";
    EXPECT_THAT(check(listening, "public URL").finding, ::testing::EndsWith("http://127.0.0.1:9"));

    std::filesystem::permissions(place_ / "data/key", std::filesystem::perms{0644});
    EXPECT_THAT(check(at("data"), "key file").finding, HasSubstr("can be read by others"));
    std::filesystem::remove(place_ / "data/key");
    EXPECT_EQ(check(at("data"), "key file").result, Result::Failed);
    EXPECT_EQ(check(at("none"), "key file").result, Result::Warning);

    std::ofstream(place_ / "file") << "";
    EXPECT_EQ(check(at("file"), "data directory").result, Result::Failed);
}

}  // namespace
}  // namespace muster::app
