#include "store/log_json.hpp"

#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace muster::store {

std::string finish_log_json(std::string json) {
    json += '}';
    return json;
}

std::string finish_log_json(std::string json, const std::vector<Applied>& applied) {
    json += R"(,"written":[)";
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
