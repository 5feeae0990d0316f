#include "cli/output.hpp"

#include <array>
#include <sstream>

#include <gtest/gtest.h>

#include "cli/progress_bar.hpp"

namespace muster::cli {
namespace {

constexpr std::array kColumns{
    Column{"NAME", "name"},
    Column{"COUNT", "count", Format::Number},
    Column{"STATE", "state", Format::State},
    Column{"WHAT", "resource.display"},
};

json::Array rows() {
    return json::parse(R"([
        {"name":"漢字","count":7,"state":"active","resource":{"display":"Ann"}},
        {"name":"a\u001b[0mb","count":12345,"state":"expired","resource":null},
        {"state":true}, 3])")
        .value()
        .as_array();
}

struct Streams {
    std::ostringstream out;
    std::ostringstream err;
};

TEST(Output, AlignsColumnsByCellsAndShowsNoControlCharacter) {
    Streams streams;
    Output{streams.out, streams.err, {}}.table(rows(), kColumns);
    EXPECT_EQ(streams.out.str(),
              "NAME         COUNT  STATE    WHAT\n"
              "漢字             7  active   Ann\n"
              "a\\u{1b}[0mb  12345  expired  -\n"
              "-                -  yes      -\n"
              "-                -  -        -\n");
    EXPECT_EQ(streams.err.str(), "");
}

TEST(Output, ColoursWordsByMeaningWithoutMovingColumns) {
    Streams streams;
    Output output{streams.out, streams.err, {.colour_out = true}};
    output.table(json::Array{rows()[0]}, kColumns, false);
    EXPECT_EQ(streams.out.str(), "漢字  7  \x1b[32mactive\x1b[0m  Ann\n");
}

TEST(Output, FormatsTimesDurationsAndStatuses) {
    const auto object = json::parse(R"({"time":"2026-11-22T08:15:30.123Z","odd":"soon",
        "fast":1234,"slow":123456,"long":12345678,"status":401})")
                            .value()
                            .as_object();
    EXPECT_EQ(text_of(object, {"", "time", Format::Time}), "2026-11-22 08:15:30Z");
    EXPECT_EQ(text_of(object, {"", "odd", Format::Time}), "soon");
    EXPECT_EQ(text_of(object, {"", "none", Format::Time}), "-");
    EXPECT_EQ(text_of(object, {"", "fast", Format::Duration}), "1.2 ms");
    EXPECT_EQ(text_of(object, {"", "slow", Format::Duration}), "123 ms");
    EXPECT_EQ(text_of(object, {"", "long", Format::Duration}), "12.3 s");
    EXPECT_EQ(text_of(object, {"", "odd", Format::Duration}), "soon");
    EXPECT_EQ(text_of(object, {"", "status", Format::Status}), "401");
    EXPECT_EQ(text_of(object, {"", "status.deeper", Format::Text}), "-");
}

TEST(Output, ShowsAPageWithoutAbsentMembers) {
    Streams streams;
    Output{streams.out, streams.err, {}}.page(rows()[1].as_object(), kColumns);
    EXPECT_EQ(streams.out.str(),
              "NAME   a\\u{1b}[0mb\n"
              "COUNT  12345\n"
              "STATE  expired\n");
}

TEST(Output, ShowsATreeAsPathsAndScalars) {
    Streams streams;
    const auto value = json::parse(R"({"id":"1","name":{"given\u0007":"Ann"},"active":true,
        "emails":[{"value":"a@b"},{"value":null}],"members":[]})")
                           .value();
    Output{streams.out, streams.err, {}}.tree(value);
    EXPECT_EQ(streams.out.str(),
              "id               1\n"
              "name.given\\u{7}  Ann\n"
              "active           yes\n"
              "emails[0].value  a@b\n"
              "emails[1].value  \n"
              "members          []\n");
}

TEST(Output, SpeaksToPeopleOnlyWhereNoJsonWasAskedFor) {
    Streams words;
    Output people{words.out, words.err, {}};
    people.say("Created.");
    people.error("It failed: \x1b[2J", "Mend it.");
    EXPECT_EQ(words.err.str(), "Created.\nError: It failed: \\u{1b}[2J\nMend it.\n");
    EXPECT_EQ(words.out.str(), "");

    Streams data;
    Output machine{data.out, data.err, {.json = true}};
    machine.say("Created.");
    machine.error("It failed.", "Mend it.");
    EXPECT_EQ(data.err.str(), R"({"title":"Failed","detail":"It failed.","remedy":"Mend it."})"
                              "\n");
}

TEST(Output, ShowsAProblemByItsTitleWhereItHasNoDetail) {
    Streams streams;
    Output{streams.out, streams.err, {.colour_err = true}}.problem({{"title", "Conflict"}});
    EXPECT_EQ(streams.err.str(), "\x1b[31mError:\x1b[0m Conflict\n");
}

TEST(ProgressBar, DrawsOverItselfAndClearsItsLine) {
    std::ostringstream terminal;
    {
        ProgressBar bar{terminal, true};
        bar.show(1, 2, "Create users");
        bar.show(1, 2, "Create users");
        bar.show(9, 2, "Done");
    }
    EXPECT_EQ(terminal.str(),
              "\r[############............]  50 %  Create users\x1b[K"
              "\r[########################] 100 %  Done\x1b[K\r\x1b[K");
}

TEST(ProgressBar, DrawsNothingOffATerminal) {
    std::ostringstream pipe;
    ProgressBar{pipe, false}.show(0, 0, "Create users");
    EXPECT_EQ(pipe.str(), "");
}

}  // namespace
}  // namespace muster::cli
