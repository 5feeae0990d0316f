#include "scim/sort/sort.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/filter/filter.hpp"

namespace muster::scim {

namespace {

constexpr std::size_t kMostKeyBytes = 256;
constexpr char kPresent = '\1';
constexpr char kMissing = '\2';

/// Most significant byte first, so that unsigned numbers compare as their bytes do.
std::string big_endian(std::uint64_t number) {
    std::string bytes(sizeof(number), '\0');
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        *byte = static_cast<char>(number & 0xFFU);
        number >>= 8U;
    }
    return bytes;
}

/// IEEE 754: positive numbers compare as their bits do, negative ones the other way round.
std::string key_of_number(double number) {
    constexpr auto kSign = std::uint64_t{1} << 63U;
    const auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
    return big_endian((bits & kSign) != 0 ? ~bits : bits | kSign);
}

/// Exact where a double is not.
std::string key_of_integer(const json::Value& value) {
    constexpr auto kSign = std::uint64_t{1} << 63U;
    if (value.is_int64()) return big_endian(static_cast<std::uint64_t>(value.get_int64()) ^ kSign);
    if (value.is_uint64()) return big_endian(std::numeric_limits<std::uint64_t>::max());
    return key_of_number(value.get_double());
}

std::string key_of(const Attribute& attribute, const json::Value& value) {
    std::string key(1, kPresent);
    if (const auto* text = value.if_string()) {
        key += comparison_key(attribute, text->subview());
        key.resize(utf8_prefix(key, kMostKeyBytes).size());
    } else if (const auto* flag = value.if_bool()) {
        key.push_back(*flag ? '\1' : '\0');
    } else if (value.is_number()) {
        key += attribute.type == Type::Integer ? key_of_integer(value)
                                               : key_of_number(value.to_number<double>());
    }
    return key;
}

bool is_primary(const json::Value& element) {
    const auto* object = element.if_object();
    const auto* primary = object != nullptr ? object->if_contains("primary") : nullptr;
    return primary != nullptr && primary->is_bool() && primary->get_bool();
}

/// The value that the path leads to in one resource; null where there is none.
const json::Value* value_at(const AttributePath& path, const json::Object& document) {
    const json::Value* value = find(document, path);
    if (value == nullptr) return nullptr;
    if (const auto* elements = value->if_array()) {
        if (elements->empty()) return nullptr;
        const auto* primary = std::ranges::find_if(*elements, is_primary);
        value = primary != elements->end() ? primary : elements->begin();
    }
    if (path.sub_attribute != nullptr) {
        const auto* object = value->if_object();
        value = object != nullptr ? object->if_contains(path.sub_attribute->name) : nullptr;
    }
    return value;
}

bool has_no_value(const json::Value* value) {
    if (value == nullptr || value->is_null() || value->is_structured()) return true;
    const auto* text = value->if_string();
    return text != nullptr && text->empty();
}

Error no_order(std::string_view text, std::string_view why) {
    return invalid_path(fmt::format("Nothing can be sorted by {}: {}", scim::quoted(text), why));
}

}  // namespace

Result<bool> is_descending(std::string_view sort_order) {
    if (sort_order.empty() || equals_ignoring_case(sort_order, "ascending")) return false;
    if (equals_ignoring_case(sort_order, "descending")) return true;
    return std::unexpected(invalid_value(fmt::format(
        "sortOrder is \"ascending\" or \"descending\", not {}.", scim::quoted(sort_order))));
}

Result<AttributePath> parse_sort_by(const ResourceType& type, std::string_view text) {
    TRY_ASSIGN(AttributePath path, resolve(type, text, ScimType::InvalidPath));
    if (path.attribute == nullptr) {
        return std::unexpected(no_order(text, "it names a whole extension; name an attribute."));
    }
    if (path.leaf().type == Type::Complex) {
        const Attribute* value = path.leaf().find("value");
        if (value == nullptr) {
            return std::unexpected(no_order(
                text, fmt::format("it has several parts; name one, such as {}.{}.",
                                  path.to_string(), path.leaf().sub_attributes.front().name)));
        }
        path.sub_attribute = value;
    }
    if (path.attribute->is_hidden() || path.leaf().is_hidden()) {
        return std::unexpected(no_order(text, "it is never returned."));
    }
    return path;
}

std::string sort_key(const AttributePath& path, const json::Object& document) {
    const json::Value* value = value_at(path, document);
    return has_no_value(value) ? missing_sort_key() : key_of(path.leaf(), *value);
}

std::string missing_sort_key() { return std::string(1, kMissing); }

}  // namespace muster::scim
