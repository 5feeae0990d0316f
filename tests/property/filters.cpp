#include "filters.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <span>

namespace muster::property {

namespace {

constexpr std::string_view kCore = scim::kUserSchema;
constexpr std::string_view kEnterprise = scim::kEnterpriseUserSchema;

constexpr auto kFields = std::to_array<Field>({
    {kCore, "userName", "", Kind::Identifier},
    {kCore, "displayName", "", Kind::Identifier},
    {kCore, "title", "", Kind::Text},
    {kCore, "externalId", "", Kind::Exact},
    {kCore, "active", "", Kind::Boolean},
    {kCore, "name", "familyName", Kind::Text},
    {kCore, "name", "", Kind::Complex},
    {kCore, "emails", "value", Kind::Identifier, true},
    {kCore, "emails", "", Kind::Identifier, true},
    {kCore, "emails", "type", Kind::Text, true},
    {kCore, "emails", "display", Kind::Text, true},
    {kCore, "emails", "primary", Kind::Boolean, true},
    {kCore, "photos", "value", Kind::Exact, true},
    {kCore, "roles", "value", Kind::Text, true},
    {kCore, "roles", "type", Kind::Text, true},
    {kCore, "x509Certificates", "value", Kind::Octets, true},
    {kCore, "meta", "created", Kind::Time},
    {kCore, "meta", "resourceType", Kind::Exact},
    {kEnterprise, "department", "", Kind::Text},
    {kEnterprise, "manager", "value", Kind::Exact},
    {kEnterprise, "manager", "", Kind::Exact},
    {kGear, "level", "", Kind::Number},
    {kGear, "weight", "", Kind::Number},
    {kGear, "since", "", Kind::Time},
    {kGear, "blob", "", Kind::Octets},
    {kGear, "badge", "", Kind::Exact},
    {kGear, "tags", "", Kind::Text},
    {kGear, "scores", "", Kind::Number},
    {kGear, "kit", "value", Kind::Text, true},
    {kGear, "kit", "kind", Kind::Exact, true},
    {kGear, "kit", "size", Kind::Number, true},
    {kGear, "kit", "since", Kind::Time, true},
    {kGear, "kit", "", Kind::Text, true},
});

constexpr auto kOperators =
    std::to_array<std::string_view>({"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"});
constexpr auto kNumbers = std::to_array<std::string_view>(
    {"0", "1", "-1", "2", "2.5", "2.50", "1e0", "-0.0", "9007199254740993", "9007199254740992.0",
     "18446744073709551615", "18446744073709551614"});

/// Times and their number of milliseconds behind the first one.
struct Moment {
    std::string_view text;
    std::int64_t ms;
};
constexpr auto kMoments = std::to_array<Moment>({
    {"2026-01-01T00:00:00Z", 0},
    {"2026-01-01T01:00:00+01:00", 0},
    {"2026-01-01T00:00:00.000Z", 0},
    {"2025-12-31T23:59:59.999Z", -1},
    {"2026-01-01T00:00:00.5Z", 500},
    {"2026-01-01T00:00:00-00:01", 60'000},
    {"2027-01-15T08:00:00Z", 32'774'400'000},
});

bool looks_inside(std::string_view op) { return op == "co" || op == "sw" || op == "ew"; }
bool is_equality(std::string_view op) { return op == "eq" || op == "ne"; }

Literal any_literal(Choices& choices, Kind kind) {
    using Form = Literal::Form;
    // Now and then a literal of another type.
    if (choices.once_in(16)) kind = choices.of(std::array{Kind::Text, Kind::Boolean, Kind::Number});
    if (choices.once_in(12)) return {Form::Null, "null"};
    switch (kind) {
        case Kind::Boolean:
            return {Form::Boolean, choices.once_in(2) ? "true" : "false"};
        case Kind::Number:
            return {Form::Number, std::string{choices.of(kNumbers)}};
        case Kind::Time:
            return {Form::Text, std::string{choices.of(kMoments).text}};
        default:
            return {Form::Text, any_text(choices)};
    }
}

Expression any_comparison(Choices& choices, const Field& field) {
    Expression compare{.field = &field, .op = choices.of(kOperators)};
    // Operators that the type knows, most of the time.
    if (!choices.once_in(16)) {
        const bool ordered = field.kind == Kind::Number || field.kind == Kind::Time;
        if (ordered && looks_inside(compare.op)) compare.op = "ge";
        if (field.kind == Kind::Boolean || field.kind == Kind::Octets) {
            compare.op = choices.of(std::array<std::string_view, 3>{"eq", "ne", "pr"});
        }
        if (field.kind == Kind::Complex) compare.op = "pr";
    }
    if (compare.op == "pr") return compare;
    compare.literal = any_literal(choices, field.kind);
    if (compare.literal.form == Literal::Form::Null && !choices.once_in(8)) compare.op = "eq";
    return compare;
}

template <class Leaf>
Expression any_tree(Choices& choices, int depth, const Leaf& leaf) {
    using Form = Expression::Form;
    const auto form = depth == 0 ? 0 : choices.below(6);
    if (form < 3) return leaf();
    const auto inner = [&] { return any_tree(choices, depth - 1, leaf); };
    if (form == 5) return {.form = Form::Not, .operands = {inner()}};
    return {.form = form == 3 ? Form::And : Form::Or, .operands = {inner(), inner()}};
}

// ---- text -----------------------------------------------------------------------------------

std::string quoted(Choices& choices, std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (c == 'a' && choices.once_in(8)) {
            out += "\\u0061";
        } else {
            out += c;
        }
    }
    return out + '"';
}

class Printer {
  public:
    Printer(Choices& choices, bool in_element) : choices_(choices), in_element_(in_element) {}

    /// How tightly a form binds: `or` least (RFC 7644 §3.4.2.2).
    static int binding(Expression::Form form) {
        return form == Expression::Form::Or ? 0 : form == Expression::Form::And ? 1 : 2;
    }

    std::string operator()(const Expression& expression, int least_binding = 0) {
        const bool needed = binding(expression.form) < least_binding;
        if (!needed && !choices_.once_in(8)) return bare(expression);
        return '(' + space() + bare(expression) + space() + ')';
    }

  private:
    std::string space() { return choices_.once_in(8) ? "  " : ""; }
    std::string word(std::string_view text) { return any_spelling(choices_, text); }

    std::string bare(const Expression& expression) {
        const auto& operands = expression.operands;
        const int own = binding(expression.form);
        switch (expression.form) {
            case Expression::Form::And:
            case Expression::Form::Or: {
                const auto* joint = expression.form == Expression::Form::And ? "and" : "or";
                return (*this)(operands[0], own) + ' ' + word(joint) + ' ' +
                       (*this)(operands[1], own);
            }
            case Expression::Form::Not:
                return word("not") + ' ' + '(' + (*this)(operands[0]) + ')';
            case Expression::Form::ValuePath: {
                std::string text = name(*expression.field, false) + '[';
                text += Printer(choices_, true)(operands[0]);
                return text + ']';
            }
            case Expression::Form::Compare:
                break;
        }
        std::string text = name(*expression.field, true) + ' ' + word(expression.op);
        if (expression.op == "pr") return text;
        text += ' ';
        const Literal& literal = expression.literal;
        const bool is_text = literal.form == Literal::Form::Text;
        return text + (is_text ? quoted(choices_, literal.text) : literal.text);
    }

    std::string name(const Field& field, bool with_sub) {
        if (in_element_) return word(field.sub);
        std::string text;
        const bool common = field.attribute == "externalId" || field.attribute == "meta";
        if (field.urn != kCore || (!common && choices_.once_in(8))) text = word(field.urn) + ':';
        text += word(field.attribute);
        if (with_sub && !field.sub.empty()) text += '.' + word(field.sub);
        return text;
    }

    Choices& choices_;
    bool in_element_;
};

// ---- meaning --------------------------------------------------------------------------------

/// What is the same without case, for the letters that occur here.
std::string folded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view two = text.substr(i, 2);
        if (two == "Ä") {
            out += "ä";
            ++i;
        } else if (two == "ß") {
            out += "ss";
            ++i;
        } else {
            const char c = text[i];
            out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return out;
}

std::string trimmed(const std::string& text) {
    const auto first = text.find_first_not_of(' ');
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::int64_t moment(std::string_view text) {
    const auto known = std::ranges::find(kMoments, text, &Moment::text);
    if (known != kMoments.end()) return known->ms;
    // meta.created: a time of the day of the last one.
    const auto part = [&](std::size_t at, std::size_t size) {
        return std::atoll(std::string{text.substr(at, size)}.c_str());
    };
    const std::int64_t seconds = ((part(11, 2) - 8) * 60 + part(14, 2)) * 60 + part(17, 2);
    return kMoments.back().ms + seconds * 1'000 + part(20, 3);
}

template <class T>
bool ordered(std::string_view op, const T& left, const T& right) {
    if (op == "eq") return left == right;
    if (op == "ne") return left != right;
    if (op == "gt") return left > right;
    if (op == "ge") return left >= right;
    if (op == "lt") return left < right;
    return left <= right;
}

bool text_holds(std::string_view op, const std::string& value, const std::string& literal) {
    if (op == "co") return value.find(literal) != std::string::npos;
    if (op == "sw") return value.starts_with(literal);
    if (op == "ew") return value.ends_with(literal);
    return ordered(op, value, literal);
}

long double number(const json::Value& value) {
    if (value.is_int64()) return static_cast<long double>(value.get_int64());
    if (value.is_uint64()) return static_cast<long double>(value.get_uint64());
    return static_cast<long double>(value.get_double());
}

bool holds(const Expression& compare, const json::Value& value) {
    const std::string& literal = compare.literal.text;
    switch (compare.field->kind) {
        case Kind::Boolean:
            return ordered(compare.op, value.get_bool(), literal == "true");
        case Kind::Number:
            return ordered(compare.op, number(value), number(*json::parse(literal)));
        case Kind::Time:
            return ordered(compare.op, moment(value.get_string()), moment(literal));
        case Kind::Exact:
        case Kind::Octets:
            return text_holds(compare.op, std::string{value.get_string()}, literal);
        case Kind::Text:
            return text_holds(compare.op, folded(value.get_string()), folded(literal));
        default: {
            // White space around an identifier is no part of it, unless it is looked for.
            const std::string wanted = folded(literal);
            return text_holds(compare.op, trimmed(folded(value.get_string())),
                              looks_inside(compare.op) ? wanted : trimmed(wanted));
        }
    }
}

void flatten(const json::Value* value, std::vector<const json::Value*>& out) {
    if (value == nullptr) return;
    if (!value->is_array()) return out.push_back(value);
    for (const json::Value& each : value->get_array()) flatten(&each, out);
}

const json::Value* member(const json::Object& object, std::string_view name) {
    return object.if_contains(name);
}

std::vector<const json::Value*> attribute_values(const Field& field, const json::Object& resource) {
    std::vector<const json::Value*> values;
    if (field.urn == kCore) {
        flatten(member(resource, field.attribute), values);
    } else if (const auto* extension = member(resource, field.urn);
               extension != nullptr && extension->is_object()) {
        flatten(member(extension->get_object(), field.attribute), values);
    }
    return values;
}

/// The present values that a comparison looks at, below the values of the attribute.
std::vector<const json::Value*> compared_values(const Expression& compare,
                                                const std::vector<const json::Value*>& holders) {
    const Field& field = *compare.field;
    std::vector<const json::Value*> values;
    for (const json::Value* holder : holders) {
        if (!holder->is_object()) {
            if (field.sub.empty()) values.push_back(holder);
        } else if (!field.sub.empty()) {
            flatten(member(holder->get_object(), field.sub), values);
        } else if (compare.op == "pr") {
            values.push_back(holder);
        } else {
            // A complex attribute stands for its value.
            flatten(member(holder->get_object(), "value"), values);
        }
    }
    std::erase_if(values, [](const json::Value* value) { return !is_present(*value); });
    return values;
}

bool compare_holds(const Expression& compare, const std::vector<const json::Value*>& holders) {
    const auto values = compared_values(compare, holders);
    if (compare.op == "pr") return !values.empty();
    if (compare.literal.form == Literal::Form::Null) return values.empty() == (compare.op == "eq");
    if (values.empty()) return compare.op == "ne";
    return std::ranges::any_of(values,
                               [&](const json::Value* value) { return holds(compare, *value); });
}

bool judge(const Expression& expression, const json::Object* resource, const json::Value* element) {
    const auto inner = [&](std::size_t i) {
        return judge(expression.operands[i], resource, element);
    };
    switch (expression.form) {
        case Expression::Form::And:
            return inner(0) && inner(1);
        case Expression::Form::Or:
            return inner(0) || inner(1);
        case Expression::Form::Not:
            return !inner(0);
        case Expression::Form::ValuePath: {
            const auto elements = attribute_values(*expression.field, *resource);
            return std::ranges::any_of(elements, [&](const json::Value* each) {
                return judge(expression.operands[0], resource, each);
            });
        }
        case Expression::Form::Compare:
            break;
    }
    if (element != nullptr) return compare_holds(expression, {element});
    return compare_holds(expression, attribute_values(*expression.field, *resource));
}

// ---- resources ------------------------------------------------------------------------------

json::Value any_number(Choices& choices, bool whole) {
    auto value = *json::parse(choices.of(kNumbers));
    if (whole && !value.is_int64()) return json::Value(1);
    return value;
}

json::Object& holder_of(json::Object& resource, std::string_view urn) {
    if (urn == kCore) return resource;
    json::Value& holder = resource[urn];
    return holder.is_object() ? holder.get_object() : holder.emplace_object();
}

}  // namespace

std::vector<const Field*> fields_of(std::string_view attribute) {
    std::vector<const Field*> found;
    for (const Field& field : kFields) {
        if (field.attribute == attribute && !field.sub.empty()) found.push_back(&field);
    }
    return found;
}

json::Value any_value(Choices& choices, const Field& field, bool whole_number) {
    if (choices.once_in(10)) return nullptr;
    if (choices.once_in(10)) return json::Value("");
    switch (field.kind) {
        case Kind::Boolean:
            return json::Value(choices.once_in(2));
        case Kind::Number:
            return any_number(choices, whole_number);
        case Kind::Time:
            return json::Value(choices.of(kMoments).text);
        case Kind::Octets:
            return json::Value(choices.of(std::array<std::string_view, 3>{"a", "A", "b1"}));
        default:
            return json::Value(any_text(choices));
    }
}

json::Value any_elements(Choices& choices, std::string_view attribute) {
    if (choices.once_in(10)) return choices.once_in(2) ? json::Value(nullptr) : json::Array{};
    json::Array elements;
    bool has_primary = false;
    for (auto count = choices.below(4); count > 0; --count) {
        json::Object element;
        for (const Field* field : fields_of(attribute)) {
            if (choices.once_in(3)) continue;
            json::Value value = any_value(choices, *field, true);
            if (field->sub == "primary") {
                if (!value.is_bool() || (value.get_bool() && std::exchange(has_primary, true))) {
                    continue;
                }
            }
            element[field->sub] = std::move(value);
        }
        elements.emplace_back(std::move(element));
    }
    return elements;
}

bool is_same(const Field& field, const json::Value& one, const json::Value& other) {
    if (one.kind() != other.kind() || !one.is_string()) return one == other;
    return holds({.field = &field, .op = "eq", .literal = {{}, std::string{other.get_string()}}},
                 one);
}

std::string_view definitions() {
    return R"({"schemas":[{"id":"urn:example:gear:2.0:User","name":"Gear","attributes":[
        {"name":"level","type":"integer"},{"name":"weight","type":"decimal"},
        {"name":"since","type":"dateTime"},{"name":"blob","type":"binary","caseExact":true},
        {"name":"badge","caseExact":true},{"name":"tags","multiValued":true},
        {"name":"scores","type":"integer","multiValued":true},
        {"name":"kit","type":"complex","multiValued":true,"subAttributes":[{"name":"value"},
            {"name":"kind","caseExact":true},{"name":"size","type":"integer"},
            {"name":"since","type":"dateTime"}]}]}],
        "resourceTypes":[{"name":"User",
            "schemaExtensions":[{"schema":"urn:example:gear:2.0:User","required":false}]}]})";
}

const scim::ResourceType& user_type() {
    static const auto catalog = scim::Catalog::with(definitions()).value();
    return catalog->user();
}

std::string any_spelling(Choices& choices, std::string_view name) {
    std::string text{name};
    if (!choices.once_in(4)) return text;
    for (char& c : text) {
        if (c >= 'a' && c <= 'z' && choices.once_in(3)) c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

std::string any_text(Choices& choices) {
    static constexpr auto kPieces = std::to_array<std::string_view>(
        {"a", "b", "A", "B", "ab", " ", "ä", "Ä", "ß", "%", "_", "\"", "\\", "1", "work"});
    std::string text;
    for (auto count = choices.below(4); count > 0; --count) text += choices.of(kPieces);
    return text;
}

Expression any_element_expression(Choices& choices, std::string_view attribute, int depth) {
    const auto fields = fields_of(attribute);
    return any_tree(choices, depth, [&] { return any_comparison(choices, *choices.of(fields)); });
}

Expression any_expression(Choices& choices, int depth) {
    return any_tree(choices, depth, [&]() -> Expression {
        const Field& field = choices.of(kFields);
        if (!field.plural || choices.once_in(2)) return any_comparison(choices, field);
        return {.form = Expression::Form::ValuePath,
                .operands = {any_element_expression(choices, field.attribute, 2)},
                .field = &field};
    });
}

std::string print(Choices& choices, const Expression& expression) {
    return Printer(choices, false)(expression);
}

std::string print_in_element(Choices& choices, const Expression& expression) {
    return Printer(choices, true)(expression);
}

bool is_valid(const Expression& expression) {
    if (expression.form != Expression::Form::Compare) {
        return std::ranges::all_of(expression.operands, is_valid);
    }
    using Form = Literal::Form;
    const std::string_view op = expression.op;
    const Literal& literal = expression.literal;
    if (op == "pr") return true;
    if (expression.field->kind == Kind::Complex) return false;
    if (literal.form == Form::Null) return is_equality(op);
    switch (expression.field->kind) {
        case Kind::Boolean:
            return is_equality(op) && literal.form == Form::Boolean;
        case Kind::Number:
            return !looks_inside(op) && literal.form == Form::Number;
        case Kind::Time:
            return !looks_inside(op) && literal.form == Form::Text &&
                   std::ranges::find(kMoments, literal.text, &Moment::text) != kMoments.end();
        case Kind::Octets:
            return is_equality(op) && literal.form == Form::Text;
        default:
            return literal.form == Form::Text;
    }
}

bool matches(const Expression& expression, const json::Object& resource) {
    return judge(expression, &resource, nullptr);
}

bool matches_element(const Expression& expression, const json::Value& element) {
    return judge(expression, nullptr, &element);
}

bool is_present(const json::Value& value) {
    if (value.is_null()) return false;
    if (value.is_string()) return !value.get_string().empty();
    if (value.is_array()) return std::ranges::any_of(value.get_array(), is_present);
    if (!value.is_object()) return true;
    return std::ranges::any_of(value.get_object(),
                               [](const auto& member) { return is_present(member.value()); });
}

json::Object any_user(Choices& choices) {
    json::Object user;
    for (const Field& field : kFields) {
        if (field.attribute == "meta" || choices.once_in(2)) continue;
        json::Object& holder = holder_of(user, field.urn);
        if (field.plural) {
            if (!holder.contains(field.attribute)) {
                holder[field.attribute] = any_elements(choices, field.attribute);
            }
        } else if (field.attribute == "tags" || field.attribute == "scores") {
            json::Array values;
            for (auto count = choices.below(4); count > 0; --count) {
                values.push_back(any_value(choices, field, true));
            }
            holder[field.attribute] = std::move(values);
        } else if (!field.sub.empty()) {
            holder[field.attribute] =
                json::Object{{field.sub, any_value(choices, field, field.attribute == "level")}};
        } else if (field.attribute != "name" && field.attribute != "manager") {
            holder[field.attribute] = any_value(choices, field, field.attribute == "level");
        }
    }
    return user;
}

}  // namespace muster::property
