#pragma once
// SQLite behind values: a connection, and statements that are prepared once and kept. Nothing here
// is thread-safe; a connection and its statements are used by one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include <sqlite3.h>

#include "base/result.hpp"
#include "store/sqlite/gathering_vfs.hpp"
#include "store/types.hpp"

namespace muster::store::sqlite {

/// Why something did not happen. `code` is SQLite's extended result code; 0 where the database did
/// its work and the write was refused (version, uniqueness …), as `error` says.
struct Failure {
    int code = 0;
    Error error;

    /// Implicit, so that TRY_VOID and TRY_ASSIGN hand a failure on to callers that only know Error.
    operator Error() const { return error; }  // NOLINT(google-explicit-constructor)
    [[nodiscard]] bool is_constraint() const { return (code & 0xFF) == SQLITE_CONSTRAINT; }
};

template <class T>
using Outcome = std::expected<T, Failure>;

[[nodiscard]] Failure refusal(ErrorCode code, std::string message);

template <class T>
[[nodiscard]] Result<T> to_result(Outcome<T> outcome) {
    if (!outcome) return std::unexpected(std::move(outcome).error().error);
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return *std::move(outcome);
    }
}

class Database {
  public:
    enum class Access : std::uint8_t { Write, Read };
    struct Options {
        std::string path;
        Access access = Access::Read;
        bool synchronous = true;  ///< of Write: false gives durability up
        int cache_kib = 32768;    ///< an upper bound; filled as pages are read
        std::string vfs;          ///< empty: the system's
        /// Of Write with `synchronous`: few long writes to the write-ahead log. No pragma may turn
        /// the sync of each commit off.
        bool gathers_log = false;
    };

    /// Opens and configures. A writer creates the file where it is missing.
    [[nodiscard]] static Outcome<Database> open(const Options& options);

    /// Runs SQL without parameters and results: pragmas, migrations.
    [[nodiscard]] Outcome<void> run(const std::string& sql);

    /// Closing will not move the write-ahead log into the database: the next opening recovers it.
    void leave_log_on_close();

    [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }
    [[nodiscard]] std::int64_t changes() const { return sqlite3_changes64(handle()); }
    /// Rows changed since the connection was opened, rolled back or not.
    [[nodiscard]] std::int64_t total_changes() const { return sqlite3_total_changes64(handle()); }
    [[nodiscard]] sqlite3* handle() const { return handle_.get(); }
    /// The last error of this connection as a Failure with `code`.
    [[nodiscard]] Failure failure(int code) const;

    /// To be told of each ROLLBACK, of the whole transaction, where the log is gathered.
    void rolled_back() {
        if (log_layer_) log_layer_->forget();
    }

    Database() = default;
    ~Database() = default;
    Database(Database&&) = default;
    Database& operator=(Database&& other) noexcept {
        handle_ = std::move(other.handle_);  // closes before its layer goes
        log_layer_ = std::move(other.log_layer_);
        return *this;
    }

  private:
    struct Closer {
        void operator()(sqlite3* handle) const noexcept { sqlite3_close_v2(handle); }
    };
    std::unique_ptr<GatheringVfs> log_layer_;  ///< null: none
    std::unique_ptr<sqlite3, Closer> handle_;  ///< closes before its layer goes
};

/// One run of a statement, reset when it goes. Views of columns live until the next call of next().
class Rows {
  public:
    Rows(const Database& db, sqlite3_stmt* statement, int status)
        : db_(db), statement_(statement), status_(status) {}
    ~Rows();
    Rows(const Rows&) = delete;
    Rows& operator=(const Rows&) = delete;

    /// Moves to the next row; false behind the last one.
    [[nodiscard]] Outcome<bool> next();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
    /// Every byte of it, U+0000 included.
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::span<const std::byte> blob(int column) const;
    [[nodiscard]] bool is_null(int column) const;

  private:
    const Database& db_;
    sqlite3_stmt* statement_;
    int status_;
};

/// A value whose kind is only known when the program runs. Not copied.
using Bound =
    std::variant<std::nullopt_t, std::int64_t, std::string_view, std::span<const std::byte>>;

/// SQL that is compiled at its first use and kept until the connection closes. `db` outlives it.
class Statement {
  public:
    Statement(const Database& db, std::string sql) : db_(db), sql_(std::move(sql)) {}

    /// Binds ?1, ?2 … and starts. The values are not copied: they outlive the Rows.
    template <class... Values>
    [[nodiscard]] Rows query(Values&&... values) {
        static_assert((!std::is_same_v<Values, std::string> && ...), "would dangle");
        const int status = bind_all(values...);
        return Rows(db_, statement_.get(), status);
    }

    /// Runs to the end. How many rows it inserted, updated or deleted.
    template <class... Values>
    [[nodiscard]] Outcome<std::int64_t> execute(const Values&... values) {
        const int status = bind_all(values...);
        return finish(Rows(db_, statement_.get(), status));
    }

    /// The same with values of any number.
    [[nodiscard]] Outcome<std::int64_t> execute_all(std::span<const Bound> values) {
        int status = prepare();
        int index = 0;
        for (const Bound& value : values) {
            if (status != SQLITE_OK) break;
            ++index;
            status = std::visit([&](const auto& known) { return bind(index, known); }, value);
        }
        return finish(Rows(db_, statement_.get(), status));
    }

  private:
    struct Finaliser {
        void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
    };

    template <class... Values>
    int bind_all(const Values&... values) {
        int status = prepare();
        int index = 0;
        ((status = status == SQLITE_OK ? bind(++index, values) : status), ...);
        return status;
    }

    int prepare();
    int bind(int index, std::int64_t value);
    int bind(int index, std::string_view value);
    int bind(int index, std::span<const std::byte> value);
    int bind(int index, std::nullopt_t);
    template <class T>
    int bind(int index, const std::optional<T>& value) {
        return value ? bind(index, *value) : bind(index, std::nullopt);
    }
    Outcome<std::int64_t> finish(Rows&& rows);

    const Database& db_;
    std::string sql_;
    std::unique_ptr<sqlite3_stmt, Finaliser> statement_;
};

}  // namespace muster::store::sqlite
