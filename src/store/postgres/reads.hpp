#pragma once
// What is asked of PostgreSQL and how its rows become values. Pure: no connection is seen here.

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "store/log_segments.hpp"
#include "store/plan.hpp"
#include "store/postgres/values.hpp"
#include "store/store.hpp"

namespace muster::store::postgres {

[[nodiscard]] Query find(OrgKey org, std::string_view type, std::string_view id);
[[nodiscard]] std::optional<Record> record_of(const Rows& rows);
[[nodiscard]] std::vector<Record> records_of(const Rows& rows);

/// The live resources among `rids`, in no order.
[[nodiscard]] Query records(OrgKey org, std::span<const Rid> rids);

/// Whether a group has groups among its members: then ByGroup looks into those as well.
[[nodiscard]] Query has_nested(OrgKey org, std::string_view group_id);
/// A stretch of a plan's candidates, and one more where there is one.
[[nodiscard]] Query candidates(OrgKey org, const Plan& plan, const Stretch& stretch, bool nested);
[[nodiscard]] Query count(OrgKey org, const Plan& plan, bool nested);

/// The groups that the resource with that id is a member of.
[[nodiscard]] Query direct_groups_of(OrgKey org, std::string_view type, std::string_view id);
[[nodiscard]] std::vector<Reference> direct_groups_in(const Rows& groups);
/// Those of several resources, each group once; and who is in which. In the order of `members`.
[[nodiscard]] std::vector<Query> direct_groups_of(OrgKey org, std::span<const Rid> members);
[[nodiscard]] std::vector<std::vector<Reference>> direct_groups_in(const Rows& groups,
                                                                   const Rows& memberships,
                                                                   std::span<const Rid> members);
/// Whether one of direct groups is a member of groups itself, so that all have to be asked for.
[[nodiscard]] bool lead_further(const Rows& groups);
[[nodiscard]] Query all_groups_of(OrgKey org, std::string_view type, std::string_view id);
[[nodiscard]] std::vector<Reference> all_groups_in(const Rows& rows);
[[nodiscard]] Query all_groups_of(OrgKey org, std::span<const Rid> members);
[[nodiscard]] std::vector<std::vector<Reference>> all_groups_in(const Rows& rows,
                                                                std::span<const Rid> members);

[[nodiscard]] Query members_of(OrgKey org, Rid group, Rid after, std::size_t limit);
[[nodiscard]] Query member_count(OrgKey org, Rid group);
[[nodiscard]] Query resolve(OrgKey org, std::span<const std::string> ids);
[[nodiscard]] std::vector<Reference> references_of(const Rows& rows);

/// Organisations, connectors and tokens, with the number of their version.
[[nodiscard]] Query directory_version();
[[nodiscard]] std::vector<Query> directory();
[[nodiscard]] Directory directory_of(std::span<const Rows> answers);

/// A page of the segments that a query of the log may need, newest first: first_id, last_id.
[[nodiscard]] Query segments(OrgKey org, const LogQuery& query,
                             const SegmentReading::Bounds& bounds);
[[nodiscard]] Query segment(OrgKey org, std::int64_t first_id);
/// The keys of organisations, in the first column.
[[nodiscard]] Query organisations();
[[nodiscard]] Query removed_organisations();

/// Every statement behind the above, for the test that looks at their plans.
[[nodiscard]] std::vector<const Statement*> read_statements();

}  // namespace muster::store::postgres
