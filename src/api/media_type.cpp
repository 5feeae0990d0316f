#include "api/media_type.hpp"

#include "base/text.hpp"

namespace muster::api {

bool is_json(std::string_view content_type) {
    const auto name = trim(content_type.substr(0, content_type.find(';')));
    return name.empty() || equals_ignoring_case(name, kScimJson) ||
           equals_ignoring_case(name, "application/json") ||
           equals_ignoring_case(name, "text/json");
}

bool accepts_json(std::string_view accept) {
    if (accept.empty()) return true;
    while (!accept.empty()) {
        const auto comma = accept.find(',');
        const auto range = accept.substr(0, comma);
        accept.remove_prefix(comma == std::string_view::npos ? accept.size() : comma + 1);
        const auto name = trim(range.substr(0, range.find(';')));
        const bool refused = range.ends_with(";q=0") || range.ends_with("; q=0");
        const bool fits = is_json(name) || name == "*/*" ||
                          equals_ignoring_case(name, "application/*") ||
                          equals_ignoring_case(name, "text/*");
        if (fits && !refused) return true;
    }
    return false;
}

}  // namespace muster::api
