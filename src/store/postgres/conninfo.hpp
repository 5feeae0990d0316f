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

/// For people to read: hosts, port and database, without user, password or anything else.
[[nodiscard]] std::string describe(const std::string& url);

}  // namespace muster::store::postgres
