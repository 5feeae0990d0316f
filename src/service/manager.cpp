#include "service/manager.hpp"

#include <algorithm>
#include <functional>

#include "json/raw.hpp"

namespace muster::service {

std::string ManagerText::id() const {
    if (value.size() < 2 || value.front() != '"' || value.contains('\\')) return {};
    return std::string{value.substr(1, value.size() - 2)};
}

std::optional<ManagerText> manager_in(std::string_view document) {
    // Most documents without one are told by this alone. It begins with a quotation mark, of which
    // a document has too many to stop at each.
    static constexpr std::string_view kBegin = R"("manager":{)";
    static const std::boyer_moore_horspool_searcher kSearcher(kBegin.begin(), kBegin.end());
    if (std::search(document.begin(), document.end(), kSearcher) == document.end()) {
        return std::nullopt;
    }
    const auto extension = json::raw_member(document, scim::kEnterpriseUserSchema);
    if (!extension) return std::nullopt;
    const auto manager = json::raw_member(*extension, "manager");
    if (!manager) return std::nullopt;
    const auto value = json::raw_member(*manager, "value");
    if (!value) return std::nullopt;
    return ManagerText{*manager, *value};
}

std::string_view manager_of(const json::Object& document) {
    const auto member = [](const json::Value* value, std::string_view name) -> const json::Value* {
        const json::Object* object = value == nullptr ? nullptr : value->if_object();
        return object == nullptr ? nullptr : object->if_contains(name);
    };
    const json::Value* manager =
        member(document.if_contains(scim::kEnterpriseUserSchema), "manager");
    const json::Object* object = manager == nullptr ? nullptr : manager->if_object();
    return object == nullptr ? std::string_view{} : json::string_or_empty(*object, "value");
}

bool wants_manager(const scim::ResourceType& type, const scim::Projection& projection) {
    const scim::Schema* enterprise = type.extension(scim::kEnterpriseUserSchema);
    const scim::Attribute* manager = enterprise == nullptr ? nullptr : enterprise->find("manager");
    return manager != nullptr &&
           projection.wants(scim::AttributePath{.extension = enterprise, .attribute = manager});
}

}  // namespace muster::service
