#include "scim/filter/parser.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/filter/literal.hpp"

namespace muster::scim {

namespace {

/// A comparison that returned different results would let a client guess such a value.
Result<AttributePath> refuse_secrets(const AttributePath& path) {
    if (path.attribute == nullptr) {
        return std::unexpected(invalid_filter(fmt::format(
            "{} names a whole extension; a filter needs one of its attributes, such as {}:{}.",
            scim::quoted(path.extension->id), path.extension->id,
            path.extension->attributes.front().name)));
    }
    if (path.attribute->is_hidden() || path.leaf().is_hidden()) {
        return std::unexpected(invalid_filter(fmt::format(
            "{} cannot be filtered on, because it is never returned.", path.to_string())));
    }
    return path;
}

std::string describe(const Token& token) {
    switch (token.kind) {
        case Token::Kind::End:
            return "the end of the filter";
        case Token::Kind::Unterminated:
            return "a quotation mark that is never closed";
        default:
            return scim::quoted(token.text);
    }
}

Error not_fitting(const AttributePath& path, std::string_view text) {
    std::string detail = fmt::format("{} does not fit {}, which is of type {}.", scim::quoted(text),
                                     path.to_string(), to_string(path.leaf().type));
    if (!is_written_as_text(path.leaf().type))
        detail += " Write it as JSON, without quotation marks.";
    if (path.leaf().type == Type::DateTime) detail += " Write it as 2026-11-22T08:15:30Z.";
    return invalid_filter(std::move(detail));
}

Error not_applicable(const AttributePath& path, Operator op) {
    const Attribute& leaf = path.leaf();
    if (leaf.type == Type::Complex && !leaf.sub_attributes.empty()) {
        return invalid_filter(
            fmt::format("{0} has several parts; the filter must name one of them, such as {0}.{1}.",
                        path.to_string(), leaf.sub_attributes.front().name));
    }
    return invalid_filter(
        fmt::format("The operator {} cannot be used with {}, which is of type {}.", to_string(op),
                    path.to_string(), to_string(leaf.type)));
}

bool has_elements(const AttributePath& path) {
    return path.attribute != nullptr && path.sub_attribute == nullptr &&
           path.attribute->multi_valued && path.attribute->type == Type::Complex;
}

/// Unescapes a JSON string as written; what stands without quotation marks is taken as it is.
Result<std::string> unescape(const Token& token) {
    if (token.kind != Token::Kind::String) return std::string{token.text};
    const auto value = json::parse(token.text);
    if (!value) {
        return std::unexpected(
            invalid_filter(fmt::format("The text at character {} of the filter is malformed: {}",
                                       token.offset + 1, value.error().message)));
    }
    return std::string{value->get_string()};
}

Result<void> check_text(std::string_view text, const FilterLimits& limits, ScimType kind) {
    const auto refuse = [kind](std::string detail) {
        return std::unexpected(Error{.status = 400, .type = kind, .detail = std::move(detail)});
    };
    if (text.size() > limits.max_bytes) {
        return refuse(fmt::format("Filters and paths may be {} bytes long; this one has {}.",
                                  limits.max_bytes, text.size()));
    }
    if (!is_valid_utf8(text)) return refuse("The filter or path is not valid UTF-8.");
    if (text.find('\0') != std::string_view::npos) {
        return refuse("The filter or path holds the character U+0000.");
    }
    return {};
}

}  // namespace

FilterParser::FilterParser(const ResourceType& type, std::string_view text,
                           const FilterLimits& limits, std::size_t offset)
    : type_(type), limits_(limits), lexer_(text, offset) {
    advance();
}

Result<Filter> FilterParser::whole() {
    TRY_ASSIGN(filter_.root_, disjunction());
    TRY_VOID(expect(Token::Kind::End, "\"and\", \"or\" or the end"));
    return std::move(filter_);
}

Result<Filter> FilterParser::element_filter(const AttributePath& path) {
    filter_.over_element_ = true;
    TRY_VOID(descend());
    element_ = &path;
    TRY_ASSIGN(filter_.root_, disjunction());
    if (token_.kind != Token::Kind::CloseBracket) return unexpected_token("\"]\"");
    return std::move(filter_);
}

std::string_view FilterParser::rest() const { return lexer_.rest(); }

FilterParser::Index FilterParser::disjunction() {
    TRY_ASSIGN(std::uint32_t left, conjunction());
    while (at_keyword("or")) {
        advance();
        TRY_ASSIGN(const std::uint32_t right, conjunction());
        left = add_binary(Filter::Kind::Or, left, right);
    }
    return left;
}

FilterParser::Index FilterParser::conjunction() {
    TRY_ASSIGN(std::uint32_t left, factor());
    while (at_keyword("and")) {
        advance();
        TRY_ASSIGN(const std::uint32_t right, factor());
        left = add_binary(Filter::Kind::And, left, right);
    }
    return left;
}

FilterParser::Index FilterParser::factor() {
    if (at_keyword("not")) return negation();
    if (token_.kind == Token::Kind::Open) return group();
    return term();
}

FilterParser::Index FilterParser::negation() {
    advance();
    if (token_.kind != Token::Kind::Open) return unexpected_token("\"(\" behind \"not\"");
    TRY_VOID(descend());
    TRY_ASSIGN(const std::uint32_t operand, group());
    --depth_;
    return add({.kind = Filter::Kind::Not, .left = operand});
}

FilterParser::Index FilterParser::group() {
    TRY_VOID(descend());
    advance();
    TRY_ASSIGN(const std::uint32_t inner, disjunction());
    TRY_VOID(expect(Token::Kind::Close, "\"and\", \"or\" or \")\""));
    --depth_;
    return inner;
}

FilterParser::Index FilterParser::term() {
    if (token_.kind != Token::Kind::Word) return unexpected_token("an attribute");
    TRY_ASSIGN(const AttributePath path, resolve_here(token_.text));
    advance();
    if (token_.kind == Token::Kind::OpenBracket) return value_path(path);
    return comparison(path);
}

FilterParser::Index FilterParser::value_path(const AttributePath& path) {
    if (element_ != nullptr || !has_elements(path)) {
        return std::unexpected(invalid_filter(
            fmt::format("{} has no elements to choose from with brackets.", path.to_string())));
    }
    TRY_VOID(descend());
    advance();
    TRY_ASSIGN(const std::uint32_t inner, element(path));
    --depth_;
    return add({.kind = Filter::Kind::ValuePath, .left = inner, .path = path});
}

FilterParser::Index FilterParser::element(const AttributePath& path) {
    element_ = &path;
    TRY_ASSIGN(std::uint32_t root, disjunction());
    TRY_VOID(expect(Token::Kind::CloseBracket, "\"and\", \"or\" or \"]\""));
    // `emails[type eq "work"].value eq "x"`: one more condition on the same element.
    if (token_.kind == Token::Kind::Word && token_.text.starts_with('.')) {
        TRY_ASSIGN(const AttributePath sub, resolve_here(token_.text.substr(1)));
        advance();
        TRY_ASSIGN(const std::uint32_t compared, comparison(sub));
        root = add_binary(Filter::Kind::And, root, compared);
    }
    element_ = nullptr;
    return root;
}

FilterParser::Index FilterParser::comparison(AttributePath path) {
    if (++terms_ > limits_.max_terms) {
        return std::unexpected(invalid_filter(fmt::format(
            "A filter may hold {} comparisons; this one has more.", limits_.max_terms)));
    }
    TRY_ASSIGN(const Operator op, take_operator());
    if (op != Operator::Pr && path.leaf().type == Type::Complex) {
        if (const Attribute* value = path.leaf().find("value")) path.sub_attribute = value;
        TRY_VOID(refuse_secrets(path));
    }
    if (!is_applicable(op, path.leaf().type)) return std::unexpected(not_applicable(path, op));
    Node node{.kind = Filter::Kind::Compare, .path = path, .op = op};
    if (op != Operator::Pr) TRY_VOID(read_value(node));
    return add(std::move(node));
}

Result<AttributePath> FilterParser::resolve_here(std::string_view name) const {
    AttributePath path;
    if (element_ == nullptr) {
        auto found = resolve(type_, name, ScimType::InvalidFilter);
        for (const ResourceType* other : others_) {
            if (found) break;
            if (auto elsewhere = resolve(*other, name, ScimType::InvalidFilter)) found = elsewhere;
        }
        TRY_ASSIGN(path, std::move(found));
    } else {
        path = *element_;
        path.sub_attribute = element_->attribute->find(name);
        if (path.sub_attribute == nullptr) {
            return std::unexpected(invalid_filter(fmt::format(
                "{} has no sub-attribute {}.", element_->to_string(), scim::quoted(name))));
        }
    }
    return refuse_secrets(path);
}

Result<Operator> FilterParser::take_operator() {
    const auto op = token_.kind == Token::Kind::Word ? to_operator(token_.text) : std::nullopt;
    if (!op) return unexpected_token("an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)");
    advance();
    return *op;
}

Result<std::string> FilterParser::take_value_text() {
    const bool is_word = token_.kind == Token::Kind::Word;
    const bool is_missing = at_keyword("and") || at_keyword("or");
    if (is_missing || (!is_word && token_.kind != Token::Kind::String)) {
        return unexpected_token("a value");
    }
    return unescape(token_);
}

Result<void> FilterParser::read_value(Node& node) {
    TRY_ASSIGN(const std::string text, take_value_text());
    const bool is_null = token_.kind == Token::Kind::Word && equals_ignoring_case(text, "null");
    if (is_null && node.op != Operator::Eq && node.op != Operator::Ne) {
        return unexpected_token("a value other than null");
    }
    const bool is_quoted = token_.kind == Token::Kind::String;
    const bool is_text = is_written_as_text(node.path.leaf().type);
    if (is_text && !is_quoted && !is_null) {
        return unexpected_token("a value in double quotation marks");
    }
    advance();
    if (is_null) return {};
    auto literal = to_literal(node.path.leaf(), text);
    if (!literal || is_text != is_quoted) return std::unexpected(not_fitting(node.path, text));
    node.value = *std::move(literal);
    if (std::holds_alternative<std::string>(node.value)) {
        node.key = literal_key(node.path.leaf(), node.op, text);
    }
    return {};
}

bool FilterParser::at_keyword(std::string_view keyword) const {
    return token_.kind == Token::Kind::Word && equals_ignoring_case(token_.text, keyword);
}

Result<void> FilterParser::expect(Token::Kind kind, std::string_view what) {
    if (token_.kind != kind) return unexpected_token(what);
    advance();
    return {};
}

Result<void> FilterParser::descend() {
    if (++depth_ <= limits_.max_depth) return {};
    return std::unexpected(invalid_filter(fmt::format(
        "A filter may be nested {} levels deep; this one is deeper.", limits_.max_depth)));
}

std::uint32_t FilterParser::add(Node node) {
    filter_.nodes_.push_back(std::move(node));
    return static_cast<std::uint32_t>(filter_.nodes_.size() - 1);
}

std::uint32_t FilterParser::add_binary(Filter::Kind kind, std::uint32_t left, std::uint32_t right) {
    return add({.kind = kind, .left = left, .right = right});
}

std::unexpected<Error> FilterParser::unexpected_token(std::string_view expected) const {
    return std::unexpected(
        invalid_filter(fmt::format("The filter is wrong at character {}: expected {}, found {}.",
                                   token_.offset + 1, expected, describe(token_))));
}

Result<Filter> parse_filter(const ResourceType& type, std::string_view text,
                            const FilterLimits& limits,
                            std::span<const ResourceType* const> others) {
    TRY_VOID(check_text(text, limits, ScimType::InvalidFilter));
    FilterParser parser(type, text, limits);
    parser.also_in(others);
    return parser.whole();
}

Result<PatchPath> parse_patch_path(const ResourceType& type, std::string_view text,
                                   const FilterLimits& limits) {
    TRY_VOID(check_text(text, limits, ScimType::InvalidPath));
    const auto bracket = text.find('[');
    PatchPath path;
    TRY_ASSIGN(path.target, resolve(type, text.substr(0, bracket), ScimType::InvalidPath));
    if (bracket == std::string_view::npos) return path;
    if (!has_elements(path.target)) {
        return std::unexpected(invalid_path(fmt::format(
            "{} has no elements to choose from with brackets.", path.target.to_string())));
    }

    FilterParser parser(type, text, limits, bracket + 1);
    TRY_ASSIGN(path.element_filter, parser.element_filter(path.target));
    const std::string_view rest = parser.rest();
    if (rest.empty()) return path;
    if (rest.starts_with('.'))
        path.target.sub_attribute = path.target.attribute->find(rest.substr(1));
    if (path.target.sub_attribute == nullptr) {
        return std::unexpected(invalid_path(fmt::format(
            "{} has no sub-attribute {}.", path.target.to_string(), scim::quoted(rest))));
    }
    return path;
}

}  // namespace muster::scim
