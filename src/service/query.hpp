#pragma once
// Lists and searches (RFC 7644 §3.4.2 and §3.4.3).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scim/filter/filter.hpp"
#include "service/resources.hpp"

namespace muster::service {

/// Query parameters or a SearchRequest body, not yet judged.
struct ListRequest {
    std::string filter;
    std::string attributes;
    std::string excluded_attributes;
    std::optional<std::int64_t> start_index;
    std::optional<std::int64_t> count;
};

/// Which matches of a list are wanted, in order of creation.
struct Window {
    std::size_t first = 0;  ///< matches to pass over
    std::size_t size = 0;   ///< matches to return
};

struct Found {
    std::int64_t total = 0;
    std::vector<store::Record> records;
    std::string by;        ///< how candidates were found, in words for the log
    bool gave_up = false;  ///< more rows than max_scanned_rows would have had to be looked at
};

class Query {
  public:
    Query(const Core& core, const Resources& resources) : core_(core), resources_(resources) {}

    /// What matches `filter` (null: everything). An unindexed filter gives way to other requests
    /// after every slice.
    [[nodiscard]] Task<store::Result<Found>> find(OrgKey org, const scim::ResourceType& type,
                                                  const scim::Filter* filter, Window window) const;

    /// Pages are in order of creation, so they neither overlap nor move under later writes.
    /// `startIndex` below 1 is 1, `count` below 0 is 0 and above the limit is the limit
    /// (RFC 7644 §3.4.2.4); totalResults is always the true total.
    [[nodiscard]] Task<scim::Result<Answer>> list(Call& call, const scim::ResourceType& type,
                                                  ListRequest request) const;
    /// POST …/.search
    [[nodiscard]] Task<scim::Result<Answer>> search(Call& call, const scim::ResourceType& type,
                                                    std::string body) const;

  private:
    const Core& core_;
    const Resources& resources_;
};

/// Reads a SearchRequest message. Errors: InvalidSyntax, InvalidValue.
[[nodiscard]] scim::Result<ListRequest> parse_search(const json::Value& body);

}  // namespace muster::service
