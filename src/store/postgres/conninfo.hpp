#pragma once
// Connection strings of libpq.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/types.hpp"

namespace muster::store::postgres {

/// `url` (postgres://… or keyword=value pairs) with those of `settings` that it does not name
/// itself; "options" are put before its own. The error does not repeat the URL.
[[nodiscard]] Result<std::string> with_settings(
    const std::string& url,
    const std::vector<std::pair<std::string_view, std::string_view>>& settings);

/// One of the hosts that a connection string names.
struct Host {
    std::string conninfo;  ///< with this host alone
    std::string name;  ///< to be looked up before connecting; empty: there is nothing to look up
};
/// In their order; at least one.
[[nodiscard]] std::vector<Host> hosts_of(const std::string& conninfo);

/// Refuses what cannot be read as `url`, and what was read otherwise than it was meant: a password
/// with an @ or a / in it ends up in the host or the port, and then in errors. Repeats none of it.
[[nodiscard]] Result<void> check_url(const std::string& url);

/// For people to read: hosts, port and database, without user, password or anything else.
[[nodiscard]] std::string describe(const std::string& url);

}  // namespace muster::store::postgres
