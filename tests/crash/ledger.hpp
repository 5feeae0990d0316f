#pragma once
// What clients were promised, and the look into the database that holds the server to it.

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace muster::crash {

/// Everything that was acknowledged. Thread-safe while a storm runs.
class Ledger {
  public:
    /// 201: the user exists from now on.
    void created(const std::string& id, const std::string& user_name);
    /// 200 with this version: the user's title is at least this number.
    void retitled(const std::string& id, std::int64_t title);
    /// 204: the user is a member of the group.
    void joined(const std::string& user_id);

    [[nodiscard]] std::size_t promises() const;

    struct Verdict {
        std::size_t lost = 0;              ///< promises that the database does not keep
        std::vector<std::string> damages;  ///< halves of write sets, broken pages
    };
    /// Opens the database of a server that is gone (which recovers it, as the next start would).
    [[nodiscard]] Verdict audit(const std::filesystem::path& data) const;

  private:
    mutable std::mutex mutex_;
    std::map<std::string, std::string> users_;
    std::map<std::string, std::int64_t> titles_;
    std::vector<std::string> members_;
    std::size_t promises_ = 0;
};

}  // namespace muster::crash
