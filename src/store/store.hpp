#pragma once
// The store: what the use cases ask of a database. Implemented by sqlite/, postgres/ and memory/,
// held to one contract by contract_*_test.cpp.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "store/plan.hpp"
#include "store/types.hpp"

namespace muster::store {

/// One slice of candidates in rid order.
struct Slice {
    std::vector<Record> records;
    bool more = false;  ///< go on after records.back().rid
};

struct Members {
    std::vector<Reference> references;  ///< in rid order
    bool more = false;
};

/// Which candidates of a plan, in rid order or, `backward`, from the greatest rid downwards: those
/// behind `behind` (Rid{}: from the end where one begins), at most `limit`, after dropping the
/// first `skip` of them. O(skip + limit).
struct Stretch {
    Rid behind = {};
    bool backward = false;
    std::size_t skip = 0;
    std::size_t limit = 0;
};

struct RecordWithGroups {
    Record record;
    std::vector<Reference> groups;  ///< as groups_of gives them
};

/// Thread-safe. A read sees every write that was acknowledged before it began, and never half a
/// WriteSet. Every call names the organisation; a row of another one is never seen, not even its
/// existence. A Task runs on the caller's executor; a store never blocks it for longer than one
/// point read or one slice.
class Store {
  public:
    virtual ~Store() = default;

    /// The live resource, or nothing.
    [[nodiscard]] virtual Task<Result<std::optional<Record>>> find(OrgKey org,
                                                                   std::string_view type,
                                                                   std::string_view id) = 0;
    /// The same with its groups, both as of one moment.
    [[nodiscard]] virtual Task<Result<std::optional<RecordWithGroups>>> find_with_groups(
        OrgKey org, std::string_view type, std::string_view id) = 0;
    /// A stretch of the candidates of `plan`. Live resources only.
    [[nodiscard]] virtual Task<Result<Slice>> query(OrgKey org, const Plan& plan,
                                                    Stretch stretch) = 0;
    /// The live resources among `rids`, in the order asked.
    [[nodiscard]] virtual Task<Result<std::vector<Record>>> records(OrgKey org,
                                                                    std::span<const Rid> rids) = 0;
    /// How many candidates the plan has; O(1) for ScanAll.
    [[nodiscard]] virtual Task<Result<std::int64_t>> count(OrgKey org, const Plan& plan) = 0;

    /// For each of `members`, in their order: the groups that it is a direct member of, in rid
    /// order, then those by way of others; all as of one moment. O(groups of those resources).
    [[nodiscard]] virtual Task<Result<std::vector<std::vector<Reference>>>> groups_of(
        OrgKey org, std::span<const Rid> members) = 0;
    /// Members of a group in rid order behind `after`. O(limit).
    [[nodiscard]] virtual Task<Result<Members>> members_of(OrgKey org, Rid group, Rid after,
                                                           std::size_t limit) = 0;
    [[nodiscard]] virtual Task<Result<std::int64_t>> member_count(OrgKey org, Rid group) = 0;
    /// The live resources among `ids`, in the order asked; unknown ids are simply absent.
    [[nodiscard]] virtual Task<Result<std::vector<Reference>>> resolve(
        OrgKey org, std::span<const std::string> ids) = 0;

    /// Applies and makes durable, all or nothing; returns when it is on disk. Concurrent sets share
    /// one durable commit (group commit); they are applied in the order of the calls.
    [[nodiscard]] virtual Task<Result<Committed>> commit(WriteSet set) = 0;

    /// Hands over a log record of a request that changed nothing. It is written with the next
    /// commit, at the latest after 100 ms. Where more than 16 MiB wait, the call waits for room;
    /// where none comes for seconds, as on a full disk, the record is dropped and counted.
    [[nodiscard]] virtual Task<void> record(LogEntry entry) = 0;
    /// The same without waiting: false where there is no room, and the record is dropped and
    /// counted. For refusals, which a stranger can cause at any rate.
    virtual bool offer(LogEntry entry) = 0;

    /// Records handed over before the call are included.
    [[nodiscard]] virtual Task<Result<LogPage>> log(const LogQuery& query) = 0;
    [[nodiscard]] virtual Task<Result<std::optional<std::string>>> log_entry(LogId id) = 0;

    /// At start, blocking: everything about organisations, connectors and tokens.
    [[nodiscard]] virtual Result<Directory> load_directory() = 0;
    /// The directory where another process has changed it since `version`; else nothing. One small
    /// read where nothing changed. What is written by TouchToken is no change; it comes along.
    [[nodiscard]] virtual Task<Result<std::optional<Directory>>> directory_since(
        std::int64_t version) = 0;
    /// The number of this process among those that share the store: distinct from theirs.
    [[nodiscard]] virtual std::int64_t node() const = 0;

    /// Housekeeping, called now and then: drops log segments whose newest record is older than
    /// `log_before`, retained deletions older than `deleted_before` and what removed organisations
    /// left, a bounded batch a call; returns whether more is left. Of processes that share the
    /// store one is enough: on the others it may do nothing. Where one organisation's cannot be
    /// deleted the error may come when nothing is left of the others.
    [[nodiscard]] virtual Task<Result<bool>> purge(Timestamp log_before,
                                                   Timestamp deleted_before) = 0;

    /// A cheap read and the health of the writer.
    [[nodiscard]] virtual Task<Result<void>> healthy() = 0;

    /// Figures for /metrics.
    struct Figures {
        std::uint64_t commits = 0;     ///< durable commits
        std::uint64_t write_sets = 0;  ///< write sets in them
        std::uint64_t log_records = 0;
        std::uint64_t log_dropped = 0;     ///< for want of room
        std::uint64_t queue_depth = 0;     ///< write sets waiting now
        std::uint64_t database_bytes = 0;  ///< 0: not known (PostgreSQL, memory)
    };
    [[nodiscard]] virtual Figures figures() const = 0;

    /// Writes what waits and stops. No call may follow or be under way. Idempotent.
    virtual void close() = 0;
};

}  // namespace muster::store
