#pragma once
// The filter language (RFC 7644 §3.4.2.2): parsed and resolved against the schema in one pass,
// evaluated here. A filter is a flat vector of nodes, so freeing one never recurses.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "json/json.hpp"
#include "scim/error.hpp"
#include "scim/schema/path.hpp"

namespace muster::scim {

struct FilterLimits {
    std::size_t max_bytes = 8192;
    std::size_t max_depth = 20;   ///< parentheses, `not` and value paths, nested
    std::size_t max_terms = 100;  ///< comparisons
};

enum class Operator : std::uint8_t { Eq, Ne, Co, Sw, Ew, Gt, Ge, Lt, Le, Pr };

/// A comparison value. Null is JSON null; Pr carries Null.
struct Null {
    friend bool operator==(Null, Null) = default;
};
using Literal = std::variant<Null, bool, std::int64_t, std::uint64_t, double, std::string>;

class Filter {
  public:
    enum class Kind : std::uint8_t { And, Or, Not, Compare, ValuePath };

    /// And, Or: left and right. Not: left. Compare: path, op, value, key; its leaf is complex only
    /// with Pr. ValuePath: path names a multi-valued complex attribute; left is a filter over one
    /// element, whose paths have that attribute as `attribute` and the element's as
    /// `sub_attribute`. `emails[type eq "work"].value eq "x"` becomes
    /// `emails[type eq "work" and value eq "x"]`.
    struct Node {
        Kind kind = Kind::Compare;
        std::uint32_t left = 0;
        std::uint32_t right = 0;
        AttributePath path = {};
        Operator op = Operator::Eq;
        Literal value = {};
        /// A string value in the form in which it is compared: folded unless caseExact; a dateTime
        /// in RFC 3339 UTC with milliseconds. Equal keys are what `eq` means, here and in the
        /// store. White space around the value counts with Co, Sw and Ew, whatever the attribute.
        std::string key = {};
    };

    [[nodiscard]] const Node& root() const { return nodes_[root_]; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }
    [[nodiscard]] const Node& at(std::uint32_t index) const { return nodes_[index]; }

    /// Whether the document (a full resource in schema spelling: id, meta and, where the filter
    /// asks for them, members and groups included) matches. Multi-valued attributes match if any
    /// element does; a complex attribute without sub-attribute stands for its `value`.
    /// Comparisons with an absent attribute are false but for `ne` and `eq null`; null, [], {} and
    /// "" are absent. O(nodes × values).
    [[nodiscard]] bool matches(const json::Object& document) const;
    /// The same for one element of the multi-valued attribute of a PATCH value path.
    [[nodiscard]] bool matches_element(const json::Value& element) const;

    /// Whether any comparison looks at an attribute of this name, of the core or of an extension.
    [[nodiscard]] bool mentions(std::string_view attribute_name) const;

    /// The keys that are looked for among the values of a multi-valued core attribute, where that
    /// is all that the filter asks of it: whoever has these of its values needs none of the others.
    [[nodiscard]] std::optional<std::vector<std::string>> only_values_of(
        std::string_view attribute_name) const;

    /// The filter as text in schema spelling. Parsing it again gives the same filter.
    [[nodiscard]] std::string to_string() const;

  private:
    friend class FilterParser;
    std::vector<Node> nodes_;
    std::uint32_t root_ = 0;
    bool over_element_ = false;  ///< the filter of a PATCH value path
};

/// Parses a whole filter in time linear in the text. Operators and attribute names go without case;
/// a value must be JSON that fits the attribute's type (what Microsoft's clients leave out or put
/// too much of quotation marks, their dialect mends); writeOnly or never-returned attributes cannot
/// be filtered on; unknown attributes and operators are named. Errors: InvalidFilter.
///
/// `others` are the further types of a search over several: what only one of them knows is an
/// attribute without a value here (RFC 7644 §3.4.2.1).
[[nodiscard]] Result<Filter> parse_filter(const ResourceType& type, std::string_view text,
                                          const FilterLimits& limits = {},
                                          std::span<const ResourceType* const> others = {});

/// A PATCH path (RFC 7644 §3.5.2): attribute notation, or valuePath with an optional sub-attribute:
/// `emails[type eq "work"].value`.
struct PatchPath {
    AttributePath target;  ///< sub_attribute as written behind the dot or the bracket
    std::optional<Filter> element_filter;
};
/// Errors: InvalidPath for the path, InvalidFilter for what stands in the brackets.
[[nodiscard]] Result<PatchPath> parse_patch_path(const ResourceType& type, std::string_view text,
                                                 const FilterLimits& limits = {});

/// The comparison key of one scalar as Node::key defines it, without surrounding white space where
/// the attribute is unique or indexed and not caseExact.
[[nodiscard]] std::string comparison_key(const Attribute& attribute, std::string_view text);

}  // namespace muster::scim
