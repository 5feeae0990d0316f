#include "scim/error.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "json/json.hpp"
#include "scim/schema/schema.hpp"

namespace muster::scim {

namespace {

constexpr std::size_t kShownBytes = 64;

/// RFC 7644 §3.12, table 9, and RFC 9865 §2.1, in the order of ScimType.
constexpr std::array<std::string_view, 14> kScimTypes = {
    "",
    "invalidFilter",
    "tooMany",
    "uniqueness",
    "mutability",
    "invalidSyntax",
    "invalidPath",
    "noTarget",
    "invalidValue",
    "invalidVers",
    "sensitive",
    "invalidCursor",
    "expiredCursor",
    "invalidCount",
};

Error bad_request(ScimType type, std::string detail) {
    return {.status = 400, .type = type, .detail = std::move(detail)};
}

}  // namespace

std::string_view to_string(ScimType type) { return kScimTypes.at(std::to_underlying(type)); }

Error invalid_filter(std::string detail) {
    return bad_request(ScimType::InvalidFilter, std::move(detail));
}
Error invalid_path(std::string detail) {
    return bad_request(ScimType::InvalidPath, std::move(detail));
}
Error invalid_value(std::string detail) {
    return bad_request(ScimType::InvalidValue, std::move(detail));
}
Error invalid_syntax(std::string detail) {
    return bad_request(ScimType::InvalidSyntax, std::move(detail));
}
Error no_target(std::string detail) { return bad_request(ScimType::NoTarget, std::move(detail)); }
Error mutability(std::string detail) {
    return bad_request(ScimType::Mutability, std::move(detail));
}
Error too_many(std::string detail) { return bad_request(ScimType::TooMany, std::move(detail)); }

std::string to_json(const Error& error, std::string_view log_id) {
    std::string detail = error.detail;
    if (!log_id.empty()) fmt::format_to(std::back_inserter(detail), " (log {})", log_id);

    json::Object body;
    body["schemas"] = json::Array{kErrorSchema};
    if (error.type != ScimType::None) body["scimType"] = to_string(error.type);
    body["detail"] = detail;
    body["status"] = fmt::to_string(error.status);
    std::string text;
    json::append(text, body);
    return text;
}

std::string quoted(std::string_view text) {
    const std::string_view shown = utf8_prefix(text, kShownBytes);
    std::string result;
    json::append_string(result, shown);
    if (shown.size() < text.size()) result.insert(result.size() - 1, "…");
    return result;
}

}  // namespace muster::scim
