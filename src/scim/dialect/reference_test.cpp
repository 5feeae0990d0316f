// docs/reference/dialects.md says what the tables say.

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scim/dialect/dialect.hpp"

namespace muster::scim {
namespace {

std::string names_of(const Dialect& dialect) {
    if (dialect.rewrites().empty()) return "none";
    if (&dialect == &generic_dialect()) return "all of them";
    std::string names;
    for (const Rewrite* rewrite : dialect.rewrites()) {
        names += fmt::format("{}`{}`", names.empty() ? "" : ", ", rewrite->name);
    }
    return names;
}

TEST(DialectReference, IsWhatTheTablesSay) {
    const char* docs = std::getenv("MUSTER_DOCS");  // ctest sets it (src/CMakeLists.txt)
    if (docs == nullptr) GTEST_SKIP() << "MUSTER_DOCS does not name the folder docs";
    std::ifstream stream(std::string{docs} + "/reference/dialects.md");
    const std::string page{std::istreambuf_iterator<char>(stream), {}};

    std::string dialect_rows;
    for (const Dialect& dialect : dialects()) {
        dialect_rows += fmt::format("| `{}` | {} | {} |\n", dialect.name(), dialect.client(),
                                    names_of(dialect));
    }
    EXPECT_THAT(page, ::testing::HasSubstr(dialect_rows));
    std::string rewrite_rows;
    for (const Rewrite* rewrite : generic_dialect().rewrites()) {
        rewrite_rows += fmt::format("| `{}` | {} | {} | {} |\n", rewrite->name,
                                    rewrite->description, rewrite->client, rewrite->source);
    }
    EXPECT_THAT(page, ::testing::HasSubstr(rewrite_rows));
}

}  // namespace
}  // namespace muster::scim
