#include "service/walk_memory.hpp"

#include <fmt/format.h>

namespace muster::service {

namespace {

std::string key_of(const std::string& walk, std::size_t skip) {
    return fmt::format("{} {}", skip, walk);
}

}  // namespace

void WalkMemory::remember(const std::string& walk, std::size_t skip, Rid last, Timestamp now) {
    if (skip < kLeastSkip) return;
    const std::string key = key_of(walk, skip);
    const std::scoped_lock lock(mutex_);
    if (const auto known = by_key_.find(key); known != by_key_.end()) {
        places_.erase(known->second);
        by_key_.erase(known);
    }
    places_.push_front({key, last, now});
    by_key_.emplace(key, places_.begin());
    if (places_.size() <= kMost) return;
    by_key_.erase(places_.back().key);
    places_.pop_back();
}

std::optional<Rid> WalkMemory::recall(const std::string& walk, std::size_t skip, Timestamp now) {
    if (skip < kLeastSkip) return std::nullopt;
    const std::scoped_lock lock(mutex_);
    const auto known = by_key_.find(key_of(walk, skip));
    if (known == by_key_.end()) return std::nullopt;
    const Place& place = *known->second;
    if (now.ms - place.seen.ms > kLifetimeMs) return std::nullopt;
    return place.last;
}

}  // namespace muster::service
