#include "scim/resource/finish.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/resource/kept.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

bool may_be_stored(const Attribute& attribute) { return !attribute.is_only_written(); }

std::unexpected<Error> missing(const Place& place) {
    return std::unexpected(invalid_value(
        fmt::format("{} is required but has no value. Send one: in the identity provider, map the "
                    "attribute and give the person or group a value for it.",
                    place.to_string())));
}

bool is_primary(const json::Value& element) {
    const json::Object* object = element.if_object();
    const json::Value* primary = object == nullptr ? nullptr : object->if_contains("primary");
    return primary != nullptr && primary->is_bool() && primary->get_bool();
}

bool has_content(const Attribute& attribute, const json::Object& object) {
    bool only_labels = true;
    for (const Attribute& sub : attribute.sub_attributes) {
        if (sub.is_label()) continue;
        only_labels = false;
        const json::Value* value = object.if_contains(sub.name);
        if (value != nullptr && !is_unassigned(*value)) return true;
    }
    return only_labels;
}

/// Scalars in the order of the schema and nothing else, none of them required and missing: as it
/// would be moved.
bool is_tidy(std::span<const Attribute> attributes, const json::Object& object) {
    auto next = object.begin();
    for (const Attribute& attribute : attributes) {
        if (next == object.end() || std::string_view{next->key()} != attribute.name) {
            if (attribute.required) return false;
            continue;
        }
        const json::Value& value = next->value();
        if (!may_be_stored(attribute) || is_unassigned(value) || value.is_structured())
            return false;
        ++next;
    }
    return next == object.end();
}

Result<void> same(const Attribute& attribute, const json::Object& before, const json::Object& after,
                  const Place& place) {
    const json::Value* old = before.if_contains(attribute.name);
    if (old == nullptr) return {};
    const json::Value* now = after.if_contains(attribute.name);
    if (attribute.mutability == Mutability::Immutable) {
        if (now != nullptr && *now == *old) return {};
        return std::unexpected(mutability(
            fmt::format("{} is immutable and has a value already; it can be neither changed nor "
                        "removed. Send the value that it has.",
                        place.to_string())));
    }
    const json::Object* old_object = old->if_object();
    if (old_object == nullptr) return {};
    static const json::Object kNone;
    const json::Object* now_object = now == nullptr ? nullptr : now->if_object();
    for (const Attribute& sub : attribute.sub_attributes) {
        TRY_VOID(same(sub, *old_object, now_object == nullptr ? kNone : *now_object,
                      place.at(sub.name)));
    }
    return {};
}

}  // namespace

bool is_needed(const Attribute& attribute) {
    return attribute.required && attribute.mutability != Mutability::ReadOnly;
}

Result<void> check_needed(const Attribute* needed, const Place& place) {
    return needed == nullptr ? Result<void>() : missing(place.at(needed->name));
}

Result<void> check_extension(const Extension& extension, const json::Object& kept,
                             const Attribute* needed) {
    if (kept.empty() && !extension.required) return {};
    const Place place{.extension = extension.schema->id};
    TRY_VOID(check_needed(needed, place));
    return kept.empty() ? missing(place) : Result<void>();
}

Result<json::Value> Finisher::tidy(const Attribute& attribute, json::Value&& value,
                                   const Place& place) {
    json::Array* array = value.if_array();
    if (array == nullptr) return tidy_one(attribute, std::move(value), place);
    std::size_t kept = 0;
    int primaries = 0;
    for (json::Value& each : *array) {
        TRY_ASSIGN(json::Value element, tidy_one(attribute, std::move(each), place));
        if (element.is_null()) continue;
        primaries += is_primary(element) ? 1 : 0;
        (*array)[kept++] = std::move(element);
    }
    if (primaries > 1) {
        return std::unexpected(
            invalid_value(fmt::format("{} has {} values marked as primary; at most one may be. "
                                      "Mark one, or none.",
                                      place.to_string(), primaries)));
    }
    if (kept == 0) return json::Value(nullptr);
    array->resize(kept);
    return std::move(value);
}

Result<json::Value> Finisher::tidy_one(const Attribute& attribute, json::Value&& value,
                                       const Place& place) {
    if (is_unassigned(value)) return json::Value(nullptr);
    json::Object* object = value.if_object();
    if (object == nullptr || attribute.type != Type::Complex) return std::move(value);
    if (object->empty()) return json::Value(nullptr);
    if (!has_content(attribute, *object)) {
        add_note(notes_, "empty-element-dropped",
                 fmt::format("A value of {} held no data of its own; it was dropped.",
                             place.to_string()));
        return json::Value(nullptr);
    }
    if (is_tidy(attribute.sub_attributes, *object)) return std::move(value);
    json::Object result(object->storage());
    result.reserve(object->size());
    TRY_ASSIGN(const Attribute* needed,
               move_attributes(attribute.sub_attributes, *object, result, place, may_be_stored));
    TRY_VOID(check_needed(needed, place));
    if (result.empty()) return json::Value(nullptr);
    return json::Value(std::move(result));
}

Result<const Attribute*> Finisher::move_attributes(std::span<const Attribute> attributes,
                                                   json::Object& from, json::Object& to,
                                                   const Place& place, Wanted wanted) {
    const Attribute* needed = nullptr;
    for (const Attribute& attribute : attributes) {
        if (!wanted(attribute)) continue;
        const Place here = place.at(attribute.name);
        json::Value kept(to.storage());
        if (json::Value* value = from.if_contains(attribute.name)) {
            TRY_ASSIGN(kept, tidy(attribute, std::move(*value), here));
        }
        if (!kept.is_null()) {
            to.emplace(attribute.name, std::move(kept));
        } else if (needed == nullptr && is_needed(attribute)) {
            needed = &attribute;
        }
    }
    return needed;
}

Result<json::Object> finish(const ResourceType& type, json::Object document,
                            std::vector<Note>& notes) {
    Finisher finisher(notes);
    json::Object result;
    result.reserve(document.size() + 1);
    result.emplace("schemas", nullptr);
    for (const Schema* schema : {&common_attributes(), type.schema}) {
        TRY_ASSIGN(const Attribute* needed, finisher.move_attributes(schema->attributes, document,
                                                                     result, Place{}, is_stored));
        TRY_VOID(check_needed(needed, Place{}));
    }
    json::Array schemas{type.schema->id};
    KeptBounds bounds;
    for (const Extension& extension : type.extensions) {
        const std::string& urn = extension.schema->id;
        json::Value* value = document.if_contains(urn);
        json::Object* object = value == nullptr ? nullptr : value->if_object();
        json::Object none;
        json::Object& from = object == nullptr ? none : *object;
        json::Object kept;
        TRY_ASSIGN(const Attribute* needed,
                   finisher.move_attributes(extension.schema->attributes, from, kept,
                                            Place{.extension = urn}, may_be_stored));
        TRY_VOID(bounds.move(from, kept, [&](std::string_view name) {
            return extension.schema->find(name) != nullptr;
        }));
        TRY_VOID(check_extension(extension, kept, needed));
        if (kept.empty()) continue;
        result.emplace(urn, std::move(kept));
        schemas.emplace_back(urn);
    }
    TRY_VOID(bounds.move(document, result, [&](std::string_view name) {
        return type.find(name) != nullptr || type.extension(name) != nullptr;
    }));
    result["schemas"] = std::move(schemas);
    return result;
}

Result<json::Object> finish_document(const ResourceType& type, json::Object document) {
    std::vector<Note> dropped;
    return finish(type, std::move(document), dropped);
}

Result<void> check_immutable(const ResourceType& type, const json::Object& before,
                             const json::Object& after) {
    for (const Attribute& attribute : type.schema->attributes) {
        TRY_VOID(same(attribute, before, after, Place{.attribute = attribute.name}));
    }
    static const json::Object kNone;
    for (const Extension& extension : type.extensions) {
        const json::Value* old = before.if_contains(extension.schema->id);
        if (old == nullptr || !old->is_object()) continue;
        const json::Value* now = after.if_contains(extension.schema->id);
        const json::Object& object = now == nullptr ? kNone : now->get_object();
        for (const Attribute& attribute : extension.schema->attributes) {
            TRY_VOID(same(attribute, old->get_object(), object,
                          Place{extension.schema->id, attribute.name, {}}));
        }
    }
    return {};
}

bool is_stored(const Attribute& attribute) {
    static constexpr std::array<std::string_view, 4> kDerived = {"schemas", "meta", "members",
                                                                 "groups"};
    return may_be_stored(attribute) &&
           std::ranges::find(kDerived, attribute.name) == kDerived.end();
}

bool is_active(const json::Object& document) {
    const json::Value* active = document.if_contains("active");
    return active == nullptr || !active->is_bool() || active->get_bool();
}

}  // namespace muster::scim
