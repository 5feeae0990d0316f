#pragma once
// An organisation of a test's own in a running server, made as an operator makes one.

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "json/json.hpp"

namespace muster::scenarios {

/// Commands against the running server's data directory.
class Commands {
  public:
    Commands(std::string muster, const std::filesystem::path& data);

    /// The JSON object that `muster WORDS… --json` prints.
    [[nodiscard]] std::expected<json::Object, std::string> object(
        std::vector<std::string> words) const;

  private:
    std::string muster_;
    std::string data_;
};

struct Tenant {
    std::string organisation;
    std::string connector;
    std::string base_url;
    std::string token;
};

/// An organisation with a connector and a token.
[[nodiscard]] std::expected<Tenant, std::string> make_tenant(const Commands& commands,
                                                             const std::string& name,
                                                             const std::string& idp);

}  // namespace muster::scenarios
