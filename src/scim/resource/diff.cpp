#include <algorithm>
#include <span>
#include <utility>

#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

std::string text_of(const json::Value* value) {
    return value == nullptr ? std::string{} : json::to_text(*value);
}

/// What nobody is to read is not told by its changes either, nor by those of a list that has it.
bool is_hidden(const Attribute& attribute) {
    return attribute.is_hidden() || std::ranges::any_of(attribute.sub_attributes, is_hidden);
}

const json::Value* member(const json::Value* object, std::string_view name) {
    return object != nullptr && object->is_object() ? object->get_object().if_contains(name)
                                                    : nullptr;
}

void compare(const Attribute& attribute, const Place& place, const json::Value* before,
             const json::Value* after, std::vector<Change>& changes) {
    if (before == nullptr && after == nullptr) return;
    if (before != nullptr && after != nullptr && *before == *after) return;
    if (attribute.type == Type::Complex && !attribute.multi_valued && !attribute.is_hidden()) {
        for (const Attribute& sub : attribute.sub_attributes) {
            compare(sub, place.at(sub.name), member(before, sub.name), member(after, sub.name),
                    changes);
        }
        return;
    }
    if (is_hidden(attribute)) {
        constexpr std::string_view kHidden = R"("[redacted]")";
        changes.push_back({place.to_string(), std::string{before == nullptr ? "" : kHidden},
                           std::string{after == nullptr ? "" : kHidden}});
        return;
    }
    changes.push_back({place.to_string(), text_of(before), text_of(after)});
}

/// What is kept of attributes that `known` does not have.
template <class Known>
void compare_kept(const Place& place, const json::Object* before, const json::Object* after,
                  Known known, std::vector<Change>& changes) {
    const auto value_in = [](const json::Object* object, std::string_view name) {
        return object == nullptr ? nullptr : object->if_contains(name);
    };
    static const json::Object kNone;
    for (const auto& [name, value] : after == nullptr ? kNone : *after) {
        const json::Value* old = value_in(before, name);
        if (known(std::string_view(name)) || (old != nullptr && *old == value)) continue;
        changes.push_back({place.at(name).to_string(), text_of(old), text_of(&value)});
    }
    for (const auto& [name, value] : before == nullptr ? kNone : *before) {
        if (known(std::string_view(name)) || value_in(after, name) != nullptr) continue;
        changes.push_back({place.at(name).to_string(), text_of(&value), {}});
    }
}

}  // namespace

std::vector<Change> diff(const ResourceType& type, const json::Object& before,
                         const json::Object& after) {
    std::vector<Change> changes;
    changes.reserve(2 * after.size());
    const auto in = [](const json::Object* object, std::string_view name) {
        return object == nullptr ? nullptr : object->if_contains(name);
    };
    const auto compare_all = [&](std::span<const Attribute> attributes, const Place& place,
                                 const json::Object* old_object, const json::Object* new_object) {
        for (const Attribute& attribute : attributes) {
            compare(attribute, place.at(attribute.name), in(old_object, attribute.name),
                    in(new_object, attribute.name), changes);
        }
    };
    // `schemas` follows from the rest, and `id` never changes: only externalId is left.
    const Attribute& external_id = *common_attributes().find("externalId");
    compare_all(std::span{&external_id, 1}, Place{}, &before, &after);
    compare_all(type.schema->attributes, Place{}, &before, &after);
    for (const Extension& extension : type.extensions) {
        const std::string& urn = extension.schema->id;
        const json::Value* old_value = in(&before, urn);
        const json::Value* new_value = in(&after, urn);
        const json::Object* old_object = old_value == nullptr ? nullptr : old_value->if_object();
        const json::Object* new_object = new_value == nullptr ? nullptr : new_value->if_object();
        const Place place{.extension = urn};
        compare_all(extension.schema->attributes, place, old_object, new_object);
        const auto in_schema = [&](std::string_view name) {
            return extension.schema->find(name) != nullptr;
        };
        compare_kept(place, old_object, new_object, in_schema, changes);
    }
    const auto in_type = [&](std::string_view name) {
        return type.find(name) != nullptr || type.extension(name) != nullptr;
    };
    compare_kept(Place{}, &before, &after, in_type, changes);
    return changes;
}

}  // namespace muster::scim
