#include "scim/projection/projection.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"

namespace muster::scim {

namespace {

/// More than all attributes that a resource has.
constexpr std::size_t kMaxNames = 200;

/// Microsoft's collection asks for `emails[type eq "work"]`: a filter selects no attribute.
std::string without_filter(std::string_view name) {
    const auto open = name.find('[');
    const auto close = name.rfind(']');
    std::string plain{name.substr(0, open)};
    if (open != std::string_view::npos && close != std::string_view::npos && close > open) {
        plain += name.substr(close + 1);
    }
    return plain;
}

/// Moves the members that `keep` leaves into a new object, in their order. `keep` may change the
/// value, and leaves it out by returning false.
template <class Keep>
void filter_members(json::Object& object, Keep keep) {
    json::Object kept(object.storage());
    kept.reserve(object.size());
    for (auto& member : object) {
        if (!keep(member.key(), member.value())) continue;
        kept.emplace(member.key(), std::move(member.value()));
    }
    object = std::move(kept);
}

/// Removes sub-attributes from a complex value or from each of several; false if nothing is left.
template <class Keep>
bool filter_parts(const Attribute& attribute, json::Value& value, Keep keep) {
    if (json::Array* array = value.if_array()) {
        json::Array kept(array->storage());
        kept.reserve(array->size());
        for (json::Value& each : *array) {
            if (filter_parts(attribute, each, keep)) kept.push_back(std::move(each));
        }
        *array = std::move(kept);
        return !array->empty();
    }
    json::Object* object = value.if_object();
    if (object == nullptr) return true;
    filter_members(*object, [&](std::string_view name, json::Value&) {
        const Attribute* sub = attribute.find(name);
        return sub != nullptr && keep(*sub);
    });
    return !object->empty();
}

}  // namespace

Result<Projection> Projection::parse(const ResourceType& type, std::string_view attributes,
                                     std::string_view excluded) {
    if (!attributes.empty() && !excluded.empty()) {
        return std::unexpected(
            invalid_value("Both attributes and excludedAttributes were sent; they exclude each "
                          "other. Send one."));
    }
    Projection projection;
    if (attributes.empty() && excluded.empty()) return projection;
    projection.mode_ = excluded.empty() ? Mode::Only : Mode::Except;
    std::string_view rest = excluded.empty() ? attributes : excluded;
    for (std::size_t names = 0; !rest.empty(); ++names) {
        if (names == kMaxNames) {
            return std::unexpected(invalid_value(
                fmt::format("More than {} attributes were named. Name fewer.", kMaxNames)));
        }
        const auto comma = rest.find(',');
        const std::string name = without_filter(trim(rest.substr(0, comma)));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
        if (const auto path = try_resolve(type, name)) {
            projection.paths_.push_back(*path);
        } else {
            projection.unknown_names_.push_back(name);
        }
    }
    return projection;
}

Projection::Share Projection::share(const AttributePath& target) const {
    if (mode_ == Mode::Default) return Share::None;
    Share share = Share::None;
    for (const AttributePath& path : paths_) {
        if (path.extension != target.extension) continue;
        if (path.attribute != nullptr && path.attribute != target.attribute) continue;
        if (path.sub_attribute == nullptr || path.sub_attribute == target.sub_attribute) {
            return Share::Whole;
        }
        if (target.sub_attribute == nullptr) share = Share::Part;
    }
    return share;
}

/// Whether one sub-attribute of an attribute that is returned is returned with it.
bool Projection::wants_part(const AttributePath& part, bool whole) const {
    const Attribute& sub = *part.sub_attribute;
    if (sub.returned == Returned::Never) return false;
    if (sub.returned == Returned::Always) return true;
    const bool by_default = sub.returned == Returned::Default;
    const auto named = [&](const AttributePath& path) { return path == part; };
    const bool is_named = std::ranges::any_of(paths_, named);
    if (mode_ == Mode::Only) return is_named || (whole && by_default);
    return by_default && !is_named;
}

bool Projection::wants(const AttributePath& path) const {
    switch (path.attribute->returned) {
        case Returned::Never:
            return false;
        case Returned::Always:
            return true;
        default:
            break;
    }
    const bool by_default = path.attribute->returned == Returned::Default;
    switch (mode_) {
        case Mode::Default:
            return by_default;
        case Mode::Only:
            return share(path) != Share::None;
        case Mode::Except:
            return by_default && share(path) != Share::Whole;
    }
    std::unreachable();
}

bool Projection::wants(const Attribute& attribute) const {
    return wants(AttributePath{.attribute = &attribute});
}

/// What is kept of an attribute that no schema has is returned by default.
bool Projection::wants_unknown(const Schema* extension, std::string_view name) const {
    std::string whole{name};
    if (extension != nullptr) whole = fmt::format("{}:{}", extension->id, name);
    const bool named =
        std::ranges::any_of(
            unknown_names_,
            [&whole](const std::string& each) { return equals_ignoring_case(each, whole); }) ||
        std::ranges::any_of(paths_, [extension](const AttributePath& path) {
            return extension != nullptr && path.extension == extension && path.attribute == nullptr;
        });
    return mode_ == Mode::Only ? named : !named;
}

void Projection::apply(const ResourceType& type, json::Object& resource) const {
    const auto keep = [&](const Schema* extension, std::string_view name, json::Value& value) {
        const Attribute* attribute = extension == nullptr ? type.find(name) : extension->find(name);
        if (attribute == nullptr) return wants_unknown(extension, name);
        AttributePath path{.extension = extension, .attribute = attribute};
        if (!wants(path)) return false;
        if (attribute->type != Type::Complex) return true;
        const bool always = attribute->returned == Returned::Always;
        const bool whole = share(path) == Share::Whole;
        return filter_parts(*attribute, value, [&](const Attribute& sub) {
            path.sub_attribute = &sub;
            const bool goes_along = always && sub.returned == Returned::Default;
            return goes_along || wants_part(path, whole);
        });
    };
    filter_members(resource, [&](std::string_view name, json::Value& value) {
        const Schema* extension = type.extension(name);
        json::Object* object = value.if_object();
        if (extension == nullptr || object == nullptr) return keep(nullptr, name, value);
        filter_members(*object, [&](std::string_view part, json::Value& part_value) {
            return keep(extension, part, part_value);
        });
        return !object->empty();
    });
}

}  // namespace muster::scim
