// The provisioning log and housekeeping.

#include <limits>
#include <thread>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "store/contract_fixture.hpp"

namespace muster::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using testing::StartsWith;

std::string text(int number) { return R"({"n":)" + std::to_string(number) + "}"; }

/// Ids a second apart, so that every record stands in a segment of its own.
LogId id_at(int second) {
    return LogId{IdGenerator::first_at(Timestamp{kStart.ms + second * 1100})};
}

class LogContract : public ContractTest {
  protected:
    void record(LogId id, int number, OrgKey org = kOrg, ConnectorKey connector = kConnector,
                bool failed = false) {
        std::string json = text(number);
        json.pop_back();
        LogEntry entry{id, org, connector, failed, std::move(json)};
        run(store->record(std::move(entry)));
    }
    void record_json(LogId id, std::string begun) {
        LogEntry entry{id, kOrg, kConnector, false, std::move(begun)};
        run(store->record(std::move(entry)));
    }
    std::vector<std::string> log(LogQuery query = {}) {
        return run(store->log(query)).value().records;
    }
    std::optional<std::string> entry(LogId id) { return run(store->log_entry(id)).value(); }
};
MUSTER_FOR_EACH_STORE(LogContract);

TEST_P(LogContract, A_removed_organisation_leaves_no_record_not_even_a_late_one) {
    record(LogId{5}, 1);
    record(LogId{6}, 2, OrgKey{});
    record(LogId{7}, 3, kOtherOrg);
    given(RemoveOrganisation{kOrg});
    record(LogId{8}, 4);
    EXPECT_THAT(log(), ElementsAre(R"({"n":3})", R"({"n":2})"));
    EXPECT_THAT(log({.org = kOrg}), IsEmpty());
    EXPECT_FALSE(entry(LogId{5}));
}

TEST_P(LogContract, A_record_is_there_at_once_and_closed) {
    EXPECT_THAT(log(), IsEmpty());
    record(LogId{5}, 1);
    EXPECT_THAT(log(), ElementsAre(R"({"n":1})"));
    record(LogId{6}, 2);
    EXPECT_EQ(entry(LogId{6}), R"({"n":2})");
}

TEST_P(LogContract, A_committed_set_says_what_it_wrote) {
    given(user(Rid{1}, "ann"), user(Rid{2}, "bob"), group(Rid{20}, "staff", {Rid{1}}));
    WriteSet set = write(kOrg, user(Rid{3}, "eve"),
                         change_members(Rid{20}, {false, {Rid{2}, Rid{3}}, {Rid{1}}}),
                         TouchToken{TokenKey{1}, kStart, ""});
    set.log.push_back({LogId{1}, kOrg, kConnector, false, R"({"a":1)"});
    set.log.push_back({LogId{2}, kOrg, kConnector, false, R"({"a":2)"});
    ASSERT_TRUE(run(store->commit(std::move(set))));
    const std::string written =
        R"(,"written":[{"version":1,"members_added":0,"members_removed":0},)"
        R"({"version":2,"members_added":2,"members_removed":1},)"
        R"({"version":0,"members_added":0,"members_removed":0}]})";
    EXPECT_THAT(log(), ElementsAre(R"({"a":2)" + written, R"({"a":1)" + written));
}

TEST_P(LogContract, A_refused_set_leaves_no_record) {
    given(user(Rid{1}, "ann"));
    WriteSet set = write(kOrg, user(Rid{2}, "ann"));
    set.log.push_back({LogId{1}, kOrg, kConnector, true, R"({"a":1)"});
    EXPECT_FALSE(run(store->commit(std::move(set))));
    EXPECT_THAT(log(), IsEmpty());
    EXPECT_FALSE(entry(LogId{1}));
}

TEST_P(LogContract, Records_come_newest_first_in_pages) {
    for (int i = 0; i < 20; ++i) record(id_at(i), i);
    LogQuery query;
    query.limit = 3;
    EXPECT_THAT(log(query), ElementsAre(text(19), text(18), text(17)));
    query.before = id_at(17);
    EXPECT_THAT(log(query), ElementsAre(text(16), text(15), text(14)));
    query.before = id_at(1);
    EXPECT_THAT(log(query), ElementsAre(text(0)));
    query.before = id_at(0);
    EXPECT_THAT(log(query), IsEmpty());
    query.before.reset();
    query.after = id_at(17);
    EXPECT_THAT(log(query), ElementsAre(text(19), text(18)));
    query.before = id_at(19);
    EXPECT_THAT(log(query), ElementsAre(text(18)));
    query.limit = 0;
    EXPECT_THAT(log(query), IsEmpty());
}

TEST_P(LogContract, Records_are_found_by_what_stands_in_them) {
    for (int i = 0; i < 20; ++i) record(id_at(i), i);
    LogQuery query;
    query.mentions = "\"N\":7";
    EXPECT_THAT(log(query), ElementsAre(text(7)));
    query.mentions = "1";
    query.limit = 3;
    EXPECT_THAT(log(query), ElementsAre(text(19), text(18), text(17)));
    query.before = id_at(17);
    query.limit = 100;
    EXPECT_EQ(log(query).size(), 8U) << "1 and 10 to 16";
    query.mentions = "77";
    EXPECT_THAT(log(query), IsEmpty());
}

/// However much there is, a search comes to its end, and finds each record once.
TEST_P(LogContract, A_search_goes_on_where_it_was_broken_off) {
    constexpr int kRecords = 100;
    const std::string filler(std::size_t{400} << 10, 'x');  // 40 MB in all
    for (int i = 0; i < kRecords; ++i) {
        // Of the same second and of others, and not in order.
        const int at = (i * 37) % kRecords;
        record_json(LogId{id_at(at / 60).value + at},
                    fmt::format(R"({{"i":{},"x":"{}")", at, filler));
    }
    LogQuery query;
    query.mentions = "X\":\"XX";
    query.limit = 1000;
    std::vector<std::string> found;
    int calls = 0;
    for (std::optional<LogId> rest = LogId{std::numeric_limits<std::int64_t>::max()}; rest;
         ++calls) {
        query.before = rest;
        auto page = run(store->log(query)).value();
        for (const std::string& json : page.records)
            found.push_back(json.substr(0, json.find(',')));
        ASSERT_TRUE(!page.rest || *page.rest < *query.before) << "it gets no further";
        rest = page.rest;
    }
    ASSERT_EQ(found.size(), std::size_t{kRecords});
    for (int i = 0; i < kRecords; ++i) {
        EXPECT_EQ(found[static_cast<std::size_t>(i)], fmt::format(R"({{"i":{})", kRecords - 1 - i));
    }
    if (GetParam() != Kind::Memory) EXPECT_GT(calls, 2);
}

TEST_P(LogContract, Ids_close_together_are_paged_as_exactly) {
    const std::int64_t base = id_at(3).value;
    for (int i = 0; i < 50; ++i) record(LogId{base + (i * 7) % 50}, (i * 7) % 50);
    LogQuery query;
    query.limit = 7;
    std::vector<std::string> walked;
    for (int page = 0; page < 8; ++page) {
        query.before = LogId{base + 50 - page * 7};
        for (std::string& one : log(query)) walked.push_back(std::move(one));
    }
    ASSERT_EQ(walked.size(), 50U);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(walked[static_cast<std::size_t>(i)], text(49 - i));
}

TEST_P(LogContract, Segments_that_lie_across_each_other_hide_nothing) {
    // Each set's records are a segment; the one that ends last holds none of those in the middle.
    const std::int64_t base = id_at(3).value;
    const auto commit = [&](std::initializer_list<std::pair<int, bool>> records) {
        WriteSet set = write(kOrg, TouchToken{TokenKey{1}, kStart, ""});
        for (const auto [number, failed] : records) {
            std::string json = text(number);
            json.pop_back();
            set.log.push_back({LogId{base + number}, kOrg, kConnector, failed, std::move(json)});
        }
        ASSERT_TRUE(run(store->commit(std::move(set))));
    };
    commit({{1, true}, {90, false}});
    commit({{2, false}, {80, true}});
    commit({{3, false}, {70, false}});
    const auto is = [](int number) {
        return StartsWith(R"({"n":)" + std::to_string(number) + ",");
    };
    for (const int number : {1, 2, 3, 70, 80, 90}) {
        EXPECT_THAT(entry(LogId{base + number}), Optional(is(number)));
    }
    LogQuery query;
    query.limit = 1;
    query.before = LogId{base + 70};
    EXPECT_THAT(log(query), ElementsAre(is(3)));
    query.before.reset();
    query.failed_only = true;
    EXPECT_THAT(log(query), ElementsAre(is(80)));
}

// The answer to a commit got lost: the request is refused as unknown, though its set was committed.
TEST_P(LogContract, A_refusal_of_what_was_committed_takes_no_other_record_with_it) {
    const std::int64_t base = id_at(3).value;
    WriteSet set = write(kOrg, TouchToken{TokenKey{1}, kStart, ""});
    set.log.push_back({LogId{base}, kOrg, kConnector, false, R"({"n":0)"});
    ASSERT_TRUE(run(store->commit(std::move(set))));
    for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(store->offer(
            {LogId{base + i}, kOrg, kConnector, true, R"({"n":)" + std::to_string(i)}));
    }
    for (int i = 1; i < 5; ++i) EXPECT_EQ(entry(LogId{base + i}), text(i));
    EXPECT_THAT(entry(LogId{base}), Optional(StartsWith(R"({"n":0)")));
}

TEST_P(LogContract, A_record_that_comes_late_is_found_in_its_place) {
    for (int i = 0; i < 10; ++i) {
        if (i == 4) continue;
        record(id_at(i), i);
        log();  // a segment of its own
    }
    record(id_at(4), 4);  // its request took long
    LogQuery query;
    query.before = id_at(6);
    query.limit = 3;
    EXPECT_THAT(log(query), ElementsAre(text(5), text(4), text(3)));
    EXPECT_EQ(entry(id_at(4)), text(4));
    query = {};
    query.limit = 2;
    EXPECT_THAT(log(query), ElementsAre(text(9), text(8)));
}

TEST_P(LogContract, Queries_are_narrowed_by_organisation_connector_and_failure) {
    record(id_at(0), 0, kOrg, ConnectorKey{7});
    record(id_at(1), 1, kOrg, ConnectorKey{8}, true);
    record(id_at(2), 2, kOtherOrg, ConnectorKey{9});
    record(id_at(3), 3, kOtherOrg, ConnectorKey{9}, true);
    record(id_at(4), 4, kOrg, ConnectorKey{7}, true);
    record(id_at(5), 5, OrgKey{}, ConnectorKey{}, true);

    const auto ask = [this](std::optional<OrgKey> org, std::optional<ConnectorKey> connector,
                            bool failed) {
        LogQuery query;
        query.org = org;
        query.connector = connector;
        query.failed_only = failed;
        return log(query);
    };
    EXPECT_EQ(ask({}, {}, false).size(), 6U);
    EXPECT_THAT(ask({}, {}, true), ElementsAre(text(5), text(4), text(3), text(1)));
    EXPECT_THAT(ask(kOrg, {}, false), ElementsAre(text(4), text(1), text(0)));
    EXPECT_THAT(ask(kOrg, {}, true), ElementsAre(text(4), text(1)));
    EXPECT_THAT(ask(kOrg, ConnectorKey{7}, false), ElementsAre(text(4), text(0)));
    EXPECT_THAT(ask(kOrg, ConnectorKey{7}, true), ElementsAre(text(4)));
    EXPECT_THAT(ask({}, ConnectorKey{9}, false), ElementsAre(text(3), text(2)));
    EXPECT_THAT(ask({}, ConnectorKey{9}, true), ElementsAre(text(3)));
    EXPECT_THAT(ask(kOrg, ConnectorKey{9}, false), IsEmpty()) << "of another organisation";
    EXPECT_THAT(ask(OrgKey{}, {}, false), ElementsAre(text(5)));
}

TEST_P(LogContract, An_entry_is_found_by_its_id_and_no_other) {
    for (int i = 0; i < 10; ++i) record(id_at(i), i, kOrg, ConnectorKey{i % 3 + 1});
    record(LogId{id_at(5).value + 1}, 99);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(entry(id_at(i)), text(i));
    EXPECT_EQ(entry(LogId{id_at(5).value + 1}), text(99));
    EXPECT_FALSE(entry(LogId{id_at(5).value + 2}));
    EXPECT_FALSE(entry(LogId{0}));
    EXPECT_FALSE(entry(LogId{-1}));
    EXPECT_FALSE(entry(LogId{INT64_MAX}));
}

TEST_P(LogContract, Bounds_at_the_ends_of_the_number_range_are_harmless) {
    record(id_at(0), 0);
    LogQuery query;
    query.before = LogId{INT64_MAX};
    query.after = LogId{INT64_MIN};
    EXPECT_EQ(log(query).size(), 1U);
    query.before = LogId{INT64_MIN};
    EXPECT_THAT(log(query), IsEmpty());
    query.before.reset();
    query.after = LogId{INT64_MAX};
    EXPECT_THAT(log(query), IsEmpty());
}

TEST_P(LogContract, Records_keep_every_byte_and_any_size) {
    const std::string large(3'000'000, 'x');
    const std::string odd("{\"n\":\"a\nb\0c\"", 12);
    run(store->record({id_at(0), kOrg, kConnector, false, odd}));
    run(store->record({id_at(1), kOrg, kConnector, false, "{\"n\":\"" + large + "\""}));
    EXPECT_THAT(log(), ElementsAre("{\"n\":\"" + large + "\"}", odd + "}"));
}

TEST_P(LogContract, Records_of_many_threads_are_all_kept) {
    constexpr int kThreads = 4;
    constexpr int kEach = 500;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
        threads.emplace_back([this, thread] {
            for (int i = 0; i < kEach; ++i) {
                const int number = thread * kEach + i;
                record(LogId{id_at(number % 3).value + number}, number);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    LogQuery query;
    query.limit = 10'000;
    EXPECT_EQ(log(query).size(), static_cast<std::size_t>(kThreads * kEach));
    EXPECT_EQ(store->figures().log_records, static_cast<std::uint64_t>(kThreads * kEach));
}

TEST_P(LogContract, More_than_16_MiB_wait_for_room_and_are_kept) {
    boost::asio::io_context context;
    int done = 0;
    for (int i = 0; i < 40; ++i) {
        LogEntry entry{LogId{id_at(0).value + i}, kOrg, kConnector, false,
                       "{\"n\":\"" + std::string(1'000'000, 'x') + "\""};
        boost::asio::co_spawn(context, store->record(std::move(entry)),
                              [&](std::exception_ptr error) {
                                  ASSERT_FALSE(error);
                                  ++done;
                              });
    }
    context.run();
    EXPECT_EQ(done, 40);
    LogQuery query;
    query.limit = 100;
    EXPECT_EQ(log(query).size(), 40U);
}

// ---- housekeeping ----------------------------------------------------------------------------

class PurgeContract : public LogContract {
  protected:
    bool purge(std::int64_t log_before, std::int64_t deleted_before) {
        return run(store->purge(Timestamp{log_before}, Timestamp{deleted_before})).value();
    }
    /// Of the people of kOrg those whose row is there.
    std::int64_t count_rows() {
        return static_cast<std::int64_t>(
            query({"User", ScanAll{}, true}, {}, 0, 10'000).records.size());
    }
};
MUSTER_FOR_EACH_STORE(PurgeContract);

TEST_P(PurgeContract, Old_records_go_and_young_ones_stay) {
    for (int i = 0; i < 10; ++i) record(id_at(i), i);
    EXPECT_FALSE(purge(kStart.ms + 7 * 1100, 0));
    EXPECT_THAT(log(), ElementsAre(text(9), text(8), text(7)));
    EXPECT_FALSE(entry(id_at(6)));
    EXPECT_EQ(entry(id_at(7)), text(7));
}

TEST_P(PurgeContract, Retained_deletions_go_when_their_time_is_over) {
    given(user(Rid{1}, "a"), user(Rid{2}, "b"));
    given(removal(user(Rid{1}, "a")));  // at kStart + 2
    EXPECT_FALSE(purge(0, kStart.ms + 2));
    CreateResource again = user(Rid{3}, "c");
    again.id = id_of(Rid{1});
    EXPECT_FALSE(commit(again)) << "the id is kept as long as the row";
    EXPECT_FALSE(purge(0, kStart.ms + 3));
    EXPECT_TRUE(commit(again));
    EXPECT_EQ(count({"User", ScanAll{}, true}), 2);
    EXPECT_TRUE(find_user(Rid{2})) << "live resources are never purged";
}

TEST_P(PurgeContract, A_large_organisation_is_removed_at_once_and_deleted_in_bounded_steps) {
    constexpr std::int64_t kPeople = 2'500;
    for (std::int64_t rid = 1; rid <= kPeople;) {
        WriteSet set = write(kOrg);
        for (; set.mutations.size() < 500; ++rid) {
            set.mutations.emplace_back(user(Rid{rid}, "user" + std::to_string(rid)));
        }
        ASSERT_TRUE(run(store->commit(std::move(set))));
    }
    given(RemoveOrganisation{kOrg});
    int calls = 0;
    for (std::int64_t left = kPeople; purge(0, 0); ++calls) {
        const std::int64_t before = std::exchange(left, count_rows());
        EXPECT_LE(before - left, 1'000) << "others wait for a step";
        EXPECT_TRUE(commit_in(kOtherOrg, user(Rid{10'000 + calls}, "u" + std::to_string(calls))));
    }
    EXPECT_GE(calls, 2);
    EXPECT_EQ(count_rows(), 0);
    given(PutOrganisation{{kOrg, "acme", "Again", kStart, {}}}, user(Rid{1}, "user1"));
    EXPECT_EQ(count({"User", ScanAll{}, true}), 1);
}

TEST_P(PurgeContract, A_large_backlog_goes_in_bounded_steps) {
    WriteSet set = write(kOrg);
    for (std::int64_t rid = 1; rid <= 1'200; ++rid) {
        const CreateResource created = user(Rid{rid}, "user" + std::to_string(rid));
        set.mutations.emplace_back(created);
        set.mutations.emplace_back(removal(created));
    }
    ASSERT_TRUE(run(store->commit(std::move(set))));
    EXPECT_TRUE(purge(0, kStart.ms + 3));
    EXPECT_TRUE(purge(0, kStart.ms + 3));
    EXPECT_FALSE(purge(0, kStart.ms + 3));
    EXPECT_FALSE(purge(0, kStart.ms + 3));
    EXPECT_TRUE(commit(user(Rid{1}, "user1")));
}

}  // namespace
}  // namespace muster::store::test
