#include "api/list_query.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "http/message.hpp"

namespace muster::api {

namespace {

scim::Result<std::optional<std::int64_t>> number(std::string_view name, std::string_view text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc::result_out_of_range) {
        // Past every page and below every index alike are answered, not refused.
        return text.starts_with('-') ? std::int64_t{0} : std::numeric_limits<std::int64_t>::max();
    }
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::unexpected(scim::invalid_value(
            fmt::format("{} must be an integer, not {}.", name, scim::quoted(text))));
    }
    return value;
}

}  // namespace

scim::Result<service::ListRequest> list_request(std::string_view query) {
    service::ListRequest request;
    if (query.empty()) return request;
    const auto pairs = http::parse_query(query);
    if (!pairs) {
        return std::unexpected(scim::invalid_value(
            "The query string is malformed: escape reserved characters as %XX."));
    }
    for (const auto& [name, value] : *pairs) {
        if (equals_ignoring_case(name, "filter")) {
            request.filter = value;
        } else if (equals_ignoring_case(name, "attributes")) {
            request.attributes = value;
        } else if (equals_ignoring_case(name, "excludedAttributes")) {
            request.excluded_attributes = value;
        } else if (equals_ignoring_case(name, "sortBy")) {
            request.sort_by = value;
        } else if (equals_ignoring_case(name, "sortOrder")) {
            request.sort_order = value;
        } else if (equals_ignoring_case(name, "cursor")) {
            request.cursor = value;
        } else if (equals_ignoring_case(name, "startIndex")) {
            TRY_ASSIGN(request.start_index, number(name, value));
        } else if (equals_ignoring_case(name, "count")) {
            TRY_ASSIGN(request.count, number(name, value));
        }
    }
    return request;
}

}  // namespace muster::api
