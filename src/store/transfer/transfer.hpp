#pragma once
// What moves from one database to another, whichever kinds they are: rows of the tables that every
// kind has. A backup is such a copy, in a SQLite file.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/crypto.hpp"
#include "store/types.hpp"

namespace muster::store::transfer {

enum class Kind : std::uint8_t {
    Number,
    Truth,  ///< as the number 0 or 1
    Text,   ///< any bytes; ordered by them
    Bytes,
};

struct Column {
    std::string_view name;
    Kind kind = Kind::Number;

    [[nodiscard]] bool is_number() const { return kind == Kind::Number || kind == Kind::Truth; }
};

struct Table {
    std::string_view name;
    std::span<const Column> columns;  ///< without the organisation
    std::size_t key = 1;              ///< so many of them lead, and identify a row
    bool shared = false;              ///< rows belong to the instance; else to an organisation

    [[nodiscard]] std::span<const Column> key_columns() const { return columns.first(key); }
};

/// In an order in which rows only refer to rows before them.
[[nodiscard]] std::span<const Table> tables();
/// The one of them that recognises the key file by which tokens were made. What a server left in it
/// where there is no token yet gives way to what is copied.
inline constexpr std::string_view kInstanceKeyTable = "instance_key";

using Cell = std::variant<std::monostate, std::int64_t, std::string>;
using Row = std::vector<Cell>;

/// Rows in the order of their keys. The Source outlives it, and has one at a time.
class Reading {
  public:
    virtual ~Reading() = default;
    /// Whether there was another row.
    [[nodiscard]] virtual Result<bool> next(Row& row) = 0;
};

/// One state of a database. Blocking; one thread at a time. `org` is OrgKey{} where the table is
/// shared, and for log records of no organisation.
class Source {
  public:
    virtual ~Source() = default;
    [[nodiscard]] virtual Result<std::unique_ptr<Reading>> read(const Table& table, OrgKey org) = 0;
    [[nodiscard]] virtual Result<std::int64_t> count(const Table& table, OrgKey org) = 0;
    /// What its rows came to when they were written, where that was kept: a backup's.
    [[nodiscard]] virtual Result<std::optional<Digest>> seal() { return std::nullopt; }
};

/// A database that is being filled. From begin() to finish() no server starts on it.
class Target : public Source {
  public:
    /// Notes where the rows come from; whether a copy from there was begun earlier. Unfit where the
    /// database holds anything else.
    [[nodiscard]] virtual Result<bool> begin(std::string_view source) = 0;
    /// All of the rows or none. They need not survive a power cut by themselves, but only together
    /// with everything that was written before.
    [[nodiscard]] virtual Result<void> write(const Table& table, OrgKey org,
                                             std::span<const Row> rows) = 0;
    /// The greatest key; empty where there is no row.
    [[nodiscard]] virtual Result<Row> last_key(const Table& table, OrgKey org) = 0;
    /// Makes everything durable, then lets servers start. Nothing may follow. A backup keeps the
    /// seal, which the rows came to.
    [[nodiscard]] virtual Result<void> finish(const Digest& seal) = 0;
};

/// What may use a database while it is read.
enum class Servers : std::uint8_t {
    MayRun,
    MustRest,  ///< Locked where one runs
};

}  // namespace muster::store::transfer
