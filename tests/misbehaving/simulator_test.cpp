#include <algorithm>
#include <chrono>
#include <ostream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>

#include "scim_double.hpp"
#include "simulator/okta.hpp"

namespace muster::misbehaving {
namespace {

using simulator::App;
using testing::Combine;
using testing::HasSubstr;
using testing::Values;
using testing::ValuesIn;

constexpr std::chrono::seconds kPatience{1};

simulator::Report play(const ScimDouble& server, App app) {
    return simulator::play_okta({.base_url = server.base_url(),
                                 .secret = Secret{std::string{ScimDouble::kToken}},
                                 .app = app,
                                 .users = 12,
                                 .groups = 4,
                                 .patience = kPatience},
                                {});
}

std::string examples_of(const simulator::Report& report) {
    std::string text;
    for (const auto& step : report.steps) {
        for (const auto& example : step.examples) text += step.step + ": " + example + "\n";
    }
    return text;
}

/// The first step with a failure; a mistake may well do harm in later ones too.
simulator::StepReport first_failure(const simulator::Report& report) {
    const auto step =
        std::ranges::find_if(report.steps, [](const auto& s) { return s.failures > 0; });
    return step == report.steps.end() ? simulator::StepReport{} : *step;
}

struct Mistake {
    Misbehaviour misbehaviour;
    std::string_view name;
    std::string_view wizard_step;   ///< in which the wizard's app notices it first; empty: never
    std::string_view catalog_step;  ///< the same of the catalogue's app
    std::string_view words;         ///< of an example in that step
};

void PrintTo(const Mistake& mistake, std::ostream* out) { *out << mistake.name; }

#define MISTAKE(name) Misbehaviour::name, #name
constexpr Mistake kMistakes[] = {
    {MISTAKE(KeepsActive), "Deactivate", "Deactivate", "active is still true"},
    {MISTAKE(LowersUserName), "Match and create", "Match and create", "another spelling"},
    {MISTAKE(AcceptsDuplicates), "duplicates", "duplicates", "must be answered 409"},
    {MISTAKE(TruncatesTotals), "Import people", "Import people", "were not imported"},
    {MISTAKE(OverlapsPages), "Import people", "Import people", "pages overlap"},
    {MISTAKE(ReplaceOnlyAdds), "remove members", "Push Now", "members where Okta pushed"},
    {MISTAKE(EmptyCreateBody), "Match and create", "Match and create", "the answer is empty"},
    {MISTAKE(PlainTextErrors), "credentials", "credentials", "not a JSON object"},
    {MISTAKE(FailsForEmptyFilter), "credentials", "credentials", "an empty one too"},
    {MISTAKE(NewIdOnReactivation), "Reactivate", "Reactivate", "another id after reactivation"},
    {MISTAKE(RenameEmptiesGroup), "Rename groups", "Rename groups", "has 0 members"},
    {MISTAKE(AcceptsAnyToken), "credentials", "credentials", "a wrong token"},
    {MISTAKE(EchoesItemsPerPage), "match any case", "match any case", "itemsPerPage"},
    {MISTAKE(RefusesForEver), "Match and create", "Match and create", "gave up"},
    {MISTAKE(DropsPatchSilently), "", "Update profiles", "the new title was not kept"},
};
#undef MISTAKE

class HonestServer : public testing::TestWithParam<App> {};

TEST_P(HonestServer, PassesWithoutAFailure) {
    const ScimDouble server(Misbehaviour::None);
    const auto report = play(server, GetParam());
    EXPECT_EQ(report.failures, 0U) << examples_of(report);
    EXPECT_EQ(report.steps.size(), 15U);
    for (const auto& step : report.steps) EXPECT_GT(step.requests, 0U) << step.step;
}

TEST_P(HonestServer, PassesASecondDayOnWhatTheFirstLeft) {
    const ScimDouble server(Misbehaviour::None);
    ASSERT_EQ(play(server, GetParam()).failures, 0U);
    const auto report = play(server, GetParam());
    EXPECT_EQ(report.failures, 0U) << examples_of(report);
}

INSTANTIATE_TEST_SUITE_P(EitherApp, HonestServer, Values(App::Wizard, App::Catalog));

class EveryMistake : public testing::TestWithParam<std::tuple<Mistake, App>> {};

TEST_P(EveryMistake, IsFoundInTheStepWhereItFirstDoesHarm) {
    const auto& [mistake, app] = GetParam();
    const ScimDouble server(mistake.misbehaviour);
    const auto report = play(server, app);
    const auto& expected = app == App::Wizard ? mistake.wizard_step : mistake.catalog_step;
    if (expected.empty()) {
        EXPECT_EQ(report.failures, 0U) << examples_of(report);
        return;
    }
    ASSERT_GT(report.failures, 0U) << "the simulator did not notice it";
    const auto found = first_failure(report);
    EXPECT_THAT(found.step, HasSubstr(std::string{expected})) << examples_of(report);
    EXPECT_THAT(found.examples, testing::Contains(HasSubstr(std::string{mistake.words})));
}

INSTANTIATE_TEST_SUITE_P(EitherApp, EveryMistake,
                         Combine(ValuesIn(kMistakes), Values(App::Wizard, App::Catalog)),
                         [](const auto& info) {
                             const auto& [mistake, app] = info.param;
                             return std::string{mistake.name} +
                                    (app == App::Wizard ? "Wizard" : "Catalog");
                         });

TEST(AServerThatRefusesForEver, IsGivenUpWithinTheSimulatorsPatience) {
    const ScimDouble server(Misbehaviour::RefusesForEver);
    const auto began = std::chrono::steady_clock::now();
    const auto report = play(server, App::Catalog);
    EXPECT_LT(std::chrono::steady_clock::now() - began, kPatience + std::chrono::seconds{5});
    EXPECT_GE(report.failures, 12U + 4U) << "every creation should have failed";
}

}  // namespace
}  // namespace muster::misbehaving
