#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace muster::testing {

/// An organisation with a connector and a token.
struct Tenant {
    std::string connector;
    std::string token;

    /// The request target of a path behind the SCIM URL.
    [[nodiscard]] std::string target(std::string_view path) const {
        return "/c/" + connector + "/scim/v2" + std::string{path};
    }
};

/// Calls the operator's API: method, target and body to status and body.
using Operator = std::function<std::pair<int, std::string>(
    std::string_view method, std::string_view target, std::string_view body)>;
/// Throws std::runtime_error where the operator is refused.
[[nodiscard]] Tenant make_tenant(const Operator& call, std::string_view name = "ACME",
                                 std::string_view idp = "okta");
/// The same on a data directory that no server holds; `database`: a URL, where it is PostgreSQL's.
[[nodiscard]] Tenant make_tenant(const std::filesystem::path& data, std::string_view name = "ACME",
                                 std::string_view idp = "okta", const std::string& database = "");

/// A member of a JSON object's text; empty where there is none.
[[nodiscard]] std::string text_member(std::string_view body, std::string_view name);

/// The log id that an error's detail names; empty where it names none.
[[nodiscard]] std::string log_id(std::string_view body);

/// A new directory under the system's temporary one.
[[nodiscard]] std::filesystem::path make_temporary_directory();

}  // namespace muster::testing
