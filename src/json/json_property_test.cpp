#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/text.hpp"
#include "json/json.hpp"

namespace muster::json {
namespace {

std::string any_text() {
    static const std::array<std::string, 8> kPieces = {"a",  "Z",    "\"", "\\",
                                                       "\n", "\x7F", "é",  "\xF0\x9F\x98\x80"};
    std::string text;
    for (const std::size_t piece : *rc::gen::container<std::vector<std::size_t>>(
             rc::gen::inRange<std::size_t>(0, kPieces.size()))) {
        text += kPieces.at(piece);
    }
    return text;
}

Value any_value(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 8 : 6)) {
        case 0:
            return nullptr;
        case 1:
            return *rc::gen::arbitrary<bool>();
        case 2:
            return *rc::gen::arbitrary<std::int64_t>();
        case 3:
            return *rc::gen::arbitrary<std::uint64_t>();
        case 4:
            return *rc::gen::suchThat<double>([](double d) { return std::isfinite(d); });
        case 5:
            return Value(any_text());
        case 6: {
            Array array;
            for (int i = *rc::gen::inRange(0, 4); i > 0; --i) array.push_back(any_value(depth - 1));
            return array;
        }
        default: {
            Object object;
            for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
                object[std::to_string(i) + any_text()] = any_value(depth - 1);
            }
            return object;
        }
    }
}

TEST(JsonProperty, WhatIsWrittenReadsTheSame) {
    EXPECT_TRUE(rc::check([] {
        const Value value = any_value(4);
        const auto read = parse(to_text(value));
        RC_ASSERT(read.has_value());
        RC_ASSERT(*read == value);
        RC_ASSERT(to_text(*read) == to_text(value));
    }));
}

TEST(JsonProperty, AnyBytesAreReadOrRefused) {
    EXPECT_TRUE(rc::check([](const std::string& noise) {
        for (const std::string& text : {noise, '"' + noise + '"', "[" + noise, "{\"a\":" + noise}) {
            const auto value = parse(text);
            if (value) {
                RC_ASSERT(is_valid_utf8(text));
                RC_ASSERT(*parse(to_text(*value)) == *value);
            } else {
                RC_ASSERT(!value.error().message.empty());
                RC_ASSERT(value.error().offset <= text.size());
            }
        }
    }));
}

TEST(JsonProperty, AnyBytesAreWrittenAsValidText) {
    EXPECT_TRUE(rc::check([](const std::vector<std::uint8_t>& bytes) {
        std::string text;
        append_string(text, std::string(bytes.begin(), bytes.end()));
        RC_ASSERT(is_valid_utf8(text));
        const auto holds_nul = std::ranges::find(bytes, std::uint8_t{0}) != bytes.end();
        RC_ASSERT(parse(text).has_value() == !holds_nul);
    }));
}

}  // namespace
}  // namespace muster::json
