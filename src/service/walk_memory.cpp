#include "service/walk_memory.hpp"

#include <algorithm>
#include <utility>

namespace muster::service {

void WalkMemory::remember(const std::string& walk, std::size_t skip, std::size_t next,
                          Position last, Timestamp now) {
    const std::scoped_lock lock(mutex_);
    if (const auto known = by_name_.find(walk); known != by_name_.end()) {
        walks_.splice(walks_.begin(), walks_, known->second);
    } else {
        walks_.push_front({walk, {}});
        by_name_.emplace(walk, walks_.begin());
    }
    auto& places = walks_.front().places;
    std::erase_if(places, [skip](const Place& place) { return place.skip > skip; });
    places.push_back({next, std::move(last), now});
    if (places.size() > kMostPlaces) places.erase(places.begin());
    if (walks_.size() <= kMostWalks) return;
    by_name_.erase(walks_.back().name);
    walks_.pop_back();
}

std::optional<Position> WalkMemory::recall(const std::string& walk, std::size_t skip,
                                           Timestamp now) {
    const std::scoped_lock lock(mutex_);
    const auto known = by_name_.find(walk);
    if (known == by_name_.end()) return std::nullopt;
    const auto& places = known->second->places;
    const auto place = std::ranges::find(places, skip, &Place::skip);
    if (place == places.end() || now.ms - place->seen.ms > kLifetimeMs) return std::nullopt;
    return place->last;
}

}  // namespace muster::service
