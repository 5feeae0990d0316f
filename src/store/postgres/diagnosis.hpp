#pragma once
// Why the database refused a write set.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "store/postgres/connection.hpp"
#include "store/postgres/transaction.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

/// Why write sets were not applied.
struct Refused {
    Error error;
    bool retry = false;                ///< the same may go through when tried again
    std::optional<std::size_t> set{};  ///< of several, the one that was at fault, if one was
};
[[nodiscard]] Refused refused(ErrorCode code, std::string message, bool retry = false);

/// Looks at the database, after the transaction is gone, for what a failed statement ran into.
class Diagnosis {
  public:
    Diagnosis(Connection& connection, Connection::Deadline deadline, const WriteSet& set)
        : connection_(connection), deadline_(deadline), set_(set) {}

    [[nodiscard]] Task<Refused> of(Meaning meaning);

  private:
    Task<Refused> end_of_authority();
    Task<Refused> version_of(std::size_t mutation);
    Task<Refused> holder_of_name(std::size_t mutation);
    std::optional<std::string> created_in_set(std::size_t before, const TypeName& type,
                                              const scim::IndexKey& key) const;
    Task<Outcome<std::vector<Rows>>> ask(std::vector<Query> queries);

    Connection& connection_;
    Connection::Deadline deadline_;
    const WriteSet& set_;
};

}  // namespace muster::store::postgres
