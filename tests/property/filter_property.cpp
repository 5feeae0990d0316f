// RFC 7644 §3.4.2.2: what a filter means, and that printing keeps the meaning.

#include <fmt/format.h>

#include "filters.hpp"
#include "scim/filter/filter.hpp"

namespace muster::property {
namespace {

/// Printing adds parentheses, escapes and URNs.
const scim::FilterLimits kRoomy{.max_bytes = 1 << 20, .max_depth = 200, .max_terms = 10'000};

TEST(Filters, MeanWhatTheRfcSays) {
    hold(0.24, [](Choices& choices) -> std::string {
        const Expression expression = any_expression(choices, 4);
        const std::string text = print(choices, expression);
        const auto filter = scim::parse_filter(user_type(), text, kRoomy);
        if (filter.has_value() != is_valid(expression)) {
            return filter ? "accepted: " + text : text + ": " + filter.error().detail;
        }
        if (!filter) return "";
        for (int i = 0; i < 4; ++i) {
            const json::Object user = any_user(choices);
            if (filter->matches(user) != matches(expression, user)) {
                return fmt::format("{} is {} of {}", text, filter->matches(user),
                                   json::to_text(user));
            }
        }
        return "";
    });
}

TEST(Filters, PrintAsTheSameFilter) {
    hold(0.1, [](Choices& choices) -> std::string {
        const std::string text = print(choices, any_expression(choices, 5));
        const auto filter = scim::parse_filter(user_type(), text, kRoomy);
        if (!filter) return "";
        const std::string printed = filter->to_string();
        const auto again = scim::parse_filter(user_type(), printed, kRoomy);
        if (!again) return printed + ": " + again.error().detail;
        if (again->to_string() != printed) return printed + " <> " + again->to_string();
        const json::Object user = any_user(choices);
        if (again->matches(user) != filter->matches(user)) return text + " <> " + printed;
        return "";
    });
}

TEST(PatchPaths, SelectWhatTheRfcSaysAndPrintTheSame) {
    static constexpr auto kPlural =
        std::to_array<std::string_view>({"emails", "roles", "photos", "kit"});
    hold(0.1, [](Choices& choices) -> std::string {
        const std::string_view attribute = choices.of(kPlural);
        const Expression expression = any_element_expression(choices, attribute, 3);
        const std::string urn = attribute == "kit" ? std::string{kGear} + ':' : "";
        const std::string sub = choices.once_in(2) ? ".value" : "";
        const std::string text = any_spelling(choices, urn + std::string{attribute}) + '[' +
                                 print_in_element(choices, expression) + ']' +
                                 any_spelling(choices, sub);
        const auto path = scim::parse_patch_path(user_type(), text, kRoomy);
        if (path.has_value() != is_valid(expression)) {
            return path ? "accepted: " + text : text + ": " + path.error().detail;
        }
        if (!path) return "";
        const std::string printed =
            fmt::format("{}{}[{}]{}", urn, attribute, path->element_filter->to_string(), sub);
        const auto again = scim::parse_patch_path(user_type(), printed, kRoomy);
        if (!again || again->target != path->target) return text + " <> " + printed;
        if (again->element_filter->to_string() != path->element_filter->to_string()) {
            return text + " <> " + printed;
        }
        const json::Object user = any_user(choices);
        const json::Value* elements = scim::find(
            user, {.extension = path->target.extension, .attribute = path->target.attribute});
        if (elements == nullptr || !elements->is_array()) return "";
        for (const json::Value& element : elements->get_array()) {
            const bool expected = matches_element(expression, element);
            if (path->element_filter->matches_element(element) != expected) {
                return fmt::format("{} is not {} of {}", text, expected, json::to_text(element));
            }
        }
        return "";
    });
}

}  // namespace
}  // namespace muster::property
