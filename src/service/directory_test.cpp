#include "service/directory.hpp"

#include <gtest/gtest.h>

#include "service/testing.hpp"

namespace muster::service {
namespace {

class DirectoryTest : public ServiceTest {
  protected:
    IssuedToken generate() {
        auto issued = wait(directory_.generate_token({.connector_id = connector_->connector.id}));
        EXPECT_TRUE(issued);
        return std::move(*issued);
    }
    bool accepted(const Secret& secret) {
        return registry_
            .authenticate(registry_.connector(connector_->connector.id),
                          "Bearer " + std::string{secret.reveal()}, clock_.now(), "")
            .has_value();
    }
};

TEST_F(DirectoryTest, ASlugComesFromTheNameAndIsUnique) {
    const auto made = wait(directory_.create_organisation("Büro & Söhne, Inc.", ""));
    ASSERT_TRUE(made);
    EXPECT_EQ(made->slug, "b-ro-s-hne-inc");
    EXPECT_EQ(wait(directory_.create_organisation("ACME", "")).error().status, 409);
    EXPECT_EQ(wait(directory_.create_organisation("漢", "")).error().status, 400);
    EXPECT_EQ(wait(directory_.create_organisation("x", "-a")).error().status, 400);
    EXPECT_EQ(wait(directory_.create_organisation("a\nb", "ab")).error().status, 400);
}

TEST_F(DirectoryTest, AtMostTwoTokensAConnector) {
    generate();
    const auto second = generate();
    const auto third = wait(directory_.generate_token({.connector_id = connector_->connector.id}));
    ASSERT_FALSE(third);
    EXPECT_EQ(third.error().status, 409);
    EXPECT_TRUE(wait(directory_.remove_token(second.token.id)));
    EXPECT_FALSE(accepted(second.secret));
    generate();
}

TEST_F(DirectoryTest, StatesHoldFromTheNextRequest) {
    const auto issued = generate();
    EXPECT_TRUE(accepted(issued.secret));
    EXPECT_TRUE(wait(directory_.set_token_active(issued.token.id, false)));
    EXPECT_FALSE(accepted(issued.secret));
    EXPECT_TRUE(wait(directory_.set_token_active(issued.token.id, true)));
    EXPECT_TRUE(accepted(issued.secret));
    clock_.advance_ms(366LL * 86'400'000);
    EXPECT_FALSE(accepted(issued.secret));
    EXPECT_EQ(wait(directory_.set_token_active(issued.token.id, true)).error().status, 409);
}

TEST_F(DirectoryTest, ARenewalOverlapsUntilTheNewSecretIsUsed) {
    const auto issued = generate();
    const auto renewed = wait(directory_.renew_token(issued.token.id));
    ASSERT_TRUE(renewed);
    EXPECT_TRUE(accepted(issued.secret));
    EXPECT_TRUE(accepted(renewed->secret));
    wait(directory_.retire_previous_secret(issued.token.id));
    EXPECT_FALSE(accepted(issued.secret));
    EXPECT_TRUE(accepted(renewed->secret));
}

TEST_F(DirectoryTest, RenewingAnExpiredTokenDoesNotReviveItsOldSecret) {
    const auto issued = generate();
    clock_.advance_ms(366LL * 86'400'000);
    const auto renewed = wait(directory_.renew_token(issued.token.id));
    ASSERT_TRUE(renewed);
    EXPECT_FALSE(accepted(issued.secret));
    EXPECT_TRUE(accepted(renewed->secret));
}

TEST_F(DirectoryTest, ASecretThatNobodyUsedIsReplacedNotTheOneInUse) {
    const auto issued = generate();
    const auto lost = wait(directory_.renew_token(issued.token.id));
    const auto renewed = wait(directory_.renew_token(issued.token.id));
    ASSERT_TRUE(lost && renewed);
    EXPECT_TRUE(accepted(issued.secret)) << "the identity provider still sends it";
    EXPECT_FALSE(accepted(lost->secret));
    EXPECT_TRUE(accepted(renewed->secret));
    wait(directory_.retire_previous_secret(issued.token.id));
    EXPECT_FALSE(accepted(issued.secret));
}

TEST_F(DirectoryTest, ATokenThatIsSwitchedOffIsNotRenewed) {
    const auto issued = generate();
    EXPECT_TRUE(wait(directory_.set_token_active(issued.token.id, false)));
    EXPECT_EQ(wait(directory_.renew_token(issued.token.id)).error().status, 409);
    EXPECT_FALSE(accepted(issued.secret));
}

TEST_F(DirectoryTest, EverythingSurvivesAReload) {
    const auto issued = generate();
    EXPECT_TRUE(wait(directory_.change_connector(connector_->connector.id,
                                                 {.policy = R"({"on_delete":"erase"})"})));
    const auto loaded = store_->load_directory();
    ASSERT_TRUE(loaded);
    registry_.load(*loaded);
    EXPECT_TRUE(accepted(issued.secret));
    EXPECT_EQ(registry_.connector(connector_->connector.id)->policy.on_delete,
              auth::OnDelete::Erase);
}

TEST_F(DirectoryTest, AConnectorMayBeGivenToAnotherClient) {
    const auto id = connector_->connector.id;
    ASSERT_TRUE(wait(directory_.change_connector(id, {.idp = "entra", .name = "Entra ID"})));
    EXPECT_EQ(registry_.connector(id)->connector.idp, "entra");
    EXPECT_EQ(registry_.connector(id)->connector.name, "Entra ID");
    EXPECT_EQ(wait(directory_.change_connector(id, {.idp = "ldap"})).error().status, 400);
    EXPECT_EQ(wait(directory_.change_connector(id, {.name = "a\nb"})).error().status, 400);
    EXPECT_EQ(registry_.connector(id)->connector.idp, "entra");
}

TEST_F(DirectoryTest, AnOrganisationBeginsWithItsRoles) {
    const auto* roles = scim::Catalog::standard()->type_named("Role");
    const auto org = connector_->connector.org;
    EXPECT_EQ(wait(store_->count(org, store::make_plan(*roles, nullptr))).value(), 4);
}

TEST_F(DirectoryTest, OwnDefinitionsHoldAtOnceAndAfterAReload) {
    const std::string things =
        R"({"schemas":[{"id":"urn:x:T","attributes":[{"name":"n"}]}],)"
        R"("resourceTypes":[{"name":"Thing","endpoint":"/Things","schema":"urn:x:T"}]})";
    const auto catalog = [this] { return registry_.connector(connector_->connector.id)->catalog; };
    EXPECT_EQ(catalog()->type_at("/Things"), nullptr);
    ASSERT_TRUE(wait(directory_.set_definitions("acme", things)));
    ASSERT_NE(catalog()->type_at("/Things"), nullptr);
    registry_.load(store_->load_directory().value());
    const auto* type = catalog()->type_at("/Things");
    ASSERT_NE(type, nullptr);

    ASSERT_TRUE(create(*type, R"({"schemas":["urn:x:T"],"n":"1"})"));
    const auto removal = wait(directory_.set_definitions("acme", "{}"));
    ASSERT_FALSE(removal);
    EXPECT_EQ(removal.error().status, 409);
    EXPECT_NE(removal.error().detail.find("Thing"), std::string::npos);
    EXPECT_EQ(wait(directory_.set_definitions("acme", "[]")).error().status, 400);
    EXPECT_EQ(wait(directory_.set_definitions("nope", "{}")).error().status, 404);
    EXPECT_NE(catalog()->type_at("/Things"), nullptr);
}

TEST_F(DirectoryTest, WhatIsStoredNeitherComesToLightNorStopsFitting) {
    const auto with = [](std::string_view attributes) {
        return fmt::format(
            R"({{"schemas":[{{"id":"urn:x:T","attributes":[{{"name":"k"}}{}]}}],)"
            R"("resourceTypes":[{{"name":"Thing","endpoint":"/Things","schema":"urn:x:T"}}]}})",
            attributes);
    };
    const auto set = [&](std::string_view attributes) {
        const auto outcome = wait(directory_.set_definitions("acme", with(attributes)));
        return outcome ? 200 : outcome.error().status;
    };
    const std::string secret = R"(,{"name":"s","returned":"never"})";
    const std::string card =
        R"(,{"name":"c","type":"complex","subAttributes":[{"name":"no"},{"name":"pin","returned":"request"}]})";
    ASSERT_EQ(set(secret + card + R"(,{"name":"level"})"), 200);
    const auto* type = registry_.connector(connector_->connector.id)->catalog->type_at("/Things");
    ASSERT_TRUE(create(
        *type, R"({"schemas":["urn:x:T"],"s":"s3cr3t","c":{"no":"1","pin":"2"},"level":"a"})"));

    EXPECT_EQ(set(R"(,{"name":"s","returned":"request"})" + card), 409);
    EXPECT_EQ(set(R"(,{"name":"s"})" + card), 409);
    EXPECT_EQ(set(secret), 409) << "the complex attribute hides a part";
    EXPECT_EQ(set(secret + R"(,{"name":"c","type":"complex","subAttributes":[{"name":"no"}]})"),
              409);
    EXPECT_EQ(set(secret + card), 200) << "level may go";
    EXPECT_EQ(set(secret + card + R"(,{"name":"level","type":"integer"})"), 409) << "not so back";
    EXPECT_EQ(set(secret + card + R"(,{"name":"level","multiValued":true})"), 409);
    EXPECT_EQ(set(secret + card + R"(,{"name":"other","type":"integer"})"), 200);
    EXPECT_EQ(set(secret + card + R"(,{"name":"level"})"), 200);
}

TEST_F(DirectoryTest, ARequestThatWasCheckedByOlderDefinitionsChangesNothing) {
    const auto things = [](std::string_view attribute) {
        return fmt::format(
            R"({{"schemas":[{{"id":"urn:x:T","attributes":[{}]}}],)"
            R"("resourceTypes":[{{"name":"Thing","endpoint":"/Things","schema":"urn:x:T"}}]}})",
            attribute);
    };
    ASSERT_TRUE(wait(directory_.set_definitions("acme", things(R"({"name":"n"})"))));
    auto late = call();  // authenticated, and then the schemas are changed
    const auto& old = *late.catalog().type_at("/Things");
    ASSERT_TRUE(
        wait(directory_.set_definitions("acme", things(R"({"name":"n","uniqueness":"server"})"))));
    const std::string thing = R"({"schemas":["urn:x:T"],"n":"1"})";
    const auto refused = wait(resources_.create(late, old, thing, {}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().status, 503);
    EXPECT_TRUE(create(*call().catalog().type_at("/Things"), thing));
}

TEST_F(DirectoryTest, ARemovedOrganisationLetsNobodyIn) {
    const auto issued = generate();
    EXPECT_TRUE(wait(directory_.remove_organisation("acme")));
    EXPECT_FALSE(accepted(issued.secret));
    EXPECT_EQ(wait(directory_.remove_organisation("acme")).error().status, 404);
}

TEST_F(DirectoryTest, AnOrganisationThatCouldNotBeRemovedIsServedOn) {
    const auto issued = generate();
    store_->close();
    EXPECT_EQ(wait(directory_.remove_organisation("acme")).error().status, 503);
    EXPECT_TRUE(accepted(issued.secret));
}

TEST_F(DirectoryTest, ItsOwnChangesNeedNotBeLoaded) {
    const auto version = registry_.version();
    generate();
    EXPECT_EQ(registry_.version(), version + 1);
    EXPECT_FALSE(wait(directory_.remove_token("x")));
    EXPECT_EQ(registry_.version(), version + 1);
}

TEST_F(DirectoryTest, UsesThatCouldNotBeSavedAreSavedLater) {
    const auto issued = generate();
    ASSERT_TRUE(accepted(issued.secret));
    const auto last_use = [&] {
        return registry_.connector(connector_->connector.id)->tokens.front().last_use;
    };
    wait(directory_.save_last_uses());
    EXPECT_FALSE(last_use()->unsaved());
    clock_.advance_ms(60'000);
    ASSERT_TRUE(accepted(issued.secret));
    store_->close();
    wait(directory_.save_last_uses());
    EXPECT_TRUE(last_use()->unsaved());
}

TEST_F(DirectoryTest, UnknownThingsAreNamed) {
    EXPECT_EQ(wait(directory_.create_connector({.org_slug = "nope", .idp = "okta"})).error().status,
              404);
    EXPECT_EQ(wait(directory_.create_connector({.org_slug = "acme", .idp = "ldap"})).error().status,
              400);
    EXPECT_EQ(wait(directory_.renew_token("x")).error().status, 404);
    EXPECT_EQ(wait(directory_.change_connector(connector_->connector.id, {.policy = R"({"x":1})"}))
                  .error()
                  .status,
              400);
    EXPECT_EQ(wait(directory_.generate_token(
                       {.connector_id = connector_->connector.id, .life = std::chrono::days{5000}}))
                  .error()
                  .status,
              400);
}

}  // namespace
}  // namespace muster::service
