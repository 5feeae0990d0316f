#pragma once
// Group.members under PATCH: folded into a delta, never loaded. Internal to patch/.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "scim/filter/filter.hpp"
#include "scim/patch/patch.hpp"

namespace muster::scim {

/// The fold itself: what a sequence of set operations did to a set that nobody has seen. Each call
/// is O(1) expected.
class MembersFold {
  public:
    void add(std::string_view id) { put(id, true); }
    void remove(std::string_view id) { put(id, false); }
    void clear();

    /// How many different ids were named since the last clear().
    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] MembersDelta take() &&;

  private:
    struct Entry {
        std::string id;
        bool is_member = false;
    };

    void put(std::string_view id, bool is_member);

    bool cleared_ = false;
    std::deque<Entry> entries_;  ///< keeps addresses: the index looks into it
    std::unordered_map<std::string_view, Entry*> index_;
};

/// Applies one operation at `members`, with or without a filter, to the fold.
[[nodiscard]] Result<void> patch_members(MembersFold& fold, PatchOperation::Kind kind,
                                         const PatchPath& path, const json::Value* value,
                                         const PrepareLimits& limits);

}  // namespace muster::scim
