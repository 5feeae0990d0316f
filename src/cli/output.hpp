#pragma once
// Data to standard output, words to standard error; everything that came from outside is made
// printable on the way.

#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "json/json.hpp"

namespace muster::cli {

enum class Format : std::uint8_t {
    Text,
    Number,    ///< to the right
    Time,      ///< RFC 3339 as "2026-11-22 08:15:30Z"
    Duration,  ///< microseconds as "1.2 ms"
    State,     ///< a word, coloured by its meaning: active, expired, failed
    Status,    ///< an HTTP status, coloured by its class
};

/// What a list or a page shows of a JSON object.
struct Column {
    std::string_view title;   ///< "CREATED"
    std::string_view member;  ///< "created", or "resource.display" for a member's member
    Format format = Format::Text;
    std::size_t least_width = 0;  ///< so that rows which come later stand under those before
};

struct Style {
    bool json = false;
    bool colour_out = false;
    bool colour_err = false;
};

/// Not thread-safe. The streams must outlive it.
class Output {
  public:
    Output(std::ostream& out, std::ostream& err, Style style)
        : out_(out), err_(err), style_(style) {}

    [[nodiscard]] bool json() const { return style_.json; }

    /// One value, one line.
    void value(const json::Value& value);
    void table(const json::Array& rows, std::span<const Column> columns, bool titles = true);
    /// A member a line; those that are absent are left out.
    void page(const json::Object& object, std::span<const Column> columns);
    /// Any JSON, a scalar a line: "name.givenName  Ann".
    void tree(const json::Value& value);
    void heading(std::string_view words);
    void line(std::string_view text);
    /// Text of our own making, as it is.
    void raw(std::string_view text);

    /// For people: what happened, what comes next. Silent where JSON was asked for.
    void say(std::string_view words);
    /// Why it did not work and, where there is one, the remedy. As a problem document (RFC 9457)
    /// where JSON was asked for.
    void error(std::string_view detail, std::string_view remedy = {});
    void problem(const json::Object& problem);

  private:
    std::ostream& out_;
    std::ostream& err_;
    Style style_;
};

/// The member that a column names as text; "-" where it is absent, null or empty.
[[nodiscard]] std::string text_of(const json::Object& object, const Column& column);

/// "1 user", "2 users"
[[nodiscard]] std::string count_of(std::int64_t count, std::string_view noun);

}  // namespace muster::cli
