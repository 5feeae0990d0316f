#pragma once
// A blocking connection, for work that no request waits for: migrations, and what a node does
// before it serves.

#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <string>

#include "store/postgres/values.hpp"
#include "store/types.hpp"

namespace muster::store::postgres {

class Session {
  public:
    [[nodiscard]] static Result<Session> open(const std::string& conninfo);

    /// The first column of the first row; empty where there is none. `sql` is one statement.
    [[nodiscard]] Result<std::string> run(const std::string& sql);
    [[nodiscard]] Result<std::int64_t> number(const std::string& sql);
    /// One statement with parameters, which it casts to their types.
    [[nodiscard]] Result<Rows> query(const std::string& sql, const Parameters& parameters = {});

  private:
    struct Finish {
        void operator()(PGconn* freed) const noexcept { PQfinish(freed); }
    };
    [[nodiscard]] std::string message() const;

    std::unique_ptr<PGconn, Finish> connection_;
};

}  // namespace muster::store::postgres
