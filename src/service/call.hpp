#pragma once
// One SCIM request on its way through the use cases, and its answer.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/registry.hpp"
#include "base/task.hpp"
#include "provlog/record.hpp"
#include "scim/error.hpp"
#include "store/types.hpp"

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

/// The rest of a body that is too long to be held, made while it is sent.
class Rest {
  public:
    Rest() = default;
    Rest(const Rest&) = delete;
    Rest& operator=(const Rest&) = delete;
    virtual ~Rest() = default;

    /// The next piece; an empty one ends the body.
    [[nodiscard]] virtual Task<store::Result<std::string>> next() = 0;
    /// Bytes that it keeps for the pieces to come.
    [[nodiscard]] virtual std::size_t held() const = 0;
};

struct Answer {
    int status = 200;
    std::string body;      ///< JSON, or its beginning; empty: none
    std::string etag;      ///< W/"n"; empty: none
    std::string location;  ///< empty: none
    int retry_after_s = 0;
    std::shared_ptr<Rest> rest = {};  ///< of the body; null: it is whole
};

}  // namespace muster::service
