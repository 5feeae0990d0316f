#pragma once
// A change is computed from a state that may be gone by the time of its commit.

#include <optional>
#include <string>

#include "service/call.hpp"
#include "service/turn.hpp"
#include "store/types.hpp"

namespace muster::service {

/// Decides whether a change is computed again. The first attempt goes straight ahead; those that
/// lost wait in line for their resource, so that each meets newcomers at most and all are done in
/// the end.
class Attempts {
  public:
    Attempts(ResourceTurns& turns, std::string id) : turns_(turns), id_(std::move(id)) {}

    /// Whether to compute the change again: someone else changed the resource or removed a member
    /// meanwhile, and the client did not insist on a version. Waits for its turn.
    [[nodiscard]] Task<bool> again(const Call& call, const store::Error& error);

  private:
    ResourceTurns& turns_;
    std::string id_;
    std::optional<TurnQueue::Turn> turn_;
    int made_ = 1;
};

}  // namespace muster::service
