#pragma once
// What a client is told where its request did not get as far as a use case, or a bug ended it.

#include <string_view>

#include "http/message.hpp"

namespace muster::api {

struct FailureText {
    int status;
    std::string_view reason;  ///< in the provisioning log
    std::string_view detail;
};
[[nodiscard]] const FailureText& text_of(http::Failure failure);

}  // namespace muster::api
