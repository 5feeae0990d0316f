#pragma once
// Finds what a list or search asks for, over one resource type or several, in one order, from one
// place, in one direction.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "scim/filter/filter.hpp"
#include "scim/projection/projection.hpp"
#include "scim/sort/sort.hpp"
#include "service/resources.hpp"

namespace muster::service {

/// One resource type's share of a search.
struct Part {
    const scim::ResourceType* type = nullptr;
    std::optional<scim::Filter> filter;
    /// What the type is sorted by. Nothing in a sorted search: the type lacks the attribute.
    std::optional<scim::AttributePath> sort_by;
    store::Plan plan;
};

struct Search {
    const scim::Catalog* catalog = nullptr;
    std::vector<Part> parts;
    bool sorted = false;
    bool descending = false;
};

/// A place between two matches. Without sorting: by part, then in order of creation, so pages
/// neither overlap nor move under later writes. With sorting: by key first; two with one key as
/// without sorting.
struct Position {
    std::size_t part = 0;
    std::string key;
    Rid rid;
};

/// Which matches are wanted: `size` of them, behind `behind` in the direction of the walk, after
/// passing over `skip`.
struct Window {
    std::size_t skip = 0;
    std::size_t size = 0;
    std::optional<Position> behind = {};
    bool backward = false;
    /// The number of all matches where it need not be counted again.
    std::optional<std::int64_t> total = {};
};

struct Match {
    std::size_t part = 0;
    std::string key;
    store::Record record;
};

/// Whether one request would have had to do more than it may.
enum class GaveUp : std::uint8_t {
    No,
    Rows,     ///< look at more rows, or sort them
    Members,  ///< hold more members of a group
};

struct Found {
    std::int64_t total = 0;
    std::vector<Match> matches;  ///< in forward order, whatever the direction
    bool more = false;           ///< beyond them, in the direction of the walk
    std::string by;              ///< how candidates were found, in words for the log
    GaveUp gave_up = GaveUp::No;
};

class Finder {
  public:
    Finder(const Core& core, const Resources& resources) : core_(core), resources_(resources) {}

    /// What no index answers is looked at row by row, giving way to other requests of the same
    /// thread after every slice.
    [[nodiscard]] Task<store::Result<Found>> find(OrgKey org, const Search& search,
                                                  const Window& window) const;

  private:
    class Rows;

    [[nodiscard]] Task<store::Result<Found>> in_creation_order(OrgKey org, const Search& search,
                                                               const Window& window) const;
    [[nodiscard]] Task<store::Result<Found>> by_sorting(OrgKey org, const Search& search,
                                                        const Window& window) const;

    const Core& core_;
    const Resources& resources_;
};

}  // namespace muster::service
