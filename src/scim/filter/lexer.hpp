#pragma once
// The tokens of a filter. Words are told apart by the parser, because what a word means (attribute,
// operator, unquoted value) depends on its place.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace muster::scim {

struct Token {
    enum class Kind : std::uint8_t {
        Word,          ///< anything up to white space, a quotation mark, a bracket or a parenthesis
        String,        ///< a JSON string as written, quotation marks included
        Unterminated,  ///< a string without its closing quotation mark
        Open,
        Close,
        OpenBracket,
        CloseBracket,
        End,
    };
    Kind kind = Kind::End;
    std::string_view text;   ///< a view into the filter
    std::size_t offset = 0;  ///< of the first byte
};

/// Reads tokens from `text`, which must outlive it, each byte once.
class Lexer {
  public:
    explicit Lexer(std::string_view text, std::size_t offset = 0) : text_(text), offset_(offset) {}

    /// The next token; End for ever after the last.
    [[nodiscard]] Token next();
    /// What follows the last token.
    [[nodiscard]] std::string_view rest() const { return text_.substr(offset_); }

  private:
    std::string_view text_;
    std::size_t offset_;
};

}  // namespace muster::scim
