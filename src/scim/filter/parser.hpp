#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "scim/filter/filter.hpp"
#include "scim/filter/lexer.hpp"

namespace muster::scim {

/// Recursive descent over RFC 7644 §3.4.2.2, figure 1. Recursion is bounded by max_depth, which is
/// checked before each descent; chains of `and` and `or` are loops. Used once.
class FilterParser {
  public:
    /// `type`, `text` and `limits` must outlive the parser. Parsing begins at byte `offset`.
    FilterParser(const ResourceType& type, std::string_view text, const FilterLimits& limits,
                 std::size_t offset = 0);
    /// Names that `type` does not have are looked for in these; they must outlive the parser.
    void also_in(std::span<const ResourceType* const> others) { others_ = others; }

    /// A filter and nothing else.
    [[nodiscard]] Result<Filter> whole();
    /// The filter in the brackets of a PATCH path, up to and with "]"; `path` stands before them.
    [[nodiscard]] Result<Filter> element_filter(const AttributePath& path);
    /// What follows the bracket that element_filter() consumed.
    [[nodiscard]] std::string_view rest() const;

  private:
    using Node = Filter::Node;
    using Index = Result<std::uint32_t>;

    Index disjunction();
    Index conjunction();
    Index factor();
    Index negation();
    Index group();
    Index term();
    Index value_path(const AttributePath& path);
    Index comparison(AttributePath path);
    /// Reads a filter over one element of `path` and its closing bracket.
    Index element(const AttributePath& path);

    /// Resolves a name against the element where one is open, against the resource elsewhere.
    Result<AttributePath> resolve_here(std::string_view name) const;
    Result<Operator> take_operator();
    Result<std::string> take_value_text();
    /// Sets value and key of a comparison from the next token.
    Result<void> read_value(Node& node);

    void advance() { token_ = lexer_.next(); }
    bool at_keyword(std::string_view keyword) const;
    Result<void> expect(Token::Kind kind, std::string_view what);
    Result<void> descend();
    std::uint32_t add(Node node);
    std::uint32_t add_binary(Filter::Kind kind, std::uint32_t left, std::uint32_t right);
    /// "… at character 7: expected <what>, found <token>."
    std::unexpected<Error> unexpected_token(std::string_view expected) const;

    const ResourceType& type_;
    std::span<const ResourceType* const> others_;
    const FilterLimits& limits_;
    Lexer lexer_;
    Token token_;
    const AttributePath* element_ = nullptr;
    std::size_t depth_ = 0;
    std::size_t terms_ = 0;
    Filter filter_;
};

}  // namespace muster::scim
