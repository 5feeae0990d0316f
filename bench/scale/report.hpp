#pragma once
// What was found, for people: a page with tables, and drawings of cost against size.

#include <filesystem>
#include <string>

#include "machine.hpp"
#include "scale/figure.hpp"

namespace muster::bench {

struct Origin {
    Machine machine;
    std::string muster;    ///< its version
    std::string database;  ///< versions of SQLite and PostgreSQL
    std::string command;
    bool complete = false;  ///< the run came to its end
};

/// Writes performance.md and performance/*.svg into `directory`.
void write_report(const std::filesystem::path& directory, const Origin& origin,
                  const Findings& findings);

}  // namespace muster::bench
