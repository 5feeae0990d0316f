// Queries: every access of a plan, paging, counts, resolution of ids.

#include "store/contract_fixture.hpp"

namespace muster::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class QueryContract : public ContractTest {};
MUSTER_FOR_EACH_STORE(QueryContract);

Plan by_key(bool unique, bool prefix, std::string key, std::string attribute = "username") {
    return {"User", ByKey{unique, prefix, std::move(attribute), std::move(key)}, true};
}

CreateResource indexed(Rid rid, std::vector<scim::IndexKey> keys) {
    CreateResource create = user(rid, "user" + std::to_string(rid.value));
    create.index = std::move(keys);
    return create;
}

TEST_P(QueryContract, A_list_comes_in_rid_order_whatever_the_order_of_creation) {
    given(user(Rid{30}, "c"), user(Rid{10}, "a"), group(Rid{15}, "g"), user(Rid{20}, "b"));
    const Plan all{"User", ScanAll{}, true};
    EXPECT_THAT(rids(all), ElementsAre(10, 20, 30));
    EXPECT_THAT(rids({"Group", ScanAll{}, true}), ElementsAre(15));
    EXPECT_THAT(rids({"Device", ScanAll{}, true}), IsEmpty());
    const Slice slice = query(all);
    EXPECT_EQ(slice.records[1].document, R"({"userName":"b"})");
    EXPECT_EQ(slice.records[1].id, "id-20");
    EXPECT_EQ(slice.records[1].type, "User");
    EXPECT_EQ(slice.records[1].version, 1);
    EXPECT_EQ(slice.records[1].source, kConnector);
}

struct PageCase {
    std::int64_t after;
    std::size_t skip;
    std::size_t limit;
    std::vector<std::int64_t> expected;
    bool more;
};

TEST_P(QueryContract, Pages_are_cut_by_keyset_skip_and_limit) {
    for (std::int64_t rid = 1; rid <= 5; ++rid) {
        given(user(Rid{rid * 10}, "user" + std::to_string(rid)));
    }
    const std::vector<PageCase> cases = {
        {0, 0, 2, {10, 20}, true},    {20, 0, 2, {30, 40}, true},
        {40, 0, 2, {50}, false},      {50, 0, 2, {}, false},
        {0, 3, 2, {40, 50}, false},   {0, 3, 1, {40}, true},
        {15, 1, 2, {30, 40}, true},   {0, 5, 2, {}, false},
        {0, 1'000'000, 2, {}, false}, {0, 0, 5, {10, 20, 30, 40, 50}, false},
        {0, 0, 0, {}, true},          {-5, 0, 1, {10}, true},
    };
    const std::vector<Plan> plans = {
        {"User", ScanAll{}, true}, by_key(false, true, "user"), by_key(true, true, "user")};
    for (const Plan& plan : plans) {
        for (const PageCase& page : cases) {
            const Slice slice = query(plan, Rid{page.after}, page.skip, page.limit);
            std::vector<std::int64_t> found;
            for (const Record& record : slice.records) found.push_back(record.rid.value);
            EXPECT_EQ(found, page.expected)
                << plan.access.index() << " after " << page.after << " skip " << page.skip;
            EXPECT_EQ(slice.more, page.more)
                << plan.access.index() << " after " << page.after << " skip " << page.skip;
        }
        EXPECT_EQ(count(plan), 5);
    }
}

TEST_P(QueryContract, Backward_gives_the_same_candidates_from_the_other_end) {
    for (std::int64_t rid = 1; rid <= 5; ++rid) {
        given(user(Rid{rid * 10}, "user" + std::to_string(rid)));
    }
    const std::vector<PageCase> cases = {
        {0, 0, 2, {50, 40}, true},   {40, 0, 2, {30, 20}, true},
        {30, 0, 2, {20, 10}, false}, {10, 0, 2, {}, false},
        {0, 3, 2, {20, 10}, false},  {35, 1, 1, {20}, true},
        {99, 0, 1, {50}, true},      {0, 0, 5, {50, 40, 30, 20, 10}, false},
    };
    for (const Plan& plan :
         {Plan{"User", ScanAll{}, true}, by_key(false, true, "user"), by_key(true, true, "user")}) {
        for (const PageCase& page : cases) {
            const Slice slice = run(store->query(kOrg, plan,
                                                 {.behind = Rid{page.after},
                                                  .backward = true,
                                                  .skip = page.skip,
                                                  .limit = page.limit}))
                                    .value();
            std::vector<std::int64_t> found;
            for (const Record& record : slice.records) found.push_back(record.rid.value);
            EXPECT_EQ(found, page.expected) << plan.access.index() << " before " << page.after;
            EXPECT_EQ(slice.more, page.more) << plan.access.index() << " before " << page.after;
        }
    }
}

TEST_P(QueryContract, Records_come_in_the_order_asked_without_the_dead_and_the_strange) {
    given(user(Rid{10}, "ann"), user(Rid{20}, "bob"), user(Rid{30}, "cid"));
    given(removal(user(Rid{20}, "bob")));
    const std::vector<Rid> asked = {Rid{30}, Rid{20}, Rid{99}, Rid{10}};
    const auto found = run(store->records(kOrg, asked)).value();
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].rid, Rid{30});
    EXPECT_EQ(found[1].id, "id-10");
    EXPECT_THAT(run(store->records(kOtherOrg, asked)).value(), IsEmpty());
}

TEST_P(QueryContract, An_enormous_limit_is_taken_as_no_limit) {
    given(user(Rid{10}, "ann"));
    EXPECT_THAT(rids({"User", ScanAll{}, true}, Rid{}, 0, SIZE_MAX), ElementsAre(10));
    EXPECT_EQ(run(store->members_of(kOrg, Rid{10}, Rid{}, SIZE_MAX)).value().references.size(), 0U);
}

TEST_P(QueryContract, An_id_finds_at_most_one_live_resource_of_the_type) {
    given(user(Rid{10}, "ann"), group(Rid{20}, "staff"));
    EXPECT_THAT(rids({"User", ById{"id-10"}, true}), ElementsAre(10));
    EXPECT_THAT(rids({"User", ById{"id-10"}, true}, Rid{10}), IsEmpty());
    EXPECT_THAT(rids({"User", ById{"id-10"}, true}, Rid{}, 1), IsEmpty());
    EXPECT_THAT(rids({"User", ById{"id-20"}, true}), IsEmpty());
    EXPECT_THAT(rids({"User", ById{""}, true}), IsEmpty());
    EXPECT_EQ(count({"User", ById{"id-10"}, true}), 1);
}

TEST_P(QueryContract, An_indexed_key_may_belong_to_many_and_comes_in_rid_order) {
    given(indexed(Rid{30}, {{"dept", "sales"}}), indexed(Rid{10}, {{"dept", "sales"}}),
          indexed(Rid{20}, {{"dept", "sale"}}), indexed(Rid{40}, {{"title", "sales"}}));
    EXPECT_THAT(rids(by_key(false, false, "sales", "dept")), ElementsAre(10, 30));
    EXPECT_THAT(rids(by_key(false, false, "sales", "dept"), Rid{10}), ElementsAre(30));
    EXPECT_THAT(rids(by_key(false, false, "sales", "dept"), Rid{}, 1, 1), ElementsAre(30));
    EXPECT_THAT(rids(by_key(false, true, "sal", "dept")), ElementsAre(10, 20, 30));
    EXPECT_THAT(rids(by_key(true, false, "sales", "dept")), IsEmpty()) << "not a unique key";
    EXPECT_EQ(count(by_key(false, false, "sales", "dept")), 2);
}

TEST_P(QueryContract, A_resource_with_several_matching_keys_is_one_candidate) {
    given(indexed(Rid{10}, {{"emails.value", "a@x"}, {"emails.value", "a@y"}}),
          indexed(Rid{20}, {{"emails.value", "a@z"}}));
    const Plan plan = by_key(false, true, "a@", "emails.value");
    EXPECT_THAT(rids(plan), ElementsAre(10, 20));
    EXPECT_THAT(rids(plan, Rid{}, 1), ElementsAre(20));
    EXPECT_EQ(count(plan), 2);
}

TEST_P(QueryContract, A_prefix_is_a_prefix_of_bytes) {
    const std::string last = "a\xFF";
    const std::string high = "a\xFF\xFF";
    const std::string nul("a\0", 2);
    given(indexed(Rid{1}, {{"k", "a"}}), indexed(Rid{2}, {{"k", "ab"}}),
          indexed(Rid{3}, {{"k", "b"}}), indexed(Rid{4}, {{"k", "a\xC3\xA9"}}),
          indexed(Rid{5}, {{"k", last}}), indexed(Rid{6}, {{"k", high}}),
          indexed(Rid{7}, {{"k", nul}}), indexed(Rid{8}, {{"k", "\xFF\xFF"}}),
          indexed(Rid{9}, {{"k", ""}}));
    EXPECT_THAT(rids(by_key(false, true, "a", "k")), ElementsAre(1, 2, 4, 5, 6, 7));
    EXPECT_THAT(rids(by_key(false, true, last, "k")), ElementsAre(5, 6));
    EXPECT_THAT(rids(by_key(false, true, "\xFF", "k")), ElementsAre(8));
    EXPECT_THAT(rids(by_key(false, true, nul, "k")), ElementsAre(7));
    EXPECT_THAT(rids(by_key(false, true, "a\xC3", "k")), ElementsAre(4));
    EXPECT_THAT(rids(by_key(false, true, "", "k")), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
    EXPECT_THAT(rids(by_key(false, false, "a", "k")), ElementsAre(1));
    EXPECT_THAT(rids(by_key(false, true, "%", "k")), IsEmpty());
    EXPECT_THAT(rids(by_key(false, true, "a_", "k")), IsEmpty());
}

TEST_P(QueryContract, Keys_are_compared_byte_for_byte) {
    given(indexed(Rid{1}, {{"k", "A"}}), indexed(Rid{2}, {{"k", "a"}}),
          indexed(Rid{3}, {{"k", "a "}}));
    EXPECT_THAT(rids(by_key(false, false, "a", "k")), ElementsAre(2));
    EXPECT_THAT(rids(by_key(false, false, "a' OR 1=1 --", "k")), IsEmpty());
}

TEST_P(QueryContract, Ids_are_resolved_in_the_order_asked) {
    given(user(Rid{10}, "ann"), user(Rid{11}, "bob"), group(Rid{20}, "staff"));
    given(removal(user(Rid{11}, "bob")));
    const std::vector<std::string> ids = {"id-20", "nobody", "id-10", "id-11", "", "id-20"};
    const auto found = run(store->resolve(kOrg, ids)).value();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].rid, Rid{20});
    EXPECT_EQ(found[0].type, "Group");
    EXPECT_EQ(found[0].display, "staff");
    EXPECT_EQ(found[1].id, "id-10");
    EXPECT_EQ(found[1].display, "ann");
    EXPECT_EQ(found[2].rid, Rid{20});
}

TEST_P(QueryContract, Many_ids_are_resolved_in_one_call) {
    WriteSet set = write(kOrg);
    std::vector<std::string> ids;
    for (std::int64_t rid = 1; rid <= 2'000; ++rid) {
        set.mutations.emplace_back(user(Rid{rid}, "user" + std::to_string(rid)));
        ids.push_back(id_of(Rid{2'001 - rid}));
    }
    ASSERT_TRUE(run(store->commit(std::move(set))));
    const auto found = run(store->resolve(kOrg, ids)).value();
    ASSERT_EQ(found.size(), 2'000U);
    EXPECT_EQ(found.front().rid, Rid{2'000});
    EXPECT_EQ(found.back().rid, Rid{1});
    EXPECT_THAT(run(store->resolve(kOrg, {})).value(), IsEmpty());
}

// Questions and answers that are each larger than what the way to a server holds: whoever only
// sends, and takes nothing meanwhile, waits for ever.
TEST_P(QueryContract, Much_is_asked_and_answered_at_once) {
    constexpr std::size_t kPeople = 3'000;
    constexpr int kCallers = 16;
    WriteSet set = write(kOrg);
    std::vector<std::string> ids;
    for (std::int64_t rid = 1; rid <= std::int64_t{kPeople}; ++rid) {
        set.mutations.emplace_back(
            user(Rid{rid}, "user" + std::to_string(rid) + std::string(100, '.')));
        ids.push_back(id_of(Rid{rid}));
        // As long as a caller may make them: those that nobody has are asked for as well.
        ids.push_back(ids.back() + std::string(100, '.'));
    }
    ASSERT_TRUE(run(store->commit(std::move(set))));
    boost::asio::io_context context;
    int answered = 0;
    for (int i = 0; i < kCallers; ++i) {
        boost::asio::co_spawn(context, store->resolve(kOrg, ids),
                              [&](std::exception_ptr error, auto found) {
                                  ASSERT_FALSE(error);
                                  ASSERT_TRUE(found) << found.error().message;
                                  EXPECT_EQ(found->size(), kPeople);
                                  ++answered;
                              });
    }
    context.run();
    EXPECT_EQ(answered, kCallers);
}

TEST_P(QueryContract, Counts_follow_creations_and_deletions) {
    const Plan users{"User", ScanAll{}, true};
    EXPECT_EQ(count(users), 0);
    given(user(Rid{1}, "a"), user(Rid{2}, "b"), user(Rid{3}, "c"), group(Rid{4}, "g"));
    EXPECT_EQ(count(users), 3);
    given(removal(user(Rid{1}, "a")), removal(user(Rid{2}, "b"), true));
    EXPECT_EQ(count(users), 1);
    EXPECT_EQ(count({"Group", ScanAll{}, true}), 1);
}

// ---- organisations, connectors, tokens -------------------------------------------------------

Connector connector(std::int64_t key, const std::string& id) {
    return {ConnectorKey{key}, kOrg, id, "okta", "Okta", ConnectorState::Active, "{}", kStart};
}

Token token(std::int64_t key, const std::string& id) {
    Token token;
    token.key = TokenKey{key};
    token.connector = ConnectorKey{5};
    token.id = id;
    token.name = "first";
    token.hash.fill(std::byte{0xAB});
    token.created_by = "cli";
    token.created = kStart;
    token.expires = Timestamp{kStart.ms + 1000};
    return token;
}

class DirectoryContract : public ContractTest {};
MUSTER_FOR_EACH_STORE(DirectoryContract);

TEST_P(DirectoryContract, Everything_put_is_loaded_again) {
    Connector paused = connector(5, "abc");
    paused.state = ConnectorState::Paused;
    paused.policy = R"({"x":1})";
    Token basic = token(6, "tok");
    basic.kind = TokenKind::Basic;
    basic.active = false;
    basic.previous_hash.emplace().fill(std::byte{1});
    basic.last_used = Timestamp{kStart.ms + 7};
    basic.last_used_from = "192.0.2.1";
    given(PutConnector{paused}, PutToken{basic}, PutToken{token(7, "tok2")});

    const Directory directory = store->load_directory().value();
    ASSERT_EQ(directory.organisations.size(), 2U);
    EXPECT_EQ(directory.organisations[0].key, kOrg);
    EXPECT_EQ(directory.organisations[0].slug, "acme");
    EXPECT_EQ(directory.organisations[0].name, "Acme");
    EXPECT_EQ(directory.organisations[0].created, kStart);
    ASSERT_EQ(directory.connectors.size(), 1U);
    EXPECT_EQ(directory.connectors[0].org, kOrg);
    EXPECT_EQ(directory.connectors[0].id, "abc");
    EXPECT_EQ(directory.connectors[0].idp, "okta");
    EXPECT_EQ(directory.connectors[0].state, ConnectorState::Paused);
    EXPECT_EQ(directory.connectors[0].policy, R"({"x":1})");
    ASSERT_EQ(directory.tokens.size(), 2U);
    const Token& loaded = directory.tokens[0];
    EXPECT_EQ(loaded.connector, ConnectorKey{5});
    EXPECT_EQ(loaded.id, "tok");
    EXPECT_EQ(loaded.kind, TokenKind::Basic);
    EXPECT_FALSE(loaded.active);
    EXPECT_EQ(loaded.hash, basic.hash);
    EXPECT_EQ(loaded.previous_hash, basic.previous_hash);
    EXPECT_EQ(loaded.created_by, "cli");
    EXPECT_EQ(loaded.expires.ms, kStart.ms + 1000);
    EXPECT_EQ(loaded.last_used->ms, kStart.ms + 7);
    EXPECT_EQ(loaded.last_used_from, "192.0.2.1");
    EXPECT_FALSE(directory.tokens[1].previous_hash);
    EXPECT_FALSE(directory.tokens[1].last_used);
}

TEST_P(DirectoryContract, What_was_checked_by_other_definitions_is_refused) {
    Organisation org = value_of(store->load_directory()).organisations[0];
    org.definitions = R"({"schemas":[]})";
    given(PutOrganisation{org});
    const auto create = [&](Rid rid, const char* definitions) {
        WriteSet set = write(kOrg, user(rid, "u" + std::to_string(rid.value)));
        set.definitions = definitions;
        return run(store->commit(std::move(set)));
    };
    const auto late = create(Rid{10}, "");
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code, ErrorCode::Superseded);
    EXPECT_EQ(count({"User", ScanAll{}, true}), 0);
    EXPECT_TRUE(create(Rid{11}, R"({"schemas":[]})"));

    // Definitions that were found to fit as there was nobody are refused where there is by now.
    org.definitions = "{}";
    const auto put = [&](std::vector<TypeName> without) {
        return run(store->commit(write(kOrg, PutOrganisation{org, std::move(without)})));
    };
    const auto hasty = put({"Group", "User"});
    ASSERT_FALSE(hasty);
    EXPECT_EQ(hasty.error().code, ErrorCode::Superseded);
    EXPECT_TRUE(put({"Group"}));
    EXPECT_EQ(value_of(store->load_directory()).organisations[0].definitions, "{}");
}

TEST_P(DirectoryContract, Putting_again_replaces) {
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")});
    Token renewed = token(6, "tok");
    renewed.previous_hash = renewed.hash;
    renewed.hash.fill(std::byte{2});
    Connector renamed = connector(5, "abc");
    renamed.name = "Okta EU";
    given(PutConnector{renamed}, PutToken{renewed},
          PutOrganisation{{kOrg, "acme-2", "Acme 2", kStart, R"({"schemas":[]})"}});
    const Directory directory = store->load_directory().value();
    ASSERT_EQ(directory.connectors.size(), 1U);
    EXPECT_EQ(directory.connectors[0].name, "Okta EU");
    ASSERT_EQ(directory.tokens.size(), 1U);
    EXPECT_EQ(directory.tokens[0].hash, renewed.hash);
    EXPECT_EQ(directory.organisations[0].slug, "acme-2");
    EXPECT_EQ(directory.organisations[0].definitions, R"({"schemas":[]})");
}

TEST_P(DirectoryContract, Directory_mutations_report_zeros) {
    const Committed committed = given(PutConnector{connector(5, "abc")}, user(Rid{1}, "a"));
    ASSERT_EQ(committed.applied.size(), 2U);
    EXPECT_EQ(committed.applied[0].version, 0);
    EXPECT_EQ(committed.applied[0].modified.ms, 0);
    EXPECT_EQ(committed.applied[1].version, 1);
}

TEST_P(DirectoryContract, Taken_names_and_missing_parents_are_conflicts) {
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")});
    const auto conflict = [](const auto& result) {
        return !result && result.error().code == ErrorCode::DirectoryConflict;
    };
    EXPECT_TRUE(conflict(commit(PutOrganisation{{OrgKey{3}, "acme", "Third", kStart, {}}})));
    EXPECT_TRUE(conflict(commit(PutOrganisation{{kOtherOrg, "acme", "Other", kStart, {}}})));
    EXPECT_TRUE(conflict(commit(PutConnector{connector(9, "abc")})));
    EXPECT_TRUE(conflict(commit(PutToken{token(9, "tok")})));
    Connector orphan = connector(9, "xyz");
    orphan.org = OrgKey{99};
    EXPECT_TRUE(conflict(commit(PutConnector{orphan})));
    Token lost = token(9, "xyz");
    lost.connector = ConnectorKey{99};
    EXPECT_TRUE(conflict(commit(PutToken{lost})));
    EXPECT_EQ(store->load_directory().value().connectors.size(), 1U);
    EXPECT_EQ(store->load_directory().value().tokens.size(), 1U);
}

TEST_P(DirectoryContract, Touching_a_token_changes_only_its_last_use) {
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")});
    Token revoked = token(6, "tok");
    revoked.active = false;
    given(PutToken{revoked});
    given(TouchToken{TokenKey{6}, Timestamp{kStart.ms + 9}, "192.0.2.7"},
          TouchToken{TokenKey{99}, kStart, "nobody"});
    const Directory directory = store->load_directory().value();
    ASSERT_EQ(directory.tokens.size(), 1U);
    EXPECT_FALSE(directory.tokens[0].active);
    EXPECT_EQ(directory.tokens[0].last_used->ms, kStart.ms + 9);
    EXPECT_EQ(directory.tokens[0].last_used_from, "192.0.2.7");
}

TEST_P(DirectoryContract, Nobody_writes_with_a_token_that_was_switched_off) {
    Connector its = connector(5, "abc");
    Token its_token = token(6, "tok");
    given(PutConnector{its}, PutToken{its_token});
    std::int64_t next = 1;
    const auto write_with = [&](TokenKey key, std::optional<Digest> secret = {}) {
        WriteSet set = write(kOrg, user(Rid{next}, fmt::format("user{}", next)));
        ++next;
        set.token = key;
        set.secret = secret.value_or(its_token.hash);
        const auto committed = run(store->commit(std::move(set)));
        return committed ? ErrorCode{} : committed.error().code;
    };
    EXPECT_EQ(write_with(its_token.key), ErrorCode{});
    EXPECT_EQ(write_with(TokenKey{99}), ErrorCode::Revoked);
    const Digest old = its_token.hash;
    its_token.previous_hash = old;
    its_token.hash.fill(std::byte{9});
    given(PutToken{its_token});
    EXPECT_EQ(write_with(its_token.key, old), ErrorCode{}) << "both are good";
    its_token.previous_hash.reset();
    given(PutToken{its_token});
    EXPECT_EQ(write_with(its_token.key, old), ErrorCode::Revoked) << "it was renewed";
    its_token.active = false;
    given(PutToken{its_token});
    EXPECT_EQ(write_with(its_token.key), ErrorCode::Revoked);
    its_token.active = true;
    its.state = ConnectorState::Paused;
    given(PutToken{its_token}, PutConnector{its});
    EXPECT_EQ(write_with(its_token.key), ErrorCode::Paused);
    its.state = ConnectorState::Active;
    given(PutConnector{its});
    EXPECT_EQ(write_with(its_token.key), ErrorCode{});
    given(RemoveToken{its_token.key});
    EXPECT_EQ(write_with(its_token.key), ErrorCode::Revoked);
    EXPECT_EQ(count(Plan{"User", ScanAll{}, true}), 3);
}

// Two nodes save what each of them saw, and a third changes the token without having seen it.
TEST_P(DirectoryContract, The_latest_use_of_a_token_stays) {
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")});
    given(TouchToken{TokenKey{6}, Timestamp{kStart.ms + 9}, "192.0.2.7"});
    given(TouchToken{TokenKey{6}, Timestamp{kStart.ms + 8}, "192.0.2.8"});
    Token renewed = token(6, "tok");
    renewed.previous_hash = renewed.hash;
    given(PutToken{renewed});
    const Directory directory = store->load_directory().value();
    ASSERT_EQ(directory.tokens.size(), 1U);
    EXPECT_TRUE(directory.tokens[0].previous_hash);
    EXPECT_EQ(directory.tokens[0].last_used->ms, kStart.ms + 9);
    EXPECT_EQ(directory.tokens[0].last_used_from, "192.0.2.7");
}

TEST_P(DirectoryContract, Removing_is_idempotent) {
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")});
    given(RemoveToken{TokenKey{6}}, RemoveToken{TokenKey{6}}, RemoveOrganisation{OrgKey{99}});
    EXPECT_THAT(store->load_directory().value().tokens, IsEmpty());
}

TEST_P(DirectoryContract, Nothing_is_written_into_an_organisation_that_was_removed) {
    given(user(Rid{1}, "ann"), user(Rid{2}, "bob"), group(Rid{3}, "staff", {Rid{1}}));
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")});
    given(RemoveOrganisation{kOrg});
    const auto refused = [](const auto& result) {
        return !result && result.error().code == ErrorCode::DirectoryConflict;
    };
    EXPECT_TRUE(refused(commit(user(Rid{4}, "eve"))));
    EXPECT_TRUE(refused(commit(rename(Rid{1}, 1, "ann", "anne"))));
    EXPECT_TRUE(refused(commit(change_members(Rid{3}, {false, {Rid{2}}, {}}))));
    EXPECT_TRUE(refused(commit(removal(user(Rid{1}, "ann")))));
    EXPECT_TRUE(refused(commit(PutConnector{connector(7, "xyz")})));
    EXPECT_TRUE(refused(commit(PutToken{token(8, "tok2")})));
    EXPECT_TRUE(refused(commit(PutOrganisation{{kOrg, "acme", "Back", kStart, {}}})));
    WriteSet checked = write(kOrg, user(Rid{4}, "eve"));
    checked.definitions = "";
    EXPECT_EQ(run(store->commit(std::move(checked))).error().code, ErrorCode::Superseded);
    run(store->record({LogId{50}, kOrg, ConnectorKey{5}, false, R"({"n":1)"}));
    EXPECT_THAT(run(store->log({.org = kOrg})).value().records, IsEmpty());
    EXPECT_FALSE(run(store->log_entry(LogId{50})).value());
    EXPECT_TRUE(commit_in(kOtherOrg, user(Rid{11}, "ann")));
}

TEST_P(DirectoryContract, An_organisation_goes_with_everything_in_it) {
    given(PutConnector{connector(5, "abc")}, PutToken{token(6, "tok")}, user(Rid{1}, "ann"),
          group(Rid{2}, "staff", {Rid{1}}), user(Rid{3}, "gone"));
    given(removal(user(Rid{3}, "gone")));
    ASSERT_TRUE(commit_in(kOtherOrg, user(Rid{11}, "ann"), group(Rid{12}, "staff", {Rid{11}})));
    run(store->record({LogId{50}, kOrg, ConnectorKey{5}, false, R"({"n":1)"}));
    ASSERT_EQ(run(store->log({})).value().records.size(), 1U);

    given(RemoveOrganisation{kOrg});
    EXPECT_TRUE(commit_in(OrgKey{3}, PutOrganisation{{OrgKey{3}, "acme", "Again", kStart, {}}},
                          RemoveOrganisation{OrgKey{3}}))
        << "the slug is free at once";
    while (value_of(run(store->purge(Timestamp{}, Timestamp{})))) continue;
    const Directory directory = store->load_directory().value();
    ASSERT_EQ(directory.organisations.size(), 1U);
    EXPECT_EQ(directory.organisations[0].key, kOtherOrg);
    EXPECT_THAT(directory.connectors, IsEmpty());
    EXPECT_THAT(directory.tokens, IsEmpty());
    EXPECT_FALSE(find_user(Rid{1}));
    EXPECT_EQ(count({"User", ScanAll{}, true}), 0);
    EXPECT_THAT(members_of(Rid{2}), IsEmpty());
    EXPECT_THAT(run(store->log({})).value().records, IsEmpty());
    EXPECT_TRUE(find(kOtherOrg, "User", "id-11"));
    EXPECT_EQ(run(store->member_count(kOtherOrg, Rid{12})).value(), 1);

    given(PutOrganisation{{kOrg, "acme", "Acme", kStart, {}}}, user(Rid{1}, "ann"),
          user(Rid{3}, "gone"));
    EXPECT_THAT(rids({"User", ScanAll{}, true}), ElementsAre(1, 3));
}

}  // namespace
}  // namespace muster::store::test
