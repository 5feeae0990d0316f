#pragma once
// What clients were promised while something is about to be killed, and what is held against it.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace muster::testing {

/// What somebody who looked found to be there.
struct Found {
    std::unordered_map<std::string, std::int64_t> titles;  ///< by the user's id; -1: no title
    std::unordered_set<std::string> members;               ///< ids of the group's members
};

/// Everything that was acknowledged. Thread-safe.
class Ledger {
  public:
    Ledger() = default;
    /// What was promised so far.
    Ledger(const Ledger& other);
    Ledger& operator=(const Ledger&) = delete;

    /// 201: the user exists from now on.
    void created(const std::string& id);
    /// 200: the user's title is at least this number.
    void retitled(const std::string& id, std::int64_t title);
    /// 204: the user is a member of the group.
    void joined(const std::string& user_id);
    /// Any other answer, which promises nothing.
    void refused(int status);

    [[nodiscard]] std::size_t promises() const;
    /// How often each status was the answer that promised nothing.
    [[nodiscard]] std::map<int, std::size_t> refusals() const;
    /// How many promises were not kept.
    [[nodiscard]] std::size_t lost(const Found& found) const;

  private:
    mutable std::mutex mutex_;
    std::unordered_set<std::string> users_;
    std::map<std::string, std::int64_t> titles_;
    std::vector<std::string> members_;
    std::map<int, std::size_t> refusals_;
    std::size_t promises_ = 0;
};

}  // namespace muster::testing
