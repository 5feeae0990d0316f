// `muster log tail`: everything once, whenever it comes. `muster log list`: a search to its end.

#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ids.hpp"
#include "cli/fake_world.hpp"

namespace muster::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::int64_t kStart = 1'800'000'000'000;

/// Of a request that began so many milliseconds after the start.
std::string id_at(std::int64_t ms) {
    return to_base32(IdGenerator::first_at(Timestamp{kStart + ms}));
}

class LogTail : public testing::Test {
  protected:
    /// What is there now, newest first; and what is asked for behind `after`.
    void answer(const std::string& query, std::vector<std::int64_t> times) {
        std::vector<std::string> records;
        for (const auto ms : times) {
            records.push_back(fmt::format(R"({{"id":"{}","status":200}})", id_at(ms)));
        }
        world_.api.answer("GET /log?" + query + "limit=1000", 200,
                          fmt::format(R"({{"records":[{}]}})", fmt::join(records, ",")));
    }
    /// What begins later than ten seconds before `newest`.
    static std::string since(std::int64_t newest) {
        const auto begin = IdGenerator::first_at(Timestamp{kStart + newest - 10'000});
        return fmt::format("after={}&", to_base32(begin - 1));
    }
    int run(std::vector<std::string> more = {}) {
        std::vector<std::string> words{"log", "tail", "--json"};
        words.insert(words.end(), more.begin(), more.end());
        return world_.run(std::move(words));
    }
    /// When the requests that were shown began.
    [[nodiscard]] std::vector<std::int64_t> shown() const {
        std::istringstream lines{world_.out.str()};
        std::vector<std::int64_t> times;
        for (std::string line; std::getline(lines, line);) {
            const auto id = json::parse(line).value().at("id").as_string();
            times.push_back(IdGenerator::time_of(from_base32(id).value()).ms - kStart);
        }
        return times;
    }
    /// `waits` of the tail, each before `then` happened for the so manieth time.
    void follow(int waits, const std::function<void(int)>& then) {
        world_.environment.wait = [=, waited = 0]() mutable {
            then(waited);
            return waited++ < waits;
        };
    }

    FakeWorld world_;
};

using Times = std::vector<std::int64_t>;

TEST_F(LogTail, ShowsThingsInTheOrderInWhichTheyBegan) {
    answer("", {2, 1});
    answer(since(2), {4, 3, 2, 1});
    answer(since(4), {4, 3, 2, 1});
    world_.waits = 3;
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(shown(), (Times{1, 2, 3, 4}));
}

TEST_F(LogTail, ShowsWhatBeganBeforeAndEndedAfterWhatWasShown) {
    answer("", {6'000, 1'000});
    answer(since(6'000), {6'000, 1'000});
    follow(4, [this](int round) {
        if (round == 1) answer(since(6'000), {6'000, 5'000, 1'000});
        if (round == 2) answer(since(6'000), {7'000, 6'000, 5'000, 1'000});
        if (round == 3) answer(since(7'000), {7'000, 6'000, 5'000, 1'000, -2'000});
    });
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(shown(), (Times{1'000, 6'000, 5'000, 7'000, -2'000}));
}

TEST_F(LogTail, KnowsWhatItDidNotShowForWantOfRoom) {
    answer("", {3, 2, 1});
    answer(since(3), {4, 3, 2, 1});
    answer(since(4), {4, 3, 2, 1});
    world_.waits = 2;
    EXPECT_EQ(run({"-n", "1"}), 0);
    EXPECT_EQ(shown(), (Times{3, 4}));
}

TEST_F(LogTail, AsksAgainForABoundedNumber) {
    // 1,000 a second: more than ten seconds of it are not remembered.
    std::vector<std::int64_t> first;
    for (std::int64_t ms = 999; ms >= 0; --ms) first.push_back(ms);
    answer("", first);
    answer("after=" + id_at(0) + "&", {1'000});
    world_.waits = 1;
    EXPECT_EQ(run(), 0);
    EXPECT_EQ(world_.api.calls.back(), "GET /log?after=" + id_at(0) + "&limit=1000")
        << "what is older than the first answer is not new";
    EXPECT_EQ(shown().back(), 1'000);
}

TEST_F(LogTail, MissesNothingWhereMoreCameThanOneAnswerHolds) {
    answer("", {1});
    std::vector<std::int64_t> newest;
    for (std::int64_t ms = 1500; ms > 500; --ms) newest.push_back(ms);
    std::vector<std::int64_t> older;
    for (std::int64_t ms = 500; ms > 0; --ms) older.push_back(ms);
    answer(since(1), newest);
    answer("before=" + id_at(501) + "&" + since(1), older);
    world_.waits = 1;
    EXPECT_EQ(run(), 0);
    Times all;
    for (std::int64_t ms = 1; ms <= 1500; ++ms) all.push_back(ms);
    EXPECT_EQ(shown(), all);
}

TEST_F(LogTail, DoesNotWaitForALogThatNobodyWrites) {
    world_.api.live = false;
    answer("", {1});
    world_.waits = 100;
    EXPECT_EQ(world_.run({"log", "tail"}), 0);
    EXPECT_EQ(world_.api.calls.size(), 1U);
    EXPECT_EQ(world_.err.str(),
              "No server runs on this data directory, so nothing new will come.\n");
}

TEST_F(LogTail, EndsWhereItsServerWentAway) {
    answer("", {});
    world_.environment.wait = [this] {
        world_.api.silence = "connection reset";
        return true;
    };
    EXPECT_EQ(run(), 5);
    EXPECT_THAT(world_.err.str(), HasSubstr("No answer: connection reset."));
    EXPECT_THAT(shown(), IsEmpty());
}

TEST(LogList, GoesOnWhereASearchWasBrokenOff) {
    FakeWorld world;
    world.api.answer("GET /log?mentions=ann%40acme.example&limit=3", 200,
                     R"({"records":[{"id":"c","status":200}],"rest":"r1"})");
    world.api.answer("GET /log?mentions=ann%40acme.example&before=r1&limit=2", 200,
                     R"({"records":[],"rest":"r2"})");
    world.api.answer(
        "GET /log?mentions=ann%40acme.example&before=r2&limit=2", 200,
        R"({"records":[{"id":"b","status":409},{"id":"a","status":200}],"rest":"r3"})");
    EXPECT_EQ(world.run({"log", "list", "--mentions", "ann@acme.example", "-n", "3", "--json"}), 0);
    EXPECT_EQ(world.out.str(), R"({"records":[{"id":"c","status":200},{"id":"b","status":409},)"
                               R"({"id":"a","status":200}]})"
                               "\n");
    EXPECT_EQ(world.api.calls.size(), 3U);
}

}  // namespace
}  // namespace muster::cli
