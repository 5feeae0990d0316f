#pragma once
// Whose turn it is among the organisations that wait for a connection: a crowd of one waits behind
// itself, not before others.

#include <cstddef>
#include <deque>
#include <unordered_map>
#include <utility>

#include "base/ids.hpp"

namespace muster::store::postgres {

/// A line an organisation, first come first served, and a round of those whose line is not empty.
/// O(1) each. Not thread-safe.
template <class T>
class Turns {
  public:
    /// Of one organisation, and of all together. A bulk request adds up to 256 at once.
    static constexpr std::size_t kLongestLine = 4'000;
    static constexpr std::size_t kMostWaiting = 20'000;

    /// Whether nobody is to be called.
    [[nodiscard]] bool empty() const { return round_.empty(); }

    /// Whether one more may be added: no crowd takes the others' room.
    [[nodiscard]] bool has_room(OrgKey org) const {
        const auto line = lines_.find(org);
        return waiting_ < kMostWaiting &&
               (line == lines_.end() || line->second.waiting.size() < kLongestLine);
    }
    /// Behind the others of its organisation.
    void add(OrgKey org, T one) {
        Line& line = lines_[org];
        join(org, line);
        line.waiting.push_back(std::move(one));
        ++waiting_;
    }
    /// Before them, whether there is room or not: it was taken, and has to be done again.
    void put_back(OrgKey org, T one) {
        Line& line = lines_[org];
        join(org, line);
        line.waiting.push_front(std::move(one));
        ++waiting_;
    }

    /// Who is to be called.
    [[nodiscard]] OrgKey next() const { return round_.front(); }
    /// Calls it. It is not called again before `leave`, so that who keeps its turn until its work
    /// is done has one piece of work under way for each organisation.
    OrgKey call() {
        const OrgKey org = round_.front();
        round_.pop_front();
        lines_.at(org).called = true;
        return org;
    }
    /// What waits of an organisation that was called; not empty at first.
    [[nodiscard]] const std::deque<T>& line(OrgKey org) const { return lines_.at(org).waiting; }
    /// The first of it.
    [[nodiscard]] T take(OrgKey org) {
        std::deque<T>& waiting = lines_.at(org).waiting;
        T one = std::move(waiting.front());
        waiting.pop_front();
        --waiting_;
        return one;
    }
    /// Its turn is over: behind all others, where more of it waits.
    void leave(OrgKey org) {
        Line& line = lines_.at(org);
        line.called = false;
        if (line.waiting.empty()) {
            lines_.erase(org);
        } else {
            round_.push_back(org);
        }
    }

  private:
    struct Line {
        std::deque<T> waiting;
        bool called = false;
    };
    void join(OrgKey org, const Line& line) {
        if (line.waiting.empty() && !line.called) round_.push_back(org);
    }

    std::unordered_map<OrgKey, Line> lines_;
    std::deque<OrgKey> round_;
    std::size_t waiting_ = 0;
};

}  // namespace muster::store::postgres
