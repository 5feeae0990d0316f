#include "scim/patch/values.hpp"

#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "scim/patch/elements.hpp"

namespace muster::scim {

namespace {

std::unexpected<Error> immutable(const Place& place) {
    return std::unexpected(mutability(
        fmt::format("{} is immutable and has a value already; it can be neither changed nor "
                    "removed. Leave it out of the request.",
                    place.to_string())));
}

/// Assigns a normalised value.
Result<void> put(json::Object& holder, const Attribute& attribute, json::Value value,
                 const Place& place) {
    json::Value* old = holder.if_contains(attribute.name);
    if (old == nullptr) {
        holder.emplace(attribute.name, std::move(value));
        return {};
    }
    if (*old == value) return {};
    if (attribute.mutability == Mutability::Immutable) return immutable(place);
    *old = std::move(value);
    // A reference to what `value` was would now contradict it.
    if (attribute.name == "value") holder.erase("$ref");
    return {};
}

Result<void> erase(json::Object& holder, const Attribute& attribute, const Place& place) {
    const bool removed = holder.erase(attribute.name) > 0;
    if (removed && attribute.mutability == Mutability::Immutable) return immutable(place);
    if (removed && attribute.name == "value") holder.erase("$ref");
    return {};
}

template <class Container>
Container& container_at(json::Object& holder, const Attribute& attribute) {
    json::Value& value = holder[attribute.name];
    if constexpr (std::is_same_v<Container, json::Array>) {
        return value.is_array() ? value.get_array() : value.emplace_array();
    } else {
        return value.is_object() ? value.get_object() : value.emplace_object();
    }
}

std::size_t text_in(const json::Value& element) {
    const json::Object* object = element.if_object();
    if (object == nullptr) return 0;
    return std::accumulate(object->begin(), object->end(), std::size_t{0},
                           [](std::size_t bytes, const auto& part) {
                               const json::String* text = part.value().if_string();
                               return bytes + (text == nullptr ? 0 : text->size());
                           });
}

bool is_selected(const std::optional<Filter>& filter, const json::Value& element) {
    return element.is_object() && (!filter || filter->matches_element(element));
}

}  // namespace

Result<void> ValuePatcher::assign(Kind kind, json::Object& holder, const Attribute& attribute,
                                  const json::Value& given, const Place& place) {
    if (attribute.multi_valued) return assign_elements(kind, holder, attribute, given, place);
    if (attribute.type == Type::Complex && given.is_object()) {
        return merge(kind, container_at<json::Object>(holder, attribute), attribute,
                     given.get_object(), place);
    }
    TRY_ASSIGN(json::Value value, normaliser_.attribute(attribute, given, place));
    if (!value.is_null()) return put(holder, attribute, std::move(value), place);
    return kind == Kind::Replace ? erase(holder, attribute, place) : Result<void>{};
}

Result<void> ValuePatcher::assign_elements(Kind kind, json::Object& holder,
                                           const Attribute& attribute, const json::Value& given,
                                           const Place& place) {
    TRY_ASSIGN(json::Value value, normaliser_.attribute(attribute, given, place));
    if (value.is_null()) {
        return kind == Kind::Replace ? erase(holder, attribute, place) : Result<void>{};
    }
    if (kind == Kind::Replace) return put(holder, attribute, std::move(value), place);
    auto& elements = container_at<json::Array>(holder, attribute);
    TRY_VOID(look_at(elements));
    add_elements(elements, attribute, std::move(value.get_array()));
    return check_count(elements, place);
}

Result<void> ValuePatcher::merge(Kind kind, json::Object& target, const Attribute& attribute,
                                 const json::Object& given, const Place& place) {
    const auto& subs = attribute.sub_attributes;
    const auto values = by_attribute(subs, given, place, normaliser_.notes());
    for (std::size_t i = 0; i < subs.size(); ++i) {
        if (values[i] == nullptr) continue;
        const Place here = place.at(subs[i].name);
        if (subs[i].mutability == Mutability::ReadOnly) {
            if (!is_unassigned(*values[i])) note_read_only(normaliser_.notes(), here.to_string());
            continue;
        }
        TRY_VOID(assign(kind, target, subs[i], *values[i], here));
    }
    return {};
}

Result<void> ValuePatcher::remove(json::Object& holder, const Attribute& attribute,
                                  const json::Value* named, const Place& place) {
    if (!attribute.multi_valued || named == nullptr || named->is_null()) {
        return erase(holder, attribute, place);
    }
    if (attribute.type == Type::Complex) return refuse_named_removal(place);
    TRY_ASSIGN(const json::Value value, normaliser_.attribute(attribute, *named, place));
    if (value.is_null()) return {};
    json::Value* stored = holder.if_contains(attribute.name);
    if (stored != nullptr && stored->is_array()) {
        TRY_VOID(look_at(stored->get_array()));
        remove_named(stored->get_array(), attribute, value.get_array());
    }
    return {};
}

Result<void> ValuePatcher::assign_selected(Kind kind, json::Object& holder, const PatchPath& path,
                                           const json::Value& given, const Place& place) {
    const bool whole = path.target.sub_attribute == nullptr;
    const bool clears = is_unassigned(given);
    if (clears && whole) {
        return kind == Kind::Replace ? remove_selected(holder, path, place) : Result<void>{};
    }
    auto& elements = container_at<json::Array>(holder, *path.target.attribute);
    TRY_VOID(look_at(elements, path.element_filter));
    std::vector<bool> chosen(elements.size() + 1, false);
    bool found = false;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        if (!is_selected(path.element_filter, elements[i])) continue;
        found = true;
        const bool was_primary = is_primary(elements[i]);
        TRY_VOID(assign_element(kind, elements[i].get_object(), path, given, place));
        chosen[i] = !was_primary && is_primary(elements[i]);
    }
    if (!found && !clears) {
        // RFC 7644 §3.5.2.1 lets add make what is not there, §3.5.2.3 does not let replace.
        const bool may_create = kind == Kind::Add || !path.element_filter;
        auto element = may_create ? element_described_by(path.element_filter) : std::nullopt;
        if (!element) {
            return std::unexpected(no_target(fmt::format(
                "No value of {} matches the filter in the path. Add it first; add creates one from "
                "comparisons with eq joined by \"and\".",
                place.to_string())));
        }
        TRY_VOID(assign_element(kind, *element, path, given, place));
        elements.emplace_back(*std::move(element));
        chosen[elements.size() - 1] = is_primary(elements.back());
        TRY_VOID(check_count(elements, place));
    }
    give_primary(elements, chosen);
    return {};
}

Result<void> ValuePatcher::assign_element(Kind kind, json::Object& element, const PatchPath& path,
                                          const json::Value& given, const Place& place) {
    if (const Attribute* sub = path.target.sub_attribute) {
        return assign(kind, element, *sub, given, place.at(sub->name));
    }
    if (kind == Kind::Replace) return replace_element(element, path, given, place);
    const Attribute& attribute = *path.target.attribute;
    if (const json::Object* object = given.if_object()) {
        return merge(kind, element, attribute, *object, place);
    }
    TRY_ASSIGN(const json::Value value, normaliser_.element(attribute, given, place));
    const json::Object* parts = value.if_object();
    return parts == nullptr ? Result<void>{} : merge(kind, element, attribute, *parts, place);
}

Result<void> ValuePatcher::replace_element(json::Object& element, const PatchPath& path,
                                           const json::Value& given, const Place& place) {
    const Attribute& attribute = *path.target.attribute;
    TRY_ASSIGN(json::Value value, normaliser_.element(attribute, given, place));
    if (value.is_null()) return {};
    // What selected the element stays true of it unless the new value says otherwise.
    json::Object result = element_described_by(path.element_filter).value_or(json::Object{});
    for (auto& member : value.as_object()) {
        result.insert_or_assign(member.key(), std::move(member.value()));
    }
    for (const Attribute& sub : attribute.sub_attributes) {
        json::Value* old = element.if_contains(sub.name);
        if (old == nullptr) continue;
        const json::Value* now = result.if_contains(sub.name);
        if (sub.mutability == Mutability::ReadOnly) {
            result.insert_or_assign(sub.name, std::move(*old));
        } else if (sub.mutability == Mutability::Immutable && (now == nullptr || *now != *old)) {
            return immutable(place.at(sub.name));
        }
    }
    element = std::move(result);
    return {};
}

Result<void> ValuePatcher::remove_selected(json::Object& holder, const PatchPath& path,
                                           const Place& place) {
    json::Value* stored = holder.if_contains(path.target.attribute->name);
    json::Array* elements = stored == nullptr ? nullptr : stored->if_array();
    if (elements == nullptr) return {};
    TRY_VOID(look_at(*elements, path.element_filter));
    const Attribute* sub = path.target.sub_attribute;
    if (sub == nullptr) {
        erase_if(*elements, [&](const json::Value& element) {
            return is_selected(path.element_filter, element);
        });
        return {};
    }
    for (json::Value& element : *elements) {
        if (!is_selected(path.element_filter, element)) continue;
        TRY_VOID(erase(element.get_object(), *sub, place.at(sub->name)));
    }
    return {};
}

Result<void> ValuePatcher::look_at(const json::Array& elements,
                                   const std::optional<Filter>& filter) {
    constexpr std::size_t kBytesOfOne = 32;
    std::size_t bytes = 0;
    for (const json::Value& element : elements) bytes += text_in(element);
    const std::size_t nodes = filter ? filter->size() : 1;
    const std::size_t price = nodes * (elements.size() + bytes / kBytesOfOne);
    if (price > left_to_look_at_) {
        return std::unexpected(too_many(
            "The operations of this PATCH would have to look at too many values. Send them in "
            "several requests."));
    }
    left_to_look_at_ -= price;
    return {};
}

Result<void> ValuePatcher::check_count(const json::Array& elements, const Place& place) const {
    const std::size_t limit = normaliser_.limits().max_elements;
    if (elements.size() <= limit) return {};
    return std::unexpected(invalid_value(
        fmt::format("{} would have {} values; at most {} are accepted. Remove some first.",
                    place.to_string(), elements.size(), limit)));
}

}  // namespace muster::scim
