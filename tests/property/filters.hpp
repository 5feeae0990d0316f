#pragma once
// Filters as a reader of RFC 7644 §3.4.2.2 would write and judge them: a tree, its text and its
// meaning over a resource as a client sees it. Nothing here is shared with src/scim/filter.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "choices.hpp"
#include "json/json.hpp"
#include "scim/schema/schema.hpp"

namespace muster::property {

/// The standard types with an extension of User that has what the standard ones lack: numbers,
/// times, octets, simple values in the plural.
[[nodiscard]] std::string_view definitions();
[[nodiscard]] const scim::ResourceType& user_type();
inline constexpr std::string_view kGear = "urn:example:gear:2.0:User";

enum class Kind : std::uint8_t { Text, Identifier, Exact, Boolean, Number, Time, Octets, Complex };

/// An attribute as a filter names it.
struct Field {
    std::string_view urn;  ///< of its schema
    std::string_view attribute;
    std::string_view sub;  ///< "": the attribute itself
    Kind kind;
    bool plural = false;  ///< of a multi-valued complex attribute
};

struct Literal {
    enum class Form : std::uint8_t { Null, Boolean, Number, Text } form = Form::Null;
    std::string text;  ///< as it is meant; numbers as they are written
};

struct Expression {
    enum class Form : std::uint8_t { Compare, And, Or, Not, ValuePath } form = Form::Compare;
    std::vector<Expression> operands = {};
    const Field* field = nullptr;
    std::string_view op = {};
    Literal literal = {};
};

[[nodiscard]] Expression any_expression(Choices& choices, int depth);
/// A filter over one element of this attribute.
[[nodiscard]] Expression any_element_expression(Choices& choices, std::string_view attribute,
                                                int depth);

/// The text of the expression, in spellings that mean the same.
[[nodiscard]] std::string print(Choices& choices, const Expression& expression);
[[nodiscard]] std::string print_in_element(Choices& choices, const Expression& expression);

/// Whether every comparison is one that table 3 of the RFC knows for the attribute's type.
[[nodiscard]] bool is_valid(const Expression& expression);
[[nodiscard]] bool matches(const Expression& expression, const json::Object& resource);
[[nodiscard]] bool matches_element(const Expression& expression, const json::Value& element);

/// RFC 7643 §2.5: null, [], {}, "" and what holds nothing else are no value.
[[nodiscard]] bool is_present(const json::Value& value);

/// A resource of user_type() in schema spelling, with values that filters ask for and with odd
/// ones: null, empty, doubled.
[[nodiscard]] json::Object any_user(Choices& choices);
/// One value of a field: of its type, or null or "". Whole numbers where `whole`.
[[nodiscard]] json::Value any_value(Choices& choices, const Field& field, bool whole);
/// Values of a multi-valued complex attribute, one of them primary at most.
[[nodiscard]] json::Value any_elements(Choices& choices, std::string_view attribute);
/// The sub-attributes of a multi-valued attribute.
[[nodiscard]] std::vector<const Field*> fields_of(std::string_view attribute);
/// Whether two values of a field are the same one, in this spelling or that.
[[nodiscard]] bool is_same(const Field& field, const json::Value& one, const json::Value& other);
[[nodiscard]] std::string any_text(Choices& choices);
[[nodiscard]] std::string any_spelling(Choices& choices, std::string_view name);

}  // namespace muster::property
