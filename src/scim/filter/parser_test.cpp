#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/dialect/dialect.hpp"
#include "scim/filter/filter.hpp"

namespace muster::scim {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

const ResourceType& user() { return Catalog::standard()->user(); }
const ResourceType& group() { return Catalog::standard()->group(); }

const std::string kEnterprise{kEnterpriseUserSchema};

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
}

/// The filter as printed, or the detail of its refusal.
std::string normal(std::string_view text, const ResourceType& type = user()) {
    const auto filter = parse_filter(type, text);
    return filter ? filter->to_string() : "refused: " + filter.error().detail;
}

Error refusal(std::string_view text, const ResourceType& type = user()) {
    const auto filter = parse_filter(type, text);
    EXPECT_FALSE(filter.has_value()) << "accepted: " << text.substr(0, 100);
    return filter ? Error{.status = 200} : filter.error();
}

TEST(FilterParser, GivesEveryFilterOneSpelling) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"(userName eq "bjensen")", R"(userName eq "bjensen")"},
        {R"(USERNAME EQ "bJensen")", R"(userName eq "bJensen")"},
        {R"(  userName   Eq "a"  )", R"(userName eq "a")"},
        {R"(name.familyName co "O'Malley")", R"(name.familyName co "O'Malley")"},
        {R"(urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J")", R"(userName sw "J")"},
        {"title pr", "title pr"},
        {R"(meta.lastModified gt "2011-05-13T04:42:34Z")",
         R"(meta.lastModified gt "2011-05-13T04:42:34Z")"},
        {R"(title pr and userType eq "Employee")", R"(title pr and userType eq "Employee")"},
        {R"(schemas eq "urn:x")", R"(schemas eq "urn:x")"},
        {R"(userType ne "Employee" and not (emails co "example.com" or emails.value co "x"))",
         R"(userType ne "Employee" and not (emails.value co "example.com" or emails.value co "x"))"},
        {R"(emails[type eq "work" and value co "@x"] or ims[type eq "xmpp"])",
         R"(emails[type eq "work" and value co "@x"] or ims[type eq "xmpp"])"},
        {kEnterprise + R"(:department eq "IT")", kEnterprise + R"(:department eq "IT")"},
        {R"(manager eq "42")", kEnterprise + R"(:manager.value eq "42")"},
        {R"(id eq "1" and manager eq "2")",
         R"(id eq "1" and )" + kEnterprise + R"(:manager.value eq "2")"},
        {"active eq true", "active eq true"},
        {"title eq null", "title eq null"},
        {"title ne NULL", "title ne null"},
        {R"(title eq "null")", R"(title eq "null")"},
        {R"(title eq "a\"\\\u00e9\n")", "title eq \"a\\\"\\\\\xC3\xA9\\n\""},
        {"emails pr", "emails pr"},
        {"name pr", "name pr"},
        {R"(userName eq "a"and(title pr))", R"(userName eq "a" and title pr)"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(normal(text), expected);
        EXPECT_EQ(normal(expected), expected);
    }
}

TEST(FilterParser, BindsAndTighterThanOrAndKeepsGroups) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"id pr or title pr and locale pr", "id pr or title pr and locale pr"},
        {"(id pr or title pr) and locale pr", "(id pr or title pr) and locale pr"},
        {"id pr or (title pr and locale pr)", "id pr or title pr and locale pr"},
        {"(id pr and title pr) and locale pr", "id pr and title pr and locale pr"},
        {"id pr and (title pr and locale pr)", "id pr and (title pr and locale pr)"},
        {"id pr or (title pr or locale pr)", "id pr or (title pr or locale pr)"},
        {"((id pr))", "id pr"},
        {"NOT (id pr) AND not(not (title pr))", "not (id pr) and not (not (title pr))"},
        {"not (id pr and title pr) or locale pr", "not (id pr and title pr) or locale pr"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(normal(text), expected);
        EXPECT_EQ(normal(expected), expected);
    }
}

TEST(FilterParser, BuildsATreeOfNodes) {
    const auto filter = parse_filter(user(), R"(userName eq "Ä" or title pr and active eq true)");
    ASSERT_TRUE(filter.has_value());
    const Filter::Node& root = filter->root();
    ASSERT_EQ(root.kind, Filter::Kind::Or);
    const Filter::Node& equal = filter->at(root.left);
    EXPECT_EQ(equal.kind, Filter::Kind::Compare);
    EXPECT_EQ(equal.path.to_string(), "userName");
    EXPECT_EQ(equal.op, Operator::Eq);
    EXPECT_EQ(std::get<std::string>(equal.value), "Ä");
    EXPECT_EQ(equal.key, "ä");
    const Filter::Node& both = filter->at(root.right);
    ASSERT_EQ(both.kind, Filter::Kind::And);
    EXPECT_EQ(filter->at(both.left).op, Operator::Pr);
    EXPECT_EQ(filter->at(both.left).value, Literal{Null{}});
    EXPECT_EQ(filter->at(both.right).value, Literal{true});
    EXPECT_EQ(filter->at(both.right).key, "");
}

TEST(FilterParser, TurnsASubAttributeBehindBracketsIntoAConditionOnTheElement) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"(emails[type eq "work"].value eq "x@y.org")",
         R"(emails[type eq "work" and value eq "x@y.org"])"},
        {R"(emails[type eq "work"].VALUE eq "x" and active eq true)",
         R"(emails[type eq "work" and value eq "x"] and active eq true)"},
        {R"(emails[type eq "work" or type eq "home"].value pr)",
         R"(emails[(type eq "work" or type eq "home") and value pr])"},
        {R"(urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"].value sw "x")",
         R"(emails[type eq "work" and value sw "x"])"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(normal(text), expected);

    const auto filter = parse_filter(user(), R"(emails[type eq "work"].value eq "X")");
    ASSERT_TRUE(filter.has_value());
    EXPECT_EQ(filter->root().kind, Filter::Kind::ValuePath);
    EXPECT_EQ(filter->root().path.to_string(), "emails");
    const Filter::Node& both = filter->at(filter->root().left);
    EXPECT_EQ(filter->at(both.right).path.to_string(), "emails.value");
    EXPECT_EQ(filter->at(both.right).key, "x");
}

TEST(FilterParser, LeavesValuesThatAreNoJsonToTheDialects) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"(active eq "True")", "active eq true"},
        {R"(active ne FALSE)", "active ne false"},
        {R"(roles[primary eq "True"])", "roles[primary eq true]"},
        {"userName eq bjensen", R"(userName eq "bjensen")"},
        {"userName sw O", R"(userName sw "O")"},
        {"externalId eq 00u1-x@y.z", R"(externalId eq "00u1-x@y.z")"},
        {"employeeNumber eq 701984", kEnterprise + R"(:employeeNumber eq "701984")"},
        {"meta.Created gt 2015-10-10T14:38:21.8617979-07:00",
         R"(meta.created gt "2015-10-10T14:38:21.8617979-07:00")"},
        {"(userName eq bob)", R"(userName eq "bob")"},
        {"emails[type eq work]", R"(emails[type eq "work"])"},
        {"userName eq true", R"(userName eq "true")"},
        {"userName eq not and title pr", R"(userName eq "not" and title pr)"},
    };
    for (const auto& [text, expected] : cases) {
        EXPECT_EQ(refusal(text).type, ScimType::InvalidFilter) << text;
        std::string filter = text;
        std::vector<Note> notes;
        ASSERT_TRUE(generic_dialect().rewrite({.type = user(), .filter = &filter}, notes));
        EXPECT_EQ(normal(filter), expected);
        EXPECT_EQ(notes.size(), 1U) << text;
    }
}

TEST(FilterParser, NormalisesTheKeyOfADate) {
    for (std::string_view text : {"2015-10-10T14:38:21.8617979-07:00", "2015-10-10T21:38:21.861Z",
                                  "2015-10-10T21:38:21.861", "2015-10-10t23:08:21.8610+01:30"}) {
        const auto filter = parse_filter(user(), "meta.created eq \""s.append(text).append("\""));
        ASSERT_TRUE(filter.has_value()) << text;
        EXPECT_EQ(filter->root().key, "2015-10-10T21:38:21.861Z");
    }
}

TEST(FilterParser, RefusesWhatTheGrammarDoesNotHave) {
    for (std::string_view text : {"",
                                  " ",
                                  "userName",
                                  "userName eq",
                                  "eq",
                                  "\"a\"",
                                  "eq \"a\"",
                                  "userName eq \"a\" title",
                                  "userName eq \"a\" and",
                                  "userName eq \"a\" or or title pr",
                                  "and title pr",
                                  "(title pr",
                                  "title pr)",
                                  "()",
                                  "((",
                                  "not title pr",
                                  "not",
                                  "not (",
                                  "not ()",
                                  "not not (title pr)",
                                  "title pr and not",
                                  "emails[",
                                  "emails[]",
                                  "emails[type eq \"work\"",
                                  "emails]",
                                  "emails[type eq \"work\"]]",
                                  "emails[type eq \"work\"].",
                                  "emails[type pr].value",
                                  "emails[type pr]value eq \"x\"",
                                  "emails[type pr] .x pr",
                                  "emails[emails[type pr]]",
                                  "emails[type[value pr]]",
                                  "emails[(type pr]",
                                  "emails[type pr)",
                                  "userName eq \"a",
                                  "userName eq \"a\\q\"",
                                  "userName eq \"\\ud800\"",
                                  "userName eq (\"a\")",
                                  "userName eq [1]",
                                  "userName eq 'bob'",
                                  "userName eq \"a\" \"b\"",
                                  "userName pr \"a\"",
                                  "userName eq and title pr",
                                  "userName \"a\"",
                                  "userName == \"a\"",
                                  "userName = \"a\"",
                                  "userName eqq \"a\"",
                                  "userName like \"a\"",
                                  "userName eq \"a\" && title pr",
                                  "userName eq \"a\" ; DROP",
                                  "\"userName\" eq \"a\"",
                                  "userName.x eq \"a\"",
                                  "urn:ietf:params:scim:schemas:core:2.0:Group:displayName pr"}) {
        const Error error = refusal(text);
        EXPECT_EQ(error.status, 400) << text;
        EXPECT_EQ(error.type, ScimType::InvalidFilter) << text;
        EXPECT_FALSE(error.detail.empty()) << text;
    }
}

TEST(FilterParser, SaysWhereAndWhatIsWrong) {
    EXPECT_EQ(refusal("userName equals \"a\"").detail,
              "The filter is wrong at character 10: expected an operator (eq, ne, co, sw, ew, gt, "
              "ge, lt, le or pr), found \"equals\".");
    EXPECT_EQ(refusal("userName eq").detail,
              "The filter is wrong at character 12: expected a value, found the end of the "
              "filter.");
    EXPECT_EQ(refusal("usrName eq \"a\"").detail,
              R"(User has no attribute "usrName". Did you mean userName?)");
    EXPECT_EQ(refusal("emails[typ eq \"a\"]").detail, R"(emails has no sub-attribute "typ".)");
    EXPECT_EQ(refusal("userName eq \"a").detail,
              "The filter is wrong at character 13: expected a value, found a quotation mark that "
              "is never closed.");
    EXPECT_THAT(refusal("userName eq 'bob'").detail, HasSubstr("double quotation marks"));
    EXPECT_EQ(refusal("name eq \"a\"").detail,
              "name has several parts; the filter must name one of them, such as "
              "name.formatted.");
    EXPECT_EQ(refusal("active eq \"yes\"").detail,
              R"("yes" does not fit active, which is of type boolean. Write it as JSON, without )"
              "quotation marks.");
    EXPECT_EQ(refusal("meta.created gt \"yesterday\"").detail,
              R"("yesterday" does not fit meta.created, which is of type dateTime. )"
              "Write it as 2026-11-22T08:15:30Z.");
}

TEST(FilterParser, RefusesOperatorsThatTheTypeDoesNotBear) {
    for (std::string_view op : {"gt", "ge", "lt", "le", "co", "sw", "ew"}) {
        EXPECT_EQ(refusal("active "s.append(op).append(" true")).type, ScimType::InvalidFilter);
        EXPECT_EQ(refusal("x509Certificates.value "s.append(op).append(" \"aGk=\"")).type,
                  ScimType::InvalidFilter);
        EXPECT_EQ(refusal("title "s.append(op).append(" null")).type, ScimType::InvalidFilter);
    }
    for (std::string_view op : {"co", "sw", "ew"}) {
        EXPECT_EQ(refusal("meta.created "s.append(op).append(" 2015-10-10T14:38:21Z")).detail,
                  "The operator "s.append(op).append(
                      " cannot be used with meta.created, which is of type dateTime."));
    }
    EXPECT_EQ(refusal("emails[primary gt true]").type, ScimType::InvalidFilter);
}

TEST(FilterParser, RefusesToFilterOnSecrets) {
    for (std::string_view text :
         {"password eq \"x\"", "password sw \"a\"", "PASSWORD pr", "not (password pr)",
          "urn:ietf:params:scim:schemas:core:2.0:User:password co \"a\"",
          "userName pr and password ne null"}) {
        EXPECT_EQ(refusal(text).detail,
                  "password cannot be filtered on, because it is never returned.")
            << text;
    }
    EXPECT_EQ(refusal("meta.secret pr").type, ScimType::InvalidFilter);
}

TEST(FilterParser, RefusesBracketsWhereThereAreNoElements) {
    for (std::string_view text :
         {"userName[value eq \"a\"]", "name[givenName eq \"a\"]", "schemas[value eq \"a\"]",
          "emails.type[value eq \"a\"]", "manager[value eq \"a\"]", "active[type pr]"}) {
        EXPECT_THAT(refusal(text).detail, HasSubstr("has no elements")) << text;
    }
}

TEST(FilterParser, RefusesTheBareNameOfAnExtension) {
    EXPECT_THAT(refusal(kEnterprise + " pr").detail, HasSubstr("names a whole extension"));
}

TEST(FilterParser, RefusesBadText) {
    for (const std::string& text :
         {"userName eq \"a\0b\""s, "userName eq \"\\u0000\""s, "userName\0 pr"s, "\0"s,
          "userName eq \"\xFF\""s, "userName eq \"\xC3\""s, "\xED\xA0\x80 pr"s}) {
        EXPECT_EQ(refusal(text).type, ScimType::InvalidFilter);
    }
}

TEST(FilterParser, TreatsInjectionsAsPlainText) {
    for (std::string_view value : {"x' OR 1=1--", "%", "_", "\\", "*", "?[a]", "${jndi:ldap://x}",
                                   "'; DROP TABLE users;--"}) {
        std::string quoted_value;
        json::append_string(quoted_value, value);
        const auto filter = parse_filter(user(), "userName co " + quoted_value);
        ASSERT_TRUE(filter.has_value()) << value;
        EXPECT_EQ(std::get<std::string>(filter->root().value), value);
    }
    for (std::string_view name : {"id);DROP", "${x}", "id--", "1", "*", "userName/**/"}) {
        EXPECT_EQ(refusal(std::string{name} + " eq \"a\"").type, ScimType::InvalidFilter);
    }
}

TEST(FilterParser, HoldsDepthToTheLimit) {
    const FilterLimits three{.max_depth = 3};
    EXPECT_TRUE(parse_filter(user(), "(((id pr)))", three).has_value());
    EXPECT_FALSE(parse_filter(user(), "((((id pr))))", three).has_value());
    EXPECT_TRUE(parse_filter(user(), "((emails[type pr]))", three).has_value());
    EXPECT_FALSE(parse_filter(user(), "((emails[(type pr)]))", three).has_value());
    EXPECT_TRUE(parse_filter(user(), "not ((id pr))", three).has_value());
    EXPECT_FALSE(parse_filter(user(), "not (not (id pr))", three).has_value());
    const auto siblings = parse_filter(user(), "((id pr)) and (((id pr))) or not (id pr)", three);
    EXPECT_TRUE(siblings.has_value());
    EXPECT_EQ(refusal(repeat("(", 21) + "id pr" + repeat(")", 21)).detail,
              "A filter may be nested 20 levels deep; this one is deeper.");
    EXPECT_EQ(normal(repeat("(", 20) + "id pr" + repeat(")", 20)), "id pr");
}

TEST(FilterParser, HoldsTermsAndBytesToTheLimits) {
    const std::string hundred = "id pr" + repeat(" and id pr", 99);
    EXPECT_EQ(normal(hundred), hundred);
    EXPECT_EQ(refusal(hundred + " and id pr").detail,
              "A filter may hold 100 comparisons; this one has more.");
    EXPECT_EQ(refusal(hundred + " or emails[type pr]").type, ScimType::InvalidFilter);
    const std::string fits = "userName eq \"" + std::string(8192 - 14, 'x') + "\"";
    ASSERT_EQ(fits.size(), 8192U);
    EXPECT_TRUE(parse_filter(user(), fits).has_value());
    EXPECT_EQ(refusal(fits + " ").detail,
              "Filters and paths may be 8192 bytes long; this one has 8193.");
}

TEST(FilterParser, SurvivesHostileShapesQuickly) {
    const FilterLimits generous{.max_bytes = 1 << 20};
    const std::vector<std::string> shapes = {
        repeat("(", 52'000),
        repeat("not (", 10'400),
        repeat("a[", 26'000),
        repeat("emails[", 7'000),
        "emails" + repeat("[", 52'000),
        repeat("id.", 17'000),
        "id pr" + repeat(" and id pr", 5'000),
        "id pr" + repeat(" or id pr", 5'000) + " x",
        repeat("(id pr) and ", 4'000),
        repeat("\"", 52'000),
        "id eq \"" + repeat("\\", 51'999),
        repeat(" ", 52'000),
        repeat("]", 52'000),
        repeat("not ", 13'000),
        "urn:" + repeat(":", 52'000) + " pr",
        std::string(52'000, 'x'),
    };
    for (const std::string& shape : shapes) {
        const auto start = std::chrono::steady_clock::now();
        const auto filter = parse_filter(user(), shape, generous);
        const auto spent = std::chrono::steady_clock::now() - start;
        ASSERT_FALSE(filter.has_value()) << shape.substr(0, 40);
        EXPECT_EQ(filter.error().type, ScimType::InvalidFilter);
        EXPECT_LT(filter.error().detail.size(), 400U);
        EXPECT_LT(spent, std::chrono::milliseconds{100}) << shape.substr(0, 40);
        EXPECT_FALSE(parse_filter(user(), shape).has_value());
        EXPECT_FALSE(parse_patch_path(user(), shape, generous).has_value());
    }
}

TEST(FilterParser, TellsWhichAttributesItMentions) {
    const auto filter = parse_filter(
        group(), R"(displayName sw "x" and (members[value eq "1"] or not (externalId pr)))");
    ASSERT_TRUE(filter.has_value());
    for (std::string_view name : {"displayName", "members", "externalId"}) {
        EXPECT_TRUE(filter->mentions(name)) << name;
    }
    for (std::string_view name : {"value", "id", "Members", ""}) {
        EXPECT_FALSE(filter->mentions(name)) << name;
    }
    EXPECT_TRUE(parse_filter(user(), "department pr")->mentions("department"));
}

TEST(FilterParser, TellsWhichValuesAreAllThatItAsksFor) {
    const auto values = [](std::string_view text) {
        return parse_filter(group(), text).value().only_values_of("members");
    };
    using Keys = std::vector<std::string>;
    EXPECT_EQ(values(R"(members eq "1" or not (members.value eq "2"))"), (Keys{"1", "2"}));
    EXPECT_EQ(values(R"(id eq "x" and members[value eq "1" or value eq "2"])"), (Keys{"1", "2"}));
    EXPECT_EQ(values(R"(displayName eq "x")"), Keys{});
    for (std::string_view text :
         {R"(members.value ne "1")", R"(members.display eq "1")", "members pr", "members eq null",
          R"(members[not (value eq "1")])", R"(members[value eq "1" and type eq "User"])"}) {
        EXPECT_EQ(values(text), std::nullopt) << text;
    }
}

TEST(PatchPathParser, TakesEveryFormOfTheStandardAndItsClients) {
    struct Case {
        std::string text;
        std::string target;
        std::string element_filter;
    };
    const std::vector<Case> cases = {
        {"userName", "userName", ""},
        {"name.familyName", "name.familyName", ""},
        {"NAME.FAMILYNAME", "name.familyName", ""},
        {"password", "password", ""},
        {"emails", "emails", ""},
        {R"(emails[type eq "work"])", "emails", R"(type eq "work")"},
        {R"(emails[type eq "work"].value)", "emails.value", R"(type eq "work")"},
        {R"(Emails[TYPE EQ "work" and primary eq true].Value)", "emails.value",
         R"(type eq "work" and primary eq true)"},
        {R"(urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work"].value)",
         "emails.value", R"(type eq "work")"},
        {R"(addresses[type eq "a]b"].locality)", "addresses.locality", R"(type eq "a]b")"},
        {R"(roles[primary eq true].value)", "roles.value", "primary eq true"},
        {R"(emails[not (type eq "work") or value pr])", "emails",
         R"(not (type eq "work") or value pr)"},
        {kEnterprise, kEnterprise, ""},
        {kEnterprise + ":manager", kEnterprise + ":manager", ""},
        {kEnterprise + ":manager.displayName", kEnterprise + ":manager.displayName", ""},
        {kEnterprise + ".manager", kEnterprise + ":manager", ""},
        {"manager", kEnterprise + ":manager", ""},
    };
    for (const Case& one : cases) {
        const auto path = parse_patch_path(user(), one.text);
        ASSERT_TRUE(path.has_value()) << one.text << ": " << path.error().detail;
        EXPECT_EQ(path->target.to_string(), one.target) << one.text;
        EXPECT_EQ(path->element_filter ? path->element_filter->to_string() : "",
                  one.element_filter);
    }
    const auto members = parse_patch_path(group(), R"(members[value eq "1" or value eq "2"])");
    ASSERT_TRUE(members.has_value());
    EXPECT_EQ(members->element_filter->root().kind, Filter::Kind::Or);
}

TEST(PatchPathParser, RefusesBadPathsAndBadFiltersEachByItsName) {
    for (std::string_view text : {"",
                                  " ",
                                  "nosuch",
                                  "userName ",
                                  "name.",
                                  "name.x",
                                  "/userName",
                                  "userName eq \"a\"",
                                  "userName[value eq \"a\"]",
                                  "name[givenName pr]",
                                  "emails.value[type pr]",
                                  "[type pr]",
                                  "emails[type pr]value",
                                  "emails[type pr].",
                                  "emails[type pr].x",
                                  "emails[type pr]]",
                                  "emails[type pr].value.x",
                                  "emails[type pr] ",
                                  "emails[type pr].value eq \"x\"",
                                  "emails[type pr][type pr]"}) {
        const auto path = parse_patch_path(user(), text);
        ASSERT_FALSE(path.has_value()) << text;
        EXPECT_EQ(path.error().type, ScimType::InvalidPath) << text;
    }
    for (std::string_view text :
         {"emails[", "emails[]", "emails[type]", "emails[type eq]", "emails[type eq \"work\"",
          "emails[x pr]", "emails[emails.type pr]", "emails[type eq \"work\")",
          "emails[primary gt true]"}) {
        const auto path = parse_patch_path(user(), text);
        ASSERT_FALSE(path.has_value()) << text;
        EXPECT_EQ(path.error().type, ScimType::InvalidFilter) << text;
    }
    const auto too_long = parse_patch_path(user(), std::string(8193, 'x'));
    EXPECT_EQ(too_long.error().type, ScimType::InvalidPath);
    EXPECT_EQ(parse_patch_path(user(), "emails[type eq \"\xFF\"]").error().type,
              ScimType::InvalidPath);
}

TEST(PatchPathParser, CountsTheBracketAsDepth) {
    const FilterLimits two{.max_depth = 2};
    EXPECT_TRUE(parse_patch_path(user(), "emails[(type pr)]", two).has_value());
    EXPECT_FALSE(parse_patch_path(user(), "emails[((type pr))]", two).has_value());
}

}  // namespace
}  // namespace muster::scim
