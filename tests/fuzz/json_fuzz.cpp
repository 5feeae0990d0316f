// What is read can be written, and what is written reads the same.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"
#include "json/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const auto value = muster::json::parse(text);
    if (!value) {
        MUSTER_CHECK(value.error().offset <= size);
        return 0;
    }
    MUSTER_CHECK(muster::is_valid_utf8(text));
    const std::string written = muster::json::to_text(*value);
    const auto again = muster::json::parse(written, {.max_bytes = written.size()});
    MUSTER_CHECK(again.has_value());
    MUSTER_CHECK(*again == *value);
    MUSTER_CHECK(muster::json::to_text(*again) == written);
    return 0;
}
