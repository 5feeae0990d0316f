#include <chrono>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "scim/filter/filter.hpp"

namespace muster::scim {
namespace {

struct Case {
    std::string_view filter;
    bool matches = false;
};

json::Value document(std::string_view text) {
    auto value = json::parse(text);
    EXPECT_TRUE(value.has_value()) << value.error().message;
    return *std::move(value);
}

void check(const ResourceType& type, const json::Object& resource, const std::vector<Case>& cases) {
    for (const Case& one : cases) {
        const auto filter = parse_filter(type, one.filter);
        ASSERT_TRUE(filter.has_value()) << one.filter << ": " << filter.error().detail;
        EXPECT_EQ(filter->matches(resource), one.matches) << one.filter;
    }
}

constexpr std::string_view kBarbara = R"({
  "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User",
              "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
  "id": "2819c223-7f76-453a-919d-413861904646", "externalId": "bJensen",
  "userName": "bjensen@Example.com", "name": {"familyName": "Jensen", "givenName": "Bärbara"},
  "displayName": "  Babs Jensen ", "title": "Tour Guide", "nickName": "", "active": true,
  "emails": [{"value": "bjensen@example.com", "type": "work", "primary": true},
             {"value": "babs@jensen.org", "type": "home"}],
  "ims": [], "photos": [{}],
  "groups": [{"value": "g1", "display": "Tour Guides"}, {"value": "g2", "display": "Employees"}],
  "x509Certificates": [{"value": "aGk="}],
  "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
      {"employeeNumber": "701984", "department": "Tour Operations", "manager": {"value": "m-1"}},
  "meta": {"resourceType": "User", "created": "2010-01-23T04:56:22Z",
           "lastModified": "2011-05-13T04:42:34.500Z", "version": "W/\"a330bc\""}
})";

class FilterEvaluation : public testing::Test {
  protected:
    void expect(const std::vector<Case>& cases) const {
        check(Catalog::standard()->user(), barbara_.get_object(), cases);
    }

    json::Value barbara_ = document(kBarbara);
};

TEST_F(FilterEvaluation, ComparesTextWithoutCaseUnlessItIsCaseExact) {
    expect({
        {R"(userName eq "BJENSEN@example.COM")", true},
        {R"(userName eq "bjensen")", false},
        {R"(userName ne "bjensen")", true},
        {R"(userName ne "bjensen@example.com")", false},
        {R"(name.givenName eq "BÄRBARA")", true},
        {R"(name.givenName eq "Ba\u0308rbara")", true},
        {R"(name.givenName eq "Barbara")", false},
        {R"(externalId eq "bJensen")", true},
        {R"(externalId eq "bjensen")", false},
        {R"(id eq "2819C223-7f76-453a-919d-413861904646")", false},
        {R"(title eq "ＴＯＵＲ guide")", true},
        {R"(x509Certificates.value eq "aGk=")", true},
        {R"(x509Certificates.value eq "AGK=")", false},
    });
}

TEST_F(FilterEvaluation, LooksInsideText) {
    expect({
        {R"(userName co "SEN@ex")", true},
        {R"(userName sw "BJen")", true},
        {R"(userName ew ".COM")", true},
        {R"(userName sw "jensen")", false},
        {R"(userName ew "bjensen")", false},
        {R"(userName co "%")", false},
        {R"(userName co "_")", false},
        {R"(userName co "")", true},
        {R"(userName sw "*")", false},
        {R"(externalId sw "BJ")", false},
        {R"(externalId ew "ensen")", true},
        {R"(title co "ur gu")", true},
        {R"(userName sw "bjensen@example.com.au")", false},
    });
}

TEST_F(FilterEvaluation, LooksInsideRepetitiveTextInLinearTime) {
    const json::Object resource{{"title", std::string(2'000'000, 'a')}};
    const std::string part = std::string(8'000, 'a') + 'b';
    const auto filter = parse_filter(Catalog::standard()->user(), "title co \"" + part + '"');
    ASSERT_TRUE(filter.has_value());
    const auto start = std::chrono::steady_clock::now();
    EXPECT_FALSE(filter->matches(resource));
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds{400});
}

TEST_F(FilterEvaluation, OrdersText) {
    expect({
        {R"(title gt "Tour")", true},
        {R"(title gt "tour guide")", false},
        {R"(title ge "TOUR GUIDE")", true},
        {R"(title lt "Z")", true},
        {R"(title lt "tour guide")", false},
        {R"(title le "tour guide")", true},
        {R"(title le "a")", false},
    });
}

TEST_F(FilterEvaluation, DropsSpaceAroundIdentifiers) {
    expect({
        {R"(displayName eq "babs jensen")", true},
        {R"(displayName eq "   Babs Jensen")", true},
        {R"(displayName sw "babs")", true},
        {R"(displayName sw "babs ")", true},
        {R"(displayName sw "babs j")", true},
        {R"(displayName sw " babs")", false},
        {R"(title eq "Tour Guide ")", false},
    });
}

TEST_F(FilterEvaluation, ComparesBooleans) {
    expect({
        {"active eq true", true},
        {"active eq false", false},
        {"active ne false", true},
        {"active ne true", false},
        {"active pr", true},
        {"emails.primary eq true", true},
        {"emails.primary eq false", false},
    });
}

TEST_F(FilterEvaluation, ComparesTimesByInstant) {
    expect({
        {R"(meta.created eq "2010-01-23T04:56:22Z")", true},
        {R"(meta.created eq "2010-01-23T05:56:22.000+01:00")", true},
        {R"(meta.created eq "2010-01-22T20:56:22-08:00")", true},
        {R"(meta.created gt "2010-01-23T05:56:21+01:00")", true},
        {R"(meta.created lt "2010-01-23T04:56:22.001Z")", true},
        {R"(meta.created lt "2010-01-23T04:56:22.000Z")", false},
        {R"(meta.lastModified gt "2011-05-13T04:42:34Z")", true},
        {R"(meta.lastModified gt "2011-05-13T04:42:34.500Z")", false},
        {R"(meta.lastModified ge "2011-05-13T04:42:34.500Z")", true},
        {R"(meta.lastModified ge "2011-05-13T04:42:34Z" and meta.lastModified le "2012-01-01T00:00:00Z")",
         true},
        {R"(meta.created le "2015-10-10T14:38:21.8617979-07:00")", true},
    });
}

TEST_F(FilterEvaluation, KnowsWhatIsPresent) {
    expect({
        {"title pr", true},     {"nickName pr", false},      {"locale pr", false},
        {"name pr", true},      {"name.givenName pr", true}, {"name.middleName pr", false},
        {"emails pr", true},    {"emails.type pr", true},    {"emails.display pr", false},
        {"ims pr", false},      {"photos pr", false},        {"photos.value pr", false},
        {"id pr", true},        {"meta pr", true},           {"department pr", true},
        {"division pr", false}, {"manager pr", true},        {"manager.displayName pr", false},
        {"schemas pr", true},   {"roles pr", false},
    });
}

TEST_F(FilterEvaluation, IsFalseOnAbsenceButForNeAndNull) {
    expect({
        {R"(locale eq "en")", false},    {R"(locale ne "en")", true},
        {R"(locale co "e")", false},     {R"(locale co "")", false},
        {R"(locale sw "")", false},      {R"(locale gt "")", false},
        {R"(locale le "z")", false},     {R"(nickName eq "")", false},
        {R"(nickName ne "")", true},     {"locale eq null", true},
        {"locale ne null", false},       {"title eq null", false},
        {"title ne null", true},         {"nickName eq null", true},
        {"ims eq null", true},           {"photos.value eq null", true},
        {R"(ims.value ne "x")", true},   {"emails.value ne null", true},
        {R"(division ne "x")", true},    {R"(manager.displayName eq "x")", false},
        {"roles.primary ne true", true},
    });
}

TEST_F(FilterEvaluation, MatchesIfAnyElementDoes) {
    expect({
        {R"(emails.value eq "babs@jensen.org")", true},
        {R"(emails eq "BABS@jensen.org")", true},
        {R"(emails co "example.com")", true},
        {R"(emails.type eq "other")", false},
        {R"(emails.type ne "work")", true},
        {R"(groups eq "g2")", true},
        {R"(groups.display sw "tour")", true},
        {R"(schemas eq "urn:ietf:params:scim:schemas:core:2.0:User")", true},
        {R"(schemas eq "urn:ietf:params:scim:schemas:core:2.0:Group")", false},
        {R"(manager eq "m-1")", true},
    });
}

TEST_F(FilterEvaluation, HoldsAValuePathToOneElement) {
    expect({
        {R"(emails[type eq "work" and value co "example"])", true},
        {R"(emails[type eq "home" and value co "example"])", false},
        {R"(emails.type eq "home" and emails.value co "example")", true},
        {R"(emails[type eq "work"].value eq "bjensen@example.com")", true},
        {R"(emails[type eq "home"].value eq "bjensen@example.com")", false},
        {R"(emails[type eq "work" or type eq "home"].value sw "babs")", true},
        {R"(emails[not (type eq "work")])", true},
        {R"(emails[not (type eq "work") and not (type eq "home")])", false},
        {R"(emails[primary ne true])", true},
        {R"(emails[type eq "home"].primary eq null)", true},
        {R"(emails[type eq "work"].primary eq null)", false},
        {R"(ims[type pr])", false},
        {R"(not (ims[type pr]))", true},
        {R"(photos[value pr])", false},
        {R"(photos[value ne "x"])", true},
    });
}

TEST_F(FilterEvaluation, CombinesConditions) {
    expect({
        {"title pr and locale pr", false},
        {"title pr or locale pr", true},
        {"locale pr or title pr and active eq false", false},
        {"(locale pr or title pr) and active eq true", true},
        {"not (locale pr)", true},
        {"not (title pr or locale pr)", false},
        {"not (not (title pr))", true},
    });
}

TEST_F(FilterEvaluation, TakesAValueOfAnotherTypeAsUnequal) {
    const json::Value odd = document(
        R"({"userName":7,"active":"true","title":["x"],"name":"x","emails":"a","roles":{"value":"r"}})");
    check(Catalog::standard()->user(), odd.get_object(),
          {{R"(userName eq "7")", false},
           {R"(userName ne "7")", true},
           {R"(userName sw "7")", false},
           {"active eq true", false},
           {"active ne true", true},
           {R"(title eq "x")", true},
           {R"(name.givenName eq "x")", false},
           {R"(emails.value eq "a")", false},
           {R"(emails[value eq "a"])", false},
           {R"(roles[value eq "r"])", true}});
}

TEST_F(FilterEvaluation, FindsNothingInAnEmptyDocument) {
    check(Catalog::standard()->user(), {},
          {{"id pr", false},
           {R"(department eq "x")", false},
           {R"(department ne "x")", true},
           {R"(emails[type eq "x"])", false},
           {"manager eq null", true}});
}

TEST_F(FilterEvaluation, MatchesElementsOfAPatchPath) {
    const json::Value work = document(R"({"type":"work","value":"A@x","primary":true})");
    const auto holds = [](std::string_view path, const json::Value& element) {
        const auto parsed = parse_patch_path(Catalog::standard()->user(), path);
        EXPECT_TRUE(parsed.has_value()) << path;
        return parsed->element_filter->matches_element(element);
    };
    EXPECT_TRUE(holds(R"(emails[type eq "WORK"])", work));
    EXPECT_FALSE(holds(R"(emails[type eq "home"])", work));
    EXPECT_TRUE(holds(R"(emails[type eq "work" and value sw "a"].display)", work));
    EXPECT_TRUE(holds(R"(emails[not (display pr)])", work));
    EXPECT_TRUE(
        holds(R"(emails[primary eq true or value pr])", json::Value{json::Object{{"value", "x"}}}));
    EXPECT_FALSE(holds(R"(emails[type eq "work"])", json::Value("work")));
    EXPECT_FALSE(holds(R"(emails[type eq "work"])", json::Value(nullptr)));
}

/// The standard's schemas have no numbers; an extension may.
class NumberEvaluation : public testing::Test {
  protected:
    void expect(std::string_view text, const std::vector<Case>& cases) const {
        const json::Value resource = document(text);
        check(type_, resource.get_object(), cases);
    }

    Schema schema_{.id = "urn:x:Machine",
                   .name = "Machine",
                   .description = "A machine.",
                   .attributes = {{.name = "cores", .description = "Cores.", .type = Type::Integer},
                                  {.name = "load", .description = "Load.", .type = Type::Decimal}}};
    ResourceType type_{.id = "Machine",
                       .name = "Machine",
                       .endpoint = "/Machines",
                       .description = "Machines.",
                       .schema = &schema_,
                       .extensions = {}};
};

TEST_F(NumberEvaluation, ComparesByValue) {
    expect(R"({"cores":10,"load":2.50})", {
                                              {"cores eq 10", true},
                                              {"cores eq 10.0", true},
                                              {"cores eq 1e1", true},
                                              {"cores gt 9", true},
                                              {"cores lt 9", false},
                                              {"cores ge 10", true},
                                              {"cores le 10.5", true},
                                              {"cores ne 10", false},
                                              {"load eq 2.5", true},
                                              {"load gt 2", true},
                                              {"load gt -3", true},
                                              {"load lt 10", true},
                                              {"load ne 2.5", false},
                                              {"cores pr", true},
                                              {"load eq 18446744073709551615", false},
                                          });
    expect(R"({"cores":9007199254740993})", {
                                                {"cores eq 9007199254740993", true},
                                                {"cores eq 9007199254740992", false},
                                                {"cores eq 9007199254740992.0", false},
                                                {"cores gt 9007199254740992", true},
                                            });
    expect(R"({"cores":18446744073709551615,"load":3})",
           {
               {"cores gt 9223372036854775807", true},
               {"cores gt 18446744073709551614", true},
               {"cores gt -1", true},
               {"cores eq 18446744073709551615", true},
               {"cores lt 1", false},
               {"load eq 3", true},
               {"load lt 3.5", true},
           });
    expect(R"({"cores":0})", {{"cores pr", true}, {"cores eq -0", true}});
    expect(R"({"cores":"10"})", {{"cores eq 10", false}, {"cores ne 10", true}});
}

TEST_F(NumberEvaluation, RefusesWhatIsNoNumberOrCannotBeCompared) {
    for (std::string_view text :
         {"cores eq ten", "cores eq \"\"", "cores eq true", "cores eq 1e999", "cores eq 0x10",
          "cores eq 01", "cores co 1", "cores sw 1", "load ew 1", "cores eq \"1 2\""}) {
        const auto filter = parse_filter(type_, text);
        ASSERT_FALSE(filter.has_value()) << text;
        EXPECT_EQ(filter.error().type, ScimType::InvalidFilter);
    }
}

TEST_F(NumberEvaluation, PrintsNumbersAsTheyCompare) {
    EXPECT_EQ(parse_filter(type_, "cores gt 9223372036854775807")->to_string(),
              "cores gt 9223372036854775807");
    EXPECT_EQ(parse_filter(type_, "load gt 1.0")->to_string(), "load gt 1.0");
    EXPECT_EQ(parse_filter(type_, "load gt -1e300")->to_string(), "load gt -1e+300");
}

TEST(ComparisonKey, IsWhatEqMeans) {
    const ResourceType& user = Catalog::standard()->user();
    const auto key = [&](std::string_view path, std::string_view text) {
        return comparison_key(resolve(user, path, ScimType::None)->leaf(), text);
    };
    EXPECT_EQ(key("userName", " Bob\t"), "bob");
    EXPECT_EQ(key("emails.value", "A@X "), "a@x");
    EXPECT_EQ(key("title", " Boss "), " boss ");
    EXPECT_EQ(key("name.givenName", "STRASSE"), key("name.givenName", "straße"));
    EXPECT_EQ(key("externalId", " Bob "), " Bob ");
    EXPECT_EQ(key("id", "AB"), "AB");
    EXPECT_EQ(key("meta.created", "2011-05-13T04:42:34+02:00"), "2011-05-13T02:42:34.000Z");
    EXPECT_EQ(key("meta.created", "soon"), "soon");
    EXPECT_EQ(key("userName", "\xFF"), "\xFF");
    EXPECT_EQ(key("userName", ""), "");
}

}  // namespace
}  // namespace muster::scim
