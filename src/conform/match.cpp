#include "conform/match.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "base/crypto.hpp"
#include "base/result.hpp"
#include "conform/words.hpp"

namespace muster::conform {
namespace {

constexpr std::string_view kAnyOthers = "...";
constexpr std::string_view kAnyOrder = "!any-order";
constexpr std::string_view kAbsent = "!absent";
constexpr std::string_view kNone = "!none";
constexpr std::string_view kOneOf = "!one-of ";
constexpr std::string_view kNot = "!not ";

bool is_name(std::string_view text) {
    constexpr std::string_view kInside =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";
    return !text.empty() && text.find_first_not_of(kInside) == std::string_view::npos &&
           (text.front() < '0' || text.front() > '9') && text.front() != '.';
}

std::string escaped(std::string_view text) {
    std::string quoted;
    json::append_string(quoted, text);
    return quoted.substr(1, quoted.size() - 2);
}

/// "repeat 3 ab" as "ababab"; nothing where `text` is no repeat expression.
std::optional<std::string> repeated(std::string_view text) {
    constexpr std::string_view kWord = "repeat ";
    if (!text.starts_with(kWord)) return std::nullopt;
    text.remove_prefix(kWord.size());
    std::size_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ' ')
        return std::nullopt;
    const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()) + 1);
    std::string out;
    out.reserve(unit.size() * count);
    for (std::size_t i = 0; i < count; ++i) out += unit;
    return out;
}

std::string shown(const json::Value& value) {
    constexpr std::size_t kMost = 200;
    std::string text = json::to_text(value);
    if (text.size() > kMost) text = text.substr(0, kMost) + "…";
    return text;
}

std::string as_text(const json::Value& value) {
    return value.is_string() ? std::string{value.get_string()} : json::to_text(value);
}

bool is_word(const json::Value& value, std::string_view word) {
    return value.is_string() && value.get_string() == word;
}

std::string child(const std::string& path, std::string_view name) {
    return path.empty() ? std::string{name} : fmt::format("{}.{}", path, name);
}

// RFC 7643 §2.5: unassigned, null and the empty list are one state.
bool is_none(const json::Value& value) {
    return value.is_null() || (value.is_array() && value.get_array().empty());
}

bool is_text(const json::Value& actual, std::string_view pattern) {
    return actual.is_string() && matches_glob(pattern, as_text(actual));
}

/// "!not x", and "!one-of a|" with nothing behind its last bar.
bool may_be_absent(const json::Value& expected) {
    if (!expected.is_string()) return false;
    const std::string_view words = expected.get_string();
    return words.starts_with(kNot) || (words.starts_with(kOneOf) && words.ends_with('|'));
}

bool matches_words(std::string_view expected, const json::Value& actual) {
    if (expected == "*") return true;
    if (expected == kNone) return is_none(actual);
    if (expected.starts_with(kNot)) return as_text(actual) != expected.substr(kNot.size());
    if (!expected.starts_with(kOneOf)) return is_text(actual, expected);
    const auto choices = split(expected.substr(kOneOf.size()), '|');
    return std::ranges::any_of(choices, [&](const auto& choice) {
        return is_text(actual, choice) || as_text(actual) == choice;
    });
}

void match_text(std::string_view wanted, const json::Value& actual, const std::string& path,
                Variables& variables, std::vector<std::string>& differences) {
    // Filled here and not before, so that a body can use what it captured further up.
    const auto expected = variables.fill(wanted, Variables::Context::Plain);
    if (!expected) {
        differences.push_back(fmt::format("{}: {}", path, expected.error()));
    } else if (expected->starts_with('@')) {
        variables.set(expected->substr(1), as_text(actual));
    } else if (!matches_words(*expected, actual)) {
        differences.push_back(
            fmt::format("{}: expected \"{}\", got {}", path, *expected, shown(actual)));
    }
}

/// RFC 8259 §6 knows one kind of number: 1 and 1.0 are equal.
bool equal_numbers(const json::Value& a, const json::Value& b) {
    return a.is_number() && b.is_number() && a.to_number<double>() == b.to_number<double>();
}

void match_object(const json::Object& expected, const json::Value& actual, const std::string& path,
                  Variables& variables, std::vector<std::string>& differences) {
    if (!actual.is_object()) {
        differences.push_back(fmt::format("{}: expected an object, got {}", path, shown(actual)));
        return;
    }
    const json::Object& object = actual.get_object();
    for (const auto& [written, value] : expected) {
        const auto name = variables.fill(std::string_view{written}, Variables::Context::Plain);
        if (!name) {
            differences.push_back(fmt::format("{}: {}", path, name.error()));
            continue;
        }
        const json::Value* found = object.if_contains(*name);
        const bool absent = is_word(value, kAbsent);
        const bool none = is_word(value, kNone);
        if (found == nullptr && !absent && !none && !may_be_absent(value))
            differences.push_back(
                fmt::format("{}: expected {}, but it is absent", child(path, *name), shown(value)));
        else if (found != nullptr && absent)
            differences.push_back(
                fmt::format("{}: must be absent, got {}", child(path, *name), shown(*found)));
        else if (found != nullptr)
            match_json(value, *found, child(path, *name), variables, differences);
    }
}

/// Each expected element must match one actual element of its own, in any order.
void match_some(std::span<const json::Value> expected, const json::Array& actual,
                const std::string& path, Variables& variables,
                std::vector<std::string>& differences) {
    std::vector<bool> used(actual.size(), false);
    for (const json::Value& wanted : expected) {
        std::size_t at = 0;
        for (; at < actual.size(); ++at) {
            Variables attempt = variables;
            std::vector<std::string> unlike;
            if (!used[at]) match_json(wanted, actual[at], path, attempt, unlike);
            if (used[at] || !unlike.empty()) continue;
            used[at] = true;
            variables = std::move(attempt);
            break;
        }
        if (at == actual.size())
            differences.push_back(fmt::format("{}: no element like {}", path, shown(wanted)));
    }
}

void match_array(const json::Array& expected, const json::Value& actual, const std::string& path,
                 Variables& variables, std::vector<std::string>& differences) {
    if (!actual.is_array()) {
        differences.push_back(fmt::format("{}: expected an array, got {}", path, shown(actual)));
        return;
    }
    const json::Array& array = actual.get_array();
    const bool others = !expected.empty() && is_word(expected.back(), kAnyOthers);
    const bool any_order = !expected.empty() && is_word(expected.back(), kAnyOrder);
    const std::span wanted{expected.data(), expected.size() - (others || any_order ? 1 : 0)};
    if (!others && array.size() != wanted.size()) {
        differences.push_back(fmt::format("{}: expected {} elements, got {}: {}", path,
                                          wanted.size(), array.size(), shown(actual)));
        return;
    }
    if (others || any_order) {
        match_some(wanted, array, path, variables, differences);
        return;
    }
    for (std::size_t i = 0; i < array.size(); ++i)
        match_json(expected[i], array[i], fmt::format("{}[{}]", path, i), variables, differences);
}

}  // namespace

void Variables::set(std::string name, std::string value) {
    values_.insert_or_assign(std::move(name), Value{std::move(value), false});
}

void Variables::set_raw(std::string name, std::string value) {
    values_.insert_or_assign(std::move(name), Value{std::move(value), true});
}

std::expected<std::string, std::string> Variables::value_of(std::string_view name,
                                                            Context context) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return std::unexpected(fmt::format("{{{}}} was never set", name));
    const bool escape = context == Context::Json && !found->second.raw;
    return escape ? escaped(found->second.text) : found->second.text;
}

std::expected<std::optional<std::string>, std::string> Variables::expand(std::string_view inside,
                                                                         Context context) const {
    constexpr std::string_view kBase64 = "base64 ";
    if (is_name(inside)) return value_of(inside, context);
    if (inside.starts_with(kBase64)) {
        inside.remove_prefix(kBase64.size());
        const std::size_t colon = inside.find(':');
        if (colon == std::string_view::npos) return std::nullopt;
        TRY_ASSIGN(const std::string user, value_of(inside.substr(0, colon), Context::Plain));
        TRY_ASSIGN(const std::string secret, value_of(inside.substr(colon + 1), Context::Plain));
        return to_base64(user + ":" + secret);
    }
    return repeated(inside);
}

std::expected<std::string, std::string> Variables::fill(std::string_view text,
                                                        Context context) const {
    std::string out;
    while (!text.empty()) {
        const std::size_t open = text.find('{');
        out += text.substr(0, open);
        if (open == std::string_view::npos) break;
        text.remove_prefix(open + 1);
        const std::size_t close = text.find('}');
        std::optional<std::string> expansion;
        if (close != std::string_view::npos) {
            TRY_ASSIGN(expansion, expand(text.substr(0, close), context));
        }
        out += expansion ? *expansion : "{";
        if (expansion) text.remove_prefix(close + 1);
    }
    return out;
}

bool matches_glob(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            resume = t;
        } else if (p < pattern.size() && pattern[p] == text[t]) {
            ++p;
            ++t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

void match_json(const json::Value& expected, const json::Value& actual, const std::string& path,
                Variables& variables, std::vector<std::string>& differences) {
    if (expected.is_string()) {
        match_text(expected.get_string(), actual, path, variables, differences);
    } else if (expected.is_object()) {
        match_object(expected.get_object(), actual, path, variables, differences);
    } else if (expected.is_array()) {
        match_array(expected.get_array(), actual, path, variables, differences);
    } else if (!equal_numbers(expected, actual) && expected != actual) {
        differences.push_back(
            fmt::format("{}: expected {}, got {}", path, shown(expected), shown(actual)));
    }
}

}  // namespace muster::conform
