#pragma once
// Where walks by startIndex stand, so that a page far behind costs what the first one does.

#include <cstddef>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/ids.hpp"

namespace muster::service {

/// The resource after which a page begins, by walk (organisation and query) and startIndex, for the
/// walks seen last. A hint only: without it the store passes over the rows before. Thread-safe.
///
/// A walker that goes on here neither misses nor repeats anyone when people before the page are
/// deleted meanwhile, which counting rows anew would.
class WalkMemory {
  public:
    static constexpr std::size_t kMost = 1024;
    /// Pages that begin earlier are counted out: it is cheap, and exact under deletions.
    static constexpr std::size_t kLeastSkip = 1000;
    static constexpr std::int64_t kLifetimeMs = 60'000;

    void remember(const std::string& walk, std::size_t skip, Rid last, Timestamp now);
    [[nodiscard]] std::optional<Rid> recall(const std::string& walk, std::size_t skip,
                                            Timestamp now);

  private:
    struct Place {
        std::string key;
        Rid last;
        Timestamp seen;
    };

    std::mutex mutex_;
    std::list<Place> places_;  ///< the latest first
    std::unordered_map<std::string, std::list<Place>::iterator> by_key_;
};

}  // namespace muster::service
