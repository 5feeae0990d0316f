#pragma once
// What goes to PostgreSQL and comes back, in its binary format: no escaping, no parsing of numbers.
// Texts that a client chose are `bytea`: compared byte by byte on every server, and able to hold
// every byte (PostgreSQL's text has no NUL).

#include <cstddef>
#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.hpp"

namespace muster::store::postgres {

/// A statement that each connection prepares when it first needs it. Known by its address.
struct Statement {
    const char* sql;
};

// Said of a row that is found by its id or rid. "deleted IS NULL" would offer the planner the index
// of live rows, which it takes as long as it knows nothing of the table, and reads all of it.
#define MUSTER_IS_LIVE(row) "coalesce(" row ".deleted, 0) = 0"

/// The parameters of one execution, in order.
class Parameters {
  public:
    Parameters() = default;
    /// Each may be an integer, a bool, a text, bytes, a list of Rids or of texts, or an optional.
    template <class... T>
    explicit Parameters(const T&... values) {
        (add(values), ...);
    }

    void add(std::int64_t value);
    void add(bool value);
    void add(std::string_view value);
    void add(const std::string& value) { add(std::string_view(value)); }
    void add(const char* value) { add(std::string_view(value)); }
    void add(std::span<const std::byte> value);
    void add(std::span<const Rid> value);                              ///< bigint[]
    void add(std::span<const std::string> value);                      ///< bytea[]
    void add(std::span<const std::optional<std::int64_t>> value);      ///< bigint[] with NULLs
    void add(std::span<const std::optional<std::string_view>> value);  ///< bytea[] with NULLs
    template <class Tag>
    void add(Key<Tag> key) {
        add(key.value);
    }
    template <class T>
    void add(const std::optional<T>& value) {
        if (value) {
            add(*value);
        } else {
            values_.push_back({0, -1});
        }
    }

    [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
    /// Views of the parameters as libpq takes them; valid as long as nothing is added.
    struct Wire {
        std::vector<const char*> values;
        std::vector<int> lengths;
        std::vector<int> formats;
    };
    [[nodiscard]] Wire wire() const;

  private:
    struct Value {
        std::size_t offset;
        int length;  ///< negative: NULL
    };
    void add_bytes(const void* data, std::size_t size);

    std::string bytes_;
    std::vector<Value> values_;
};

/// One execution: a prepared statement, or `text` where a statement takes no parameters at all.
struct Query {
    const Statement* statement = nullptr;
    Parameters parameters = {};
    std::string text = {};
};

/// The rows of one answer. Reading a column that is not there, or of another width, is a bug.
class Rows {
  public:
    Rows() = default;
    explicit Rows(PGresult* result) : result_(result) {}

    /// Whether the statement was done.
    [[nodiscard]] bool succeeded() const {
        const ExecStatusType status = PQresultStatus(result_.get());
        return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    }
    [[nodiscard]] int size() const { return PQntuples(result_.get()); }
    /// Rows that the statement wrote.
    [[nodiscard]] std::int64_t affected() const;

    [[nodiscard]] bool is_null(int row, int column) const;
    [[nodiscard]] std::int64_t integer(int row, int column) const;
    [[nodiscard]] bool boolean(int row, int column) const;
    [[nodiscard]] std::string_view text(int row, int column) const;
    [[nodiscard]] std::span<const std::byte> bytes(int row, int column) const;
    /// A count, or 0 where there is no row.
    [[nodiscard]] std::int64_t number() const { return size() == 0 ? 0 : integer(0, 0); }

  private:
    struct Clear {
        void operator()(PGresult* freed) const noexcept { PQclear(freed); }
    };
    std::unique_ptr<PGresult, Clear> result_;
};

}  // namespace muster::store::postgres
