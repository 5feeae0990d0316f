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

RefusalText text_of(auth::Refusal refusal) {
    using enum auth::Refusal;
    switch (refusal) {
        case MissingCredential:
            return {"No credential was sent.", "Send the token as Authorization: Bearer."};
        case NotAToken:
            return {"The credential is not a Muster token.",
                    "Paste the token again; it begins with mst_."};
        case BadChecksum:
            return {
                "The token is damaged: a character is missing or mistyped.",
                "Paste the whole token again, without spaces or line breaks; for Basic the user "
                "name is the token's id, and the password its secret."};
        case Expired:
            return {"The token has expired.", "Renew it and paste the new one."};
        case Inactive:
            return {"The token is switched off.", "Activate it or use another one."};
        case WrongScheme:
            return {"The token was sent in another way than it was made for.",
                    "Send a bearer token as Bearer, a basic one as Basic."};
        case UnknownToken:
        case OtherConnector:
        case WrongSecret:
        case NoSuchConnector:
            break;
    }
    return {"The token is not valid for this URL.",
            "Use the base URL and the newest token of the same connector."};
}

}  // namespace muster::api
