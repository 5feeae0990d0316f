#pragma once
// The memory that the bodies of requests under way may take together.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace muster::http {

/// Shared by all threads of a server.
class BodyRoom {
  public:
    /// So much of each body is free, so that large ones crowd out large ones only.
    static constexpr std::size_t kFree = std::size_t{64} << 10;

    explicit BodyRoom(std::size_t bytes) : left_(static_cast<std::int64_t>(bytes)) {}

    /// What one request has of it, while there is its body.
    class Share {
      public:
        explicit Share(BodyRoom& room) : room_(room) {}
        ~Share() { release(); }
        Share(const Share&) = delete;
        Share& operator=(const Share&) = delete;

        /// Whether there is room for a body of `size` bytes; it is taken then.
        [[nodiscard]] bool holds(std::size_t size) {
            const auto wanted = static_cast<std::int64_t>(size > kFree ? size - kFree : 0);
            const std::int64_t more = wanted - held_;
            if (more <= 0) return true;
            if (room_.left_.fetch_sub(more) < more) {
                room_.left_ += more;
                return false;
            }
            held_ = wanted;
            return true;
        }

        /// The body is gone.
        void release() { room_.left_ += std::exchange(held_, 0); }

      private:
        BodyRoom& room_;
        std::int64_t held_ = 0;
    };

  private:
    std::atomic<std::int64_t> left_;
};

}  // namespace muster::http
