#pragma once
// Variables of a script, and the comparison of an answer with what a step expects.

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace muster::conform {

/// What `{name}` stands for. Captured values are text; `raw` ones (lists) are JSON themselves.
class Variables {
  public:
    enum class Context { Plain, Json };

    void set(std::string name, std::string value);
    void set_raw(std::string name, std::string value);
    [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }

    /// `text` with every {name}, {repeat N TEXT} and {base64 NAME:NAME} replaced; in Json, text
    /// values are escaped as the inside of a JSON string. An unknown name is an error; other braces
    /// stay.
    [[nodiscard]] std::expected<std::string, std::string> fill(std::string_view text,
                                                               Context context) const;

  private:
    /// What stands for {inside}; nothing where it is no expression.
    [[nodiscard]] std::expected<std::optional<std::string>, std::string> expand(
        std::string_view inside, Context context) const;
    [[nodiscard]] std::expected<std::string, std::string> value_of(std::string_view name,
                                                                   Context context) const;

    struct Value {
        std::string text;
        bool raw = false;
    };
    std::map<std::string, Value, std::less<>> values_;
};

/// `*` stands for any text, also none.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text);

/// Compares `actual` with `expected` (README.md, "What is compared"), fills and sets variables in
/// the order of `expected`, and appends one sentence a difference to `differences`.
void match_json(const json::Value& expected, const json::Value& actual, const std::string& path,
                Variables& variables, std::vector<std::string>& differences);

}  // namespace muster::conform
