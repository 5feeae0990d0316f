#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "scim_double.hpp"
#include "simulator/simulation.hpp"
#include "support/server_process.hpp"
#include "support/tenant.hpp"

namespace muster::testing {
namespace {

using simulator::Client;

struct Played {
    Client client;
    std::string_view idp;  ///< the connector that Muster has for it
    std::string_view name;
};
constexpr std::array kOkta{Played{Client::OktaCatalog, "okta", "catalogue"},
                           Played{Client::OktaWizard, "okta", "wizard"}};
constexpr std::array kEntra{Played{Client::Entra, "entra", "unflagged"},
                            Played{Client::EntraFlagged, "entra-flagged", "flagged"}};

simulator::Report play(Misbehaviour misbehaviour, Client client, unsigned concurrency = 1) {
    ScimDouble handler(misbehaviour);
    http::Server server({.port = 0}, handler);
    server.run();
    // Okta imports by pages of a hundred; Entra reads no pages.
    const bool is_okta = client == Client::OktaCatalog || client == Client::OktaWizard;
    auto report =
        simulator::play({.client = client,
                         .base_url = fmt::format("http://127.0.0.1:{}/scim/v2", server.port()),
                         .secret = Secret{"right-token"},
                         .users = is_okta ? 120U : 12U,
                         .groups = 3,
                         .concurrency = concurrency,
                         .patience = std::chrono::seconds{0}},
                        {});
    server.stop(std::chrono::seconds{2});
    return report;
}

std::string failed_steps(const simulator::Report& report) {
    std::string names;
    for (const auto& step : report.steps) {
        if (step.failures > 0) names += fmt::format("[{}: {}]", step.step, step.examples.front());
    }
    return names;
}

TEST(Simulator, FindsNothingWrongWithAnHonestServer) {
    for (const auto clients : {std::span{kOkta}, std::span{kEntra}}) {
        for (const auto& [client, idp, name] : clients) {
            for (const unsigned concurrency : {1U, 4U}) {
                const auto report = play(Misbehaviour::None, client, concurrency);
                EXPECT_EQ(report.failures, 0U) << name << ' ' << failed_steps(report);
                EXPECT_GT(report.requests, 250U) << name;
            }
        }
    }
}

/// The whole program, and a second time on what the first made.
TEST(Simulator, FindsNothingWrongWithMuster) {
    const auto program = std::getenv("PROGRAM_UNDER_TEST");
    ASSERT_NE(program, nullptr);
    for (const auto clients : {std::span{kOkta}, std::span{kEntra}}) {
        for (const auto& [client, idp, name] : clients) {
            const auto data = make_temporary_directory();
            const auto tenant = make_tenant(data, "ACME", idp);
            const ServerProcess server(program, data);
            const simulator::Options options{
                .client = client,
                .base_url = fmt::format("http://{}{}", server.address(), tenant.target({})),
                .secret = Secret{tenant.token},
                .concurrency = 2};
            for (const auto* run : {"first", "second"}) {
                const auto report = simulator::play(options, {});
                EXPECT_EQ(report.failures, 0U) << name << ' ' << run << failed_steps(report);
                EXPECT_GT(report.requests, 200U) << name << ' ' << run;
            }
            std::filesystem::remove_all(data);
        }
    }
}

struct Expectation {
    Misbehaviour misbehaviour;
    std::string_view step;         ///< in which it must be found, however the client is played
    std::optional<Client> only{};  ///< the one that can see it
};

void expect_found(const Expectation& expectation, std::span<const Played> clients) {
    for (const auto& [client, idp, name] : clients) {
        if (expectation.only.value_or(client) != client) continue;
        const auto report = play(expectation.misbehaviour, client);
        EXPECT_NE(failed_steps(report).find(fmt::format("[{}:", expectation.step)),
                  std::string::npos)
            << name << ' ' << failed_steps(report);
    }
}

class UnderOkta : public ::testing::TestWithParam<Expectation> {};
TEST_P(UnderOkta, IsFoundInItsStep) { expect_found(GetParam(), kOkta); }

class UnderEntra : public ::testing::TestWithParam<Expectation> {};
TEST_P(UnderEntra, IsFoundInItsStep) { expect_found(GetParam(), kEntra); }

INSTANTIATE_TEST_SUITE_P(
    All, UnderOkta,
    ::testing::Values(Expectation{Misbehaviour::KeepsActive, "Deactivate people"},
                      Expectation{Misbehaviour::LowersUserName, "Match and create people"},
                      Expectation{Misbehaviour::MatchesCase, "Refuse duplicates, match any case"},
                      Expectation{Misbehaviour::AcceptsDuplicates,
                                  "Refuse duplicates, match any case"},
                      Expectation{Misbehaviour::TruncatesTotals, "Import people"},
                      Expectation{Misbehaviour::OverlapsPages, "Import people"},
                      Expectation{Misbehaviour::ReplaceOnlyAdds, "Push Now"},
                      Expectation{Misbehaviour::EmptyCreateBody, "Match and create people"},
                      Expectation{Misbehaviour::PlainTextErrors, "Test credentials"},
                      Expectation{Misbehaviour::FailsOnNoMatch, "Test credentials"},
                      Expectation{Misbehaviour::NewIdOnReactivation, "Reactivate people"},
                      Expectation{Misbehaviour::RenameEmptiesGroup, "Rename groups"},
                      Expectation{Misbehaviour::AcceptsAnyToken, "Test credentials"},
                      Expectation{Misbehaviour::EchoesItemsPerPage, "Import people"},
                      Expectation{Misbehaviour::LosesUpdates, "Update profiles"},
                      Expectation{Misbehaviour::EchoesPassword, "Match and create people"},
                      Expectation{Misbehaviour::HidesInactive, "Reactivate people"},
                      Expectation{Misbehaviour::RefusesForEver, "Match and create people"}));

INSTANTIATE_TEST_SUITE_P(
    All, UnderEntra,
    ::testing::Values(
        Expectation{Misbehaviour::PlainTextErrors, "Test connection"},
        Expectation{Misbehaviour::FailsOnNoMatch, "Test connection"},
        Expectation{Misbehaviour::AcceptsAnyToken, "Test connection"},
        Expectation{Misbehaviour::SaysPlainJson, "Test connection"},
        Expectation{Misbehaviour::HoldsNoGroupSchema, "Read the schemas"},
        Expectation{Misbehaviour::NullsInSchemas, "Read the schemas"},
        Expectation{Misbehaviour::LowersUserName, "Match and create people"},
        Expectation{Misbehaviour::EmptyCreateBody, "Match and create people"},
        Expectation{Misbehaviour::LosesExternalId, "Match and create people"},
        Expectation{Misbehaviour::IgnoresUnknownFilters, "Match and create people"},
        Expectation{Misbehaviour::RefusesForEver, "Match and create people"},
        Expectation{Misbehaviour::MatchesCase, "Refuse duplicates, match any case"},
        Expectation{Misbehaviour::AcceptsDuplicates, "Refuse duplicates, match any case"},
        Expectation{Misbehaviour::LosesUpdates, "Update people"},
        Expectation{Misbehaviour::TakesPathsForNames, "Update people"},
        Expectation{Misbehaviour::AddsAnElementAPath, "Fill what is empty"},
        Expectation{Misbehaviour::IgnoresMissingElements, "Fill what is empty"},
        Expectation{Misbehaviour::ReturnsManagerAsText, "Set managers"},
        Expectation{Misbehaviour::KeepsEmptyTexts, "Clear attributes"},
        Expectation{Misbehaviour::IgnoresNull, "Clear attributes"},
        Expectation{Misbehaviour::IgnoresMissingElements, "Assign roles"},
        Expectation{Misbehaviour::AcceptsDuplicateGroups, "Match and create groups"},
        Expectation{Misbehaviour::IgnoresExcludedAttributes, "Add members"},
        Expectation{Misbehaviour::AddsMembersTwice, "Add members"},
        Expectation{Misbehaviour::FilteredRemovalDoesNothing, "Remove members",
                    Client::EntraFlagged},
        Expectation{Misbehaviour::RemovalEmptiesGroup, "Remove members", Client::Entra},
        Expectation{Misbehaviour::RenameEmptiesGroup, "Rename groups"},
        Expectation{Misbehaviour::KeepsOldNames, "Rename groups"},
        Expectation{Misbehaviour::KeepsActive, "Disable people"},
        Expectation{Misbehaviour::HidesInactive, "Disable people"},
        Expectation{Misbehaviour::DeactivationLeavesGroups, "Disable people"},
        Expectation{Misbehaviour::NewIdOnReactivation, "Restore people"},
        Expectation{Misbehaviour::RefusesCapitalOperations, "Provision on demand"},
        Expectation{Misbehaviour::KeepsBooleansAsText, "Provision on demand"},
        Expectation{Misbehaviour::RemovalEmptiesGroup, "Provision on demand"},
        Expectation{Misbehaviour::KeepsDeleted, "Delete people"},
        Expectation{Misbehaviour::DeletedStayMembers, "Delete people"},
        Expectation{Misbehaviour::KeepsDeleted, "Delete a group"}));

}  // namespace
}  // namespace muster::testing
