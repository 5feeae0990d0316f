#include "json/json.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include "base/text.hpp"

namespace muster::json {

namespace {

using ErrorCode = boost::system::error_code;
using Kind = ParseError::Kind;

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Up to this many members, comparing all pairs is cheaper than sorting.
constexpr std::size_t kFewMembers = 32;

constexpr std::size_t kShownNameBytes = 64;

ParseError failure(Kind kind, std::size_t offset, std::string message) {
    return {.kind = kind, .offset = offset, .message = std::move(message)};
}

/// Turns the parser's events into values and adds the checks that Boost leaves to its user.
/// The names of the members of all objects that are still open lie end to end in `names_`, so that
/// an object's names can be compared when it closes, at the cost of one copy and no allocation
/// each.
class Reader {
  public:
    // The parser reads these by name.
    static constexpr std::size_t max_object_size = Object::max_size();
    static constexpr std::size_t max_array_size = Array::max_size();
    static constexpr std::size_t max_key_size = String::max_size();
    static constexpr std::size_t max_string_size = String::max_size();

    Reader(std::size_t max_values, boost::json::storage_ptr storage,
           std::array<unsigned char, 4096>& scratch)
        : values_left_(max_values), stack_({}, scratch.data(), scratch.size()) {
        stack_.reset(std::move(storage));
    }

    Value release() { return stack_.release(); }

    /// What was refused here rather than by the parser itself.
    [[nodiscard]] const std::optional<ParseError>& refusal() const { return refusal_; }

    bool on_document_begin(ErrorCode&) { return true; }
    bool on_document_end(ErrorCode&) { return true; }
    bool on_object_begin(ErrorCode& ec) { return count(ec); }
    bool on_array_begin(ErrorCode& ec) { return count(ec); }

    bool on_object_end(std::size_t size, ErrorCode& ec) {
        if (!forget_distinct_names(size, ec)) return false;
        stack_.push_object(size);
        return true;
    }

    bool on_array_end(std::size_t size, ErrorCode&) {
        stack_.push_array(size);
        return true;
    }

    bool on_key_part(boost::json::string_view part, std::size_t, ErrorCode& ec) {
        append_to_name(part);
        return append_part(part, ec);
    }

    bool on_key(boost::json::string_view part, std::size_t size, ErrorCode& ec) {
        if (!count(ec) || !has_no_nul(part, ec)) return false;
        append_to_name(part);
        names_.push_back({.begin = name_bytes_.size() - size, .size = size});
        stack_.push_key(part);
        return true;
    }

    bool on_string_part(boost::json::string_view part, std::size_t, ErrorCode& ec) {
        return append_part(part, ec);
    }

    bool on_string(boost::json::string_view part, std::size_t, ErrorCode& ec) {
        if (!count(ec) || !has_no_nul(part, ec)) return false;
        stack_.push_string(part);
        return true;
    }

    bool on_number_part(boost::json::string_view, ErrorCode&) { return true; }

    bool on_int64(std::int64_t number, boost::json::string_view, ErrorCode& ec) {
        if (!count(ec)) return false;
        stack_.push_int64(number);
        return true;
    }

    bool on_uint64(std::uint64_t number, boost::json::string_view, ErrorCode& ec) {
        if (!count(ec)) return false;
        stack_.push_uint64(number);
        return true;
    }

    /// Boost 1.81 rounds some decimals to the wrong neighbour, so the text is read anew.
    bool on_double(double, boost::json::string_view text, ErrorCode& ec) {
        if (!count(ec)) return false;
        double exact = 0;
        const auto result = std::from_chars(text.data(), text.data() + text.size(), exact);
        const bool underflow = result.ec == std::errc::result_out_of_range && tends_to_zero(text);
        if (result.ec != std::errc{} && !underflow) {
            return refuse(Kind::Syntax, "A number is too large to be represented.", ec);
        }
        stack_.push_double(underflow ? 0.0 : exact);
        return true;
    }

    bool on_bool(bool value, ErrorCode& ec) {
        if (!count(ec)) return false;
        stack_.push_bool(value);
        return true;
    }

    bool on_null(ErrorCode& ec) {
        if (!count(ec)) return false;
        stack_.push_null();
        return true;
    }

    bool on_comment_part(boost::json::string_view, ErrorCode&) { return true; }
    bool on_comment(boost::json::string_view, ErrorCode&) { return true; }

  private:
    struct Name {
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    bool refuse(Kind kind, std::string message, ErrorCode& ec) {
        refusal_ = failure(kind, 0, std::move(message));
        ec = boost::json::error::input_error;
        return false;
    }

    bool count(ErrorCode& ec) {
        if (values_left_ == 0) {
            return refuse(Kind::TooMany, "The JSON text holds more values than are accepted.", ec);
        }
        --values_left_;
        return true;
    }

    bool has_no_nul(boost::json::string_view text, ErrorCode& ec) {
        if (text.find('\0') == boost::json::string_view::npos) return true;
        return refuse(Kind::BadText, "A string holds the character U+0000.", ec);
    }

    bool append_part(boost::json::string_view part, ErrorCode& ec) {
        if (!has_no_nul(part, ec)) return false;
        stack_.push_chars(part);
        return true;
    }

    void append_to_name(boost::json::string_view part) {
        const std::size_t start = name_bytes_.size();
        name_bytes_.append(part.data(), part.size());
        for (char& c : std::span{name_bytes_}.subspan(start)) {
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        }
    }

    /// A number whose magnitude is out of range is either huge or tiny; tiny ones become zero.
    static bool tends_to_zero(boost::json::string_view text) {
        const auto exponent = text.find_first_of("eE");
        const bool negative_exponent =
            exponent != boost::json::string_view::npos && text[exponent + 1] == '-';
        const auto first_digit = text.find_first_of("123456789");
        const auto point = text.find('.');
        return negative_exponent ||
               (point != boost::json::string_view::npos && point < first_digit);
    }

    [[nodiscard]] std::string_view text_of(const Name& name) const {
        return std::string_view{name_bytes_}.substr(name.begin, name.size);
    }

    /// Sorting rather than hashing: O(n log n) whatever names an attacker chooses.
    const Name* find_repeated(std::vector<Name>::iterator first, std::vector<Name>::iterator last) {
        const auto same = [this](const Name& a, const Name& b) { return text_of(a) == text_of(b); };
        if (static_cast<std::size_t>(last - first) > kFewMembers) {
            std::sort(first, last, [this](const Name& a, const Name& b) {
                return a.size != b.size ? a.size < b.size : text_of(a) < text_of(b);
            });
            const auto found = std::adjacent_find(first, last, same);
            return found == last ? nullptr : &*found;
        }
        for (auto a = first; a != last; ++a) {
            const auto b =
                std::find_if(std::next(a), last, [&](const Name& name) { return same(*a, name); });
            if (b != last) return &*b;
        }
        return nullptr;
    }

    /// Checks the names of the object that closes, then drops them.
    bool forget_distinct_names(std::size_t size, ErrorCode& ec) {
        if (size == 0) return true;
        const auto first = names_.end() - static_cast<std::ptrdiff_t>(size);
        const std::size_t keep = first->begin;
        if (const Name* repeated = find_repeated(first, names_.end())) {
            std::string message = "The name ";
            append_string(message, utf8_prefix(text_of(*repeated), kShownNameBytes));
            message += " stands twice in one object; case makes no difference.";
            return refuse(Kind::DuplicateKey, std::move(message), ec);
        }
        names_.erase(first, names_.end());
        name_bytes_.resize(keep);
        return true;
    }

    std::size_t values_left_;
    boost::json::value_stack stack_;
    std::string name_bytes_;
    std::vector<Name> names_;
    std::optional<ParseError> refusal_;
};

/// Explains what the parser itself refused.
ParseError explain(const ErrorCode& error, std::size_t offset, std::string_view text,
                   const Limits& limits) {
    using boost::json::error;
    if (error == error::too_deep) {
        return failure(
            Kind::TooDeep, offset,
            fmt::format("The JSON text is nested more than {} levels deep.", limits.max_depth));
    }
    if (error == error::illegal_leading_surrogate || error == error::illegal_trailing_surrogate ||
        error == error::expected_utf16_escape) {
        return failure(Kind::BadText, offset, "A string holds half of a surrogate pair.");
    }
    if (!is_valid_utf8(text)) {
        return failure(Kind::BadText, offset, "The JSON text is not valid UTF-8.");
    }
    if (error == error::incomplete) {
        return failure(Kind::Syntax, offset, "The JSON text ends before it is complete.");
    }
    if (error == error::extra_data) {
        return failure(Kind::Syntax, offset,
                       fmt::format("Something follows the JSON value, at byte {}.", offset));
    }
    return failure(Kind::Syntax, offset,
                   fmt::format("The JSON text is malformed at byte {}.", offset));
}

}  // namespace

std::expected<Value, ParseError> parse(std::string_view text, const Limits& limits,
                                       boost::json::storage_ptr storage) {
    if (text.size() > limits.max_bytes) {
        return std::unexpected(
            failure(Kind::TooLarge, limits.max_bytes,
                    fmt::format("The JSON text is larger than {} bytes.", limits.max_bytes)));
    }
    if (text.starts_with(kByteOrderMark)) {
        return std::unexpected(
            failure(Kind::BadText, 0, "The JSON text begins with a byte order mark."));
    }

    boost::json::parse_options options;
    options.max_depth = limits.max_depth;
    std::array<unsigned char, 4096> scratch;
    boost::json::basic_parser<Reader> parser(options, limits.max_values, std::move(storage),
                                             scratch);
    ErrorCode error;
    const std::size_t end = parser.write_some(false, text.data(), text.size(), error);
    if (!error && end < text.size()) error = boost::json::error::extra_data;
    if (!error) return parser.handler().release();
    if (auto refusal = parser.handler().refusal()) {
        refusal->offset = end;
        return std::unexpected(*std::move(refusal));
    }
    return std::unexpected(explain(error, end, text, limits));
}

const Value* find_ignoring_case(const Object& object, std::string_view name) {
    if (const Value* exact = object.if_contains(name)) return exact;
    for (const auto& member : object) {
        if (equals_ignoring_case(member.key(), name)) return &member.value();
    }
    return nullptr;
}

Value* find_ignoring_case(Object& object, std::string_view name) {
    return const_cast<Value*>(find_ignoring_case(std::as_const(object), name));
}

std::string_view string_or_empty(const Object& object, std::string_view name) {
    const Value* value = object.if_contains(name);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_string().subview();
}

}  // namespace muster::json
