#include "service/list_request.hpp"

#include <fmt/format.h>

#include "base/result.hpp"

namespace muster::service {

namespace {

scim::Result<std::string> optional_text(const json::Object& body, std::string_view name) {
    const auto* value = json::find_ignoring_case(body, name);
    if (value == nullptr || value->is_null()) return std::string{};
    if (const auto* text = value->if_string()) return std::string{*text};
    return std::unexpected(scim::invalid_value(fmt::format("{} must be a string.", name)));
}

/// A list of names as an array of strings, or as one comma-separated string.
scim::Result<std::string> optional_names(const json::Object& body, std::string_view name) {
    const auto* value = json::find_ignoring_case(body, name);
    if (value == nullptr || !value->is_array()) return optional_text(body, name);
    std::string joined;
    for (const auto& element : value->get_array()) {
        if (!element.is_string()) {
            return std::unexpected(scim::invalid_value(fmt::format("{} holds names only.", name)));
        }
        if (!joined.empty()) joined.push_back(',');
        joined += std::string_view{element.get_string()};
    }
    return joined;
}

scim::Result<std::optional<std::int64_t>> optional_number(const json::Object& body,
                                                          std::string_view name) {
    const auto* value = json::find_ignoring_case(body, name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (const auto* number = value->if_int64()) return *number;
    return std::unexpected(scim::invalid_value(fmt::format("{} must be an integer.", name)));
}

}  // namespace

scim::Result<ListRequest> parse_search(const json::Value& body) {
    const auto* object = body.if_object();
    if (object == nullptr) {
        return std::unexpected(scim::invalid_syntax("A search request must be a JSON object."));
    }
    ListRequest request;
    if (const auto* filter = json::find_ignoring_case(*object, "filter");
        filter != nullptr && !filter->is_null()) {
        TRY_ASSIGN(request.filter, optional_text(*object, "filter"));
    }
    TRY_ASSIGN(request.attributes, optional_names(*object, "attributes"));
    TRY_ASSIGN(request.excluded_attributes, optional_names(*object, "excludedAttributes"));
    TRY_ASSIGN(request.sort_by, optional_text(*object, "sortBy"));
    TRY_ASSIGN(request.sort_order, optional_text(*object, "sortOrder"));
    TRY_ASSIGN(request.start_index, optional_number(*object, "startIndex"));
    TRY_ASSIGN(request.count, optional_number(*object, "count"));
    if (const auto* cursor = json::find_ignoring_case(*object, "cursor");
        cursor != nullptr && !cursor->is_null()) {
        TRY_ASSIGN(request.cursor, optional_text(*object, "cursor"));
    }
    return request;
}

}  // namespace muster::service
