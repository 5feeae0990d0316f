#include <algorithm>
#include <compare>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <variant>

#include "scim/filter/filter.hpp"
#include "scim/filter/literal.hpp"

namespace muster::scim {

namespace {

/// RFC 7643 §2.5: null and the empty array are the same as no value; so is what holds nothing else.
bool is_present(const json::Value& value) {
    switch (value.kind()) {
        case boost::json::kind::null:
            return false;
        case boost::json::kind::string:
            return !value.get_string().empty();
        case boost::json::kind::array:
            return std::ranges::any_of(value.get_array(), is_present);
        case boost::json::kind::object:
            return std::ranges::any_of(
                value.get_object(), [](const auto& member) { return is_present(member.value()); });
        default:
            return true;
    }
}

/// Whether `visit` is true for one of the values that `sub` (or the attribute itself) has in
/// `value`: an element of an array, a sub-attribute of an object, or the value.
template <class Visit>
bool any_value(const json::Value* value, const Attribute* sub, Visit visit) {
    if (value == nullptr) return false;
    if (const json::Array* elements = value->if_array()) {
        return std::ranges::any_of(
            *elements, [&](const json::Value& element) { return any_value(&element, sub, visit); });
    }
    if (sub == nullptr) return visit(*value);
    const json::Object* object = value->if_object();
    return object != nullptr && any_value(object->if_contains(sub->name), nullptr, visit);
}

bool holds(Operator op, std::partial_ordering order) {
    switch (op) {
        case Operator::Eq:
            return order == 0;
        case Operator::Ne:
            return order != 0;
        case Operator::Gt:
            return order > 0;
        case Operator::Ge:
            return order >= 0;
        case Operator::Lt:
            return order < 0;
        case Operator::Le:
            return order <= 0;
        default:
            return false;
    }
}

/// Linear, which std::string::find is not on text such as "aaaa…b".
bool contains(const std::string& text, const std::string& part) {
    return ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
}

bool holds_for_text(const Filter::Node& node, std::string_view text) {
    const std::string key = comparison_key(node.path.leaf(), text);
    switch (node.op) {
        case Operator::Co:
            return contains(key, node.key);
        case Operator::Sw:
            return key.starts_with(node.key);
        case Operator::Ew:
            return key.ends_with(node.key);
        default:
            return holds(node.op, key <=> node.key);
    }
}

/// Every whole number of 64 bits and every double has a place of its own among these.
using Exact = long double;
static_assert(std::numeric_limits<Exact>::digits >= 64);

Exact exact(const json::Value& number) {
    if (number.is_int64()) return static_cast<Exact>(number.get_int64());
    if (number.is_uint64()) return static_cast<Exact>(number.get_uint64());
    return number.get_double();
}

/// Nothing where the literal is no number.
std::optional<Exact> exact(const Literal& literal) {
    return std::visit(
        [](const auto& value) -> std::optional<Exact> {
            using T = std::remove_cvref_t<decltype(value)>;
            if constexpr (std::is_arithmetic_v<T> && !std::is_same_v<T, bool>) {
                return static_cast<Exact>(value);
            } else {
                return std::nullopt;
            }
        },
        literal);
}

/// One present value against the node's literal. A value of another type than the schema's is
/// unequal to everything.
bool holds_for(const Filter::Node& node, const json::Value& value) {
    if (std::holds_alternative<std::string>(node.value) && value.is_string()) {
        return holds_for_text(node, value.get_string().subview());
    }
    if (const bool* expected = std::get_if<bool>(&node.value); expected && value.is_bool()) {
        return holds(node.op, value.get_bool() <=> *expected);
    }
    if (const auto expected = exact(node.value); expected && value.is_number()) {
        return holds(node.op, exact(value) <=> *expected);
    }
    return node.op == Operator::Ne;
}

bool compare(const Filter::Node& node, const json::Value* value) {
    const Attribute* sub = node.path.sub_attribute;
    const bool present = any_value(value, sub, is_present);
    if (node.op == Operator::Pr) return present;
    if (std::holds_alternative<Null>(node.value)) return present == (node.op == Operator::Ne);
    if (!present) return node.op == Operator::Ne;
    return any_value(value, sub, [&](const json::Value& one) {
        return is_present(one) && holds_for(node, one);
    });
}

/// Where a node's names are looked up: in the document, or in one element where that is set.
struct Scope {
    const json::Object* document = nullptr;
    const json::Value* element = nullptr;
};

/// Recursion is as deep as the filter is nested and its chains are long; its parser bounds both.
bool evaluate(const Filter& filter, const Filter::Node& node, const Scope& scope) {
    switch (node.kind) {
        case Filter::Kind::And:
            return evaluate(filter, filter.at(node.left), scope) &&
                   evaluate(filter, filter.at(node.right), scope);
        case Filter::Kind::Or:
            return evaluate(filter, filter.at(node.left), scope) ||
                   evaluate(filter, filter.at(node.right), scope);
        case Filter::Kind::Not:
            return !evaluate(filter, filter.at(node.left), scope);
        case Filter::Kind::Compare:
            return compare(
                node, scope.element != nullptr ? scope.element : find(*scope.document, node.path));
        case Filter::Kind::ValuePath:
            return any_value(find(*scope.document, node.path), nullptr,
                             [&](const json::Value& element) {
                                 return evaluate(filter, filter.at(node.left),
                                                 {.document = scope.document, .element = &element});
                             });
    }
    return false;
}

}  // namespace

bool Filter::matches(const json::Object& document) const {
    return evaluate(*this, root(), {.document = &document});
}

bool Filter::matches_element(const json::Value& element) const {
    return evaluate(*this, root(), {.element = &element});
}

bool Filter::mentions(std::string_view attribute_name) const {
    return std::ranges::any_of(nodes_, [attribute_name](const Node& node) {
        const AttributePath& path = node.path;
        return path.attribute != nullptr && path.attribute->name == attribute_name;
    });
}

std::optional<std::vector<std::string>> Filter::only_values_of(
    std::string_view attribute_name) const {
    std::vector<std::string> keys;
    bool within = false;
    bool negates = false;
    for (const Node& node : nodes_) {
        negates |= node.kind == Kind::Not;
        const AttributePath& path = node.path;
        if (path.attribute == nullptr || path.attribute->name != attribute_name) continue;
        within |= node.kind == Kind::ValuePath;
        if (node.kind == Kind::ValuePath) continue;
        const bool looks_for_one =
            node.op == Operator::Eq && path.extension == nullptr && path.sub_attribute != nullptr &&
            path.sub_attribute->name == "value" && std::holds_alternative<std::string>(node.value);
        if (!looks_for_one) return std::nullopt;
        keys.push_back(node.key);
    }
    // members[not (value eq "x")] asks for any other.
    if (within && negates) return std::nullopt;
    return keys;
}

}  // namespace muster::scim
