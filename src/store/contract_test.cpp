// Resources: creation, change, deletion, versions, uniqueness, isolation, atomicity.

#include "store/contract_fixture.hpp"

namespace muster::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ResourceContract : public ContractTest {};
MUSTER_FOR_EACH_STORE(ResourceContract);

TEST_P(ResourceContract, A_created_resource_is_found_as_it_was_written) {
    CreateResource create = user(Rid{10}, "ann");
    create.active = false;
    const Committed committed = given(create);

    ASSERT_EQ(committed.applied.size(), 1U);
    EXPECT_EQ(committed.applied[0].version, 1);
    EXPECT_EQ(committed.applied[0].modified, kStart);
    const std::optional<Record> found = find_user(Rid{10});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->rid, Rid{10});
    EXPECT_EQ(found->id, "id-10");
    EXPECT_EQ(found->type, "User");
    EXPECT_EQ(found->version, 1);
    EXPECT_EQ(found->created, kStart);
    EXPECT_EQ(found->modified, kStart);
    EXPECT_FALSE(found->active);
    EXPECT_EQ(found->source, kConnector);
    EXPECT_EQ(found->document, R"({"userName":"ann"})");
}

TEST_P(ResourceContract, Text_keeps_every_byte_even_nul) {
    using namespace std::string_literals;
    CreateResource create = user(Rid{10}, "windows\0EVIL"s);
    create.id = "a\0b"s;
    create.document = "{\"x\":\"\0\xF0\x9F\x98\x80\"}"s;
    given(create, user(Rid{11}, "windows"));

    const auto found = find(kOrg, "User", "a\0b"s);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, "a\0b"s);
    EXPECT_EQ(found->document, "{\"x\":\"\0\xF0\x9F\x98\x80\"}"s);
    EXPECT_FALSE(find(kOrg, "User", "a"));
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "windows"}}), ElementsAre(11));
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "windows\0EVIL"s}}), ElementsAre(10));
}

TEST_P(ResourceContract, A_resource_is_not_found_under_another_type_or_id) {
    given(user(Rid{10}, "ann"));
    EXPECT_FALSE(find(kOrg, "Group", "id-10"));
    EXPECT_FALSE(find(kOrg, "user", "id-10"));
    EXPECT_FALSE(find(kOrg, "User", "ID-10"));
    EXPECT_FALSE(find(kOrg, "User", ""));
    EXPECT_FALSE(find(kOrg, "User", std::string(100'000, 'x')));
}

TEST_P(ResourceContract, Empty_texts_are_kept_apart_from_absent_ones) {
    CreateResource create = user(Rid{10}, "");
    create.display = "";
    create.document = "";
    given(create);
    EXPECT_EQ(find_user(Rid{10}).value().document, "");
    EXPECT_EQ(commit(user(Rid{11}, "")).error().code, ErrorCode::UniqueTaken);
}

TEST_P(ResourceContract, Creating_needs_the_organisation_to_exist) {
    const auto refused = commit_in(OrgKey{99}, user(Rid{10}, "ann"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::DirectoryConflict);
}

TEST_P(ResourceContract, An_id_or_row_cannot_be_created_twice) {
    given(user(Rid{10}, "ann"));
    EXPECT_FALSE(commit(user(Rid{10}, "bob")));
    CreateResource same_id = user(Rid{11}, "bob");
    same_id.id = "id-10";
    EXPECT_FALSE(commit(same_id));
    EXPECT_EQ(count({"User", ScanAll{}, true}), 1);
    EXPECT_EQ(find_user(Rid{10}).value().document, R"({"userName":"ann"})");
}

TEST_P(ResourceContract, A_document_change_raises_version_and_time_by_one_step) {
    given(user(Rid{10}, "ann"));
    const Committed committed = given(rename(Rid{10}, 1, "ann", "anna"));
    EXPECT_EQ(committed.applied[0].version, 2);
    EXPECT_EQ(committed.applied[0].modified.ms, kStart.ms + 1);

    const Record found = find_user(Rid{10}).value();
    EXPECT_EQ(found.version, 2);
    EXPECT_EQ(found.created, kStart);
    EXPECT_EQ(found.modified.ms, kStart.ms + 1);
    EXPECT_EQ(found.document, R"({"userName":"anna"})");
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "ann"}}), IsEmpty());
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "anna"}}), ElementsAre(10));
    EXPECT_THAT(rids({"User", ByKey{false, false, "username", "ann"}}), IsEmpty());
    EXPECT_THAT(rids({"User", ByKey{false, false, "username", "anna"}}), ElementsAre(10));
}

TEST_P(ResourceContract, Deactivation_is_stored_with_the_row) {
    given(user(Rid{10}, "ann"));
    UpdateResource update = rename(Rid{10}, 1, "ann", "ann");
    update.document->active = false;
    given(update);
    EXPECT_FALSE(find_user(Rid{10}).value().active);
}

TEST_P(ResourceContract, An_update_that_names_nothing_changes_nothing) {
    given(user(Rid{10}, "ann"));
    UpdateResource update;
    update.rid = Rid{10};
    update.type = "User";
    update.now = Timestamp{kStart.ms + 5};
    const Committed committed = given(update);
    EXPECT_EQ(committed.applied[0].version, 1);
    EXPECT_EQ(committed.applied[0].modified, kStart);
    EXPECT_EQ(find_user(Rid{10}).value().modified, kStart);
}

TEST_P(ResourceContract, A_wrong_version_is_refused_and_leaves_nothing) {
    given(user(Rid{10}, "ann"));
    for (const std::int64_t version : {0, 2, -1}) {
        const auto refused = commit(rename(Rid{10}, version, "ann", "anna"));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code, ErrorCode::VersionMismatch);
    }
    DeleteResource stale = removal(user(Rid{10}, "ann"));
    stale.expected_version = 2;
    EXPECT_EQ(commit(stale).error().code, ErrorCode::VersionMismatch);
    EXPECT_EQ(find_user(Rid{10}).value().document, R"({"userName":"ann"})");
}

TEST_P(ResourceContract, A_resource_that_is_gone_cannot_be_changed) {
    given(user(Rid{10}, "ann"), user(Rid{11}, "bob"));
    given(removal(user(Rid{10}, "ann")), removal(user(Rid{11}, "bob"), true));
    for (const Rid gone : {Rid{10}, Rid{11}, Rid{12}}) {
        EXPECT_EQ(commit(rename(gone, 1, "x", "y")).error().code, ErrorCode::NotFound);
        EXPECT_EQ(commit(removal(user(gone, "x"))).error().code, ErrorCode::NotFound);
    }
}

TEST_P(ResourceContract, A_change_under_the_wrong_type_finds_nothing) {
    given(user(Rid{10}, "ann"));
    UpdateResource update = rename(Rid{10}, 1, "ann", "anna");
    update.type = "Group";
    EXPECT_EQ(commit(update).error().code, ErrorCode::NotFound);
    DeleteResource remove = removal(user(Rid{10}, "ann"));
    remove.type = "Group";
    EXPECT_EQ(commit(remove).error().code, ErrorCode::NotFound);
}

TEST_P(ResourceContract, A_taken_name_is_found_before_members_are_looked_at) {
    given(user(Rid{10}, "ann"), user(Rid{11}, "bob"));
    UpdateResource update = rename(Rid{10}, 1, "ann", "bob");
    update.members = MembersChange{.add = {Rid{404}}};
    EXPECT_EQ(commit(update).error().code, ErrorCode::UniqueTaken);
    update.document.reset();
    EXPECT_EQ(commit(update).error().code, ErrorCode::MemberGone);
}

TEST_P(ResourceContract, A_taken_name_is_refused_with_its_holder) {
    given(user(Rid{10}, "ann"));
    const auto created = commit(user(Rid{11}, "ann"));
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, ErrorCode::UniqueTaken);
    EXPECT_EQ(created.error().attribute, "username");
    EXPECT_EQ(created.error().holder_id, "id-10");

    given(user(Rid{11}, "bob"));
    const auto renamed = commit(rename(Rid{11}, 1, "bob", "ann"));
    ASSERT_FALSE(renamed);
    EXPECT_EQ(renamed.error().code, ErrorCode::UniqueTaken);
    EXPECT_EQ(renamed.error().holder_id, "id-10");
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "bob"}}), ElementsAre(11));
}

TEST_P(ResourceContract, Uniqueness_is_a_matter_of_one_type_and_one_organisation) {
    given(user(Rid{10}, "ann"));
    CreateResource device = user(Rid{11}, "ann");
    device.type = "Device";
    EXPECT_TRUE(commit(device));
    EXPECT_TRUE(commit_in(kOtherOrg, user(Rid{12}, "ann")));
}

TEST_P(ResourceContract, Names_can_be_swapped_in_one_write) {
    given(user(Rid{10}, "ann"), user(Rid{11}, "bob"));
    given(rename(Rid{10}, 1, "ann", "tmp"), rename(Rid{11}, 1, "bob", "ann"),
          rename(Rid{10}, 2, "tmp", "bob"));
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "ann"}}), ElementsAre(11));
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "bob"}}), ElementsAre(10));
    EXPECT_EQ(find_user(Rid{10}).value().version, 3);
}

TEST_P(ResourceContract, A_deleted_resource_leaves_every_view) {
    for (const bool erase : {false, true}) {
        const CreateResource ann = user(erase ? Rid{11} : Rid{10}, "ann");
        given(ann);
        const Committed committed = given(removal(ann, erase));
        EXPECT_EQ(committed.applied[0].version, 2);
        EXPECT_EQ(committed.applied[0].modified.ms, kStart.ms + 2);

        EXPECT_FALSE(find_user(ann.rid));
        EXPECT_EQ(count({"User", ScanAll{}, true}), 0);
        EXPECT_THAT(rids({"User", ScanAll{}, true}), IsEmpty());
        EXPECT_THAT(rids({"User", ById{ann.id}}), IsEmpty());
        EXPECT_THAT(rids({"User", ByKey{true, false, "username", "ann"}}), IsEmpty());
        EXPECT_THAT(rids({"User", ByKey{false, true, "username", "a"}}), IsEmpty());
        const std::vector<std::string> ids = {ann.id};
        EXPECT_THAT(run(store->resolve(kOrg, ids)).value(), IsEmpty());
    }
    EXPECT_TRUE(commit(user(Rid{12}, "ann"))) << "the name is free again";
}

TEST_P(ResourceContract, A_deletion_computed_from_an_old_document_blocks_no_name) {
    const CreateResource ann = user(Rid{10}, "ann");
    given(ann);
    given(rename(Rid{10}, 1, "ann", "anna"));
    given(user(Rid{11}, "ann"));
    given(removal(ann));  // still names the key "ann", which is now another's

    EXPECT_EQ(commit(user(Rid{12}, "ann")).error().holder_id, "id-11");
    EXPECT_TRUE(commit(user(Rid{13}, "anna")));
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "anna"}}), ElementsAre(13));
    EXPECT_THAT(rids({"User", ByKey{false, false, "username", "anna"}}), ElementsAre(13));
    EXPECT_EQ(count({"User", ByKey{false, false, "username", "anna"}}), 1);
}

TEST_P(ResourceContract, TN_01_a_row_of_another_organisation_does_not_exist) {
    given(user(Rid{10}, "ann"), group(Rid{20}, "staff", {Rid{10}}));

    EXPECT_FALSE(find(kOtherOrg, "User", "id-10"));
    const std::vector<std::string> ids = {"id-10", "id-20"};
    EXPECT_THAT(run(store->resolve(kOtherOrg, ids)).value(), IsEmpty());
    EXPECT_THAT(groups_of(Rid{10}, kOtherOrg), IsEmpty());
    EXPECT_THAT(run(store->members_of(kOtherOrg, Rid{20}, Rid{}, 10)).value().references,
                IsEmpty());
    EXPECT_EQ(run(store->member_count(kOtherOrg, Rid{20})).value(), 0);
    const std::vector<Plan> plans = {
        {"User", ScanAll{}, true},
        {"User", ById{"id-10"}, true},
        {"User", ByKey{true, false, "username", "ann"}, true},
        {"User", ByKey{false, true, "username", "a"}, true},
        {"Group", ByMember{"id-10"}, true},
        {"User", ByGroup{"id-20"}, true},
    };
    for (const Plan& plan : plans) {
        EXPECT_EQ(count(plan), 1) << plan.access.index();
        EXPECT_EQ(run(store->count(kOtherOrg, plan)).value(), 0) << plan.access.index();
        EXPECT_THAT(run(store->query(kOtherOrg, plan, {.limit = 10})).value().records, IsEmpty());
    }

    EXPECT_EQ(commit_in(kOtherOrg, rename(Rid{10}, 1, "ann", "x")).error().code,
              ErrorCode::NotFound);
    EXPECT_EQ(commit_in(kOtherOrg, removal(user(Rid{10}, "ann"))).error().code,
              ErrorCode::NotFound);
    EXPECT_EQ(commit_in(kOtherOrg, change_members(Rid{20}, {false, {}, {Rid{10}}})).error().code,
              ErrorCode::NotFound);
    EXPECT_EQ(commit_in(kOtherOrg, group(Rid{21}, "spies", {Rid{10}})).error().code,
              ErrorCode::MemberGone);
    EXPECT_EQ(find_user(Rid{10}).value().version, 1);
    EXPECT_THAT(members_of(Rid{20}), ElementsAre(10));
}

TEST_P(ResourceContract, A_refused_set_leaves_nothing_of_any_of_its_parts) {
    given(user(Rid{10}, "ann"), group(Rid{20}, "staff"));
    WriteSet set =
        write(kOrg, user(Rid{11}, "bob"), change_members(Rid{20}, {false, {Rid{10}}, {}}),
              rename(Rid{10}, 1, "ann", "anna"),
              PutOrganisation{{OrgKey{3}, "third", "Third", kStart, {}}},
              removal(group(Rid{20}, "staff")), user(Rid{12}, "bob"));
    set.log.push_back({LogId{1}, kOrg, kConnector, false, R"({"n":1)"});
    const auto refused = run(store->commit(std::move(set)));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::UniqueTaken);
    EXPECT_EQ(refused.error().holder_id, "id-11");

    EXPECT_EQ(count({"User", ScanAll{}, true}), 1);
    EXPECT_EQ(count({"Group", ScanAll{}, true}), 1);
    EXPECT_FALSE(find_user(Rid{11}));
    EXPECT_EQ(find_user(Rid{10}).value().version, 1);
    EXPECT_THAT(rids({"User", ByKey{true, false, "username", "bob"}}), IsEmpty());
    EXPECT_THAT(rids({"User", ByKey{false, false, "username", "anna"}}), IsEmpty());
    EXPECT_EQ(find_group(Rid{20}).value().version, 1);
    EXPECT_THAT(members_of(Rid{20}), IsEmpty());
    EXPECT_EQ(store->load_directory().value().organisations.size(), 2U);
    EXPECT_THAT(run(store->log({})).value().records, IsEmpty());
    EXPECT_TRUE(commit(user(Rid{11}, "bob")));
}

TEST_P(ResourceContract, A_set_may_use_what_it_created_before) {
    const Committed committed =
        given(user(Rid{10}, "ann"), group(Rid{20}, "staff", {Rid{10}}),
              rename(Rid{10}, 1, "ann", "anna"), change_members(Rid{20}, {false, {}, {Rid{10}}}));
    ASSERT_EQ(committed.applied.size(), 4U);
    EXPECT_EQ(committed.applied[1].members_added, 1);
    EXPECT_EQ(committed.applied[2].version, 2);
    EXPECT_EQ(committed.applied[3].version, 2);
    EXPECT_EQ(committed.applied[3].members_removed, 1);
}

TEST_P(ResourceContract, An_empty_set_is_committed) {
    const auto committed = run(store->commit(write(kOrg)));
    ASSERT_TRUE(committed);
    EXPECT_THAT(committed->applied, IsEmpty());
}

TEST_P(ResourceContract, CC_01_of_64_that_want_one_name_exactly_one_gets_it) {
    int won = 0;
    int taken = 0;
    for (const auto& result :
         commit_64_at_once([](std::int64_t i) { return user(Rid{100 + i}, "ann"); })) {
        if (result) ++won;
        if (!result && result.error().code == ErrorCode::UniqueTaken) ++taken;
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(taken, 63);
    EXPECT_EQ(count({"User", ScanAll{}, true}), 1);
}

TEST_P(ResourceContract, SM_11_concurrent_changes_of_one_version_let_one_through) {
    given(user(Rid{10}, "ann"));
    boost::asio::io_context context;
    int won = 0;
    int late = 0;
    for (int i = 0; i < 20; ++i) {
        UpdateResource update = rename(Rid{10}, 1, "ann", "ann" + std::to_string(i));
        boost::asio::co_spawn(context, store->commit(write(kOrg, std::move(update))),
                              [&](std::exception_ptr error, Result<Committed> result) {
                                  ASSERT_FALSE(error);
                                  result ? ++won : ++late;
                                  if (!result) {
                                      EXPECT_EQ(result.error().code, ErrorCode::VersionMismatch);
                                  }
                              });
    }
    context.run();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(late, 19);
    EXPECT_EQ(find_user(Rid{10}).value().document, R"({"userName":"ann0"})") << "order of calls";
}

TEST_P(ResourceContract, Figures_count_what_was_written) {
    const Store::Figures before = store->figures();
    given(user(Rid{10}, "ann"));
    EXPECT_FALSE(commit(user(Rid{11}, "ann")));
    const Store::Figures after = store->figures();
    EXPECT_EQ(after.write_sets - before.write_sets, 1U);
    EXPECT_GE(after.commits, before.commits + 1);
    EXPECT_EQ(after.queue_depth, 0U);
}

TEST_P(ResourceContract, A_closed_store_refuses_writes_and_closes_once_more) {
    EXPECT_TRUE(run(store->healthy()));
    store->close();
    EXPECT_FALSE(run(store->healthy()));
    store->close();
}

}  // namespace
}  // namespace muster::store::test
