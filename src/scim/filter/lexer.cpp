#include "scim/filter/lexer.hpp"

#include <algorithm>
#include <optional>

namespace muster::scim {

namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kEndOfWord = " \t\r\n()[]\"";

std::optional<Token::Kind> punctuation(char c) {
    switch (c) {
        case '(':
            return Token::Kind::Open;
        case ')':
            return Token::Kind::Close;
        case '[':
            return Token::Kind::OpenBracket;
        case ']':
            return Token::Kind::CloseBracket;
        default:
            return std::nullopt;
    }
}

/// The size of the string literal at the front, or npos where it is not closed.
std::size_t string_size(std::string_view text) {
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') return i + 1;
        if (text[i] == '\\') ++i;
    }
    return std::string_view::npos;
}

}  // namespace

Token Lexer::next() {
    offset_ = std::min(text_.find_first_not_of(kSpace, offset_), text_.size());
    const std::string_view rest = text_.substr(offset_);
    if (rest.empty()) return {.kind = Token::Kind::End, .text = rest, .offset = offset_};

    Token::Kind kind = Token::Kind::Word;
    std::size_t size = 1;
    if (const auto mark = punctuation(rest.front())) {
        kind = *mark;
    } else if (rest.front() == '"') {
        size = string_size(rest);
        kind = size == std::string_view::npos ? Token::Kind::Unterminated : Token::Kind::String;
    } else {
        size = rest.find_first_of(kEndOfWord);
    }
    const Token token{.kind = kind, .text = rest.substr(0, size), .offset = offset_};
    offset_ += token.text.size();
    return token;
}

}  // namespace muster::scim
