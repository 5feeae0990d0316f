// Which client a request is from, by what it says of itself and by what only it writes.

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.hpp"
#include "scim/dialect/dialect.hpp"

namespace muster::scim {

namespace {

struct Agent {
    std::string_view prefix;  ///< of the User-Agent, in lower case
    std::string_view dialect;
};
constexpr std::array kAgents = {Agent{"okta scim", "okta"}};

struct Mark {
    std::string_view schema;  ///< in schemas, as a prefix in lower case
    std::string_view dialect;
};
constexpr std::array kSchemas = {
    Mark{"http://schemas.microsoft.com/2006/11/resourcemanagement/adscim/", "entra"},
    Mark{"urn:okta:", "okta"},
    Mark{"urn:scim:schemas:core:1.0", "onelogin"},
};

/// More operations than this say nothing new.
constexpr std::size_t kMaxLookedAt = 10;

std::optional<Suggestion> by_schemas(const json::Object& body) {
    const json::Value* schemas = json::find_ignoring_case(body, "schemas");
    const json::Array* urns = schemas == nullptr ? nullptr : schemas->if_array();
    if (urns == nullptr) return std::nullopt;
    for (const json::Value& urn : *urns) {
        if (!urn.is_string()) continue;
        const std::string lower = to_lower_ascii(urn.get_string());
        const auto mark = std::ranges::find_if(
            kSchemas, [&](const Mark& known) { return lower.starts_with(known.schema); });
        if (mark == kSchemas.end()) continue;
        return Suggestion{mark->dialect, fmt::format("schemas names {}", mark->schema)};
    }
    return std::nullopt;
}

/// Dots stand in no attribute's name, and colons only in an extension's.
bool has_dotted_name(const json::Object& operation) {
    const json::Value* value = json::find_ignoring_case(operation, "value");
    const json::Object* names = value == nullptr ? nullptr : value->if_object();
    if (names == nullptr || json::find_ignoring_case(operation, "path") != nullptr) return false;
    return std::ranges::any_of(*names, [](const auto& member) {
        const std::string_view name = member.key();
        const bool is_urn = equals_ignoring_case(name.substr(0, 4), "urn:");
        return is_urn ? !member.value().is_object() : name.find('.') != std::string_view::npos;
    });
}

std::optional<Suggestion> by_operations(const json::Object& body) {
    const json::Value* list = json::find_ignoring_case(body, "Operations");
    const json::Array* operations = list == nullptr ? nullptr : list->if_array();
    if (operations == nullptr) return std::nullopt;
    for (std::size_t i = 0; i < std::min(operations->size(), kMaxLookedAt); ++i) {
        const json::Object* operation = (*operations)[i].if_object();
        if (operation == nullptr) continue;
        const std::string_view op = json::string_or_empty(*operation, "op");
        if (op == "Add" || op == "Replace" || op == "Remove") {
            return Suggestion{"entra", fmt::format("the op is written \"{}\"", op)};
        }
        if (has_dotted_name(*operation)) {
            return Suggestion{"entra-flagged", "a value without path has paths for names"};
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<Suggestion> detect(std::string_view user_agent, const json::Value* body) {
    const std::string lower = to_lower_ascii(user_agent.substr(0, 100));
    const auto agent = std::ranges::find_if(
        kAgents, [&](const Agent& known) { return lower.starts_with(known.prefix); });
    if (agent != kAgents.end()) {
        return Suggestion{agent->dialect, fmt::format("its User-Agent begins with \"{}\"",
                                                      user_agent.substr(0, agent->prefix.size()))};
    }
    const json::Object* object = body == nullptr ? nullptr : body->if_object();
    if (object == nullptr) return std::nullopt;
    if (auto suggestion = by_schemas(*object)) return suggestion;
    return by_operations(*object);
}

}  // namespace muster::scim
