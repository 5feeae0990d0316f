#include "auth/policy.hpp"

#include <array>
#include <functional>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "base/text.hpp"
#include "json/json.hpp"

namespace muster::auth {

namespace {

/// One setting: its name, its choices, the default first, and where its value lives.
struct Setting {
    std::string_view name;
    std::array<std::string_view, 3> choices;  ///< the last ones may be empty
    void (*set)(Policy&, std::size_t choice);
    std::size_t (*get)(const Policy&);
};

constexpr std::array kSettings{
    Setting{"unknown_members",
            {"refuse", "skip"},
            [](Policy& policy, std::size_t choice) {
                policy.unknown_members =
                    choice == 0 ? UnknownMembers::Refuse : UnknownMembers::Skip;
            },
            [](const Policy& policy) -> std::size_t {
                return policy.unknown_members == UnknownMembers::Refuse ? 0 : 1;
            }},
    Setting{"unknown_attributes",
            {"drop", "keep", "refuse"},
            [](Policy& policy, std::size_t choice) {
                policy.unknown_attributes = static_cast<UnknownAttributes>(choice);
            },
            [](const Policy& policy) -> std::size_t {
                return static_cast<std::size_t>(policy.unknown_attributes);
            }},
    Setting{"on_delete",
            {"retain", "erase"},
            [](Policy& policy, std::size_t choice) {
                policy.on_delete = choice == 0 ? OnDelete::Retain : OnDelete::Erase;
            },
            [](const Policy& policy) -> std::size_t {
                return policy.on_delete == OnDelete::Retain ? 0 : 1;
            }},
    Setting{"restore_on_create",
            {"true", "false"},
            [](Policy& policy, std::size_t choice) { policy.restore_on_create = choice == 0; },
            [](const Policy& policy) -> std::size_t { return policy.restore_on_create ? 0 : 1; }},
};

std::string_view as_text(const json::Value& value) {
    if (const auto* text = value.if_string()) return {text->data(), text->size()};
    if (const auto* flag = value.if_bool()) return *flag ? "true" : "false";
    return {};
}

}  // namespace

std::expected<Policy, std::string> Policy::parse(std::string_view text) {
    Policy policy;
    if (text.empty()) return policy;
    const auto parsed = json::parse(text);
    if (!parsed || !parsed->is_object()) {
        return std::unexpected(std::string{"A connector's policy must be a JSON object."});
    }
    for (const auto& [name, value] : parsed->get_object()) {
        const Setting* setting = nullptr;
        for (const auto& candidate : kSettings) {
            if (candidate.name == std::string_view{name}) setting = &candidate;
        }
        if (setting == nullptr) {
            return std::unexpected(
                fmt::format("There is no policy setting \"{}\". Known: unknown_members, "
                            "unknown_attributes, on_delete, "
                            "restore_on_create.",
                            std::string_view{name}));
        }
        std::optional<std::size_t> choice;
        std::string known;
        for (std::size_t i = 0; i < setting->choices.size(); ++i) {
            if (setting->choices[i].empty()) break;
            if (as_text(value) == setting->choices[i]) choice = i;
            known += fmt::format("{}\"{}\"", i == 0 ? "" : " or ", setting->choices[i]);
        }
        if (!choice) {
            return std::unexpected(fmt::format("{} can be {}.", setting->name, known));
        }
        setting->set(policy, *choice);
    }
    return policy;
}

std::string Policy::to_json() const {
    json::Object object;
    for (const auto& setting : kSettings) {
        object[setting.name] = setting.choices[setting.get(*this)];
    }
    return json::to_text(object);
}

}  // namespace muster::auth
