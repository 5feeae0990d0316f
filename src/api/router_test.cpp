#include "api/router.hpp"

#include <gtest/gtest.h>

namespace muster::api {
namespace {

TEST(Router, FindsTheConnectorInThePath) {
    const auto users = route("/c/abc/scim/v2/Users", "h", "");
    EXPECT_EQ(users.area, Area::Scim);
    EXPECT_EQ(users.connector_id, "abc");
    EXPECT_EQ(users.endpoint, "/Users");
    EXPECT_EQ(users.id, "");
    const auto one = route("/c/abc/scim/v2/Users/x%20y", "h", "");
    EXPECT_EQ(one.id, "x y");
    EXPECT_EQ(route("/c/abc/scim/v2/Users/", "h", "").id, "");
    EXPECT_EQ(route("/c/abc/scim/v2", "h", "").endpoint, "");
}

TEST(Router, FindsTheOrganisationInTheHost) {
    const auto found = route("/scim/v2/Users", "Acme.scim.example:443", "scim.example");
    EXPECT_EQ(found.area, Area::Scim);
    EXPECT_EQ(found.slug, "acme");
    for (const char* host :
         {"scim.example", "a.b.scim.example", "acmescim.example", "", ".scim.example"}) {
        EXPECT_EQ(route("/scim/v2/Users", host, "scim.example").area, Area::Unknown) << host;
    }
    EXPECT_EQ(route("/scim/v2/Users", "acme.scim.example", "").area, Area::Unknown);
}

TEST(Router, RefusesPathTricks) {
    for (const char* path :
         {"", "/", "//c/abc/scim/v2/Users", "/c/abc/../scim/v2/Users",
          "/c/abc/scim/v2/Users/%2e%2e", "/c/abc/scim/v2/Users/a/b", "/c/abc/scim/v2/Users/a%2fb",
          "/c/abc/scim/v2/Users/%00", "/c/abc/scim/v2/Users/%zz", "/C/abc/scim/v2/Users",
          "/c/abc/scim/v1/Users", "/livez/"}) {
        EXPECT_EQ(route(path, "h", "").area, Area::Unknown) << path;
    }
}

TEST(Router, KnowsHealthAndMetrics) {
    EXPECT_EQ(route("/livez", "h", "").area, Area::Live);
    EXPECT_EQ(route("/readyz", "h", "").area, Area::Ready);
    EXPECT_EQ(route("/metrics", "h", "").area, Area::Metrics);
}

}  // namespace
}  // namespace muster::api
