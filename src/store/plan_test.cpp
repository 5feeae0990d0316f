#include "store/plan.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace muster::store {
namespace {

std::string describe(const Plan& plan) {
    struct Visitor {
        std::string operator()(const ScanAll&) const { return "scan"; }
        std::string operator()(const ById& access) const { return "id " + access.id; }
        std::string operator()(const ByMember& access) const {
            return "member " + access.member_id;
        }
        std::string operator()(const ByGroup& access) const { return "group " + access.group_id; }
        std::string operator()(const ByKey& access) const {
            return fmt::format("{}{} {}={}", access.unique ? "unique" : "indexed",
                               access.prefix ? " prefix" : "", access.attribute, access.key);
        }
    };
    return std::visit(Visitor{}, plan.access) + (plan.exact ? " exact" : "");
}

Plan plan_for(const scim::ResourceType& type, std::string_view text) {
    const auto filter = scim::parse_filter(type, text);
    if (!filter) throw std::runtime_error(filter.error().detail);
    return make_plan(type, &*filter);
}

struct Case {
    const char* filter;
    const char* plan;
};

const scim::Catalog& catalog() {
    static const std::shared_ptr<const scim::Catalog> standard = scim::Catalog::standard();
    return *standard;
}

TEST(Plan, Of_an_unfiltered_list_is_an_exact_scan) {
    const Plan plan = make_plan(catalog().user(), nullptr);
    EXPECT_EQ(plan.type, "User");
    EXPECT_EQ(describe(plan), "scan exact");
}

TEST(Plan, Takes_the_most_selective_condition_that_every_match_must_meet) {
    const Case cases[] = {
        {R"(userName eq "Ann@Example.com")", "unique username=ann@example.com exact"},
        {R"(USERNAME EQ "ann")", "unique username=ann exact"},
        {R"(id eq "Abc")", "id Abc exact"},
        {R"(externalId eq "X1")", "indexed externalid=X1 exact"},
        {R"(displayName eq "Ann")", "indexed displayname=ann exact"},
        {R"(nickName eq "Ann")", "scan"},
        {R"(userName sw "Ann")", "unique prefix username=ann exact"},
        {R"(emails.value eq "a@x")", "indexed emails.value=a@x exact"},
        {R"(emails eq "a@x")", "indexed emails.value=a@x exact"},
        {R"(emails[value eq "a@x"])", "indexed emails.value=a@x exact"},
        {R"(emails[type eq "work" and value eq "a@x"])", "indexed emails.value=a@x"},
        {R"(emails[type eq "work" or value eq "a@x"])", "scan"},
        {R"(emails.type eq "work")", "scan"},
        {R"(groups.value eq "g1")", "group g1 exact"},
        {R"(groups eq "g1")", "group g1 exact"},
        {R"(userName eq "a" and active eq true)", "unique username=a"},
        {R"(active eq true and externalId eq "x" and userName eq "a")", "unique username=a"},
        {R"(userName eq "a" and id eq "b")", "id b"},
        {R"(userName sw "a" and emails.value eq "b")", "indexed emails.value=b"},
        {R"(userName sw "a" and groups.value eq "b")", "group b"},
        {R"((userName eq "a" or userName eq "b") and externalId eq "c")", "indexed externalid=c"},
        {R"(userName eq "a" or userName eq "b")", "scan"},
        {R"(not (userName eq "a"))", "scan"},
        {R"(not (userName eq "a") and externalId eq "c")", "indexed externalid=c"},
        {R"(userName ne "a")", "scan"},
        {R"(userName co "a")", "scan"},
        {R"(userName ew "a")", "scan"},
        {R"(userName gt "a")", "scan"},
        {R"(userName pr)", "scan"},
        {R"(userName eq "")", "scan"},
        {R"(userName sw "")", "scan"},
        {R"(externalId eq null)", "scan"},
        {R"(active eq true)", "scan"},
        {R"(meta.lastModified gt "2026-01-01T00:00:00Z")", "scan"},
        {R"(name.familyName eq "x")", "scan"},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(describe(plan_for(catalog().user(), one.filter)), one.plan) << one.filter;
    }
}

TEST(Plan, Of_a_group_may_use_its_members) {
    const Case cases[] = {
        {R"(members.value eq "u1")", "member u1 exact"},
        {R"(members eq "u1")", "member u1 exact"},
        {R"(members[value eq "u1"])", "member u1 exact"},
        {R"(members.value eq "u1" and displayName sw "A")", "member u1"},
        {R"(members.value sw "u")", "scan"},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(describe(plan_for(catalog().group(), one.filter)), one.plan) << one.filter;
    }
}

TEST(Plan, Of_a_long_key_searches_by_the_part_that_is_surely_indexed) {
    const std::string longest(252, 'x');
    EXPECT_EQ(describe(plan_for(catalog().user(), R"(externalId eq ")" + longest + R"(")")),
              "indexed externalid=" + longest + " exact");
    EXPECT_EQ(describe(plan_for(catalog().user(), R"(externalId eq ")" + longest + R"(y")")),
              "indexed prefix externalid=" + longest);
    const std::string umlauts = longest.substr(1) + "\xC3\xA9";
    EXPECT_EQ(describe(plan_for(catalog().user(), R"(externalId eq ")" + umlauts + R"(")")),
              "indexed prefix externalid=" + longest.substr(1));
    EXPECT_EQ(describe(plan_for(catalog().user(), R"(userName eq ")" + longest + R"(y")")),
              "unique username=" + longest + "y exact")
        << "unique keys are stored whole";
}

TEST(Plan, Of_an_extension_attribute_names_it_in_full) {
    scim::Schema badge;
    badge.id = "urn:example:2.0:Badge";
    badge.attributes.push_back({.name = "serialNumber", .indexed = true});
    scim::ResourceType type = catalog().user();
    type.extensions.push_back({&badge, false});
    EXPECT_EQ(describe(plan_for(type, R"(urn:example:2.0:Badge:serialNumber eq "7")")),
              "indexed urn:example:2.0:badge:serialnumber=7 exact");
}

}  // namespace
}  // namespace muster::store
