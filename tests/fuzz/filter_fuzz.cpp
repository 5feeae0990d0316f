// A filter that is accepted prints as one that is accepted and prints the same; evaluating it on a
// user never fails.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "scim/dialect/dialect.hpp"
#include "scim/filter/filter.hpp"

namespace {

using namespace muster;

constexpr std::string_view kUser =
    R"({"userName":"bjensen","name":{"familyName":"Jensen"},"active":true,"title":"",)"
    R"("emails":[{"value":"b@x.org","type":"work","primary":true},{"value":"b@y.org"}],)"
    R"("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"IT"},)"
    R"("meta":{"created":"2010-01-23T04:56:22Z"}})";

/// Printing may add parentheses, escapes and URNs.
scim::FilterLimits roomy() {
    return {.max_bytes = std::size_t{1} << 22, .max_depth = 400, .max_terms = 1'000};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const json::Value kDocument = *json::parse(kUser);
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto catalog = scim::Catalog::standard();
    for (const auto& type : catalog->types()) {
        std::string mended{text};
        std::vector<scim::Note> notes;
        (void)scim::generic_dialect().rewrite({.type = *type, .filter = &mended}, notes);
        // A dialect leaves alone what is right already.
        MUSTER_CHECK(mended == text || !scim::parse_filter(*type, text));
        const auto filter = scim::parse_filter(*type, mended);
        if (!filter) {
            MUSTER_CHECK(filter.error().type == scim::ScimType::InvalidFilter);
            continue;
        }
        const std::string printed = filter->to_string();
        const auto again = scim::parse_filter(*type, printed, roomy());
        MUSTER_CHECK(again.has_value());
        MUSTER_CHECK(again->to_string() == printed);
        MUSTER_CHECK(again->matches(kDocument.get_object()) ==
                     filter->matches(kDocument.get_object()));
    }
    return 0;
}
