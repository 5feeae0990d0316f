#pragma once
// Lists and searches (RFC 7644 §3.4.2 and §3.4.3, RFC 9865).

#include <span>
#include <string>

#include "service/cursor.hpp"
#include "service/finder.hpp"
#include "service/list_request.hpp"
#include "service/resources.hpp"
#include "service/walk_memory.hpp"

namespace muster::service {

class Query {
  public:
    using Types = std::span<const scim::ResourceType* const>;

    Query(const Core& core, const Resources& resources);

    /// What matches among the resources of `types`, one or several (RFC 7644 §3.4.2.1).
    ///
    /// By index: `startIndex` below 1 is 1, `count` below 0 is 0 (§3.4.2.4). By cursor: the first
    /// page is asked for with an empty one; with an unindexed filter totalResults stays that of the
    /// first page. Either way `count` above the limit is the limit, and no page is empty while
    /// there are more matches.
    [[nodiscard]] Task<scim::Result<Answer>> list(Call& call, Types types,
                                                  ListRequest request) const;
    /// POST …/.search
    [[nodiscard]] Task<scim::Result<Answer>> search(Call& call, Types types,
                                                    std::string body) const;

  private:
    struct Walk;

    [[nodiscard]] Task<scim::Result<Answer>> by_index(Call& call, Walk walk) const;
    [[nodiscard]] std::string key_of(const Walk& walk) const;
    [[nodiscard]] Task<scim::Result<Answer>> by_cursor(Call& call, Walk walk) const;
    [[nodiscard]] Task<scim::Result<Found>> find(Call& call, const Walk& walk,
                                                 const Window& window) const;
    /// A page of what was found, behind `opening`.
    [[nodiscard]] Task<scim::Result<Answer>> answer(Call& call, Walk walk, Found found,
                                                    std::string opening) const;
    /// What was found, to be shown, in its order.
    [[nodiscard]] Task<store::Result<std::vector<Shown>>> shown(OrgKey org, const Walk& walk,
                                                                Found found) const;

    const Core& core_;
    const Resources& resources_;
    Finder finder_;
    CursorSeal seal_;
    mutable WalkMemory places_;
};

}  // namespace muster::service
