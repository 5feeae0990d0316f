#pragma once
// Comparison values: how they are read and which operators they bear.

#include <optional>
#include <string>
#include <string_view>

#include "scim/error.hpp"
#include "scim/filter/filter.hpp"

namespace muster::scim {

/// "eq" and so on.
[[nodiscard]] std::string_view to_string(Operator op);
[[nodiscard]] std::optional<Operator> to_operator(std::string_view text);

/// Whether values of the type can be compared so (RFC 7644 §3.4.2.2, table 3). A complex attribute
/// only bears `pr`.
[[nodiscard]] bool is_applicable(Operator op, Type type);

/// Whether a comparison value of the type is a JSON string.
[[nodiscard]] bool is_written_as_text(Type type);

/// The value that `text` (unescaped) stands for in a comparison with `attribute`, which is not
/// complex; nothing where it does not fit the attribute's type.
[[nodiscard]] std::optional<Literal> to_literal(const Attribute& attribute, std::string_view text);

/// Node::key of a string value: comparison_key, but for Co, Sw and Ew with its white space.
[[nodiscard]] std::string literal_key(const Attribute& attribute, Operator op,
                                      std::string_view text);

}  // namespace muster::scim
