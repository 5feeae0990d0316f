// What several nodes on one database do to each other.

#include <chrono>
#include <future>
#include <libpq-fe.h>
#include <thread>

#include "store/contract_fixture.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/postgres/transfer.hpp"
#include "store/transfer/transfer.hpp"

namespace muster::store::test {
namespace {

using namespace std::chrono_literals;

/// Two nodes, and a session that is in their way.
class TwoNodes : public testing::Test {
  protected:
    TwoNodes() {
        WriteSet set;
        set.mutations.emplace_back(PutOrganisation{{kOrg, "acme", "Acme", kStart, kBefore}});
        value_of(run(one->commit(std::move(set))));
    }

    void sql(const std::string& text) const {
        const std::unique_ptr<PGresult, decltype(&PQclear)> done(
            PQexec(session.get(), text.c_str()), &PQclear);
        const auto status = PQresultStatus(done.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            throw std::runtime_error(PQerrorMessage(session.get()));
        }
    }
    /// Until let_go() whoever wants to have that name waits, in the middle of his transaction.
    void hold_name(const std::string& type, const std::string& name) const {
        sql("BEGIN");
        sql(fmt::format("SET LOCAL app.tenant = '{}'", kOrg.value));
        sql(fmt::format("INSERT INTO uniq VALUES ({}, '{}', 'username', '{}', 1)", kOrg.value, type,
                        name));
    }
    void let_go() const { sql("ROLLBACK"); }

    static std::future<Result<Committed>> begin(Store& node, WriteSet set) {
        auto begun = std::async(std::launch::async, [&node, set = std::move(set)]() mutable {
            return run(node.commit(std::move(set)));
        });
        static_cast<void>(begun.wait_for(300ms));  // it has done what it can do now
        return begun;
    }

    /// Whether the node is healthy, or is not, within some seconds.
    static bool becomes(Store& node, bool healthy) {
        const auto last = std::chrono::steady_clock::now() + 8s;
        while (run(node.healthy()).has_value() != healthy) {
            if (std::chrono::steady_clock::now() > last) return false;
            std::this_thread::sleep_for(20ms);
        }
        return true;
    }

    static void keep_house(Store& node) {
        while (value_of(run(node.purge(Timestamp{}, Timestamp{})))) continue;
    }

    /// The tables in which there are rows of `org`.
    std::vector<std::string> left(OrgKey org = kOrg) const {
        std::vector<std::string> names;
        const auto source =
            value_of(postgres::open_source(database.url(), transfer::Servers::MayRun));
        for (const auto& table : transfer::tables()) {
            if (table.shared) continue;
            if (value_of(source->count(table, org)) > 0) names.emplace_back(table.name);
        }
        return names;
    }

    static constexpr const char* kBefore = R"({"schemas":[]})";
    TemporaryDatabase database;
    std::unique_ptr<Store> one =
        value_of(open(PostgresOptions{.url = database.url(), .removal_rest = {}}));
    std::unique_ptr<Store> other =
        value_of(open(PostgresOptions{.url = database.url(), .removal_rest = {}}));
    std::unique_ptr<PGconn, decltype(&PQfinish)> session{PQconnectdb(database.url().c_str()),
                                                         &PQfinish};
};

TEST_F(TwoNodes, Who_lost_his_number_takes_nothing_any_more) {
    const auto third = value_of(
        open(PostgresOptions{.url = database.url(), .removal_rest = {}, .node_renewal = 10ms}));
    EXPECT_TRUE(run(third->healthy()));
    sql(fmt::format("UPDATE node SET holder = 'another' WHERE number = {}", third->node()));
    EXPECT_TRUE(becomes(*third, false));
    EXPECT_FALSE(run(third->commit(write(kOrg, user(Rid{1}, "ann")))));
    run(third->record({LogId{1}, kOrg, kConnector, true, "{}"}));
    EXPECT_FALSE(third->offer({LogId{2}, kOrg, kConnector, true, "{}"}));
    EXPECT_EQ(third->figures().log_dropped, 2U);
}

TEST_F(TwoNodes, Who_could_not_renew_his_number_for_long_waits_until_he_has) {
    const auto third = value_of(
        open(PostgresOptions{.url = database.url(), .removal_rest = {}, .node_renewal = 40ms}));
    sql("BEGIN");
    sql(fmt::format("SELECT 1 FROM node WHERE number = {} FOR UPDATE", third->node()));
    EXPECT_TRUE(run(third->healthy()));
    EXPECT_TRUE(becomes(*third, false));
    const auto refused = run(third->commit(write(kOrg, user(Rid{1}, "ann"))));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Unavailable);
    let_go();
    EXPECT_TRUE(becomes(*third, true));
    EXPECT_TRUE(run(third->commit(write(kOrg, user(Rid{1}, "ann")))));
}

TEST_F(TwoNodes, A_change_of_the_directory_is_one_version_more) {
    const auto version = value_of(one->load_directory()).version;
    WriteSet set = write(kOrg, PutOrganisation{{kOrg, "acme", "Acme Inc.", kStart, kBefore}},
                         user(Rid{1}, "ann"));
    set.directory_version = version;
    value_of(run(one->commit(std::move(set))));
    EXPECT_FALSE(value_of(run(one->directory_since(version + 1)))) << "one's own is known";
    const auto seen = value_of(run(other->directory_since(version)));
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->version, version + 1);
}

TEST_F(TwoNodes, A_type_and_a_resource_of_it_that_is_being_made_do_not_pass_each_other) {
    CreateResource thing = user(Rid{1}, "thing");
    thing.type = "Thing";
    WriteSet making = write(kOrg, thing);
    making.definitions = kBefore;
    hold_name("Thing", "thing");
    auto made = begin(*one, std::move(making));
    auto taken = begin(
        *other, write(kOrg, PutOrganisation{{kOrg, "acme", "Acme", kStart, "{}"}, {"Thing"}}));
    let_go();
    const auto resource = made.get();
    const auto type = taken.get();
    EXPECT_NE(resource.has_value(), type.has_value()) << "one of them, whoever it is";
    EXPECT_EQ((resource ? type : resource).error().code, ErrorCode::Superseded);
}

TEST_F(TwoNodes, A_type_is_not_taken_away_under_a_resource_that_has_just_been_made) {
    CreateResource thing = user(Rid{1}, "thing");
    thing.type = "Thing";
    thing.index = {{"displayname", "held"}};
    WriteSet making = write(kOrg, thing);
    making.definitions = kBefore;
    // Its row is there, and what comes behind it waits.
    sql("BEGIN");
    sql(fmt::format("SET LOCAL app.tenant = '{}'", kOrg.value));
    sql(fmt::format("INSERT INTO attr VALUES ({}, 'Thing', 'displayname', 'held', 1)", kOrg.value));
    auto made = begin(*one, std::move(making));
    auto taken = begin(
        *other, write(kOrg, PutOrganisation{{kOrg, "acme", "Acme", kStart, "{}"}, {"Thing"}}));
    let_go();
    EXPECT_TRUE(made.get());
    const auto refused = taken.get();
    ASSERT_FALSE(refused) << "a resource of the type is there";
    EXPECT_EQ(refused.error().code, ErrorCode::Superseded);
}

TEST_F(TwoNodes, Who_comes_while_definitions_change_is_refused) {
    hold_name("User", "ann");
    auto made = begin(*one, write(kOrg, user(Rid{1}, "ann")));
    auto changed =
        begin(*other, write(kOrg, PutOrganisation{{kOrg, "acme", "Acme", kStart, "{}"}, {}}));
    WriteSet late = write(kOrg, user(Rid{2}, "bob"));
    late.definitions = kBefore;
    auto behind = begin(*one, std::move(late));
    let_go();
    EXPECT_TRUE(made.get());
    EXPECT_TRUE(changed.get());
    const auto refused = behind.get();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::Superseded);
}

TEST_F(TwoNodes, A_change_that_is_under_way_while_its_organisation_is_removed_leaves_nothing) {
    value_of(run(one->commit(write(kOrg, user(Rid{1}, "ann")))));
    hold_name("User", "anne");
    auto renamed = begin(*one, write(kOrg, rename(Rid{1}, 1, "ann", "anne")));
    auto removed = begin(*other, write(kOrg, RemoveOrganisation{kOrg}));
    let_go();
    EXPECT_FALSE(renamed.get()) << "the organisation was gone when it came to be committed";
    EXPECT_TRUE(removed.get());
    EXPECT_FALSE(run(one->commit(write(kOrg, user(Rid{2}, "bob")))));
    keep_house(*one);
    EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(TwoNodes, Writes_and_a_removal_at_once_leave_nothing) {
    boost::asio::io_context context;
    int done = 0;
    const auto hand_over = [&](Store& node, WriteSet set) {
        boost::asio::co_spawn(context, node.commit(std::move(set)),
                              [&](const std::exception_ptr&, const Result<Committed>&) { ++done; });
    };
    for (std::int64_t rid = 1; rid <= 60; ++rid) {
        WriteSet set = write(kOrg, user(Rid{rid}, std::to_string(rid)));
        set.log.push_back({LogId{rid}, kOrg, {}, false, R"({"n":1)"});
        hand_over(rid % 2 == 0 ? *one : *other, std::move(set));
        if (rid == 30) hand_over(*one, write(kOrg, RemoveOrganisation{kOrg}));
    }
    context.run();
    EXPECT_EQ(done, 61);
    // Both of them keep house: the first was not heard of for a while, and does not know.
    sql("UPDATE node SET until = until - 180000 WHERE number = 0");
    auto also = std::async(std::launch::async, [&] { keep_house(*other); });
    keep_house(*one);
    also.get();
    EXPECT_THAT(left(), testing::IsEmpty());
}

// ---- housekeeping ----------------------------------------------------------------------------

TEST_F(TwoNodes, The_first_of_those_that_run_keeps_house) {
    value_of(run(one->commit(write(kOrg, user(Rid{1}, "ann")))));
    value_of(run(one->commit(write(kOrg, RemoveOrganisation{kOrg}))));
    keep_house(*other);
    EXPECT_THAT(left(), testing::Not(testing::IsEmpty()));
    one->close();
    keep_house(*other);
    EXPECT_THAT(left(), testing::IsEmpty());
}

TEST_F(TwoNodes, What_fails_of_one_organisation_keeps_nobody_elses) {
    constexpr OrgKey kRemoved{3};
    WriteSet set;
    set.mutations.emplace_back(PutOrganisation{{kOtherOrg, "other", "Other", kStart, kBefore}});
    set.mutations.emplace_back(PutOrganisation{{kRemoved, "removed", "Removed", kStart, kBefore}});
    value_of(run(one->commit(std::move(set))));
    value_of(run(one->commit(write(kRemoved, user(Rid{1}, "ann")))));
    value_of(run(one->commit(write(kRemoved, RemoveOrganisation{kRemoved}))));
    for (const OrgKey org : {kOrg, kOtherOrg}) {
        sql("BEGIN");
        sql(fmt::format("SET LOCAL app.tenant = '{}'", org.value));
        sql(
            fmt::format("INSERT INTO log_segment SELECT {}, i, i, 7, 1, 0, '' "
                        "FROM generate_series(1, 600) AS i",
                        org.value));
        sql("COMMIT");
    }
    sql("CREATE SEQUENCE tries");
    sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'not this one'; END$$");
    sql("CREATE TRIGGER refuse BEFORE DELETE ON log_segment FOR EACH ROW WHEN (OLD.org = 1) "
        "EXECUTE FUNCTION refuse()");

    EXPECT_TRUE(value_of(run(one->purge(kStart, {})))) << "more of the other's is left";
    const auto done = run(one->purge(kStart, {}));
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, testing::HasSubstr("not this one"));
    sql("SELECT 1 / (last_value = 1)::int FROM tries");  // once, while there was more of others
    EXPECT_THAT(left(kOtherOrg), testing::IsEmpty());
    EXPECT_THAT(left(kRemoved), testing::IsEmpty());

    sql("DROP TRIGGER refuse ON log_segment");
    EXPECT_TRUE(value_of(run(one->purge(kStart, {}))));
    EXPECT_FALSE(value_of(run(one->purge(kStart, {}))));
    EXPECT_THAT(left(), testing::IsEmpty());
}

}  // namespace
}  // namespace muster::store::test
