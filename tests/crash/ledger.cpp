#include "ledger.hpp"

#include <memory>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

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

void Ledger::created(const std::string& id, const std::string& user_name) {
    const std::lock_guard lock(mutex_);
    users_[id] = user_name;
    ++promises_;
}

void Ledger::retitled(const std::string& id, std::int64_t title) {
    const std::lock_guard lock(mutex_);
    titles_[id] = std::max(titles_[id], title);
    ++promises_;
}

void Ledger::joined(const std::string& user_id) {
    const std::lock_guard lock(mutex_);
    members_.push_back(user_id);
    ++promises_;
}

std::size_t Ledger::promises() const {
    const std::lock_guard lock(mutex_);
    return promises_;
}

Ledger::Verdict Ledger::audit(const std::filesystem::path& data) const {
    const std::lock_guard lock(mutex_);
    const Reader database(data / "muster.db");
    Verdict verdict;
    for (const auto& invariant : kInvariants) {
        const auto left = database.one(invariant.left);
        const auto right = database.one(invariant.right);
        if (left == (right.empty() ? "0" : right)) continue;
        verdict.damages.push_back(fmt::format("{}: {} against {}", invariant.meaning, left, right));
    }

    std::unordered_map<std::string, std::int64_t> titles;
    database.each("SELECT id, json_extract(document, '$.title') FROM resource WHERE type = 'User'",
                  [&](std::string id, const std::string& title) {
                      titles.emplace(std::move(id), title.empty() ? -1 : std::stoll(title));
                  });
    std::unordered_set<std::string> members;
    database.each("SELECT id FROM member JOIN resource ON rid = member.member",
                  [&](std::string id, const std::string&) { members.insert(std::move(id)); });
    for (const auto& [id, name] : users_) verdict.lost += titles.contains(id) ? 0 : 1;
    for (const auto& [id, title] : titles_) {
        const auto found = titles.find(id);
        verdict.lost += found != titles.end() && found->second >= title ? 0 : 1;
    }
    for (const auto& id : members_) verdict.lost += members.contains(id) ? 0 : 1;
    return verdict;
}

}  // namespace muster::crash
