#pragma once
// One SCIM request on its way through the use cases, and its answer.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "auth/registry.hpp"
#include "provlog/record.hpp"
#include "scim/error.hpp"

namespace muster::service {

/// Who asks, under which address, on which condition, and the log record that grows with it.
struct Call {
    auth::Principal principal;
    std::string base_url;       ///< the connector's SCIM URL, for Location and meta.location
    std::string if_match;       ///< as sent
    std::string if_none_match;  ///< as sent
    std::string user_agent;     ///< as sent
    std::string peer;           ///< the client's address
    provlog::Record record;
    std::chrono::steady_clock::time_point started;
    bool recorded = false;    ///< the record went into the commit of a write
    bool may_restore = true;  ///< a POST may bring back whoever is deactivated

    [[nodiscard]] OrgKey org() const { return principal.connector->connector.org; }
    /// The schemas and resource types of the organisation; lives as long as the call.
    [[nodiscard]] const scim::Catalog& catalog() const { return *principal.connector->catalog; }
    [[nodiscard]] const auth::Policy& policy() const { return principal.connector->policy; }
    [[nodiscard]] std::int64_t elapsed_us() const {
        const auto elapsed = std::chrono::steady_clock::now() - started;
        return std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
    }
    /// An error with the stable word under which the log explains it.
    [[nodiscard]] std::unexpected<scim::Error> refuse(std::string_view reason, scim::Error error) {
        record.reason(reason);
        return std::unexpected(std::move(error));
    }
};

struct Answer {
    int status = 200;
    std::string body;      ///< JSON; empty: none
    std::string etag;      ///< W/"n"; empty: none
    std::string location;  ///< empty: none
    int retry_after_s = 0;
};

}  // namespace muster::service
