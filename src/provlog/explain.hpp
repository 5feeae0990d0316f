#pragma once

#include <string>
#include <string_view>

#include "json/json.hpp"

namespace muster::provlog {

/// A record in words, for an administrator who sees the identity provider's console.
struct Explanation {
    std::string sentence;  ///< all three in one
    std::string
        happened;  ///< "Okta asked to create ann@acme.example at 10:15:02 and was refused (409)."
    std::string why;
    std::string todo;  ///< what to do, mostly there; empty where nothing is to be done
};

/// `record` is a complete log record as JSON, `idp` what people call whom the connector is for.
/// Pure.
[[nodiscard]] Explanation explain(const json::Object& record,
                                  std::string_view idp = "the identity provider");

}  // namespace muster::provlog
