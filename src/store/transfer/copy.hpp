#pragma once
// Copying a database, once for all kinds.

#include <functional>
#include <string_view>

#include "store/transfer/transfer.hpp"

namespace muster::store::transfer {

/// Rows read and checked, of those that there are to read and check; and what is at hand.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total, std::string_view)>;

struct Copied {
    struct Rows {
        std::string_view table;
        std::int64_t rows = 0;
    };
    bool resumed = false;  ///< an earlier copy was broken off, and what it had written is kept
    std::int64_t organisations = 0;
    std::int64_t rows = 0;
    std::vector<Rows> tables;
};

/// Copies everything, and holds the target to the source: as many rows of each table and
/// organisation, and the same SHA-256 over them; and the source, where it is a backup, to what was
/// written to it. A target in which a copy from `source_name` was
/// broken off is completed. Memory: a batch of rows.
[[nodiscard]] Result<Copied> copy(Source& source, std::string_view source_name, Target& target,
                                  const Progress& progress);

}  // namespace muster::store::transfer
