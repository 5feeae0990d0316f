#include <span>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

/// The id in one element; a view into it.
Result<std::string_view> member_id(const json::Value& element, const PrepareLimits& limits) {
    const json::Object* object = element.if_object();
    const json::Value* value =
        object == nullptr ? &element : json::find_ignoring_case(*object, "value");
    if (value == nullptr || is_unassigned(*value)) {
        return std::unexpected(invalid_value(
            "An element of members has no \"value\". Send the id of the member in it."));
    }
    const json::String* id = value->if_string();
    if (object == nullptr || id == nullptr) {
        return std::unexpected(
            invalid_value(fmt::format("An element of members must be an object with the id of the "
                                      "member as \"value\", but {} was sent for it.",
                                      kind_of(*value))));
    }
    if (id->empty() || id->size() > limits.max_identifier_bytes) {
        return std::unexpected(
            invalid_value(fmt::format("The id of a member is {} bytes long; 1 to {} are accepted.",
                                      id->size(), limits.max_identifier_bytes)));
    }
    return std::string_view{*id};
}

}  // namespace

Result<std::vector<std::string>> read_member_ids(const json::Value& value,
                                                 const PrepareLimits& limits) {
    const json::Array* array = value.if_array();
    if (array == nullptr) {
        return std::unexpected(invalid_value(
            fmt::format("members must be an array, but {} was sent.", kind_of(value))));
    }
    const std::span<const json::Value> elements{array->data(), array->size()};
    if (elements.size() > limits.max_members) {
        return std::unexpected(
            too_many(fmt::format("{} members came in one request; at most {} are accepted. Send "
                                 "them in several requests.",
                                 elements.size(), limits.max_members)));
    }
    std::vector<std::string> ids;
    ids.reserve(elements.size());
    std::unordered_set<std::string_view> seen;
    seen.reserve(elements.size());
    for (const json::Value& element : elements) {
        TRY_ASSIGN(const std::string_view id, member_id(element, limits));
        if (seen.insert(id).second) ids.emplace_back(id);
    }
    return ids;
}

}  // namespace muster::scim
