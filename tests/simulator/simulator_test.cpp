#include <fmt/format.h>
#include <gtest/gtest.h>

#include "http/server.hpp"
#include "scim_double.hpp"
#include "simulator/okta.hpp"

namespace muster::testing {
namespace {

using simulator::App;

simulator::Report play(Misbehaviour misbehaviour, App app, unsigned concurrency = 1) {
    ScimDouble handler(misbehaviour);
    http::Server server({.port = 0}, handler);
    server.run();
    simulator::OktaOptions options{
        .base_url = fmt::format("http://127.0.0.1:{}/scim/v2", server.port()),
        .secret = Secret{"right-token"},
        .app = app,
        .users = 120,
        .groups = 3,
        .concurrency = concurrency,
        .patience = std::chrono::seconds{0}};
    auto report = simulator::play_okta(options, {});
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
    for (const auto app : {App::Catalog, App::Wizard}) {
        for (const unsigned concurrency : {1U, 4U}) {
            const auto report = play(Misbehaviour::None, app, concurrency);
            EXPECT_EQ(report.failures, 0U) << failed_steps(report);
            EXPECT_GT(report.requests, 120U * 4);
        }
    }
}

struct Expectation {
    Misbehaviour misbehaviour;
    std::string_view step;  ///< in which it must be found, by both kinds of app
};

class Misbehaving : public ::testing::TestWithParam<Expectation> {};

TEST_P(Misbehaving, IsFoundInItsStep) {
    for (const auto app : {App::Catalog, App::Wizard}) {
        const auto report = play(GetParam().misbehaviour, app);
        EXPECT_NE(failed_steps(report).find(fmt::format("[{}:", GetParam().step)),
                  std::string::npos)
            << (app == App::Wizard ? "wizard " : "catalogue ") << failed_steps(report);
    }
}

INSTANTIATE_TEST_SUITE_P(
    All, Misbehaving,
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

}  // namespace
}  // namespace muster::testing
