#include "api/failure_text.hpp"

#include <array>
#include <utility>

namespace muster::api {

const FailureText& text_of(http::Failure failure) {
    // In the order of http::Failure.
    static constexpr std::array<FailureText, 6> kTexts{{
        {413, "too-large", "The body is larger than the limit, limits.body_bytes."},
        {408, "too-slow", "The body did not arrive in time."},
        {400, "invalidSyntax", "The body's framing (Content-Length or chunks) is broken."},
        {503, "no-room",
         "Other large requests take all the memory that there is for them; nothing was changed. "
         "Try again in a second."},
        {503, "no-room-to-answer",
         "Other large answers take all the memory that there is for them. Try again in a second, "
         "or ask for less at once: by count, attributes or excludedAttributes."},
        {500, "internal",
         "Muster failed on this request; nothing was acknowledged. The server's log has the "
         "cause."},
    }};
    return kTexts.at(std::to_underlying(failure));
}

}  // namespace muster::api
