// Who shares a commit with whom, and who waits for whom.

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include "store/sqlite/fault_vfs.hpp"
#include "store/sqlite/store_fixture.hpp"

namespace muster::store::test {
namespace {

/// Many sets that are under way at once.
class Crowd {
  public:
    explicit Crowd(Store& store) : store_(store) {}

    void commit(WriteSet set, std::function<void()> then) {
        boost::asio::co_spawn(
            context_, store_.commit(std::move(set)),
            [then = std::move(then)](std::exception_ptr error, Result<Committed> result) {
                ASSERT_FALSE(error);
                ASSERT_TRUE(result) << result.error().message;
                then();
            });
    }
    void commit_refused(WriteSet set, ErrorCode code) {
        boost::asio::co_spawn(context_, store_.commit(std::move(set)),
                              [code](std::exception_ptr error, Result<Committed> result) {
                                  ASSERT_FALSE(error);
                                  ASSERT_FALSE(result);
                                  EXPECT_EQ(result.error().code, code);
                              });
    }
    /// Hands over all of them.
    void submit() { context_.poll(); }
    /// Until all are answered.
    void run() {
        context_.run();
        context_.restart();
    }

  private:
    Store& store_;
    boost::asio::io_context context_;
};

class BatchTest : public SqliteStoreTest {
  protected:
    BatchTest() {
        put_organisation(*store);
        put_organisation(*store, kOtherOrg);
    }

    std::vector<Rid> create_people(std::int64_t count) {
        std::vector<Rid> people;
        for (std::int64_t rid = 1; rid <= count; ++rid) {
            people.emplace_back(rid);
            crowd.commit(write(kOrg, user(Rid{rid}, fmt::format("user{}", rid))), [] {});
        }
        crowd.run();
        return people;
    }

    /// Runs what `commit_all` commits, which waits before the writer sees the first of it.
    void run_at_once(Rid first, const std::function<void()>& commit_all) {
        vfs.held = 0;
        vfs.holds_syncs = true;
        crowd.commit(write(kOrg, user(first, fmt::format("first{}", first.value))), [] {});
        crowd.submit();
        vfs.held.wait(0);
        commit_all();
        crowd.submit();
        vfs.holds_syncs = false;
        vfs.holds_syncs.notify_all();
        crowd.run();
    }

    sqlite::test::FaultVfs vfs{"hold-syncs"};
    std::unique_ptr<SqliteStore> store = opened(options(vfs.name()));
    Crowd crowd{*store};
};

TEST_F(BatchTest, A_crowd_of_one_organisation_does_not_stand_before_another) {
    int done = 0;
    int done_before_the_quiet_one = -1;
    for (std::int64_t rid = 1; rid <= 4'000; ++rid) {
        crowd.commit(write(kOrg, user(Rid{rid}, fmt::format("user{}", rid))), [&] { ++done; });
    }
    crowd.commit(write(kOtherOrg, user(Rid{5'000}, "quiet")),
                 [&] { done_before_the_quiet_one = done; });
    crowd.run();
    EXPECT_EQ(done, 4'000);
    // Some are done before it comes.
    EXPECT_LT(done_before_the_quiet_one, 3'000) << "it came last of 4,001";
    EXPECT_EQ(users(*store), 4'000);
}

TEST_F(BatchTest, Large_sets_of_one_organisation_do_not_stand_before_another) {
    constexpr int kLarge = 30;
    const std::vector<Rid> people = create_people(4'000);
    const auto done_before_a_quiet_one = [&](Rid quiet, const std::function<Mutation(int)>& large) {
        int done = 0;
        int before = -1;
        run_at_once(Rid{quiet.value + 100}, [&] {
            for (int i = 0; i < kLarge; ++i) crowd.commit(write(kOrg, large(i)), [&] { ++done; });
            crowd.commit(write(kOtherOrg, user(quiet, fmt::format("quiet{}", quiet.value))),
                         [&] { before = done; });
        });
        EXPECT_EQ(done, kLarge);
        return before;
    };
    const auto rid = [](int i) { return Rid{10'000 + i}; };
    // The answers to its batch, which lasts 10 ms, come in no order.
    constexpr int kFew = 12;
    const auto filled = done_before_a_quiet_one(Rid{20'000}, [&](int i) -> Mutation {
        return group(rid(i), fmt::format("group{}", i), people);
    });
    EXPECT_LE(filled, kFew);
    const auto emptied = done_before_a_quiet_one(
        Rid{20'001}, [&](int i) -> Mutation { return change_members(rid(i), {.replace = true}); });
    EXPECT_LE(emptied, kFew) << "emptying names nobody and takes as long";
    const auto bulky = done_before_a_quiet_one(Rid{20'002}, [&](int i) -> Mutation {
        CreateResource one = user(Rid{30'000 + i}, fmt::format("bulky{}", i));
        one.document.resize(1'500'000, ' ');
        return one;
    });
    EXPECT_LE(bulky, kFew) << "they are far more than a batch holds, of one row each";
}

TEST_F(BatchTest, A_late_refusal_costs_the_batch_twice_and_not_once_a_set) {
    std::vector<Rid> people = create_people(12'000);
    people.emplace_back(404'404);
    std::uint64_t commits = 0;
    int done = 0;
    run_at_once(Rid{20'000}, [&] {
        commits = store->figures().commits;
        for (int i = 0; i < 40; ++i) {
            crowd.commit(write(i % 2 == 0 ? kOrg : kOtherOrg,
                               user(Rid{30'000 + i}, fmt::format("small{}", i))),
                         [&] { ++done; });
        }
        crowd.commit_refused(write(kOrg, group(Rid{40'000}, "late", people)),
                             ErrorCode::MemberGone);
    });
    EXPECT_EQ(done, 40);
    EXPECT_LE(store->figures().commits - commits, 8U);
}

}  // namespace
}  // namespace muster::store::test
