#include "provlog/redact.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.hpp"
#include "base/words.hpp"
#include "provlog/filter_values.hpp"
#include "scim/filter/lexer.hpp"

namespace muster::provlog {

namespace {

constexpr std::string_view kTokenPrefix = "mst_";
constexpr std::size_t kMaxTargetBytes = 4096;

constexpr Words kSecretNames(std::array<std::string_view, 5>{"password", "secret", "token",
                                                             "authorization", "credential"});

bool is_letter(char c) {
    const char lower = lower_ascii(c);
    return lower >= 'a' && lower <= 'z';
}

/// Calls `plain` with what stands between quotation marks' pairs and `quotation` with the pairs.
template <class Plain, class Quotation>
void split_quotations(std::string_view text, Plain plain, Quotation quotation) {
    while (!text.empty()) {
        const auto size = std::min(text.find('"'), text.size());
        plain(text.substr(0, size));
        text.remove_prefix(size);
        if (text.empty()) return;
        const auto quoted = scim::Lexer(text).next().text;
        quotation(quoted);
        text.remove_prefix(quoted.size());
    }
}

void append_quotation(std::string& out, std::string_view quoted) {
    if (!names_a_secret(quoted)) {
        out.append(quoted);
        return;
    }
    const auto sent = json::parse(quoted);
    const auto* text = sent ? sent->if_string() : nullptr;
    if (text == nullptr) {
        out.append(kRedacted);
        return;
    }
    json::append_string(out, redact_filter(text->subview()));
}

/// Writes JSON anew without its secrets.
class BodyRedaction {
  public:
    /// `bytes` is about what will be written.
    BodyRedaction(Hide in_filters, Hide elsewhere, std::size_t bytes)
        : in_filters_(in_filters), elsewhere_(elsewhere) {
        result_.text.reserve(bytes);
    }

    /// What is kept of a body that may hold some.
    RedactedBody run(const json::Value& body) && {
        append_parts(body, {});
        return std::move(result_);
    }

  private:
    void append(const json::Value& value, std::string_view name = {}) {
        if (!append_harmless(value)) append_parts(value, name);
    }

    void append_parts(const json::Value& value, std::string_view name) {
        if (const auto* object = value.if_object()) {
            append(*object);
        } else if (const auto* array = value.if_array()) {
            append(*array);
        } else if (const auto* text = value.if_string()) {
            append_text(name, text->subview());
        } else {
            json::append(result_.text, value);
        }
    }

    /// Nearly every part is none of a secret's: it is written as it is, and looked through as a
    /// whole. Deep inside, where parts of parts have been written in vain, no more.
    bool append_harmless(const json::Value& value) {
        constexpr int kMostInVain = 4;
        if (in_vain_ >= kMostInVain || in_filter_error_ || in_filters_ != Hide::Secrets ||
            elsewhere_ != Hide::Secrets)
            return false;
        const auto before = result_.text.size();
        json::append(result_.text, value);
        if (value.is_bool() || value.is_number() || value.is_null()) return true;
        if (!may_hold_secrets(std::string_view{result_.text}.substr(before))) return true;
        result_.text.resize(before);
        return false;
    }

    void append(const json::Array& array) {
        ++in_vain_;
        char before = '[';
        for (const auto& element : array) {
            result_.text.push_back(std::exchange(before, ','));
            append(element);
        }
        --in_vain_;
        result_.text.append(before == '[' ? "[]" : "]");
    }

    void append(const json::Object& object) {
        if (std::ranges::any_of(object, [](const auto& member) {
                return is_secret_itself(std::string_view{member.key()});
            })) {
            // Two names could become one, and a record with two of a name cannot be read.
            result_.hides_part = true;
            return json::append_string(result_.text, kRedacted);
        }
        // {"op":"replace","path":"password","value":"…"}: the secret's name stands in another
        // member. Member names are read without case, here as by PATCH.
        const auto* path = json::find_ignoring_case(object, "path");
        const bool secret_path =
            path != nullptr && path->is_string() && names_a_secret(path->get_string().subview());
        const bool of_filter = std::exchange(in_filter_error_, is_filter_error(object));
        ++in_vain_;
        char before = '{';
        for (const auto& [key, member] : object) {
            const std::string_view name{key};
            const bool secret =
                names_a_secret(name) || (secret_path && equals_ignoring_case(name, "value"));
            result_.text.push_back(std::exchange(before, ','));
            json::append_string(result_.text, name);
            result_.text.push_back(':');
            if (secret && !member.is_bool() && !member.is_null()) {
                json::append_string(result_.text, kRedacted);
            } else {
                append(member, name);
            }
        }
        --in_vain_;
        in_filter_error_ = of_filter;
        result_.text.append(before == '{' ? "{}" : "}");
    }

    void append_text(std::string_view name, std::string_view text) {
        const auto redacted = redact(name, text);
        if (redacted != text) result_.hides_part = true;
        json::append_string(result_.text, mask_tokens(redacted));
    }

    [[nodiscard]] std::string redact(std::string_view name, std::string_view text) const {
        if (name == "detail") {
            return redact_quotations(text, in_filter_error_ ? in_filters_ : elsewhere_);
        }
        const bool is_filter =
            equals_ignoring_case(name, "filter") || equals_ignoring_case(name, "path");
        return is_filter ? redact_filter(text) : redact_text(text);
    }

    /// A PATCH operation without a path takes paths as the names of its value.
    static bool is_secret_itself(std::string_view name) {
        // Nearly every name is a word, with which nothing is compared.
        if (std::ranges::all_of(name, is_letter)) return false;
        return holds_token(name) || (names_a_secret(name) && redact_filter(name) != name);
    }

    static bool is_filter_error(const json::Object& object) {
        const auto type = json::string_or_empty(object, "scimType");
        return type == "invalidFilter" || type == "invalidPath";
    }

    Hide in_filters_;
    Hide elsewhere_;
    bool in_filter_error_ = false;
    int in_vain_ = 0;  ///< how many parts that hold secrets this one is in
    RedactedBody result_;
};

/// One name or one value of a query.
bool holds_secret(std::string_view encoded) {
    const auto text = percent_decode(encoded, true);
    // What cannot be decoded cannot be redacted.
    return !text || holds_token(*text) ||
           (names_a_secret(*text) && FilterValues(*text).compares_secret());
}

bool query_holds_secret(std::string_view query) {
    const auto is_harmless = [](std::string_view text) {
        return !names_a_secret(text) && !holds_token(text);
    };
    if (query.contains('%')) {
        const auto decoded = percent_decode(query);
        if (decoded && is_harmless(*decoded)) return false;
    } else if (is_harmless(query)) {
        return false;
    }
    // Apart, as the server reads them: a quotation mark in one closes none in another.
    while (!query.empty()) {
        const auto item = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(item.size() + 1, query.size()));
        const auto equals = std::min(item.find('='), item.size());
        if (holds_secret(item.substr(0, equals))) return true;
        if (equals < item.size() && holds_secret(item.substr(equals + 1))) return true;
    }
    return false;
}

/// An escaped question mark makes a query part of the path.
bool path_holds_secret(std::string_view path) {
    const auto decoded = percent_decode(path);
    return !decoded || holds_token(*decoded) ||
           (names_a_secret(*decoded) && (decoded->contains('?') || looks_like_filter(*decoded)));
}

}  // namespace

bool names_a_secret(std::string_view text) { return kSecretNames.any_in(text); }

bool may_hold_secrets(std::string_view json) {
    // An escape could spell a secret's name or a token's prefix letter by letter.
    return names_a_secret(json) || json.contains("\\u") || holds_token(json);
}

bool holds_token(std::string_view text) {
    // The last character of the prefix is the rarest.
    constexpr auto kBefore = kTokenPrefix.size() - 1;
    for (auto at = text.find(kTokenPrefix.back(), kBefore); at != std::string_view::npos;
         at = text.find(kTokenPrefix.back(), at + 1)) {
        if (text.substr(at - kBefore, kTokenPrefix.size()) == kTokenPrefix) return true;
    }
    return false;
}

std::string mask_tokens(std::string_view text) {
    std::string masked;
    std::size_t position = 0;
    const auto is_token_character = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_' || c == '-';
    };
    for (auto found = text.find(kTokenPrefix); found != std::string_view::npos;
         found = text.find(kTokenPrefix, position)) {
        masked.append(text.substr(position, found - position));
        position = found;
        while (position < text.size() && is_token_character(text[position])) ++position;
        // The bare prefix is no secret: a refusal tells it.
        const bool bare = position == found + kTokenPrefix.size();
        masked.append(bare ? kTokenPrefix : kRedacted);
    }
    return masked.append(text.substr(position));
}

std::string redact_filter(std::string_view text) {
    if (!names_a_secret(text)) return std::string{text};
    FilterValues values(text);
    return values.compares_secret() ? std::move(values).without() : std::string{text};
}

std::string redact_text(std::string_view text) {
    const bool is_filter = names_a_secret(text) && looks_like_filter(text);
    return is_filter ? redact_filter(text) : std::string{text};
}

bool is_plain_name(std::string_view text) {
    return std::ranges::all_of(text, [](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || std::string_view{"/._~:$@-"}.contains(c);
    });
}

std::string redact_quotations(std::string_view text, Hide hide) {
    if (hide == Hide::Secrets) {
        if (!names_a_secret(text)) return std::string{text};
        split_quotations(
            text,
            [&hide](std::string_view plain) {
                if (names_a_secret(plain)) hide = Hide::All;
            },
            [](std::string_view) {});
    }
    std::string out;
    split_quotations(
        text, [&out](std::string_view plain) { out.append(plain); },
        [&out, hide](std::string_view quoted) {
            const bool is_name = quoted.size() > 2 && quoted.ends_with('"') &&
                                 is_plain_name(quoted.substr(1, quoted.size() - 2));
            if (hide == Hide::All || (hide == Hide::AllButNames && !is_name)) {
                out.append(kRedacted);
            } else {
                append_quotation(out, quoted);
            }
        });
    return out;
}

std::string redact_target(std::string_view target) {
    const auto path = target.substr(0, target.find('?'));
    if (const auto escape = path.find('%');
        escape != std::string_view::npos && path_holds_secret(path)) {
        return mask_tokens(utf8_prefix(path.substr(0, escape), kMaxTargetBytes)).append(kRedacted);
    }
    if (path.size() < target.size() && query_holds_secret(target.substr(path.size() + 1))) {
        return mask_tokens(utf8_prefix(path, kMaxTargetBytes)).append("?").append(kRedacted);
    }
    return mask_tokens(utf8_prefix(target, kMaxTargetBytes));
}

RedactedBody redact_body(std::string_view raw, const json::Value& parsed, Hide in_filters,
                         Hide elsewhere) {
    RedactedBody body;
    const bool hides = in_filters != Hide::Secrets || elsewhere != Hide::Secrets;
    if (hides || may_hold_secrets(raw)) {
        body = BodyRedaction(in_filters, elsewhere, raw.size()).run(parsed);
    } else {
        body.text = raw;
    }
    // Between tokens a line end is white space; inside a JSON string it cannot stand. So this keeps
    // a record on one line and changes nothing. Few bodies have any.
    for (const char line_end : {'\n', '\r'}) {
        if (body.text.contains(line_end)) std::ranges::replace(body.text, line_end, ' ');
    }
    return body;
}

}  // namespace muster::provlog
