#pragma once
// A PostgreSQL database as one end of a transfer.

#include <memory>
#include <string>

#include "store/transfer/transfer.hpp"

namespace muster::store::postgres {

/// Reads the database as it is at this moment, whatever is written meanwhile.
[[nodiscard]] Result<std::unique_ptr<transfer::Source>> open_source(const std::string& url,
                                                                    transfer::Servers servers);

/// Fills a database that holds nothing of Muster's, or empty tables of the newest version. What was
/// written survives a crash at any moment, and is completed by another copy from the same source.
/// Unfit where the database holds something; Locked where a node runs on it, or another process
/// fills it.
[[nodiscard]] Result<std::unique_ptr<transfer::Target>> open_target(const std::string& url);

}  // namespace muster::store::postgres
