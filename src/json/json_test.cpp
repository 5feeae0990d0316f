#include "json/json.hpp"

#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <boost/json/monotonic_resource.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace muster::json {
namespace {

using Kind = ParseError::Kind;
using namespace std::string_literals;

/// The kind of the refusal; fails the test where the text is accepted.
Kind refusal(std::string_view text, const Limits& limits = {}) {
    const auto value = parse(text, limits);
    EXPECT_FALSE(value.has_value()) << "accepted: " << text.substr(0, 80);
    return value ? Kind::TooLarge : value.error().kind;
}

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    result.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
}

std::string nested(std::size_t depth) { return repeat("[", depth) + repeat("]", depth); }

std::string object_of(std::size_t members, std::string_view name_prefix = "k") {
    std::string text = "{";
    for (std::size_t i = 0; i < members; ++i) {
        fmt::format_to(std::back_inserter(text), "{}\"{}{:06}\":1", i == 0 ? "" : ",", name_prefix,
                       i);
    }
    return text + "}";
}

double seconds_to_parse(const std::string& text) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(parse(text).has_value());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(JsonParse, ReadsEveryKindOfValue) {
    const auto value = parse(R"( {"s":"a\u00e9\n","i":-5,"u":18446744073709551615,"d":1.5,)"
                             R"("b":true,"n":null,"a":[1,[]],"o":{}} )");
    ASSERT_TRUE(value.has_value());
    const Object& object = value->get_object();
    EXPECT_EQ(object.at("s").get_string(), "a\xC3\xA9\n");
    EXPECT_EQ(object.at("i").get_int64(), -5);
    EXPECT_EQ(object.at("u").get_uint64(), std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(object.at("d").get_double(), 1.5);
    EXPECT_TRUE(object.at("b").get_bool());
    EXPECT_TRUE(object.at("n").is_null());
    EXPECT_EQ(object.at("a").get_array().size(), 2U);
    EXPECT_TRUE(object.at("o").get_object().empty());
}

TEST(JsonParse, KeepsTheOrderOfMembers) {
    const auto value = parse(R"({"z":1,"a":2,"m":3})");
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(to_text(*value), R"({"z":1,"a":2,"m":3})");
}

TEST(JsonParse, TakesAScalarAsAWholeText) {
    EXPECT_EQ(parse("true")->get_bool(), true);
    EXPECT_EQ(parse(" \"x\"\r\n")->get_string(), "x");
    EXPECT_EQ(parse("12")->get_int64(), 12);
}

TEST(JsonParse, RefusesWhatIsNotJson) {
    for (std::string_view text : {"",
                                  " ",
                                  "{",
                                  "[1",
                                  "\"abc",
                                  "{\"a\":}",
                                  "{\"a\" 1}",
                                  "{a:1}",
                                  "{'a':1}",
                                  "[1,]",
                                  "{\"a\":1,}",
                                  "nul",
                                  "True",
                                  "NaN",
                                  "Infinity",
                                  "-",
                                  "+1",
                                  "01",
                                  "1.",
                                  ".5",
                                  "1e",
                                  "0x10",
                                  "// c\n1",
                                  "/* c */1",
                                  "[1] 2",
                                  "{}{}",
                                  "1 x",
                                  "\"\\q\"",
                                  "\"\\u12\"",
                                  R"("\ud800")",
                                  R"("\ud800x")",
                                  "\"a\nb\"",
                                  "\"a\tb\"",
                                  "\x01"}) {
        EXPECT_EQ(refusal(text), Kind::Syntax) << text;
    }
    EXPECT_EQ(refusal("\"a\0b\""s), Kind::Syntax);
    EXPECT_EQ(refusal("{}\0"s), Kind::Syntax);
}

TEST(JsonParse, NamesTheByteAtWhichItStopped) {
    EXPECT_EQ(parse("{\"a\":x}").error().offset, 5U);
    EXPECT_EQ(parse("{} true").error().offset, 3U);
    EXPECT_EQ(parse("{} true").error().message, "Something follows the JSON value, at byte 3.");
    EXPECT_EQ(parse("{\"a\":x}").error().message, "The JSON text is malformed at byte 5.");
    EXPECT_EQ(parse("{\"a\":").error().message, "The JSON text ends before it is complete.");
}

TEST(JsonParse, NeverRepeatsAValueInAMessage) {
    for (std::string_view text :
         {R"({"password":"hunter2" x})", R"({"password":"hunter2\u0000"})",
          R"({"password":"hunter2","password":"hunter2"})", "{\"password\":\"hunter2\xFF\"}"}) {
        const auto value = parse(text);
        ASSERT_FALSE(value.has_value());
        EXPECT_EQ(value.error().message.find("hunter"), std::string::npos) << value.error().message;
    }
}

TEST(JsonParse, RefusesBadText) {
    const std::vector<std::string> texts = {
        R"("\u0000")",        // NUL, escaped
        R"({"a\u0000b":1})",  // NUL in a name
        R"("abc\u0000\u00e9def")",
        R"("\ud800\ud800")",  // two leading surrogates
        R"("\udc00")",        // a lone trailing surrogate
        "\"\xFF\"",
        "\"\xC3\"",              // cut sequence
        "\"\xC0\xAF\"",          // overlong
        "\"\xED\xA0\x80\"",      // surrogate in UTF-8
        "\"\xF4\x90\x80\x80\"",  // beyond U+10FFFF
        "\xEF\xBB\xBF{}",        // byte order mark
        "\xFF\xFE{\0}\0"s,       // UTF-16
    };
    for (const std::string& text : texts) EXPECT_EQ(refusal(text), Kind::BadText) << text;
}

TEST(JsonParse, TakesAPairOfSurrogates) {
    EXPECT_EQ(parse(R"("\ud83d\ude00")")->get_string(), "\xF0\x9F\x98\x80");
}

TEST(JsonParse, RefusesDuplicateNamesWithoutCase) {
    for (std::string_view text :
         {R"({"active":true,"active":false})", R"({"active":true,"Active":false})",
          R"({"a":1,"b":2,"c":3,"A":4})", R"([{"x":{"y":1,"z":2,"Y":3}}])",
          R"({"active":true,"\u0061ctive":false})", R"({"":1,"":2})",
          R"({"a":{"b":1},"A":{"b":1}})"}) {
        EXPECT_EQ(refusal(text), Kind::DuplicateKey) << text;
    }
    EXPECT_EQ(parse(R"({"userName":1,"username":2})").error().message,
              R"(The name "username" stands twice in one object; case makes no difference.)");
}

TEST(JsonParse, RefusesADuplicateAmongManyMembers) {
    for (std::size_t members : {11U, 12U, 13U, 5'000U}) {
        std::string text = object_of(members);
        text.insert(text.size() - 1, ",\"K000003\":2");
        EXPECT_EQ(refusal(text), Kind::DuplicateKey) << members;
    }
}

TEST(JsonParse, TakesTheSameNameInDifferentObjects) {
    for (std::string_view text :
         {R"({"a":{"a":{"a":1}}})", R"([{"a":1},{"a":2},{"A":3}])",
          R"({"value":1,"x":{"value":2},"y":[{"value":3}],"valu":4})",
          "{\"\xC3\x84\":1,\"\xC3\xA4\":2}"}) {  // only ASCII is compared without case
        EXPECT_TRUE(parse(text).has_value()) << text;
    }
}

TEST(JsonParse, CutsALongNameInTheMessage) {
    const std::string name(10'000, 'x');
    const auto value = parse("{\"" + name + "\":1,\"" + name + "\":2}");
    ASSERT_FALSE(value.has_value());
    EXPECT_LT(value.error().message.size(), 200U);
}

TEST(JsonParse, ReadsNumbersExactly) {
    EXPECT_EQ(parse("9223372036854775807")->get_int64(), std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(parse("-9223372036854775808")->get_int64(), std::numeric_limits<std::int64_t>::min());
    EXPECT_EQ(parse("9223372036854775808")->get_uint64(), 9223372036854775808U);
    EXPECT_EQ(parse("18446744073709551616")->get_double(), 18446744073709551616.0);
    EXPECT_EQ(parse("-9223372036854775809")->get_double(), -9223372036854775809.0);
    EXPECT_EQ(parse("0.1")->get_double(), 0.1);
    EXPECT_EQ(parse("2.2250738585072011e-308")->get_double(), 2.2250738585072011e-308);
    EXPECT_EQ(parse("1.7976931348623157e308")->get_double(), std::numeric_limits<double>::max());
    EXPECT_EQ(parse("1e2")->get_double(), 100.0);
    EXPECT_EQ(parse("-0")->get_int64(), 0);
    EXPECT_TRUE(std::signbit(parse("-0.0")->get_double()));
}

TEST(JsonParse, RefusesNumbersThatOverflowAndZeroesThoseThatVanish) {
    for (std::string text : {"1e999", "-1e999", "1e309", "1e99999999999999999999"}) {
        EXPECT_EQ(refusal(text), Kind::Syntax) << text;
    }
    EXPECT_EQ(refusal(std::string(400, '9')), Kind::Syntax);
    EXPECT_EQ(parse("1e-999")->get_double(), 0.0);
    EXPECT_EQ(parse("0." + std::string(400, '0') + "1")->get_double(), 0.0);
    EXPECT_EQ(parse("0e999")->get_double(), 0.0);
}

TEST(JsonParse, HoldsDepthToTheLimit) {
    EXPECT_TRUE(parse(nested(32)).has_value());
    EXPECT_EQ(refusal(nested(33)), Kind::TooDeep);
    EXPECT_EQ(refusal(repeat("[", 100'000)), Kind::TooDeep);
    EXPECT_EQ(refusal(repeat("{\"a\":", 100'000)), Kind::TooDeep);
    EXPECT_TRUE(parse("[[1]]", {.max_depth = 2}).has_value());
    EXPECT_EQ(refusal("[[[1]]]", {.max_depth = 2}), Kind::TooDeep);
}

TEST(JsonParse, HoldsSizeAndCountToTheLimits) {
    EXPECT_TRUE(parse("[1,2]", {.max_bytes = 5}).has_value());
    EXPECT_EQ(refusal("[1,2]", {.max_bytes = 4}), Kind::TooLarge);
    EXPECT_TRUE(parse(R"({"a":[1,2]})", {.max_values = 5}).has_value());
    EXPECT_EQ(refusal(R"({"a":[1,2]})", {.max_values = 4}), Kind::TooMany);
    EXPECT_EQ(refusal("[" + repeat("0,", 600'000) + "0]"), Kind::TooMany);
    EXPECT_EQ(refusal("[" + repeat("[],", 600'000) + "0]"), Kind::TooMany);
}

TEST(JsonParse, TakesALongString) {
    const std::string long_text(5 << 20, 'x');
    EXPECT_EQ(parse('"' + long_text + '"')->get_string().size(), long_text.size());
}

TEST(JsonParse, NeedsTimeLinearInTheNumberOfMembers) {
    static_cast<void>(seconds_to_parse(object_of(25'000)));
    const double small = seconds_to_parse(object_of(25'000));
    const double large = seconds_to_parse(object_of(200'000));
    EXPECT_LT(large, small * 8 * 4 + 0.05);
}

TEST(JsonParse, NeedsTimeLinearInNamesWithALongCommonPrefix) {
    const std::string prefix(1'000, 'p');
    EXPECT_LT(seconds_to_parse(object_of(7'000, prefix)), 5.0);
}

TEST(JsonParse, PutsValuesIntoTheGivenStorage) {
    boost::json::monotonic_resource arena;
    const auto value = parse(R"({"a":["b"]})", {}, &arena);
    ASSERT_TRUE(value.has_value());
    EXPECT_EQ(value->storage().get(), &arena);
    EXPECT_EQ(value->at("a").at(0).storage().get(), &arena);
}

TEST(JsonWrite, WritesCompactTextThatReadsTheSame) {
    for (std::string_view text :
         {"null", "true", "false", "0", "-1", "18446744073709551615", "1.5", "100.0", "1e+300",
          "-0.0", "\"\"", "[]", "{}", R"([1,"a",null,{"b":[false]}])",
          R"({"a":{"b":{"c":[]}},"d":"\"\\\b\f\n\r\t\u0001\u007f"})",
          "\"\xC3\xA9\xF0\x9F\x98\x80\""}) {
        const auto value = parse(text);
        ASSERT_TRUE(value.has_value()) << text;
        EXPECT_EQ(to_text(*value), text);
    }
}

TEST(JsonWrite, KeepsTheKindOfANumber) {
    for (double number : {1.0, 1e15, 1e16, 1e22, 0.1, -2.0, 5e-324, 1.7976931348623157e308}) {
        const auto value = parse(to_text(Value(number)));
        ASSERT_TRUE(value.has_value());
        ASSERT_TRUE(value->is_double()) << to_text(Value(number));
        EXPECT_EQ(value->get_double(), number);
    }
    EXPECT_EQ(to_text(Value(std::numeric_limits<double>::infinity())), "null");
}

TEST(JsonWrite, ReplacesMalformedUtf8) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
        {"\xC3", "\"\xEF\xBF\xBD\""},
        {"\xE2\x82", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {"\x80q", "\"\xEF\xBF\xBDq\""},
        {"\xC3\"", "\"\xEF\xBF\xBD\\\"\""},
        {"\xE2\x82\xAC", "\"\xE2\x82\xAC\""},
        {"\0"s, "\"\\u0000\""},
    };
    for (const auto& [text, expected] : cases) {
        std::string out;
        append_string(out, text);
        EXPECT_EQ(out, expected);
    }
}

TEST(JsonWrite, EscapesAtEachPlace) {
    const std::vector<std::pair<char, std::string>> escapes = {
        {'"', R"(\")"},        {'\\', R"(\\)"},          {'\0', R"(\u0000)"}, {'\x1F', R"(\u001f)"},
        {'\x7F', R"(\u007f)"}, {'\x80', "\xEF\xBF\xBD"}, {' ', " "},          {'~', "~"},
    };
    for (std::size_t size = 1; size < 50; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (const auto& [character, escape] : escapes) {
                std::string text(size, 'x');
                text[at] = character;
                std::string out;
                append_string(out, text);
                EXPECT_EQ(out, '"' + text.replace(at, 1, escape) + '"');
            }
        }
    }
}

TEST(JsonWrite, AppendsBehindWhatIsThere) {
    std::string out = "x=";
    append(out, *parse("[2.0]"));
    append(out, parse("{\"a\":1}")->get_object());
    EXPECT_EQ(out, "x=[2.0]{\"a\":1}");
}

TEST(JsonAccess, FindsMembersWithoutCaseAndPrefersTheExactOne) {
    Object object;
    object["Active"] = 1;
    object["active"] = 2;
    object["userName"] = 3;
    EXPECT_EQ(*find_ignoring_case(object, "active"), 2);
    EXPECT_EQ(*find_ignoring_case(object, "ACTIVE"), 1);
    EXPECT_EQ(*find_ignoring_case(object, "USERNAME"), 3);
    EXPECT_EQ(find_ignoring_case(object, "user"), nullptr);
    EXPECT_EQ(find_ignoring_case({}, ""), nullptr);
}

TEST(JsonAccess, GivesTextOnlyForStrings) {
    const Object object = parse(R"({"a":"x","b":1,"c":null})")->get_object();
    EXPECT_EQ(string_or_empty(object, "a"), "x");
    EXPECT_EQ(string_or_empty(object, "b"), "");
    EXPECT_EQ(string_or_empty(object, "c"), "");
    EXPECT_EQ(string_or_empty(object, "A"), "");
}

}  // namespace
}  // namespace muster::json
