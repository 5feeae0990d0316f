#include "audit.hpp"

#include <memory>
#include <stdexcept>

#include <fmt/format.h>
#include <sqlite3.h>

namespace muster::crash {

namespace {

class Reader {
  public:
    explicit Reader(const std::filesystem::path& file) {
        sqlite3* handle = nullptr;
        const int status = sqlite3_open_v2(file.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
        handle_.reset(handle);
        if (status != SQLITE_OK) throw std::runtime_error("cannot open the database");
    }

    /// Calls `row` with the first two columns of every row, as text.
    template <class Row>
    void each(const char* sql, Row row) const {
        sqlite3_stmt* raw = nullptr;
        const int status = sqlite3_prepare_v2(handle_.get(), sql, -1, &raw, nullptr);
        const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw,
                                                                              sqlite3_finalize);
        if (status != SQLITE_OK) throw std::runtime_error(sqlite3_errmsg(handle_.get()));
        while (sqlite3_step(raw) == SQLITE_ROW) row(text(raw, 0), text(raw, 1));
    }
    [[nodiscard]] std::string one(const char* sql) const {
        std::string found;
        each(sql, [&](std::string first, const std::string&) { found = std::move(first); });
        return found;
    }

  private:
    static std::string text(sqlite3_stmt* statement, int column) {
        if (column >= sqlite3_column_count(statement)) return {};
        const auto* bytes = sqlite3_column_text(statement, column);
        const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
        return bytes == nullptr ? std::string{}
                                : std::string{reinterpret_cast<const char*>(bytes), size};
    }

    std::unique_ptr<sqlite3, int (*)(sqlite3*)> handle_{nullptr, sqlite3_close};
};

struct Invariant {
    const char* meaning;
    const char* left;
    const char* right;
};

// Rows that one write set writes together stand or fall together.
constexpr Invariant kInvariants[] = {
    {"every user has a unique key", "SELECT count(*) FROM resource WHERE type = 'User'",
     "SELECT count(*) FROM uniq WHERE type = 'User'"},
    {"the counter counts the users",
     "SELECT count(*) FROM resource WHERE type = 'User' AND deleted IS NULL",
     "SELECT live FROM counter WHERE type = 'User'"},
    {"every user has its index keys", "SELECT count(*) FROM resource WHERE type = 'User'",
     "SELECT count(*) FROM attr WHERE type = 'User' AND attribute = 'externalid'"},
    {"every member is a user", "SELECT count(*) FROM member",
     "SELECT count(*) FROM member JOIN resource ON rid = member.member"},
    {"the file is sound", "SELECT 'ok'", "PRAGMA integrity_check"},
};

}  // namespace

Verdict audit(const std::filesystem::path& data, const testing::Ledger& ledger) {
    const Reader database(data / "muster.db");
    Verdict verdict;
    for (const auto& invariant : kInvariants) {
        const auto left = database.one(invariant.left);
        const auto right = database.one(invariant.right);
        if (left == (right.empty() ? "0" : right)) continue;
        verdict.damages.push_back(fmt::format("{}: {} against {}", invariant.meaning, left, right));
    }
    testing::Found found;
    database.each("SELECT id, json_extract(document, '$.title') FROM resource WHERE type = 'User'",
                  [&](std::string id, const std::string& title) {
                      found.titles.emplace(std::move(id), title.empty() ? -1 : std::stoll(title));
                  });
    database.each("SELECT id FROM member JOIN resource ON rid = member.member",
                  [&](std::string id, const std::string&) { found.members.insert(std::move(id)); });
    verdict.lost = ledger.lost(found);
    return verdict;
}

}  // namespace muster::crash
