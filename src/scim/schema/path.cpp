#include "scim/schema/path.hpp"

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"

namespace muster::scim {

namespace {

/// No attribute's name is longer, so nothing longer can be a typo of one. It also bounds the cost
/// of looking for the nearest name.
constexpr std::size_t kLongestTypo = 40;

/// What follows `urn` and a delimiter in `text`; "" where `text` is just the URN; nothing where it
/// does not begin with it. A dot delimits too: Microsoft's inbound client writes one.
std::optional<std::string_view> behind_urn(std::string_view text, std::string_view urn) {
    if (!equals_ignoring_case(text.substr(0, urn.size()), urn)) return std::nullopt;
    text.remove_prefix(urn.size());
    if (text.empty()) return text;
    if (text.size() == 1 || (text.front() != ':' && text.front() != '.')) return std::nullopt;
    return text.substr(1);
}

void add_names(std::vector<std::string>& names, const Schema& schema) {
    for (const Attribute& attribute : schema.attributes) {
        names.push_back(attribute.name);
        for (const Attribute& sub : attribute.sub_attributes) {
            names.push_back(fmt::format("{}.{}", attribute.name, sub.name));
        }
    }
}

/// The attribute of these schemas that `name` is probably a typo of, or "".
std::string nearest_in(std::span<const Schema* const> schemas, std::string_view name) {
    if (name.size() > kLongestTypo) return {};
    std::vector<std::string> names;
    for (const Schema* schema : schemas) add_names(names, *schema);
    return std::string{nearest(name, names)};
}

std::string suggestion(const ResourceType& type, std::string_view text) {
    std::vector<const Schema*> schemas = {type.schema};
    for (const Extension& extension : type.extensions) schemas.push_back(extension.schema);
    for (const Schema* const& schema : schemas) {
        const auto name = behind_urn(text, schema->id);
        if (!name) continue;
        const std::string near = nearest_in({&schema, 1}, *name);
        return near.empty() ? near : fmt::format("{}:{}", schema->id, near);
    }
    schemas.push_back(&common_attributes());
    return nearest_in(schemas, text);
}

Error unknown(const ResourceType& type, std::string_view text, ScimType kind) {
    std::string detail = fmt::format("{} has no attribute {}.", type.name, scim::quoted(text));
    if (const std::string near = suggestion(type, text); !near.empty()) {
        detail += fmt::format(" Did you mean {}?", near);
    }
    return {.status = 400, .type = kind, .detail = std::move(detail)};
}

/// Resolves "attribute" or "attribute.subAttribute" by means of `find_attribute`.
template <class FindAttribute>
std::optional<AttributePath> resolve_in(const Schema* extension, std::string_view text,
                                        FindAttribute find_attribute) {
    const auto dot = text.find('.');
    AttributePath path{.extension = extension, .attribute = find_attribute(text.substr(0, dot))};
    if (path.attribute == nullptr) return std::nullopt;
    if (dot == std::string_view::npos) return path;
    path.sub_attribute = path.attribute->find(text.substr(dot + 1));
    if (path.sub_attribute == nullptr) return std::nullopt;
    return path;
}

std::optional<AttributePath> resolve_extension(const Schema& schema, std::string_view text) {
    return resolve_in(&schema, text, [&](std::string_view name) { return schema.find(name); });
}

std::optional<AttributePath> resolve_core(const ResourceType& type, std::string_view text) {
    return resolve_in(nullptr, text, [&](std::string_view name) { return type.find(name); });
}

/// Nothing where the URN is none of the type's; a path to be checked for an attribute otherwise.
std::optional<AttributePath> resolve_urn(const ResourceType& type, std::string_view text) {
    if (const auto rest = behind_urn(text, type.schema->id)) return resolve_core(type, *rest);
    for (const Extension& extension : type.extensions) {
        const auto rest = behind_urn(text, extension.schema->id);
        if (!rest) continue;
        if (rest->empty()) return AttributePath{.extension = extension.schema};
        return resolve_extension(*extension.schema, *rest);
    }
    return std::nullopt;
}

std::optional<AttributePath> resolve_plain(const ResourceType& type, std::string_view text) {
    if (auto path = resolve_core(type, text)) return path;
    for (const Extension& extension : type.extensions) {
        if (auto path = resolve_extension(*extension.schema, text)) return path;
    }
    return std::nullopt;
}

}  // namespace

std::string AttributePath::to_string() const {
    std::string text;
    if (extension != nullptr) text = extension->id;
    if (attribute == nullptr) return text;
    if (extension != nullptr) text += ':';
    text += attribute->name;
    if (sub_attribute != nullptr) {
        text += '.';
        text += sub_attribute->name;
    }
    return text;
}

std::optional<AttributePath> try_resolve(const ResourceType& type, std::string_view text) {
    const bool is_urn = equals_ignoring_case(text.substr(0, 4), "urn:");
    return is_urn ? resolve_urn(type, text) : resolve_plain(type, text);
}

Result<AttributePath> resolve(const ResourceType& type, std::string_view text, ScimType kind) {
    const auto path = try_resolve(type, text);
    if (!path) return std::unexpected(unknown(type, text, kind));
    return *path;
}

const json::Object* container(const json::Object& document, const AttributePath& path) {
    if (path.extension == nullptr) return &document;
    const json::Value* extension = document.if_contains(path.extension->id);
    return extension == nullptr ? nullptr : extension->if_object();
}

const json::Value* find(const json::Object& document, const AttributePath& path) {
    if (path.attribute == nullptr) return document.if_contains(path.extension->id);
    const json::Object* object = container(document, path);
    return object == nullptr ? nullptr : object->if_contains(path.attribute->name);
}

}  // namespace muster::scim
