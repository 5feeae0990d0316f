#include "auth/registry.hpp"

#include <gtest/gtest.h>

namespace muster::auth {
namespace {

constexpr Timestamp kNow{1'800'000'000'000};
constexpr Timestamp kLater{kNow.ms + 1'000'000};

class RegistryTest : public ::testing::Test {
  protected:
    RegistryTest() {
        organisation_ = {.key = {1}, .slug = "acme", .name = "ACME", .created = kNow};
        connector_ = {.key = {2}, .org = {1}, .id = "abcdefgh23", .idp = "okta", .name = "Okta"};
        token_ = {.key = {3},
                  .connector = {2},
                  .id = new_token_id(connector_.id),
                  .name = "t",
                  .hash = registry_.hash(secret_.reveal()),
                  .created = kNow,
                  .expires = kLater};
        secret_ = new_token(token_.id);
        token_.hash = registry_.hash(secret_.reveal());
        registry_.load(
            {.organisations = {organisation_}, .connectors = {connector_}, .tokens = {token_}});
    }

    [[nodiscard]] std::expected<Principal, Denied> ask(std::string_view authorization,
                                                       Timestamp now = kNow) const {
        return registry_.authenticate(registry_.connector(connector_.id), authorization, now,
                                      "192.0.2.1");
    }
    [[nodiscard]] std::string bearer() const { return "Bearer " + std::string{secret_.reveal()}; }
    [[nodiscard]] Refusal refusal(std::string_view authorization, Timestamp now = kNow) const {
        const auto result = ask(authorization, now);
        EXPECT_FALSE(result);
        return result ? Refusal::MissingCredential : result.error().refusal;
    }

    Registry registry_{KeyedHash{"key"}};
    store::Organisation organisation_;
    store::Connector connector_;
    store::Token token_;
    Secret secret_{"x"};
};

TEST_F(RegistryTest, KnowsTheRightToken) {
    const auto principal = ask(bearer());
    ASSERT_TRUE(principal);
    EXPECT_EQ(principal->token_id, token_.id);
    EXPECT_EQ(principal->connector->organisation.slug, "acme");
    const auto use = registry_.connector(connector_.id)->tokens.front().last_use->get();
    ASSERT_TRUE(use);
    EXPECT_EQ(use->used, kNow);
    EXPECT_EQ(use->from, "192.0.2.1");
}

TEST_F(RegistryTest, NamesEveryWayOfBeingRefused) {
    EXPECT_EQ(refusal(""), Refusal::MissingCredential);
    EXPECT_EQ(refusal("non-token"), Refusal::NotAToken);
    EXPECT_EQ(refusal(bearer() + "x"), Refusal::BadChecksum);
    EXPECT_EQ(refusal("Bearer " + std::string{new_token(token_.id).reveal()}),
              Refusal::WrongSecret);
    EXPECT_EQ(refusal("Bearer " + std::string{new_token("abcdefgh23-zzzz").reveal()}),
              Refusal::UnknownToken);
    EXPECT_EQ(refusal("Bearer " + std::string{new_token("zzzzzzzz23-abcd").reveal()}),
              Refusal::OtherConnector);
    EXPECT_EQ(
        refusal("Basic " + to_base64(token_.id + ":" + std::string{secret_part(secret_.reveal())})),
        Refusal::WrongScheme);
    EXPECT_EQ(refusal(bearer(), kLater), Refusal::Expired);
}

TEST_F(RegistryTest, AStrangerLearnsOfNoConnector) {
    const auto refusal = [&](const std::string& authorization) {
        const auto nobody = registry_.authenticate(nullptr, authorization, kNow, "");
        return nobody ? std::string_view{"let in"} : to_string(nobody.error().refusal);
    };
    EXPECT_EQ(refusal(bearer()), "no-such-connector");
    for (const auto& authorization : {std::string{}, std::string{"non-token"}, bearer() + "x"}) {
        const auto there = ask(authorization);
        ASSERT_FALSE(there);
        EXPECT_EQ(refusal(authorization), to_string(there.error().refusal)) << authorization;
    }
}

TEST_F(RegistryTest, AChangeHoldsFromTheNextRequestOn) {
    token_.active = false;
    registry_.put(token_);
    EXPECT_EQ(refusal(bearer()), Refusal::Inactive);
    token_.active = true;
    registry_.put(token_);
    EXPECT_TRUE(ask(bearer()));
    registry_.remove(token_);
    EXPECT_EQ(refusal(bearer()), Refusal::UnknownToken);
}

TEST_F(RegistryTest, ARenewedTokenTakesBothSecretsUntilTheNewOneIsUsed) {
    const auto renewed = new_token(token_.id);
    token_.previous_hash = token_.hash;
    token_.hash = registry_.hash(renewed.reveal());
    registry_.put(token_);
    const auto with_old = ask(bearer());
    ASSERT_TRUE(with_old);
    EXPECT_FALSE(with_old->retires_previous);
    const auto with_new = ask("Bearer " + std::string{renewed.reveal()});
    ASSERT_TRUE(with_new);
    EXPECT_TRUE(with_new->retires_previous);
    token_.previous_expires = kLater;
    token_.expires = Timestamp{kLater.ms * 2};
    registry_.put(token_);
    EXPECT_EQ(refusal(bearer(), kLater), Refusal::Expired) << "the old secret keeps its own end";
    EXPECT_TRUE(ask("Bearer " + std::string{renewed.reveal()}, kLater));
    token_.previous_hash.reset();
    registry_.put(token_);
    EXPECT_EQ(refusal(bearer()), Refusal::WrongSecret);
}

TEST_F(RegistryTest, WhatBelongsToNothingIsLeftOut) {
    auto stray = connector_;
    stray.key = {8};
    stray.org = {9};
    stray.id = "zzzzzzzz23";
    auto lost = token_;
    lost.key = {10};
    lost.connector = {11};
    auto late = token_;
    late.key = {12};
    late.connector = stray.key;
    registry_.load({.organisations = {organisation_},
                    .connectors = {stray, connector_},
                    .tokens = {lost, late, token_}});
    EXPECT_EQ(registry_.connector(stray.id), nullptr);
    EXPECT_TRUE(ask(bearer()));
}

TEST_F(RegistryTest, ALoadingReadsOnlyDefinitionsThatChanged) {
    const auto before = registry_.connector(connector_.id)->catalog;
    const auto load = [&] {
        registry_.load(
            {.organisations = {organisation_}, .connectors = {connector_}, .tokens = {token_}});
        return registry_.connector(connector_.id)->catalog;
    };
    organisation_.definitions = R"({"schemas":[]})";
    const auto changed = load();
    EXPECT_NE(changed, before);
    organisation_.name = "ACME Inc.";
    EXPECT_EQ(load(), changed);
}

TEST_F(RegistryTest, AUseIsUnsavedUntilItWasSaved) {
    LastUse last({}, "");
    EXPECT_FALSE(last.unsaved());
    last.note(kNow, "192.0.2.1");
    ASSERT_TRUE(last.unsaved());
    const auto use = *last.unsaved();
    EXPECT_EQ(use.from, "192.0.2.1");
    last.note(kLater, "192.0.2.2");
    last.note_saved(use.used);
    ASSERT_TRUE(last.unsaved()) << "it was used since";
    last.note_saved(last.unsaved()->used);
    EXPECT_FALSE(last.unsaved());
}

TEST_F(RegistryTest, ALoadingBringsTheUsesThatOthersSavedWhereTheyAreLater) {
    ASSERT_TRUE(ask(bearer()));
    const auto load_used = [&](Timestamp used) {
        token_.last_used = used;
        token_.last_used_from = "192.0.2.9";
        registry_.load(
            {.organisations = {organisation_}, .connectors = {connector_}, .tokens = {token_}});
        return registry_.connector(connector_.id)->tokens.front().last_use;
    };
    const auto own = load_used({kNow.ms - 1});
    EXPECT_EQ(own->get()->from, "192.0.2.1");
    EXPECT_TRUE(own->unsaved());
    const auto others = load_used(kLater);
    EXPECT_EQ(others->get()->used, kLater);
    EXPECT_EQ(others->get()->from, "192.0.2.9");
    EXPECT_FALSE(others->unsaved());
}

TEST_F(RegistryTest, RemovingAnOrganisationTakesItsConnectorsAlong) {
    registry_.remove(organisation_);
    EXPECT_EQ(registry_.connector(connector_.id), nullptr);
}

TEST_F(RegistryTest, AHostNameMeansTheOnlyConnector) {
    EXPECT_NE(registry_.connector_of_slug("acme"), nullptr);
    auto second = connector_;
    second.key = {9};
    second.id = "zzzzzzzz23";
    registry_.put(second);
    EXPECT_EQ(registry_.connector_of_slug("acme"), nullptr) << "two: the host does not say which";
    EXPECT_EQ(registry_.connector(second.id)->organisation.slug, "acme");
}

TEST(Policy, ReadsSettingsAndNamesWhatItDoesNotKnow) {
    const auto policy = Policy::parse(R"({"unknown_members":"skip","restore_on_create":false})");
    ASSERT_TRUE(policy);
    EXPECT_EQ(policy->unknown_members, UnknownMembers::Skip);
    EXPECT_FALSE(policy->restore_on_create);
    EXPECT_EQ(Policy::parse(policy->to_json())->unknown_members, UnknownMembers::Skip);
    EXPECT_NE(Policy::parse(R"({"nope":1})").error().find("nope"), std::string::npos);
    EXPECT_FALSE(Policy::parse(R"({"on_delete":"sometimes"})"));
    EXPECT_FALSE(Policy::parse("[]"));
}

}  // namespace
}  // namespace muster::auth
