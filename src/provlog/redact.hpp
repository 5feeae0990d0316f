#pragma once
// What a log record must not hold: values of secrets, told by their names, and tokens. Pure text to
// text; where no secret is named, a text stays byte for byte as it is.

#include <cstdint>
#include <string>
#include <string_view>

#include "json/json.hpp"

namespace muster::provlog {

/// What stands in place of a secret.
inline constexpr std::string_view kRedacted = "[redacted]";

/// Whether the name of a secret (password, token, …) stands in the text, in any case, be it within
/// another word. O(text), about a byte a cycle.
[[nodiscard]] bool names_a_secret(std::string_view text);

/// Whether JSON text has to be looked at member by member: it names a secret, or could by an
/// escape, or holds what looks like a token.
[[nodiscard]] bool may_hold_secrets(std::string_view json);
/// Whether the first letters of a token stand in it.
[[nodiscard]] bool holds_token(std::string_view text);

/// The text with everything that looks like a token replaced.
[[nodiscard]] std::string mask_tokens(std::string_view text);

/// A filter or a PATCH path. Where it names a secret outside its quoted values, or names one
/// anywhere and is in no order, all that is no attribute, operator or bracket is "[redacted]".
[[nodiscard]] std::string redact_filter(std::string_view text);

/// A text that may be a filter: one that has neither quotation marks, brackets nor an operator is
/// none.
[[nodiscard]] std::string redact_text(std::string_view text);

/// Which quotations a sentence must not keep.
enum class Hide : std::uint8_t {
    Secrets,      ///< of filters that name a secret; all, where the sentence itself names one
    AllButNames,  ///< all but plain names, numbers and paths, in which nothing is compared
    All,
};

/// Sentences for people that quote what was sent.
[[nodiscard]] std::string redact_quotations(std::string_view text, Hide hide = Hide::Secrets);

/// Whether nothing can be compared in it: letters, digits and what joins them in names, paths and
/// URNs.
[[nodiscard]] bool is_plain_name(std::string_view text);

/// The request's target: its query is "[redacted]" where, decoded as the server does, it names a
/// secret outside a quoted value or holds a token; its path from the first escape on, likewise.
[[nodiscard]] std::string redact_target(std::string_view target);

struct RedactedBody {
    std::string text;
    /// A filter, a path or the name of a member in it is not kept as it came.
    bool hides_part = false;
};

/// One line of JSON in which "[redacted]" are: the values of password, secret, token, credential
/// and authorization members and of PATCH operations on such paths, what filters and paths compare
/// them with, and tokens. An object is replaced whole where the name of a member would have to
/// change. Of what errors quote is hidden: `in_filters` by those about a filter or a path,
/// `elsewhere` by others.
[[nodiscard]] RedactedBody redact_body(std::string_view raw, const json::Value& parsed,
                                       Hide in_filters = Hide::Secrets,
                                       Hide elsewhere = Hide::Secrets);

}  // namespace muster::provlog
