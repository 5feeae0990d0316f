#include "scim/patch/elements.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

namespace muster::scim {

namespace {

const json::Value* part(const json::Value& element, std::string_view name) {
    const json::Object* object = element.if_object();
    return object == nullptr ? nullptr : object->if_contains(name);
}

std::string scalar_key(const Attribute& attribute, const json::Value& value) {
    const json::String* text = value.if_string();
    return text == nullptr ? json::to_text(value) : comparison_key(attribute, *text);
}

/// U+0000 never stands in a value (json::parse), so it separates them.
void append_part(std::string& key, const Attribute& sub, const json::Value& value) {
    key += sub.name;
    key += '\0';
    key += scalar_key(sub, value);
    key += '\0';
}

/// Equal for elements that are the same one.
std::string identity(const Attribute& attribute, const json::Value& element) {
    if (!element.is_object()) return scalar_key(attribute, element);
    const bool has_value = part(element, "value") != nullptr;
    std::string key;
    for (const Attribute& sub : attribute.sub_attributes) {
        const bool counts =
            has_value ? sub.name == "value" || sub.name == "type" : sub.name != "primary";
        const json::Value* value = counts ? part(element, sub.name) : nullptr;
        if (value != nullptr) append_part(key, sub, *value);
    }
    return key;
}

json::Value to_value(const Literal& literal) {
    struct {
        json::Value operator()(Null) const { return json::Value(nullptr); }
        json::Value operator()(bool value) const { return json::Value(value); }
        json::Value operator()(std::int64_t value) const { return json::Value(value); }
        json::Value operator()(std::uint64_t value) const { return json::Value(value); }
        json::Value operator()(double value) const { return json::Value(value); }
        json::Value operator()(const std::string& value) const { return json::Value(value); }
    } constexpr kConvert;
    return std::visit(kConvert, literal);
}

}  // namespace

bool is_primary(const json::Value& element) {
    const json::Value* primary = part(element, "primary");
    return primary != nullptr && primary->is_bool() && primary->get_bool();
}

void give_primary(json::Array& elements, const std::vector<bool>& chosen) {
    if (std::ranges::find(chosen, true) == chosen.end()) return;
    for (std::size_t i = 0; i < elements.size(); ++i) {
        const bool wanted = i < chosen.size() && chosen[i];
        if (wanted != is_primary(elements[i])) elements[i].as_object()["primary"] = wanted;
    }
}

void add_elements(json::Array& elements, const Attribute& attribute, json::Array given) {
    std::unordered_map<std::string, std::size_t> known;
    known.reserve(elements.size() + given.size());
    for (std::size_t i = 0; i < elements.size(); ++i) {
        known.try_emplace(identity(attribute, elements[i]), i);
    }
    std::vector<bool> chosen(elements.size() + given.size(), false);
    for (json::Value& element : given) {
        const bool primary = is_primary(element);
        const auto [entry, is_new] =
            known.try_emplace(identity(attribute, element), elements.size());
        if (is_new) elements.push_back(std::move(element));
        if (primary) chosen[entry->second] = true;
    }
    give_primary(elements, chosen);
}

void remove_named(json::Array& elements, const Attribute& attribute, const json::Array& named) {
    std::unordered_set<std::string> keys;
    for (const json::Value& name : named) keys.insert(scalar_key(attribute, name));
    erase_if(elements, [&](const json::Value& element) {
        return keys.contains(scalar_key(attribute, element));
    });
}

std::unexpected<Error> refuse_named_removal(const Place& place) {
    return std::unexpected(invalid_value(
        fmt::format("remove takes no value. Select what to remove by a filter in the path, such as "
                    "{}[value eq \"…\"], or leave the value out to remove it all.",
                    place.to_string())));
}

std::optional<json::Object> element_described_by(const std::optional<Filter>& filter) {
    json::Object element;
    if (!filter) return element;
    std::vector<const Filter::Node*> open{&filter->root()};
    while (!open.empty()) {
        const Filter::Node& node = *open.back();
        open.pop_back();
        if (node.kind == Filter::Kind::And) {
            open.push_back(&filter->at(node.right));
            open.push_back(&filter->at(node.left));
            continue;
        }
        const Attribute* sub = node.path.sub_attribute;
        json::Value value = to_value(node.value);
        const bool usable = node.kind == Filter::Kind::Compare && node.op == Operator::Eq &&
                            sub != nullptr && sub->mutability != Mutability::ReadOnly &&
                            !value.is_null();
        if (!usable) return std::nullopt;
        const json::Value* known = element.if_contains(sub->name);
        if (known != nullptr && *known != value) return std::nullopt;
        element.insert_or_assign(sub->name, std::move(value));
    }
    return element;
}

}  // namespace muster::scim
