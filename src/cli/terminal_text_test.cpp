#include "cli/terminal_text.hpp"

#include <gtest/gtest.h>

namespace muster::cli {
namespace {

using namespace std::literals;

TEST(TerminalText, EscapesWhatCouldSteerATerminal) {
    struct Case {
        std::string_view text;
        std::string_view shown;
    };
    constexpr Case kCases[]{
        {"", ""},
        {"Ann Müller 漢字", "Ann Müller 漢字"},
        {"\x1b[31mred", "\\u{1b}[31mred"},
        {"a\nb\tc", "a\\nb\\tc"},
        {"bell\x07", "bell\\u{7}"},
        {"del\x7f", "del\\u{7f}"},
        {"c1 \xC2\x9B", "c1 \\u{9b}"},
        {"\xE2\x80\xAEgnp.exe", "\\u{202e}gnp.exe"},
        {"\xE2\x81\xA6x", "\\u{2066}x"},
        {"\xE2\x80\x8F/1", "\\u{200f}/1"},
        {"bo\xE2\x80\x8B"
         "b",
         "bo\\u{200b}b"},
        {"bo\xF3\xA0\x81\x81"
         "b",
         "bo\\u{e0041}b"},
        {"\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D", "\xE2\x9D\xA4\xEF\xB8\x8F\xE2\x80\x8D"},
        {"line\xE2\x80\xA8two", "line\\u{2028}two"},
        {"bad \xFF end", "bad \\x{ff} end"},
        {"cut \xE6\xBC", "cut \\x{e6}\\x{bc}"},
        {"surrogate \xED\xA0\x80", "surrogate \\x{ed}\\x{a0}\\x{80}"},
        {"nul\0x"sv, "nul\\u{0}x"},
    };
    for (const auto& [text, shown] : kCases) {
        EXPECT_EQ(printable(text), shown);
        EXPECT_EQ(printable(printable(text)), shown);
    }
}

TEST(TerminalText, EscapesInJsonWithoutChangingItsValue) {
    EXPECT_EQ(printable_json("{\"a\":\"\xC2\x9B\x7F\xE2\x80\xAE漢\"}"),
              "{\"a\":\"\\u009b\\u007f\\u202e漢\"}");
    EXPECT_EQ(printable_json("[\"\\u001b\"]"), "[\"\\u001b\"]");
    EXPECT_EQ(printable_json("[\"\xF3\xA0\x81\x81\"]"), "[\"\\udb40\\udc41\"]");
}

TEST(TerminalText, CountsTheCellsThatTextOccupies) {
    EXPECT_EQ(display_width(""), 0U);
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("Müller"), 6U);
    EXPECT_EQ(display_width("漢字"), 4U);
    EXPECT_EQ(display_width("e\xCC\x81"), 1U) << "a combining accent takes no cell";
    EXPECT_EQ(display_width("\xEF\xBC\xA1"), 2U) << "full-width A";
    EXPECT_EQ(display_width("a\xE2\x80\x8D"), 1U) << "zero-width joiner";
}

TEST(TerminalText, PadsByCellsAndNeverCuts) {
    EXPECT_EQ(pad_right("漢", 4), "漢  ");
    EXPECT_EQ(pad_left("12", 4), "  12");
    EXPECT_EQ(pad_right("abcdef", 3), "abcdef");
    EXPECT_EQ(pad_left("abcdef", 3), "abcdef");
}

TEST(TerminalText, WrapsWordsAndKeepsParagraphs) {
    EXPECT_EQ(wrap("one two three", 8, 0), "one two\nthree");
    EXPECT_EQ(wrap("one two three", 10, 2), "one two\n  three");
    EXPECT_EQ(wrap("averyveryverylongword x", 6, 0), "averyveryverylongword\nx");
    EXPECT_EQ(wrap("a\n\nb", 10, 1), "a\n\n b");
    EXPECT_EQ(wrap("", 10, 0), "");
    EXPECT_EQ(wrap("漢字 漢字 ab", 9, 0), "漢字 漢字\nab");
}

}  // namespace
}  // namespace muster::cli
