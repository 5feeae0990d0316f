#include "store/replacement.hpp"

#include <algorithm>

namespace muster::store {

Replacement replacement_of(std::span<const Rid> present, std::vector<Rid> wanted) {
    std::ranges::sort(wanted);
    wanted.erase(std::ranges::unique(wanted).begin(), wanted.end());

    Replacement result;
    auto next = wanted.begin();
    bool in_stretch = false;
    for (const Rid member : present) {
        for (; next != wanted.end() && *next < member; ++next) result.add.push_back(*next);
        if (next != wanted.end() && *next == member) {
            ++next;
            in_stretch = false;
        } else if (in_stretch) {
            result.remove.back().last = member;
        } else {
            result.remove.push_back({member, member});
            in_stretch = true;
        }
    }
    result.add.insert(result.add.end(), next, wanted.end());
    return result;
}

}  // namespace muster::store
