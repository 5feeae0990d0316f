#pragma once
// One at a time, in order of arrival, without blocking a thread.

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>

#include "base/task.hpp"

namespace muster::service {

/// A queue whose head holds the turn. Thread-safe; outlives every turn that it gave.
class TurnQueue {
  public:
    /// Ends where the object does.
    class Turn {
      public:
        explicit Turn(TurnQueue& queue) : queue_(&queue) {}
        Turn(Turn&& other) noexcept;
        Turn& operator=(Turn&&) = delete;
        ~Turn();

      private:
        TurnQueue* queue_;
    };

    TurnQueue();
    ~TurnQueue();

    [[nodiscard]] Task<Turn> take();

  private:
    struct Channel;
    std::unique_ptr<Channel> channel_;
};

/// Lets what else the thread has to do go first.
[[nodiscard]] Task<void> step_aside();

/// A queue for each resource. Unrelated resources may share one, which costs only time.
class ResourceTurns {
  public:
    [[nodiscard]] Task<TurnQueue::Turn> take(std::string_view id) {
        return queues_[std::hash<std::string_view>{}(id) % queues_.size()].take();
    }

  private:
    std::array<TurnQueue, 64> queues_;
};

}  // namespace muster::service
