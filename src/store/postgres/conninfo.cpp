#include "store/postgres/conninfo.hpp"

#include <algorithm>
#include <libpq-fe.h>
#include <memory>

namespace muster::store::postgres {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

Options parse(const std::string& url) {
    // The message would repeat the URL, and with it a password; what is wrong is said without.
    return {PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree};
}

void append(std::string& conninfo, std::string_view keyword, std::string_view value) {
    conninfo.append(keyword).append("='");
    for (const char c : value) {
        if (c == '\'' || c == '\\') conninfo += '\\';
        conninfo += c;
    }
    conninfo += "' ";
}

}  // namespace

Result<std::string> with_settings(
    const std::string& url,
    const std::vector<std::pair<std::string_view, std::string_view>>& settings) {
    const Options options = parse(url);
    if (!options) {
        return std::unexpected(Error{ErrorCode::Unavailable,
                                     "the database URL is not one that PostgreSQL understands: "
                                     "postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full",
                                     {},
                                     {}});
    }
    std::string conninfo;
    std::vector<std::string_view> named;
    for (const PQconninfoOption* one = options.get(); one->keyword != nullptr; ++one) {
        if (one->val == nullptr) continue;
        std::string value = one->val;
        named.emplace_back(one->keyword);
        if (named.back() == "options") {
            for (const auto& [keyword, ours] : settings) {
                if (keyword == "options") value.insert(0, " ").insert(0, ours);
            }
        }
        append(conninfo, one->keyword, value);
    }
    for (const auto& [keyword, value] : settings) {
        if (std::ranges::find(named, keyword) == named.end()) append(conninfo, keyword, value);
    }
    return conninfo;
}

std::string describe(const std::string& url) {
    const Options options = parse(url);
    std::string host = "localhost";
    std::string port;
    std::string database;
    for (const PQconninfoOption* one = options.get(); one != nullptr && one->keyword != nullptr;
         ++one) {
        if (one->val == nullptr) continue;
        const std::string_view keyword = one->keyword;
        if (keyword == "host") host = one->val;
        if (keyword == "port") port = std::string(":") + one->val;
        if (keyword == "dbname") database = std::string("/") + one->val;
    }
    return "postgres://" + host + port + database;
}

}  // namespace muster::store::postgres
