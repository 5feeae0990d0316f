#pragma once
// What a client is told where its request did not get as far as a use case, or a bug ended it.

#include <string_view>

#include "auth/registry.hpp"
#include "http/message.hpp"

namespace muster::api {

struct FailureText {
    int status;
    std::string_view reason;  ///< in the provisioning log
    std::string_view detail;
};
[[nodiscard]] const FailureText& text_of(http::Failure failure);

struct RefusalText {
    std::string_view cause;
    std::string_view remedy;
};
/// One text for every way of not knowing the secret, so that it does not tell which ids exist; the
/// provisioning log, which only the organisation reads, tells them apart.
[[nodiscard]] RefusalText text_of(auth::Refusal refusal);

}  // namespace muster::api
