#pragma once
// Memory that the requests under way may take together, without one organisation taking all of it.

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <unordered_map>

namespace muster::http {

/// Shared by all threads of a server. No owner has more of it than it leaves to the others: alone
/// half, beside another that has its half a quarter, so that there is always something left.
class MemoryRoom {
  public:
    /// So much of each request is free: nearly all touch nothing that is shared, and large ones
    /// crowd out large ones only.
    static constexpr std::size_t kFree = std::size_t{64} << 10;

    explicit MemoryRoom(std::size_t bytes) : left_(static_cast<std::int64_t>(bytes)) {}

    /// What one request of `owner` has of it.
    class Share {
      public:
        Share(MemoryRoom& room, std::int64_t owner) : room_(room), owner_(owner) {}
        ~Share() { release(); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        /// Whether there is room for `size` bytes instead of those of before; they are taken then.
        /// There always is for less.
        [[nodiscard]] bool holds(std::size_t size) {
            const auto wanted = static_cast<std::int64_t>(size > kFree ? size - kFree : 0);
            if (wanted == held_) return true;
            if (!room_.take(owner_, wanted - held_)) return false;
            held_ = wanted;
            return true;
        }
        void release() { (void)holds(0); }

      private:
        MemoryRoom& room_;
        std::int64_t owner_;
        std::int64_t held_ = 0;
    };

  private:
    bool take(std::int64_t owner, std::int64_t more) {
        const std::scoped_lock lock(mutex_);
        const auto held = held_.try_emplace(owner, 0).first;
        const bool fits = more <= 0 || held->second + more <= left_ - more;
        if (fits) {
            held->second += more;
            left_ -= more;
        }
        if (held->second == 0) held_.erase(held);
        return fits;
    }

    std::mutex mutex_;
    std::unordered_map<std::int64_t, std::int64_t> held_;  ///< by owner
    std::int64_t left_;
};

}  // namespace muster::http
