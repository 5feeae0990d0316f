// muster load: a made-up organisation of any size, to see how things are at that size.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "cli/commands.hpp"
#include "cli/made_up.hpp"
#include "cli/progress_bar.hpp"
#include "cli/session.hpp"
#include "scim/schema/schema.hpp"

namespace muster::cli {

namespace {

/// What one bulk request holds at most: as many operations as the service takes, and members whose
/// JSON stays well below its limits.
constexpr std::size_t kMostOperations = 1'000;
constexpr std::size_t kMostMembers = 50'000;
constexpr std::size_t kMembersAnOperation = 5'000;

using Sizes = std::vector<std::uint64_t>;

struct Plan {
    std::string org;
    std::uint64_t seed = 0;
    std::uint64_t users = 0;
    std::uint64_t groups = 0;
    Sizes sizes;  ///< of the groups, in turn

    [[nodiscard]] std::uint64_t size_of(std::uint64_t group) const {
        return sizes[group % sizes.size()];
    }
    [[nodiscard]] std::uint64_t memberships() const {
        std::uint64_t sum = 0;
        for (std::uint64_t i = 0; i < groups; ++i) sum += size_of(i);
        return sum;
    }
};

/// "10,1000": whole numbers with commas between them.
std::optional<Sizes> sizes_of(std::string_view text) {
    Sizes sizes;
    while (true) {
        const auto comma = text.find(',');
        const auto word = text.substr(0, comma);
        std::uint64_t size = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), size);
        if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
        sizes.push_back(size);
        if (comma == std::string_view::npos) return sizes;
        text.remove_prefix(comma + 1);
    }
}

/// Bulk requests in the name of a connector, one after the other; the service shares durable
/// commits among the creations of one.
class Loader {
  public:
    Loader(Session& session, const Plan& plan, const std::string& connector)
        : session_(session),
          plan_(plan),
          target_(target_of({"connectors", connector, "bulk"})),
          total_(plan.users + plan.memberships()),
          bar_(session.environment().err,
               session.environment().err_is_terminal && !session.out().json()) {}

    Outcome load() {
        for (std::uint64_t i = 0; i < plan_.users; ++i) {
            TRY_VOID(add("POST", "/Users", "", made_up_person(plan_.org, plan_.seed, i), 0));
        }
        TRY_VOID(send());
        people_ = std::exchange(made_, {});
        if (people_.size() != plan_.users) {
            return session_.fail(ExitCode::Failed, "The answers do not say who was made.");
        }
        for (std::uint64_t i = 0; i < plan_.groups; ++i) TRY_VOID(load_group(i));
        TRY_VOID(send());
        bar_.clear();
        return {};
    }

    [[nodiscard]] std::chrono::milliseconds elapsed() const {
        return std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now() - began_);
    }

  private:
    Outcome load_group(std::uint64_t number) {
        const auto members =
            made_up_members(plan_.seed, number, plan_.size_of(number), plan_.users);
        std::string path = "/Groups";
        const auto bulk_id = fmt::format("g{}", number);
        for (std::size_t first = 0; first == 0 || first < members.size();
             first += kMembersAnOperation) {
            const auto last = std::min(first + kMembersAnOperation, members.size());
            json::Array values;
            for (auto i = first; i < last; ++i) {
                values.push_back(json::Object{{"value", people_[members[i]]}});
            }
            if (first == 0) {
                TRY_VOID(add("POST", path, bulk_id,
                             {{"schemas", json::Array{scim::kGroupSchema}},
                              {"displayName", made_up_group_name(plan_.seed, number)},
                              {"members", std::move(values)}},
                             last - first));
            } else {
                // Once the creation went out, its id is known.
                path = "/Groups/" + (number < made_.size() ? made_[number] : "bulkId:" + bulk_id);
                TRY_VOID(add(
                    "PATCH", path, "",
                    {{"schemas", json::Array{scim::kPatchOp}},
                     {"Operations", json::Array{json::Object{
                                        {"op", "add"}, {"path", "members"}, {"value", values}}}}},
                    last - first));
            }
        }
        return {};
    }

    Outcome add(std::string_view method, std::string_view path, std::string_view bulk_id,
                json::Object data, std::size_t members) {
        json::Object operation{{"method", method}, {"path", path}, {"data", std::move(data)}};
        if (method == "POST") {
            operation["bulkId"] =
                bulk_id.empty() ? fmt::format("u{}", operations_.size()) : std::string{bulk_id};
        }
        operations_.push_back(std::move(operation));
        members_ += members;
        if (operations_.size() < kMostOperations && members_ < kMostMembers) return {};
        return send();
    }

    Outcome send() {
        if (operations_.empty()) return {};
        const auto count = operations_.size();
        const auto members = std::exchange(members_, 0);
        TRY_ASSIGN(const auto answer,
                   session_.ask("POST", target_,
                                {{"schemas", json::Array{scim::kBulkRequest}},
                                 {"Operations", std::exchange(operations_, {})}}));
        TRY_VOID(take(answer));
        done_ += members > 0 ? members : count;
        const auto seconds = std::max(std::chrono::duration<double>(elapsed()).count(), 0.001);
        bar_.show(done_, total_,
                  fmt::format("{} of {} rows, {:.0f}/s", done_, total_,
                              static_cast<double>(done_) / seconds));
        return {};
    }

    /// Keeps the ids of what was made, in order; says which operation was refused.
    Outcome take(const json::Object& answer) {
        const auto* outcomes = answer.if_contains("Operations");
        if (outcomes == nullptr || !outcomes->is_array()) {
            return session_.fail(ExitCode::Failed, "The answer has no Operations.");
        }
        for (const auto& outcome : outcomes->get_array()) {
            const auto& object = outcome.as_object();
            if (const auto* error = object.if_contains("response")) {
                bar_.clear();
                return session_.fail(
                    ExitCode::Refused, json::string_or_empty(error->as_object(), "detail"),
                    "What was made before stays. Another --seed makes other people.");
            }
            if (json::string_or_empty(object, "method") != "POST") continue;
            const auto location = json::string_or_empty(object, "location");
            made_.emplace_back(location.substr(location.rfind('/') + 1));
        }
        return {};
    }

    Session& session_;
    const Plan& plan_;
    std::string target_;
    std::uint64_t total_;
    ProgressBar bar_;
    std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
    json::Array operations_;           ///< of the next request
    std::size_t members_ = 0;          ///< in them
    std::vector<std::string> made_;    ///< ids of people, then of groups, by number
    std::vector<std::string> people_;  ///< the same, once all are made
    std::uint64_t done_ = 0;
};

/// The connector in whose name everything is made: the organisation's first.
std::expected<std::string, ExitCode> connector_of(Session& session, const std::string& org) {
    TRY_ASSIGN(const auto answer, session.ask("GET", target_of({"connectors"}, {{"org", org}})));
    const auto* list = answer.if_contains("connectors");
    if (list == nullptr || !list->is_array() || list->get_array().empty()) {
        return session.fail(
            ExitCode::Refused, fmt::format("The organisation \"{}\" has no connector.", org),
            fmt::format("Make one: muster connector create --org {} --idp okta", org));
    }
    return std::string{json::string_or_empty(list->get_array().front().as_object(), "id")};
}

Outcome load(Session& session, const Arguments& arguments) {
    Plan plan{.org = arguments.text("--org"),
              .seed = static_cast<std::uint64_t>(arguments.number("--seed")),
              .users = static_cast<std::uint64_t>(arguments.number("--users")),
              .groups = static_cast<std::uint64_t>(arguments.number("--groups")),
              .sizes = {}};
    const auto& members = arguments.text("--members");
    const auto sizes = sizes_of(members);
    if (!sizes) {
        return session.fail(ExitCode::Usage,
                            fmt::format("--members is no list of numbers: \"{}\".", members),
                            "For example: 20 or 10,1000,100000");
    }
    plan.sizes = *sizes;
    if (!arguments.given("--members")) plan.sizes = {std::min(sizes->front(), plan.users)};
    TRY_ASSIGN(const auto connector, connector_of(session, plan.org));
    if (plan.groups > 0 && std::ranges::max(plan.sizes) > plan.users) {
        return session.fail(ExitCode::Usage, "A group would have more members than --users.");
    }
    Loader loader(session, plan, connector);
    TRY_VOID(loader.load());
    const auto elapsed = loader.elapsed();
    if (session.out().json()) {
        session.out().value(json::Object{{"org", plan.org},
                                         {"users", plan.users},
                                         {"groups", plan.groups},
                                         {"memberships", plan.memberships()},
                                         {"elapsed_ms", elapsed.count()}});
        return {};
    }
    const auto count = [](std::uint64_t number, std::string_view noun) {
        return count_of(static_cast<std::int64_t>(number), noun);
    };
    session.out().say(fmt::format(
        "Made {}, {} and {} in {:.1f} s.", count(plan.users, "user"), count(plan.groups, "group"),
        count(plan.memberships(), "membership"), static_cast<double>(elapsed.count()) / 1000.0));
    return {};
}

Argument number(std::string name, std::string help, std::string fallback, Range range) {
    return {.name = std::move(name),
            .value = "N",
            .help = std::move(help),
            .fallback = std::move(fallback),
            .range = range};
}

}  // namespace

Command load_command() {
    return {.name = "load",
            .summary = "Fill an organisation with made-up people and groups",
            .description =
                "For trying things at size. Everybody goes the way that a bulk request goes: "
                "validated, indexed, logged and durable, in the name of the organisation's first "
                "connector. The same seed makes the same people. Addresses end in .example. Use "
                "an organisation of its own; muster org delete takes it away again.",
            .arguments =
                {{.name = "--org", .value = "SLUG", .help = "the organisation", .required = true},
                 number("--users", "how many people", "1000", {0, 100'000'000}),
                 number("--groups", "how many groups", "20", {0, 10'000'000}),
                 {.name = "--members",
                  .value = "K",
                  .help = "members of each group, by default no more than there are "
                          "people; sizes with commas between them are taken in turn",
                  .fallback = "20"},
                 number("--seed", "the same seed makes the same people", "1", {0, 1LL << 53})},
            .examples = {{"muster load --org acme --users 10000 --groups 500",
                          "A company of ten thousand"},
                         {"muster load --org acme --users 1000000 --groups 4 --members "
                          "10,1000,100000,1000000",
                          "One group of each size"}},
            .run = load};
}

}  // namespace muster::cli
