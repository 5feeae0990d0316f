#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace muster::testing {

/// An organisation with a connector and a token, made on a data directory that no server holds.
struct Tenant {
    std::string connector;
    std::string token;

    /// The request target of a path behind the SCIM URL.
    [[nodiscard]] std::string target(std::string_view path) const {
        return "/c/" + connector + "/scim/v2" + std::string{path};
    }
};

/// Throws std::runtime_error where the directory refuses.
[[nodiscard]] Tenant make_tenant(const std::filesystem::path& data, std::string_view name = "ACME",
                                 std::string_view idp = "okta");

/// A member of a JSON object's text; empty where there is none.
[[nodiscard]] std::string text_member(std::string_view body, std::string_view name);

/// A new directory under the system's temporary one.
[[nodiscard]] std::filesystem::path make_temporary_directory();

}  // namespace muster::testing
