// Comparison values, in filters and in the brackets of PATCH paths (RFC 7644 §3.4.2.2: a
// comparison value is a JSON value).

#include <optional>
#include <string>
#include <utility>

#include "base/text.hpp"
#include "scim/dialect/rewrites.hpp"
#include "scim/dialect/visit.hpp"
#include "scim/filter/lexer.hpp"
#include "scim/filter/literal.hpp"

namespace muster::scim {

namespace {

/// The value as it should be written; nothing where it is right or where nobody could tell.
using Correct = std::optional<std::string> (*)(const Attribute&, const Token&);

/// `active eq "True"`, and `active eq True`.
std::optional<std::string> unquote(const Attribute& attribute, const Token& token) {
    if (is_written_as_text(attribute.type)) return std::nullopt;
    std::string text{token.text};
    if (token.kind == Token::Kind::String) {
        const auto value = json::parse(token.text);
        if (!value) return std::nullopt;
        text = value->get_string();
    }
    if (attribute.type == Type::Boolean) text = to_lower_ascii(text);
    const auto value = json::parse(text);
    const bool fits =
        value && (attribute.type == Type::Boolean ? value->is_bool() : value->is_number());
    if (!fits || text == token.text) return std::nullopt;
    return text;
}

/// `externalId eq jyoung`.
std::optional<std::string> quote(const Attribute& attribute, const Token& token) {
    if (!is_written_as_text(attribute.type) || token.kind != Token::Kind::Word) return std::nullopt;
    if (equals_ignoring_case(token.text, "null") || token.text.starts_with('\''))
        return std::nullopt;
    std::string text;
    json::append_string(text, token.text);
    return text;
}

/// Walks over the comparisons of a filter or a PATCH path without judging it: whatever is no
/// comparison of a known attribute is copied.
class Corrector {
  public:
    Corrector(const ResourceType& type, std::string_view text, Correct correct)
        : type_(type), text_(text), lexer_(text), correct_(correct) {}

    /// The corrected text; nothing where it was right.
    std::optional<std::string> run() {
        for (Token token = lexer_.next(); token.kind != Token::Kind::End; token = lexer_.next()) {
            take(token);
        }
        if (copied_ == 0) return std::nullopt;
        out_ += text_.substr(copied_);
        return std::move(out_);
    }

  private:
    void take(const Token& token) {
        if (awaits_value_) {
            awaits_value_ = false;
            if (token.kind == Token::Kind::Word || token.kind == Token::Kind::String)
                correct(token);
            name_ = {};
        } else if (token.kind == Token::Kind::OpenBracket) {
            element_ = named();
            name_ = {};
        } else if (token.kind == Token::Kind::Word) {
            const auto op = name_.empty() ? std::nullopt : to_operator(token.text);
            awaits_value_ = op && *op != Operator::Pr;
            if (!op) name_ = token.text;
            if (op && *op == Operator::Pr) name_ = {};
        } else if (token.kind == Token::Kind::CloseBracket) {
            closed_ = std::exchange(element_, nullptr);
            name_ = {};
        }
    }

    void correct(const Token& token) {
        const Attribute* attribute = compared();
        auto text = attribute == nullptr ? std::nullopt : correct_(*attribute, token);
        if (!text) return;
        out_ += text_.substr(copied_, token.offset - copied_);
        out_ += *text;
        copied_ = token.offset + token.text.size();
    }

    /// What `name_` names by itself.
    const Attribute* named() const {
        const auto path = try_resolve(type_, name_);
        return path && path->attribute != nullptr ? &path->leaf() : nullptr;
    }

    /// What is compared: inside brackets and behind them a part of their attribute, and of a
    /// complex attribute its value.
    const Attribute* compared() const {
        const Attribute* attribute = element_ != nullptr       ? element_->find(name_)
                                     : !name_.starts_with('.') ? named()
                                     : closed_ != nullptr      ? closed_->find(name_.substr(1))
                                                               : nullptr;
        if (attribute == nullptr || attribute->type != Type::Complex) return attribute;
        return attribute->find("value");
    }

    const ResourceType& type_;
    std::string_view text_;
    Lexer lexer_;
    Correct correct_;
    std::string_view name_;
    const Attribute* element_ = nullptr;
    const Attribute* closed_ = nullptr;
    bool awaits_value_ = false;
    std::size_t copied_ = 0;
    std::string out_;
};

bool correct_literals(ClientRequest& request, Correct correct) {
    bool changed = false;
    if (request.filter != nullptr) {
        if (auto text = Corrector(request.type, *request.filter, correct).run()) {
            *request.filter = *std::move(text);
            changed = true;
        }
    }
    json::Array* operations = operations_of(request);
    if (operations == nullptr) return changed;
    for (json::Value& each : *operations) {
        const auto seen = view_of(each);
        if (!seen || seen->path.find('[') == std::string_view::npos) continue;
        if (const auto text = Corrector(request.type, seen->path, correct).run()) {
            *find_member(each.get_object(), "path") = *text;
            changed = true;
        }
    }
    return changed;
}

}  // namespace

const Rewrite kQuotedLiterals{
    .name = "quoted-literals",
    .client = "Entra",
    .source = "Captain-P-Goldfish/SCIM-SDK#516",
    .description = "a boolean or a number in quotation marks was compared as what it is",
    .apply = [](ClientRequest& request) { return correct_literals(request, unquote); }};

const Rewrite kUnquotedText{
    .name = "unquoted-text",
    .client = "Entra, PingFederate",
    .source = "AzureAD/SCIMReferenceCode, PostmanCollection.json",
    .description = "a text without quotation marks was compared as a text",
    .apply = [](ClientRequest& request) { return correct_literals(request, quote); }};

}  // namespace muster::scim
