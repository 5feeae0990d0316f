#include "scim/resource/normalise.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/text.hpp"

namespace muster::scim {

namespace {

/// No error here quotes a value: its attribute may be one that nobody is to read, and the log keeps
/// errors.
std::unexpected<Error> wrong_type(const Place& place, std::string_view wanted,
                                  const json::Value& value) {
    return std::unexpected(invalid_value(
        fmt::format("{} must be {}, but {} was sent.", place.to_string(), wanted, kind_of(value))));
}

/// RFC 7643 §2.3.6 allows both alphabets of RFC 4648; padding may be left out.
bool is_base64(std::string_view text) {
    const auto end = text.find('=');
    const std::string_view padding = text.substr(std::min(end, text.size()));
    const auto in_alphabet = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/' || c == '-' || c == '_';
    };
    return padding.size() <= 2 && padding.find_first_not_of('=') == std::string_view::npos &&
           std::ranges::all_of(text.substr(0, end), in_alphabet);
}

}  // namespace

bool is_unassigned(const json::Value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return true;
        case boost::json::kind::string:
            return value.get_string().empty();
        case boost::json::kind::array:
            return value.get_array().empty();
        default:
            return false;
    }
}

std::string_view kind_of(const json::Value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return "null";
        case boost::json::kind::bool_:
            return "a boolean";
        case boost::json::kind::string:
            return "a string";
        case boost::json::kind::array:
            return "an array";
        case boost::json::kind::object:
            return "an object";
        default:
            return "a number";
    }
}

std::vector<const json::Value*> by_attribute(std::span<const Attribute> attributes,
                                             const json::Object& object, const Place& place,
                                             std::vector<Note>& notes, bool keeps_unknown) {
    std::vector<const json::Value*> found(attributes.size(), nullptr);
    for (const auto& member : object) {
        const std::string_view key = member.key();
        const auto attribute = std::ranges::find_if(
            attributes, [key](const Attribute& a) { return equals_ignoring_case(a.name, key); });
        if (attribute == attributes.end()) {
            if (!member.value().is_null() && !keeps_unknown) {
                note_unknown(notes, place.at(key).to_string());
            }
            continue;
        }
        found[static_cast<std::size_t>(attribute - attributes.begin())] = &member.value();
    }
    return found;
}

Result<json::Value> Normaliser::attribute(const Attribute& attribute, const json::Value& value,
                                          const Place& place) const {
    if (is_unassigned(value)) return json::Value(nullptr);
    if (attribute.multi_valued) return elements(attribute, value, place);
    if (const json::Array* array = value.if_array()) {
        return std::unexpected(invalid_value(
            fmt::format("{} has a single value, but an array of {} was sent. Send one value.",
                        place.to_string(), array->size())));
    }
    return element(attribute, value, place);
}

Result<json::Value> Normaliser::elements(const Attribute& attribute, const json::Value& value,
                                         const Place& place) const {
    json::Array result(storage_);
    const json::Array* array = value.if_array();
    if (array == nullptr) return wrong_type(place, "an array of values", value);
    if (array->size() > limits_.max_elements) {
        return std::unexpected(
            invalid_value(fmt::format("{} has {} values; at most {} are accepted. Send fewer.",
                                      place.to_string(), array->size(), limits_.max_elements)));
    }
    result.reserve(array->size());
    for (const json::Value& each : *array) {
        TRY_ASSIGN(json::Value normal, element(attribute, each, place));
        if (!normal.is_null()) result.push_back(std::move(normal));
    }
    if (result.empty()) return json::Value(nullptr);
    return json::Value(std::move(result));
}

Result<json::Value> Normaliser::element(const Attribute& attribute, const json::Value& value,
                                        const Place& place) const {
    if (is_unassigned(value)) return json::Value(nullptr);
    switch (attribute.type) {
        case Type::Complex:
            return complex(attribute, value, place);
        case Type::Boolean:
            return boolean(value, place);
        case Type::Integer:
            if (!value.is_int64() && !value.is_uint64()) {
                return wrong_type(place, "a whole number", value);
            }
            return json::Value(value);
        case Type::Decimal:
            if (!value.is_number()) return wrong_type(place, "a number", value);
            return json::Value(value);
        case Type::String:
        case Type::DateTime:
        case Type::Binary:
        case Type::Reference:
            return text(attribute, value, place);
    }
    std::unreachable();
}

Result<json::Value> Normaliser::complex(const Attribute& attribute, const json::Value& value,
                                        const Place& place) const {
    json::Object result(storage_);
    const json::Object* object = value.if_object();
    if (object == nullptr) return wrong_type(place, "an object", value);
    const auto& attributes = attribute.sub_attributes;
    const auto given = by_attribute(attributes, *object, place, notes_);
    result.reserve(object->size());
    for (std::size_t i = 0; i < attributes.size(); ++i) {
        if (given[i] == nullptr) continue;
        const Attribute& sub = attributes[i];
        const Place here = place.at(sub.name);
        if (sub.mutability == Mutability::ReadOnly) {
            if (!is_unassigned(*given[i])) note_read_only(notes_, here.to_string());
            continue;
        }
        if (sub.is_only_written()) {
            if (!is_unassigned(*given[i])) note_dropped(notes_, sub);
            continue;
        }
        TRY_ASSIGN(json::Value normal, this->attribute(sub, *given[i], here));
        if (!normal.is_null()) result.emplace(sub.name, std::move(normal));
    }
    if (result.empty()) return json::Value(nullptr);
    return json::Value(std::move(result));
}

Result<json::Value> Normaliser::boolean(const json::Value& value, const Place& place) {
    if (value.is_bool()) return json::Value(value.get_bool());
    return wrong_type(
        place, value.is_string() ? "true or false, without quotation marks" : "true or false",
        value);
}

Result<json::Value> Normaliser::text(const Attribute& attribute, const json::Value& value,
                                     const Place& place) const {
    const json::String* string = value.if_string();
    if (string == nullptr) return wrong_type(place, "a string", value);
    const std::string_view text = *string;
    const bool identifier = attribute.uniqueness != Uniqueness::None;
    const std::size_t limit = identifier ? limits_.max_identifier_bytes : limits_.max_value_bytes;
    if (text.size() > limit) {
        return std::unexpected(invalid_value(
            fmt::format("{} is {} bytes long; at most {} are accepted. Send a shorter value.",
                        place.to_string(), text.size(), limit)));
    }
    if (identifier) {
        if (fold_identifier(text).empty()) {
            return std::unexpected(invalid_value(
                fmt::format("{} holds nothing but white space. Send a value.", place.to_string())));
        }
        if (const std::string forbidden = forbidden_in_identifier(text); !forbidden.empty()) {
            return std::unexpected(invalid_value(
                fmt::format("{} holds the character {}, which an identifier may not hold. Remove "
                            "it from the value.",
                            place.to_string(), forbidden)));
        }
    }
    if (attribute.type == Type::DateTime && !from_rfc3339(text)) {
        return std::unexpected(invalid_value(
            fmt::format("{} must be a date and time such as 2026-01-31T12:00:00Z (RFC 3339).",
                        place.to_string())));
    }
    if (attribute.type == Type::Binary && !is_base64(text)) {
        return std::unexpected(
            invalid_value(fmt::format("{} must be base 64 (RFC 4648).", place.to_string())));
    }
    return json::Value(value, storage_);
}

Result<json::Value> normalise_value(const Attribute& attribute, const json::Value& value,
                                    std::string_view path, std::vector<Note>& notes,
                                    const PrepareLimits& limits) {
    return Normaliser(limits, notes).element(attribute, value, Place{.attribute = path});
}

}  // namespace muster::scim
