#include "json/raw.hpp"

#include <string>

#include <gtest/gtest.h>

#include "json/json.hpp"

namespace muster::json {
namespace {

TEST(RawMember, FindsWhatTheParserFinds) {
    constexpr std::string_view kText =
        R"({"a":1,"b":"x\"},{\\","c":{"b":[1,{"d":"]"}],"e":null},"f":[],"g":-1.5e3,"h":{},"i":true})";
    const auto parsed = parse(kText);
    ASSERT_TRUE(parsed);
    for (const auto& [name, value] : parsed->get_object()) {
        const auto raw = raw_member(kText, name);
        ASSERT_TRUE(raw) << name;
        const auto again = parse(*raw);
        ASSERT_TRUE(again) << *raw;
        EXPECT_EQ(*again, value);
    }
    EXPECT_FALSE(raw_member(kText, "d")) << "deeper";
    EXPECT_FALSE(raw_member(kText, "x"));
    EXPECT_FALSE(raw_member("{}", "a"));
}

TEST(RawMember, StaysWithinAnyText) {
    const std::string text = R"({"a":{"b":["\"",1]},"c":"d"})";
    for (std::size_t size = 0; size <= text.size(); ++size) {
        const std::string cut = text.substr(0, size);  // of its own, for a sanitizer to watch
        for (const char* name : {"a", "c", "z", ""}) {
            if (const auto raw = raw_member(cut, name)) EXPECT_LE(raw->size(), cut.size());
        }
    }
    for (const char* odd :
         {"", "{", "}", "]", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":]}", "\\"}) {
        const std::string_view sent = odd;
        if (const auto raw = raw_member(sent, "a")) EXPECT_LE(raw->size(), sent.size());
    }
}

}  // namespace
}  // namespace muster::json
