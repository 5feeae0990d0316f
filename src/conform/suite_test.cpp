#include "conform/suite.hpp"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conform/features.hpp"
#include "json/json.hpp"

namespace muster::conform {
namespace {

using ::testing::HasSubstr;

TEST(Suite, HoldsAThousandChecksThatCanBeRead) {
    const auto suite = load(embedded_files());
    ASSERT_TRUE(suite) << suite.error();
    std::size_t checks = 0;
    for (const Area& area : *suite) {
        for (const Check& check : area.checks) {
            if (!is_fixture(check)) ++checks;
            for (const Step& step : check.steps) {
                if (step.expected_body.empty()) continue;
                EXPECT_TRUE(json::parse(step.expected_body))
                    << area.name << ":" << check.line << ": " << step.expected_body;
            }
        }
    }
    EXPECT_GE(checks, 1000U);
}

TEST(Suite, CitesASectionForEachCheck) {
    const auto suite = load(embedded_files());
    ASSERT_TRUE(suite) << suite.error();
    for (const Area& area : *suite) {
        for (const Check& check : area.checks) {
            if (is_fixture(check)) continue;
            EXPECT_TRUE(section_of(check).starts_with("RFC ") && section_of(check).contains("§"))
                << id_of(area, check) << ": " << check.section;
        }
    }
}

TEST(Suite, RefusesWhatCouldNotBeReported) {
    const struct {
        std::string_view text;
        std::string_view error;
    } cases[] = {
        {"## S\n=== a b\nGET /\n--- 200\n=== a c\nGET /\n--- 200\n", "x.scim:5: the id x.a stands"},
        {"=== a b\nGET /\n--- 200\n", "x.scim:1: a check stands below"},
        {"## S\n=== a\nGET /\n--- 200\n", "x.scim:2: a check is called"},
        {"## S\n=== a b\n", "x.scim:2: "},
    };
    for (const auto& [text, error] : cases) {
        const NamedText file{"x", text};
        const auto suite = load(std::span{&file, 1});
        ASSERT_FALSE(suite) << text;
        EXPECT_THAT(suite.error(), HasSubstr(error));
    }
}

Features features(std::string_view config, std::string_view types, std::string_view schemas) {
    const auto object = [](std::string_view text) { return json::parse(text).value().as_object(); };
    const json::Object a = object(config);
    const json::Object b = object(types);
    const json::Object c = object(schemas);
    return Features::of(&a, &b, &c);
}

TEST(Features, AreWhatTheDocumentsDeclare) {
    const Features declared = features(
        R"({"patch": {"supported": true}, "sort": {"supported": false},
            "filter": {"supported": true, "maxResults": 100}, "pagination": {"cursor": true}})",
        R"({"Resources": [{"name": "User", "schemaExtensions":
            [{"schema": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}]}]})",
        R"({"Resources": [{"id": "urn:ietf:params:scim:schemas:core:2.0:User", "attributes":
            [{"name": "name", "subAttributes": [{"name": "givenName"}]}]}]})");
    for (const auto* need : {"patch", "filter", "pagination.cursor", "!sort", "!bulk", "type User",
                             "type User+User", "attribute User:NAME.givenName", "!me"})
        EXPECT_TRUE(declared.declares(need)) << need;
    for (const auto* need : {"sort", "bulk", "pagination.index", "type Group", "!patch",
                             "attribute User:title", "attribute Enterprise:manager", "me"})
        EXPECT_FALSE(declared.declares(need)) << need;
    Variables variables;
    declared.set_variables(variables);
    EXPECT_EQ(variables.fill("{filter.maxResults}", Variables::Context::Plain), "100");
}

TEST(Features, OfADocumentThatCannotBeReadAreAllDeclared) {
    const Features declared = Features::of(nullptr, nullptr, nullptr);
    EXPECT_TRUE(declared.declares("sort"));
    EXPECT_TRUE(declared.declares("type Group"));
    EXPECT_TRUE(declared.declares("attribute User:title"));
    EXPECT_FALSE(declared.declares("me"));
    EXPECT_FALSE(declared.declares("search"));
}

}  // namespace
}  // namespace muster::conform
