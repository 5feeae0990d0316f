// Organisations that write on one node: none waits for another's crowd, its locks or its refusals.

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>

#include "store/contract_fixture.hpp"
#include "store/log_json.hpp"
#include "store/log_segments.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/log_buffer.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/postgres/session.hpp"
#include "store/postgres/write_queue.hpp"

namespace muster::store::test {
namespace {

using namespace std::chrono_literals;
using postgres::Pool;
using postgres::Session;
using std::chrono::steady_clock;
using ::testing::ElementsAre;

/// A store, and a session beside it that holds locks.
class NeighboursTest : public ::testing::Test {
  protected:
    static constexpr std::int64_t kOrganisations = 20;

    explicit NeighboursTest(std::size_t writers = 2)
        : store_(value_of(open(PostgresOptions{.url = database_.url(), .writers = writers}))),
          session_(value_of(Session::open(database_.url()))) {
        WriteSet set;
        for (std::int64_t key = 1; key <= kOrganisations; ++key) {
            const std::string name = std::to_string(key);
            set.mutations.emplace_back(PutOrganisation{{OrgKey{key}, name, name, kStart, {}}});
        }
        value_of(run(store_->commit(std::move(set))));
        for (std::int64_t key = 1; key <= kOrganisations; ++key) {
            value_of(run(store_->commit(write(OrgKey{key}, user(Rid{1}, "first")))));
        }
    }
    ~NeighboursTest() override { sql("ROLLBACK"); }

    void sql(const std::string& text) { value_of(session_.run(text)); }
    void hold(const std::string& what) {
        sql("BEGIN");
        sql("SET LOCAL app.tenant = '1'");
        sql(what);
    }
    /// How long a creation in `org` takes.
    steady_clock::duration time_to_write(OrgKey org) {
        const auto began = steady_clock::now();
        value_of(run(store_->commit(write(org, user(Rid{2}, "second")))));
        return steady_clock::now() - began;
    }

    TemporaryDatabase database_;
    std::unique_ptr<Store> store_;
    Session session_;
};

TEST_F(NeighboursTest, AWriteIsNotBehindAnotherOrganisationsWrites) {
    hold("SELECT 1 FROM counter WHERE org = 1 FOR UPDATE");
    std::jthread crowd([this] {
        boost::asio::io_context context;
        for (std::int64_t i = 0; i < 100; ++i) {
            boost::asio::co_spawn(
                context, store_->commit(write(kOrg, user(Rid{100 + i}, std::to_string(i)))),
                [](const std::exception_ptr&, const Result<Committed>& result) {
                    EXPECT_TRUE(result);
                });
        }
        context.run();
    });
    std::this_thread::sleep_for(200ms);
    for (std::int64_t key = 2; key <= kOrganisations; ++key) {
        EXPECT_LT(time_to_write(OrgKey{key}), 2s) << key;
    }
    sql("ROLLBACK");
}

class OneWriterTest : public NeighboursTest {
  protected:
    OneWriterTest() : NeighboursTest(1) {}
};

TEST_F(OneWriterTest, AWriteIsNotBehindLogRecords) {
    // Whoever writes the segment that begins with that id waits.
    hold("INSERT INTO log_segment VALUES (1, 77, 77, 7, 1, 0, '')");
    ASSERT_TRUE(store_->offer({LogId{77}, kOrg, kConnector, false, "{}"}));
    std::this_thread::sleep_for(300ms);
    for (std::int64_t key = 1; key <= kOrganisations; ++key) {
        EXPECT_LT(time_to_write(OrgKey{key}), 2s) << key;
    }
    sql("ROLLBACK");
}

TEST_F(NeighboursTest, ACrowdThatIsRefusedIsNotBeforeAnotherOrganisationsWrites) {
    hold("SELECT 1 FROM counter WHERE org = 1 FOR UPDATE");
    std::atomic<int> refused = 0;
    std::jthread crowd([&] {
        boost::asio::io_context context;
        for (std::int64_t i = 0; i < 20'480; ++i) {
            boost::asio::co_spawn(
                context, store_->commit(write(kOrg, user(Rid{100 + i}, std::to_string(i)))),
                [&](const std::exception_ptr&, const Result<Committed>& result) {
                    if (result) return;
                    EXPECT_EQ(result.error().code, ErrorCode::Unavailable);
                    ++refused;
                });
        }
        context.run();
    });
    while (refused == 0) std::this_thread::sleep_for(10ms);
    for (std::int64_t key = 2; key <= kOrganisations; ++key) {
        EXPECT_LT(time_to_write(OrgKey{key}), 2s) << key;
    }
    sql("ROLLBACK");
}

TEST_F(NeighboursTest, ASetWhoseTimeIsUpCostsTheOthersNothing) {
    postgres::Pool pool(
        {.hosts = postgres::hosts_of(value_of(postgres::with_settings(database_.url(), {}))),
         .readers = 1,
         .writers = 1,
         .patience = 1s});
    postgres::WriteQueue queue(pool, 1, 1);
    Session other = value_of(Session::open(database_.url()));
    for (Session* session : {&session_, &other}) {
        value_of(session->run("BEGIN"));
        value_of(session->run("SET LOCAL app.tenant = '1'"));
    }
    sql("INSERT INTO uniq VALUES (1, 'User', 'username', 'first-held', 98)");
    value_of(other.run("INSERT INTO uniq VALUES (1, 'User', 'username', 'last-held', 99)"));
    const auto write_one = [&](Rid rid, std::string name) {
        return std::jthread([&queue, set = write(kOrg, user(rid, std::move(name)))]() mutable {
            const auto done = run(queue.submit(std::move(set)));
            EXPECT_TRUE(done) << done.error().message;
        });
    };
    {
        const auto before = write_one(Rid{10}, "first-held");
        std::this_thread::sleep_for(100ms);
        const auto older = write_one(Rid{11}, "older");
        std::this_thread::sleep_for(500ms);
        const auto younger = write_one(Rid{12}, "last-held");
        std::this_thread::sleep_for(200ms);
        sql("ROLLBACK");
        // By now the older one would have been given up.
        std::this_thread::sleep_for(500ms);
        value_of(other.run("ROLLBACK"));
    }
    pool.stop();
}

TEST_F(NeighboursTest, OneRefusedWriteLetsTheOthersShareACommit) {
    constexpr std::int64_t kSets = 256;
    const auto before = store_->figures().commits;
    int refused = 0;
    boost::asio::io_context context;
    for (std::int64_t i = 0; i < kSets; ++i) {
        const std::string name = i % 60 == 50 ? "first" : std::to_string(i);
        boost::asio::co_spawn(context, store_->commit(write(kOrg, user(Rid{100 + i}, name))),
                              [&](const std::exception_ptr&, const Result<Committed>& result) {
                                  if (result) return;
                                  ++refused;
                                  EXPECT_EQ(result.error().code, ErrorCode::UniqueTaken);
                                  EXPECT_EQ(result.error().holder_id, id_of(Rid{1}));
                              });
    }
    context.run();
    EXPECT_EQ(refused, 4);
    EXPECT_LT(store_->figures().commits - before, 20U);
    EXPECT_EQ(value_of(run(store_->count(kOrg, {"User", ScanAll{}, true}))), 1 + kSets - refused);
}

// ---- log records -----------------------------------------------------------------------------

/// A node's log buffer that gives an attempt to write a second.
class LogRecordsTest : public NeighboursTest {
  protected:
    ~LogRecordsTest() override {
        log_.stop();
        pool_.stop();
    }

    static std::string json(std::int64_t id) { return R"({"n":)" + std::to_string(id) + "}"; }
    static LogEntry entry(OrgKey org, std::int64_t id) {
        std::string begun = json(id);
        begun.pop_back();
        return {LogId{id}, org, kConnector, false, std::move(begun)};
    }
    /// A record of each organisation.
    void offer(std::int64_t id) {
        for (std::int64_t key = 1; key <= kOrganisations; ++key) {
            ASSERT_TRUE(log_.offer(entry(OrgKey{key}, id)));
        }
    }
    /// An attempt to write these records of kOrg that does not come to its end.
    void hold_attempt(const std::vector<std::int64_t>& ids) {
        SegmentBatch batch;
        for (const std::int64_t id : ids) batch.add(entry(kOrg, id), kLogJsonEnd);
        const SegmentBatch::Segment& segment = batch.segments().front();
        SegmentPacker packer;
        std::string data;
        for (const std::byte byte : packer.pack(segment)) {
            data += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
        }
        hold(fmt::format("INSERT INTO log_segment VALUES (1, {}, {}, 7, {}, 0, '\\x{}')",
                         segment.first_id, segment.last_id, segment.records, data));
    }
    /// Tries to write until `records` are, but not for ever. How many are.
    std::uint64_t write_up_to(std::uint64_t records) {
        const auto until = steady_clock::now() + 10s;
        while (log_.written() < records && steady_clock::now() < until) run(log_.flush());
        return log_.written();
    }

    Pool pool_{{.hosts = postgres::hosts_of(value_of(postgres::with_settings(database_.url(), {}))),
                .writers = 1,
                .patience = 1s}};
    postgres::LogBuffer log_{pool_};
};

TEST_F(LogRecordsTest, NoneIsBehindThoseOfAnotherOrganisationAndNoneIsWrittenTwice) {
    constexpr std::uint64_t kNeighbours = kOrganisations - 1;
    hold_attempt({77, 78});
    offer(77);
    offer(78);
    EXPECT_EQ(write_up_to(2 * kNeighbours), 2 * kNeighbours);
    offer(79);
    EXPECT_EQ(write_up_to(3 * kNeighbours), 3 * kNeighbours);
    sql("COMMIT");
    EXPECT_EQ(write_up_to(3 * kOrganisations), 3 * kOrganisations);
    for (std::int64_t key = 1; key <= kOrganisations; ++key) {
        EXPECT_THAT(value_of(run(store_->log({.org = OrgKey{key}}))).records,
                    ElementsAre(json(79), json(78), json(77)))
            << key;
    }
    EXPECT_EQ(log_.dropped(), 0U);
}

}  // namespace
}  // namespace muster::store::test
