#pragma once
// The look into the database that holds a server to what its clients were promised.

#include <filesystem>
#include <string>
#include <vector>

#include "support/ledger.hpp"

namespace muster::crash {

struct Verdict {
    std::size_t lost = 0;              ///< promises that the database does not keep
    std::vector<std::string> damages;  ///< halves of write sets, broken pages
};

/// Opens the database of a server that is gone (which recovers it, as the next start would).
[[nodiscard]] Verdict audit(const std::filesystem::path& data, const testing::Ledger& ledger);

}  // namespace muster::crash
