#include "scim/schema/schema.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"

namespace muster::scim {

namespace {

const Attribute* find_in(const std::vector<Attribute>& attributes, std::string_view name) {
    const auto found = std::ranges::find_if(attributes, [name](const Attribute& attribute) {
        return equals_ignoring_case(attribute.name, name);
    });
    return found == attributes.end() ? nullptr : &*found;
}

const ResourceType* find_in(std::span<const std::unique_ptr<ResourceType>> types,
                            std::string ResourceType::* member, std::string_view value) {
    const auto found =
        std::ranges::find_if(types, [&](const auto& type) { return (*type).*member == value; });
    return found == types.end() ? nullptr : found->get();
}

}  // namespace

const Attribute* Attribute::find(std::string_view sub_name) const {
    return find_in(sub_attributes, sub_name);
}

const Attribute* Schema::find(std::string_view attribute_name) const {
    return find_in(attributes, attribute_name);
}

const Attribute* ResourceType::find(std::string_view attribute_name) const {
    if (const Attribute* own = schema->find(attribute_name)) return own;
    return common_attributes().find(attribute_name);
}

const Schema* ResourceType::extension(std::string_view urn) const {
    const auto found = std::ranges::find_if(extensions, [urn](const Extension& extension) {
        return equals_ignoring_case(extension.schema->id, urn);
    });
    return found == extensions.end() ? nullptr : found->schema;
}

bool Attribute::is_label() const {
    static constexpr std::array<std::string_view, 4> kLabels = {"type", "primary", "display",
                                                                "$ref"};
    return std::ranges::find(kLabels, name) != kLabels.end();
}

const ResourceType* Catalog::type_at(std::string_view endpoint) const {
    return find_in(types_, &ResourceType::endpoint, endpoint);
}

const ResourceType* Catalog::type_named(std::string_view name) const {
    return find_in(types_, &ResourceType::name, name);
}

bool Catalog::may_name_hidden(std::string_view text) const {
    if (hidden_names_.empty()) return false;
    const auto lower = to_lower_ascii(text);
    // An escape could spell any name.
    return lower.contains("\\u") ||
           std::ranges::any_of(hidden_names_,
                               [&lower](const std::string& name) { return lower.contains(name); });
}

}  // namespace muster::scim
