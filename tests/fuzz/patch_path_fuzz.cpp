// A PATCH path that is accepted can be written in schema spelling and is then accepted as the same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "scim/filter/filter.hpp"

namespace {

using namespace muster;

std::string print(const scim::PatchPath& path) {
    if (!path.element_filter) return path.target.to_string();
    scim::AttributePath attribute = path.target;
    attribute.sub_attribute = nullptr;
    std::string text = attribute.to_string() + '[' + path.element_filter->to_string() + ']';
    if (path.target.sub_attribute != nullptr) text += '.' + path.target.sub_attribute->name;
    return text;
}

/// Printing may add parentheses, escapes and URNs.
scim::FilterLimits roomy() {
    return {.max_bytes = std::size_t{1} << 22, .max_depth = 400, .max_terms = 1'000};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const json::Value kElement = *json::parse(R"({"value":"x","type":"work"})");
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto catalog = scim::Catalog::standard();
    for (const auto& type : catalog->types()) {
        const auto path = scim::parse_patch_path(*type, text);
        if (!path) {
            MUSTER_CHECK(path.error().type == scim::ScimType::InvalidPath ||
                         path.error().type == scim::ScimType::InvalidFilter);
            continue;
        }
        const std::string printed = print(*path);
        const auto again = scim::parse_patch_path(*type, printed, roomy());
        MUSTER_CHECK(again.has_value());
        MUSTER_CHECK(again->target == path->target);
        MUSTER_CHECK(print(*again) == printed);
        if (path->element_filter) {
            MUSTER_CHECK(again->element_filter->matches_element(kElement) ==
                         path->element_filter->matches_element(kElement));
        }
    }
    return 0;
}
