#pragma once
// One store of one size with a server on it: what the rows of the table are measured on.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/server_process.hpp"
#include "support/tenant.hpp"
#include "workload.hpp"

namespace muster::bench {

/// Counters of the processes that do the work; differences of two readings mean something.
struct Reading {
    double cpu_s = 0;
    double database_cpu_s = 0;
    double written_bytes = 0;
    double commits = 0;
};

struct BedOptions {
    std::filesystem::path muster;
    std::filesystem::path work;
    std::string store;  ///< "SQLite" or "PostgreSQL"
    std::uint64_t people = 0;
    std::size_t organisations = 50;
};

/// The people of each organisation but the first.
inline constexpr std::uint64_t kPeopleElsewhere = 200;

/// Made by `muster load`: the first organisation has the people, in 36 groups of the sizes 10,
/// 1,000, a tenth of them and all of them in turn; the others have 200 people each. What was made
/// is removed with the bed.
class Bed {
  public:
    explicit Bed(BedOptions options);
    ~Bed();
    Bed(const Bed&) = delete;
    Bed& operator=(const Bed&) = delete;

    /// The organisations, the large one first.
    [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }
    [[nodiscard]] const BedOptions& options() const { return options_; }
    [[nodiscard]] double load_seconds() const { return load_seconds_; }
    [[nodiscard]] std::uint64_t memberships() const { return memberships_; }
    [[nodiscard]] std::uint64_t tenth() const { return options_.people / 10; }
    /// The id of a group of the large organisation that has so many members.
    [[nodiscard]] const std::string& group_of(std::uint64_t members) const;

    [[nodiscard]] Reading read() const;
    [[nodiscard]] double rss_mb() const;
    [[nodiscard]] double database_mb() const;

    /// Transactions a second of PostgreSQL alone, over so many connections: "read" of a person's
    /// row by id, "update" of one, "create": the rows of a new one. 0 for anything else.
    [[nodiscard]] double postgres_rate(std::string_view what, std::size_t connections) const;

    /// Ends the server; the database file where there is one.
    std::optional<std::filesystem::path> stop();

  private:
    void make_organisations();
    void fill(const std::string& org, std::uint64_t people, std::uint64_t groups,
              const std::string& sizes);
    [[nodiscard]] bool on_postgres() const { return options_.store == "PostgreSQL"; }

    BedOptions options_;
    std::filesystem::path data_;
    std::string database_url_;
    std::vector<testing::Tenant> tenants_;
    std::vector<Target> targets_;
    std::map<std::uint64_t, std::string> groups_;  ///< one id of each size
    std::unique_ptr<testing::ServerProcess> server_;
    double load_seconds_ = 0;
    std::uint64_t memberships_ = 0;
};

/// What a command writes to its standard output; throws std::runtime_error where it fails.
[[nodiscard]] std::string output_of(const std::string& command);

}  // namespace muster::bench
