#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/fake_world.hpp"

namespace muster::cli {
namespace {

TEST(Transfers, SayWhatArrivedAndWhatIsToBeKeptBeside) {
    FakeWorld world;
    world.transferred = {.from = "postgres://db/muster",
                         .to = "/backups/today",
                         .organisations = 1,
                         .rows = 12,
                         .tables = {{"resource", 12}},
                         .elapsed = std::chrono::milliseconds{1500},
                         .key_file = "/etc/muster/key",
                         .key_fits = true};
    EXPECT_EQ(world.run({"backup", "--database", "postgres://db/muster", "--to", "today"}), 0);
    EXPECT_EQ(world.transfers.back(), "backup postgres://db/muster today");
    EXPECT_THAT(world.err.str(),
                testing::HasSubstr("postgres://db/muster to /backups/today: 1 organisation and 12 "
                                   "rows in 1.5 s, checked."));
    EXPECT_THAT(world.err.str(), testing::HasSubstr("keep /etc/muster/key as well"));
    EXPECT_EQ(world.run({"restore", "--from", "today"}), 0);
    EXPECT_THAT(world.err.str(), testing::HasSubstr("The key file /etc/muster/key fits it."));
    EXPECT_EQ(world.run({"restore", "--from", "today", "--json"}), 0);
    EXPECT_EQ(world.transfers.back(), "restore - today");
    EXPECT_EQ(world.out.str(),
              R"({"from":"postgres://db/muster","to":"/backups/today","resumed":false,)"
              R"("organisations":1,"rows":12,"tables":{"resource":12},"elapsed_ms":1500,)"
              R"("key_file":"/etc/muster/key"})"
              "\n");
    EXPECT_EQ(world.run({"copy", "--from", "a"}), 2) << "both ends are required";
    EXPECT_EQ(world.run({"copy", "--from", "a", "--to", "b"}), 0);
    EXPECT_EQ(world.transfers.back(), "copy a b");
    EXPECT_THAT(world.err.str(), testing::HasSubstr("key file"));
}

TEST(Transfers, NameNoKeyFileThatIsNotTheDatabases) {
    FakeWorld world;
    world.transferred = {.from = "a", .to = "b", .key_file = "./var/key"};
    EXPECT_EQ(world.run({"backup", "--to", "b"}), 0);
    EXPECT_THAT(world.err.str(), testing::HasSubstr("keep that of the database's servers"));
    EXPECT_EQ(world.run({"backup", "--to", "b", "--json"}), 0);
    EXPECT_THAT(world.out.str(), testing::Not(testing::HasSubstr("key_file")));
    EXPECT_EQ(world.run({"restore", "--from", "b"}), 0);
    EXPECT_THAT(world.err.str(), testing::HasSubstr("put it back as ./var/key"));
}

TEST(Transfers, EndByWhyTheyFailed) {
    FakeWorld world;
    using Why = app::Failure::Why;
    const auto ends_with = [&world](Why why) {
        world.transferred = std::unexpected(app::Failure{why, "it does not fit"});
        return world.run({"copy", "--from", "a", "--to", "b"});
    };
    EXPECT_EQ(ends_with(Why::Refused), 4);
    EXPECT_THAT(world.err.str(), testing::HasSubstr("it does not fit."));
    EXPECT_EQ(ends_with(Why::Unreachable), 5);
    EXPECT_EQ(ends_with(Why::Failed), 1);
    EXPECT_EQ(ends_with(Why::WrongSetting), 2);
}

}  // namespace
}  // namespace muster::cli
