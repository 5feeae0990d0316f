#include "service/etag.hpp"

#include <fmt/format.h>

#include "base/text.hpp"

namespace muster::service {

std::string etag_of(std::int64_t version) {
    std::string tag = "W/\"";
    tag.append(fmt::format_int(version).c_str()).push_back('"');
    return tag;
}

bool etag_matches(std::string_view list, std::int64_t version) {
    const std::string wanted = fmt::format("\"{}\"", version);
    while (!list.empty()) {
        const auto comma = list.find(',');
        auto tag = trim(list.substr(0, comma));
        if (tag == "*") return true;
        if (tag.starts_with("W/")) tag.remove_prefix(2);
        if (tag == wanted) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
    return false;
}

}  // namespace muster::service
