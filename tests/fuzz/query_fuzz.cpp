// Decoding never reads past its input, and undoes encoding.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"
#include "http/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace http = muster::http;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    const bool has_nul = text.find('\0') != std::string_view::npos;

    const std::string encoded = http::percent_encode(text);
    MUSTER_CHECK((muster::percent_decode(encoded) == text) == !has_nul);
    if (const auto decoded = muster::percent_decode(text)) {
        MUSTER_CHECK(decoded->size() <= size);
        MUSTER_CHECK(decoded->find('\0') == std::string::npos);
    }

    const auto pairs = http::parse_query(text);
    if (!pairs) return 0;
    MUSTER_CHECK(!has_nul && pairs->size() <= 64);
    std::string rebuilt;
    for (const auto& [name, value] : *pairs) {
        rebuilt += http::percent_encode(name) + "=" + http::percent_encode(value) + "&";
    }
    MUSTER_CHECK(http::parse_query(rebuilt) == pairs);
    return 0;
}
