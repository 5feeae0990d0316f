#include "base/secret.hpp"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(WithoutSecrets, HidesWhatStandsBeforeTheHost) {
    for (const auto& [given, shown] : {
             std::pair{"postgres://muster:pw@db/m is wrong.", "postgres://…@db/m is wrong."},
             {"\"postgress://muster:pw@db/m\" is", "\"postgress://…@db/m\" is"},
             {"cannot create /home/me/postgres:/muster:pw@db/m",
              "cannot create /home/me/postgres:/…@db/m"},
             {"postgres://muster:p@w/x:y@db", "postgres://…@db"},
             {"https://me:pw@host/path: no answer", "https://…@host/path: no answer"},
             {"host=db password=pw is", "host=db password=… is"},
             {"\"mst_abcdefgh23-wxyz_secret\" is one argument too many.",
              "\"mst_…\" is one argument too many."},
         }) {
        EXPECT_EQ(without_secrets(given), shown);
    }
}

TEST(WithoutSecrets, LeavesTheRestAsItIs) {
    for (const char* text :
         {"", "a@example.com: taken", "http://127.0.0.1:8080/Users/a@b", "postgres://muster@db/m",
          "http://host/?filter=x:y@z", "10:/etc/muster.toml", "two  spaces\nand a line"}) {
        EXPECT_EQ(without_secrets(text), text);
    }
}

}  // namespace
}  // namespace muster
