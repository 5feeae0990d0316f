// Stored values against attributes that were not there when they were written.

#include <algorithm>
#include <span>

#include "base/text.hpp"
#include "scim/resource/normalise.hpp"
#include "scim/resource/resource.hpp"

namespace muster::scim {
namespace {

const Attribute* named(std::span<const Attribute> attributes, std::string_view name) {
    const auto found = std::ranges::find_if(
        attributes, [&](const Attribute& one) { return equals_ignoring_case(one.name, name); });
    return found == attributes.end() ? nullptr : &*found;
}

bool has_more(std::span<const Attribute> before, std::span<const Attribute> after) {
    return std::ranges::any_of(after, [&](const Attribute& one) {
        const auto* known = named(before, one.name);
        return known == nullptr || has_more(known->sub_attributes, one.sub_attributes);
    });
}

bool fits(const Attribute& attribute, const json::Value& value) {
    constexpr PrepareLimits kAnySize{.max_value_bytes = ~std::size_t{0},
                                     .max_identifier_bytes = ~std::size_t{0},
                                     .max_elements = ~std::size_t{0},
                                     .max_members = ~std::size_t{0}};
    std::vector<Note> notes;
    const Normaliser normaliser(kAnySize, notes);
    const auto normal = normaliser.attribute(attribute, value, Place{}.at(attribute.name));
    return normal && *normal == value;
}

/// The first new attribute that a stored value does not fit; empty: none.
std::string misfit_in(std::span<const Attribute> before, std::span<const Attribute> after,
                      const json::Object& object) {
    for (const Attribute& one : after) {
        const auto* value = json::find_ignoring_case(object, one.name);
        if (value == nullptr || value->is_null()) continue;
        const auto* known = named(before, one.name);
        if (known == nullptr) {
            if (!fits(one, *value)) return one.name;
            continue;
        }
        const auto* array = value->if_array();
        const std::span<const json::Value> elements =
            array != nullptr ? std::span(array->data(), array->size()) : std::span(value, 1);
        for (const json::Value& element : elements) {
            if (!element.is_object()) continue;
            auto misfit =
                misfit_in(known->sub_attributes, one.sub_attributes, element.get_object());
            if (!misfit.empty()) return one.name + "." + misfit;
        }
    }
    return {};
}

std::span<const Attribute> attributes_of(const Schema* schema) {
    return schema != nullptr ? std::span<const Attribute>(schema->attributes)
                             : std::span<const Attribute>();
}

}  // namespace

bool has_more_attributes(const ResourceType& before, const ResourceType& after) {
    return has_more(before.schema->attributes, after.schema->attributes) ||
           std::ranges::any_of(after.extensions, [&](const Extension& extension) {
               return has_more(attributes_of(before.extension(extension.schema->id)),
                               extension.schema->attributes);
           });
}

std::string misfit_of(const ResourceType& before, const ResourceType& after,
                      const json::Object& document) {
    auto misfit = misfit_in(before.schema->attributes, after.schema->attributes, document);
    for (const Extension& extension : after.extensions) {
        if (!misfit.empty()) break;
        const auto* value = json::find_ignoring_case(document, extension.schema->id);
        if (value == nullptr || !value->is_object()) continue;
        misfit = misfit_in(attributes_of(before.extension(extension.schema->id)),
                           extension.schema->attributes, value->get_object());
    }
    return misfit;
}

}  // namespace muster::scim
