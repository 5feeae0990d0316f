#include "store/log_json.hpp"

#include <iterator>

#include <fmt/format.h>

namespace muster::store {

std::string log_json_end(const std::vector<Applied>& applied) {
    std::string json = R"(,"written":[)";
    const char* separator = "";
    for (const Applied& one : applied) {
        fmt::format_to(std::back_inserter(json),
                       R"({}{{"version":{},"members_added":{},"members_removed":{}}})", separator,
                       one.version, one.members_added, one.members_removed);
        separator = ",";
    }
    json += "]}";
    return json;
}

}  // namespace muster::store
