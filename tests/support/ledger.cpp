#include "support/ledger.hpp"

#include <algorithm>

namespace muster::testing {

Ledger::Ledger(const Ledger& other) {
    const std::lock_guard lock(other.mutex_);
    users_ = other.users_;
    titles_ = other.titles_;
    members_ = other.members_;
    refusals_ = other.refusals_;
    promises_ = other.promises_;
}

void Ledger::created(const std::string& id) {
    const std::lock_guard lock(mutex_);
    users_.insert(id);
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

void Ledger::refused(int status) {
    const std::lock_guard lock(mutex_);
    ++refusals_[status];
}

std::size_t Ledger::promises() const {
    const std::lock_guard lock(mutex_);
    return promises_;
}

std::map<int, std::size_t> Ledger::refusals() const {
    const std::lock_guard lock(mutex_);
    return refusals_;
}

std::size_t Ledger::lost(const Found& found) const {
    const std::lock_guard lock(mutex_);
    std::size_t lost = 0;
    for (const auto& id : users_) lost += found.titles.contains(id) ? 0 : 1;
    for (const auto& [id, title] : titles_) {
        const auto at = found.titles.find(id);
        lost += at != found.titles.end() && at->second >= title ? 0 : 1;
    }
    for (const auto& id : members_) lost += found.members.contains(id) ? 0 : 1;
    return lost;
}

}  // namespace muster::testing
