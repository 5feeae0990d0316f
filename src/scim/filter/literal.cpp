#include "scim/filter/literal.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace muster::scim {

namespace {

/// In the order of Operator.
constexpr std::array<std::string_view, 10> kOperators = {"eq", "ne", "co", "sw", "ew",
                                                         "gt", "ge", "lt", "le", "pr"};

bool looks_inside_text(Operator op) {
    return op == Operator::Co || op == Operator::Sw || op == Operator::Ew;
}

std::optional<Literal> to_boolean(std::string_view text) {
    if (text == "true") return Literal{true};
    if (text == "false") return Literal{false};
    return std::nullopt;
}

std::optional<Literal> to_number(std::string_view text) {
    const auto value = json::parse(text);
    if (!value || !value->is_number()) return std::nullopt;
    if (value->is_int64()) return Literal{value->get_int64()};
    if (value->is_uint64()) return Literal{value->get_uint64()};
    return Literal{value->get_double()};
}

}  // namespace

std::string_view to_string(Operator op) { return kOperators.at(std::to_underlying(op)); }

std::optional<Operator> to_operator(std::string_view text) {
    const auto found = std::ranges::find_if(
        kOperators, [text](std::string_view name) { return equals_ignoring_case(name, text); });
    if (found == kOperators.end()) return std::nullopt;
    return static_cast<Operator>(found - kOperators.begin());
}

bool is_applicable(Operator op, Type type) {
    if (op == Operator::Pr) return true;
    const bool equality = op == Operator::Eq || op == Operator::Ne;
    switch (type) {
        case Type::String:
        case Type::Reference:
            return true;
        case Type::Boolean:
        case Type::Binary:
            return equality;
        case Type::Decimal:
        case Type::Integer:
        case Type::DateTime:
            return !looks_inside_text(op);
        case Type::Complex:
            return false;
    }
    return false;
}

bool is_written_as_text(Type type) {
    return type == Type::String || type == Type::Reference || type == Type::DateTime ||
           type == Type::Binary;
}

std::optional<Literal> to_literal(const Attribute& attribute, std::string_view text) {
    switch (attribute.type) {
        case Type::Boolean:
            return to_boolean(text);
        case Type::Decimal:
        case Type::Integer:
            return to_number(text);
        case Type::DateTime:
            if (!from_rfc3339(text)) return std::nullopt;
            break;
        default:
            break;
    }
    return Literal{std::string{text}};
}

std::string comparison_key(const Attribute& attribute, std::string_view text) {
    if (attribute.type == Type::DateTime) {
        const auto time = from_rfc3339(text);
        return time ? to_rfc3339(*time) : std::string{text};
    }
    if (attribute.case_exact) return std::string{text};
    const bool identifies = attribute.indexed || attribute.uniqueness != Uniqueness::None;
    return identifies ? fold_identifier(text) : fold_case(text);
}

std::string literal_key(const Attribute& attribute, Operator op, std::string_view text) {
    if (looks_inside_text(op) && !attribute.case_exact) return fold_case(text);
    return comparison_key(attribute, text);
}

}  // namespace muster::scim
