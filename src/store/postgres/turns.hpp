#pragma once
// Whose turn it is among the organisations that wait for a connection: a crowd of one waits behind
// itself, not before others.

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
    /// Whether nobody is to be called.
    [[nodiscard]] bool empty() const { return round_.empty(); }

    /// Behind the others of its organisation.
    void add(OrgKey org, T one) {
        Line& line = lines_[org];
        join(org, line);
        line.waiting.push_back(std::move(one));
    }
    /// Before them: it was taken, and has to be done again.
    void put_back(OrgKey org, T one) {
        Line& line = lines_[org];
        join(org, line);
        line.waiting.push_front(std::move(one));
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
    [[nodiscard]] std::deque<T>& line(OrgKey org) { return lines_.at(org).waiting; }
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
};

}  // namespace muster::store::postgres
