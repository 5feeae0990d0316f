#pragma once
// Clients that write as fast as they are answered, with a ledger of what they were promised.

#include <chrono>
#include <expected>
#include <stop_token>
#include <string>

#include "net/http_client.hpp"
#include "support/ledger.hpp"
#include "support/tenant.hpp"

namespace muster::testing {

/// One client's connection: requests as Okta sends them.
class Client {
  public:
    Client(const std::string& address, const Tenant& tenant,
           std::chrono::seconds timeout = std::chrono::seconds{60})
        : tenant_(tenant), http_(net::Url::parse("http://" + address).value(), timeout) {}

    std::expected<net::ClientResponse, std::string> send(const std::string& method,
                                                         const std::string& path,
                                                         std::string body = {});

  private:
    Tenant tenant_;
    net::HttpClient http_;
};

[[nodiscard]] std::string user_body(const std::string& name);
/// A PATCH with one operation, given as JSON.
[[nodiscard]] std::string patch_body(const std::string& operation);
[[nodiscard]] std::string join_body(const std::string& user_id);

/// The new group's id; throws std::runtime_error where it is refused.
[[nodiscard]] std::string make_group(const std::string& address, const Tenant& tenant);

/// Creates, changes and groups people until it is stopped or the server is gone. A promise is
/// entered into the ledger only after its answer was read whole.
void storm(const std::stop_token& stop, const std::string& address, const Tenant& tenant,
           const std::string& group, const std::string& prefix, Ledger& ledger);

}  // namespace muster::testing
