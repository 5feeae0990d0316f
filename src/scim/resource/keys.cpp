#include <algorithm>
#include <span>
#include <utility>

#include "base/text.hpp"
#include "scim/filter/filter.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

/// Calls `visit(attribute, place, value)` with each scalar of the stored attributes that are
/// wanted.
template <class Wanted, class Visit>
void for_each_scalar(std::span<const Attribute> attributes, const Place& place,
                     const json::Object& object, const Wanted& wanted, const Visit& visit);

template <class Wanted, class Visit>
void for_each_scalar(const Attribute& attribute, const Place& place, const json::Value& value,
                     const Wanted& wanted, const Visit& visit) {
    if (const json::Array* array = value.if_array()) {
        for (const json::Value& element : *array)
            for_each_scalar(attribute, place, element, wanted, visit);
    } else if (const json::Object* object = value.if_object()) {
        for_each_scalar(attribute.sub_attributes, place, *object, wanted, visit);
    } else if (!value.is_null() && wanted(attribute)) {
        visit(attribute, place, value);
    }
}

template <class Wanted, class Visit>
void for_each_scalar(std::span<const Attribute> attributes, const Place& place,
                     const json::Object& object, const Wanted& wanted, const Visit& visit) {
    for (const Attribute& attribute : attributes) {
        // Few are, so most need not be looked for.
        if (!wanted(attribute) && std::ranges::none_of(attribute.sub_attributes, wanted)) continue;
        const json::Value* value = object.if_contains(attribute.name);
        if (value == nullptr) continue;
        for_each_scalar(attribute, place.at(attribute.name), *value, wanted, visit);
    }
}

template <class Wanted>
std::vector<IndexKey> keys(const ResourceType& type, const json::Object& document,
                           std::size_t max_bytes, Wanted is_kind) {
    std::vector<IndexKey> result;
    // `id` is a column of its own in every store.
    const auto wanted = [id = common_attributes().find("id"), is_kind](const Attribute& attribute) {
        return is_kind(attribute) && &attribute != id;
    };
    const auto visit = [&](const Attribute& attribute, const Place& place,
                           const json::Value& value) {
        const json::String* text = value.if_string();
        std::string key = comparison_key(
            attribute, text == nullptr ? json::to_text(value) : std::string_view{*text});
        key.resize(utf8_prefix(key, max_bytes).size());
        result.push_back({to_lower_ascii(place.to_string()), std::move(key)});
    };
    for_each_scalar(common_attributes().attributes, Place{}, document, wanted, visit);
    for_each_scalar(type.schema->attributes, Place{}, document, wanted, visit);
    for (const Extension& extension : type.extensions) {
        const json::Value* value = document.if_contains(extension.schema->id);
        const json::Object* object = value == nullptr ? nullptr : value->if_object();
        if (object == nullptr) continue;
        for_each_scalar(extension.schema->attributes, Place{.extension = extension.schema->id},
                        *object, wanted, visit);
    }
    std::ranges::sort(result);
    const auto repeated = std::ranges::unique(result);
    result.erase(repeated.begin(), repeated.end());
    return result;
}

}  // namespace

std::vector<IndexKey> unique_keys(const ResourceType& type, const json::Object& document) {
    return keys(type, document, std::string::npos,
                [](const Attribute& a) { return a.uniqueness != Uniqueness::None; });
}

std::vector<IndexKey> index_keys(const ResourceType& type, const json::Object& document) {
    return keys(type, document, kIndexKeyBytes, [](const Attribute& a) { return a.indexed; });
}

}  // namespace muster::scim
