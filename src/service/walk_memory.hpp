#pragma once
// Where walks by startIndex stand, so that a page far behind costs what the first one does and
// deletions do not move it.

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "service/finder.hpp"

namespace muster::service {

/// The places behind which pages begin, by walk (organisation, connector and query) and by what a
/// page passes over, for the walks seen last. A hint only: without it what comes before is counted
/// out. Thread-safe.
///
/// A walker that goes on here neither misses nor repeats anyone when people before the page are
/// deleted meanwhile, which counting anew would.
class WalkMemory {
  public:
    static constexpr std::size_t kMostWalks = 1024;
    /// The latest of one walk, so that a page can be asked for again.
    static constexpr std::size_t kMostPlaces = 4;
    static constexpr std::int64_t kLifetimeMs = 60'000;

    /// The page that passed over `skip` ended at `last`; the next one passes over `next`. Pages
    /// beyond it belong to an earlier walk and are forgotten.
    void remember(const std::string& walk, std::size_t skip, std::size_t next, Position last,
                  Timestamp now);
    [[nodiscard]] std::optional<Position> recall(const std::string& walk, std::size_t skip,
                                                 Timestamp now);

  private:
    struct Place {
        std::size_t skip;
        Position last;
        Timestamp seen;
    };
    struct Walk {
        std::string name;
        std::vector<Place> places;  ///< farthest last
    };

    std::mutex mutex_;
    std::list<Walk> walks_;  ///< the latest first
    std::unordered_map<std::string, std::list<Walk>::iterator> by_name_;
};

}  // namespace muster::service
