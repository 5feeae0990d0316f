#pragma once
// A filter or a PATCH path without what it compares with.

#include <cstdint>
#include <string>
#include <string_view>

#include "scim/filter/lexer.hpp"

namespace muster::provlog {

/// Whether quotation marks, brackets or an operator stand in it.
[[nodiscard]] bool looks_like_filter(std::string_view text);

/// Reads `text`, which must outlive it, by the tokens that the server reads. It need not be in
/// order: what cannot be told to be an attribute, an operator or a bracket is a value. O(text).
class FilterValues {
  public:
    explicit FilterValues(std::string_view text);

    /// A secret is named outside of values; or anywhere, where quotation marks or words stand as
    /// in no filter: then nobody could tell which of them close a value.
    [[nodiscard]] bool compares_secret() const;

    /// The text with "[redacted]" for each value.
    [[nodiscard]] std::string without() && { return std::move(out_); }

  private:
    /// What stands next in a filter that is in order.
    enum class Due : std::uint8_t { Name, Operator, Value, Link };

    void take(const scim::Token& token, const scim::Token& next);
    void take_word(const scim::Token& token, const scim::Token& next);
    void take_name(const scim::Token& token, const scim::Token& next);
    void take_operator(const scim::Token& token);
    void take_link(const scim::Token& token);

    void keep(const scim::Token& token, Due due);
    void keep_name(const scim::Token& token);
    /// What hides a value leaves it to be seen that one was there.
    void hide(std::size_t begin, std::size_t end);
    /// What stands where it should not.
    void hide_stray(const scim::Token& token, Due due);
    void copy_until(std::size_t end);

    std::string_view text_;
    std::string out_;
    std::size_t copied_ = 0;
    std::size_t hidden_until_ = std::string_view::npos;  ///< of the last value
    Due due_ = Due::Name;
    bool names_secret_ = false;
    bool in_order_ = true;
};

}  // namespace muster::provlog
