#include "provlog/filter_values.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "provlog/redact.hpp"
#include "scim/filter/literal.hpp"

namespace muster::provlog {

namespace {

using Kind = scim::Token::Kind;

bool is_operator(const scim::Token& token) {
    return token.kind == Kind::Word && scim::to_operator(token.text).has_value();
}

bool is_link(std::string_view word) {
    return equals_ignoring_case(word, "and") || equals_ignoring_case(word, "or");
}

/// How much of a word an attribute's name can be: of `token=x` and `token:x` the rest is a value.
std::size_t name_size(std::string_view word) {
    const bool is_urn = equals_ignoring_case(word.substr(0, 4), "urn:");
    const auto end = std::ranges::find_if_not(word, [is_urn](char c) {
        const char lower = lower_ascii(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-' || c == '$' || (c == ':' && is_urn);
    });
    return static_cast<std::size_t>(end - word.begin());
}

}  // namespace

bool looks_like_filter(std::string_view text) {
    if (text.find_first_of("\"[") != std::string_view::npos) return true;
    scim::Lexer lexer(text);
    auto token = lexer.next();
    while (token.kind != Kind::End && !is_operator(token)) token = lexer.next();
    return token.kind != Kind::End;
}

FilterValues::FilterValues(std::string_view text) : text_(text) {
    scim::Lexer lexer(text);
    for (auto token = lexer.next(); token.kind != Kind::End;) {
        const auto next = lexer.next();
        take(token, next);
        token = next;
    }
    copy_until(text.size());
}

bool FilterValues::compares_secret() const {
    return names_secret_ || (!in_order_ && names_a_secret(text_));
}

void FilterValues::take(const scim::Token& token, const scim::Token& next) {
    switch (token.kind) {
        case Kind::Word:
            names_secret_ = names_secret_ || names_a_secret(token.text);
            return take_word(token, next);
        case Kind::String:
            in_order_ = in_order_ && due_ == Due::Value;
            hide(token.offset, token.offset + token.text.size());
            due_ = Due::Link;
            return;
        case Kind::Unterminated:
            return hide_stray(token, Due::Link);
        case Kind::Open:
        case Kind::OpenBracket:
            return keep(token, Due::Name);
        case Kind::Close:
        case Kind::CloseBracket:
            return keep(token, Due::Link);
        case Kind::End:
            return;
    }
}

void FilterValues::take_word(const scim::Token& token, const scim::Token& next) {
    switch (due_) {
        case Due::Name:
            return take_name(token, next);
        case Due::Operator:
            return take_operator(token);
        case Due::Value:
            hide(token.offset, token.offset + token.text.size());
            due_ = Due::Link;
            return;
        case Due::Link:
            return take_link(token);
    }
}

void FilterValues::take_name(const scim::Token& token, const scim::Token& next) {
    const bool negates = equals_ignoring_case(token.text, "not") && next.kind == Kind::Open;
    if (negates) return keep(token, Due::Name);
    // `token eq (hunter2)`: a name is compared, or stands alone, or is the secret's own.
    const bool compared = is_operator(next) || next.kind == Kind::OpenBracket;
    const bool first = copied_ == 0 && (next.kind == Kind::End || names_a_secret(token.text));
    if (!compared && !first) return hide_stray(token, Due::Operator);
    keep_name(token);
}

void FilterValues::take_operator(const scim::Token& token) {
    if (const auto op = scim::to_operator(token.text))
        return keep(token, *op == scim::Operator::Pr ? Due::Link : Due::Value);
    if (is_link(token.text)) return keep(token, Due::Name);
    hide_stray(token, Due::Link);
}

void FilterValues::take_link(const scim::Token& token) {
    if (is_link(token.text)) return keep(token, Due::Name);
    // `emails[type eq "work"].value`
    const bool behind_bracket = token.offset > 0 && text_[token.offset - 1] == ']';
    if (behind_bracket && token.text.starts_with('.')) return keep_name(token);
    hide_stray(token, Due::Link);
}

void FilterValues::keep(const scim::Token& token, Due due) {
    copy_until(token.offset + token.text.size());
    due_ = due;
}

void FilterValues::keep_name(const scim::Token& token) {
    const auto size = name_size(token.text);
    copy_until(token.offset + size);
    due_ = Due::Operator;
    if (size == token.text.size()) return;
    in_order_ = false;
    hide(token.offset + size, token.offset + token.text.size());
    due_ = Due::Link;
}

void FilterValues::hide_stray(const scim::Token& token, Due due) {
    in_order_ = false;
    hide(token.offset, token.offset + token.text.size());
    due_ = due;
}

void FilterValues::hide(std::size_t begin, std::size_t end) {
    if (copied_ != hidden_until_) {
        copy_until(begin);
        out_.append(kRedacted);
    }
    copied_ = end;
    hidden_until_ = end;
}

void FilterValues::copy_until(std::size_t end) {
    out_.append(text_.substr(copied_, end - copied_));
    copied_ = end;
}

}  // namespace muster::provlog
