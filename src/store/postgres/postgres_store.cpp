#include "store/postgres/postgres_store.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <iterator>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/result.hpp"
#include "store/log_segments.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/log_buffer.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/node.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/reads.hpp"
#include "store/postgres/session.hpp"
#include "store/postgres/transaction.hpp"
#include "store/postgres/write_queue.hpp"
#include "store/postgres/write_statements.hpp"

namespace muster::store {
namespace {

using namespace postgres;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStartPatience{15'000};
constexpr milliseconds kClosePatience{3'000};
constexpr std::size_t kResolveSlice = 5'000;
constexpr std::int64_t kPurgeRows = 500;
constexpr std::int64_t kClearRows = 1'000;

Error error_of(const Failure& failure) { return {ErrorCode::Unavailable, failure.message, {}, {}}; }

template <class T>
std::unexpected<Error> unavailable(const Outcome<T>& outcome) {
    return std::unexpected(error_of(outcome.error()));
}

/// Segments of one organisation by falling last_id, a page at a time.
struct LogWalk {
    OrgKey org;
    SegmentReading::Bounds bounds;
    std::deque<std::pair<std::int64_t, std::int64_t>> page;  ///< last_id, first_id
    bool ended = false;

    [[nodiscard]] std::int64_t last_id() const { return page.front().first; }
};

class PostgresStore final : public Store {
  public:
    PostgresStore(Pool::Options options, NodeNumber node, const PostgresOptions& times)
        : node_(node.number),
          lanes_(options.writers),
          pool_(std::move(options)),
          writes_(pool_, lanes_, node_),
          log_(pool_),
          lease_(pool_, std::move(node), times.node_renewal),
          removal_rest_(times.removal_rest) {}
    ~PostgresStore() override { close(); }
    PostgresStore(const PostgresStore&) = delete;
    PostgresStore& operator=(const PostgresStore&) = delete;

    Task<Result<std::optional<Record>>> find(OrgKey org, std::string_view type,
                                             std::string_view id) override {
        const auto rows = co_await ask(org, postgres::find(org, type, id));
        if (!rows) co_return unavailable(rows);
        co_return record_of(rows->front());
    }

    Task<Result<std::optional<RecordWithGroups>>> find_with_groups(OrgKey org,
                                                                   std::string_view type,
                                                                   std::string_view id) override {
        // Together, so that both are of one moment.
        std::vector<Query> queries;
        queries.push_back(postgres::find(org, type, id));
        queries.push_back(direct_groups_of(org, type, id));
        auto rows = co_await pool_.read(org, queries);
        if (!rows) co_return unavailable(rows);
        const bool further = lead_further(rows->back());
        if (further) {
            queries.back() = all_groups_of(org, type, id);
            rows = co_await pool_.read(org, std::move(queries));
            if (!rows) co_return unavailable(rows);
        }
        std::optional<Record> record = record_of(rows->front());
        if (!record) co_return std::nullopt;
        co_return RecordWithGroups{*std::move(record), further ? all_groups_in(rows->back())
                                                               : direct_groups_in(rows->back())};
    }

    Task<Result<Slice>> query(OrgKey org, const Plan& plan, Stretch stretch) override {
        if (stretch.limit == 0) {
            stretch.limit = 1;
            CO_TRY_ASSIGN(Slice some, co_await query(org, plan, stretch));
            co_return Slice{{}, !some.records.empty()};
        }
        CO_TRY_ASSIGN(const bool nested, co_await is_nested(org, plan));
        const auto rows = co_await ask(org, candidates(org, plan, stretch, nested));
        if (!rows) co_return unavailable(rows);
        Slice slice{records_of(rows->front()), false};
        slice.more = slice.records.size() > stretch.limit;
        if (slice.more) slice.records.pop_back();
        co_return slice;
    }

    Task<Result<std::vector<Record>>> records(OrgKey org, std::span<const Rid> rids) override {
        const auto rows = co_await ask(org, postgres::records(org, rids));
        if (!rows) co_return unavailable(rows);
        std::unordered_map<Rid, Record> by_rid;
        for (Record& record : records_of(rows->front())) by_rid.emplace(record.rid, record);
        std::vector<Record> found;
        for (const Rid rid : rids) {
            if (const auto at = by_rid.find(rid); at != by_rid.end()) found.push_back(at->second);
        }
        co_return found;
    }

    Task<Result<std::int64_t>> count(OrgKey org, const Plan& plan) override {
        CO_TRY_ASSIGN(const bool nested, co_await is_nested(org, plan));
        const auto rows = co_await ask(org, postgres::count(org, plan, nested));
        if (!rows) co_return unavailable(rows);
        co_return rows->front().number();
    }

    Task<Result<std::vector<std::vector<Reference>>>> groups_of(
        OrgKey org, std::span<const Rid> members) override {
        const auto rows = co_await pool_.read(org, direct_groups_of(org, members));
        if (!rows) co_return unavailable(rows);
        if (!lead_further(rows->front())) {
            co_return direct_groups_in(rows->front(), rows->back(), members);
        }
        const auto all = co_await ask(org, all_groups_of(org, members));
        if (!all) co_return unavailable(all);
        co_return all_groups_in(all->front(), members);
    }

    Task<Result<Members>> members_of(OrgKey org, Rid group, Rid after, std::size_t limit) override {
        const auto rows = co_await ask(org, postgres::members_of(org, group, after, limit));
        if (!rows) co_return unavailable(rows);
        Members members{references_of(rows->front()), false};
        members.more = members.references.size() > limit;
        if (members.more) members.references.pop_back();
        co_return members;
    }

    Task<Result<std::int64_t>> member_count(OrgKey org, Rid group) override {
        const auto rows = co_await ask(org, postgres::member_count(org, group));
        if (!rows) co_return unavailable(rows);
        co_return rows->front().number();
    }

    Task<Result<std::vector<Reference>>> resolve(OrgKey org,
                                                 std::span<const std::string> ids) override {
        std::unordered_map<std::string, Reference> by_id;
        for (auto left = ids; !left.empty();) {
            const auto slice = left.first(std::min(left.size(), kResolveSlice));
            left = left.subspan(slice.size());
            const auto rows = co_await ask(org, postgres::resolve(org, slice));
            if (!rows) co_return unavailable(rows);
            for (Reference& one : references_of(rows->front())) by_id.emplace(one.id, one);
        }
        std::vector<Reference> found;
        for (const std::string& id : ids) {
            if (const auto at = by_id.find(id); at != by_id.end()) found.push_back(at->second);
        }
        co_return found;
    }

    Task<Result<Committed>> commit(WriteSet set) override {
        if (closed_) {
            co_return std::unexpected(
                Error{ErrorCode::Unavailable, "the store is closing", {}, {}});
        }
        // Another may make the same identifiers by now.
        CO_TRY_VOID(lease_.held());
        const std::uint64_t records = set.log.size();
        const bool empty = set.mutations.empty() && set.log.empty();
        CO_TRY_ASSIGN(Committed committed, co_await writes_.submit(std::move(set)));
        log_records_ += records;
        write_sets_ += empty ? 0 : 1;
        co_return committed;
    }

    Task<void> record(LogEntry entry) override {
        if (may_take_records()) co_await log_.record(std::move(entry));
    }
    bool offer(LogEntry entry) override {
        return may_take_records() && log_.offer(std::move(entry));
    }

    Task<Result<LogPage>> log(const LogQuery& query) override {
        co_await log_.flush();
        co_return co_await read_log(query);
    }

    Task<Result<std::optional<std::string>>> log_entry(LogId id) override {
        co_await log_.flush();
        const LogQuery query = only(id);
        CO_TRY_ASSIGN(LogPage found, co_await read_log(query));
        if (found.records.empty()) co_return std::nullopt;
        co_return std::move(found.records.front());
    }

    Result<Directory> load_directory() override {
        const auto rows = wait_for(pool_.read(OrgKey{}, directory()), kStartPatience);
        if (!rows) return unavailable(rows);
        return directory_of(*rows);
    }

    Task<Result<std::optional<Directory>>> directory_since(std::int64_t version) override {
        const auto now = co_await ask(OrgKey{}, directory_version());
        if (!now) co_return unavailable(now);
        if (now->front().number() == version) co_return std::nullopt;
        const auto rows = co_await pool_.read(OrgKey{}, directory());
        if (!rows) co_return unavailable(rows);
        co_return directory_of(*rows);
    }
    std::int64_t node() const override { return node_; }

    Task<Result<bool>> purge(Timestamp log_before, Timestamp deleted_before) override {
        const auto first = co_await lease_.is_first();
        if (!first) co_return unavailable(first);
        if (!*first) co_return false;
        co_await log_.flush();
        bool more = false;
        CO_TRY_ASSIGN(const std::vector<OrgKey> orgs, co_await organisations_with_log());
        for (const OrgKey org : orgs) {
            auto step = purge_one(org, IdGenerator::first_at(log_before), deleted_before);
            CO_TRY_ASSIGN(const bool left, co_await unless_it_fails(org, std::move(step)));
            more = more || left;
        }
        const auto removed = co_await ask(OrgKey{}, removed_organisations());
        if (!removed) co_return unavailable(removed);
        for (const OrgKey org : resting(keys_in(removed->front()))) {
            auto step = clear(org);
            CO_TRY_ASSIGN(const bool left, co_await unless_it_fails(org, std::move(step)));
            more = more || left;
        }
        if (more || passed_over_.empty()) co_return more;
        const Error error = passed_over_.begin()->second;
        passed_over_.clear();
        co_return std::unexpected(error);
    }

    Task<Result<void>> healthy() override {
        if (closed_) co_return std::unexpected(Error{ErrorCode::Unavailable, "closed", {}, {}});
        CO_TRY_VOID(lease_.held());
        const auto rows = co_await ask(OrgKey{}, directory_version());
        if (!rows) co_return unavailable(rows);
        co_return Result<void>();
    }

    Figures figures() const override {
        Figures figures;
        figures.commits = writes_.commits();
        figures.write_sets = write_sets_;
        figures.log_records = log_records_ + log_.written();
        figures.log_dropped = log_dropped_ + log_.dropped();
        figures.queue_depth = writes_.waiting();
        return figures;
    }

    void close() override {
        if (closed_.exchange(true)) return;
        pool_.finish_by(steady_clock::now() + kClosePatience);
        log_.stop();
        lease_.stop();
        pool_.stop();
    }

  private:
    /// Their identifiers are of the node's number as well.
    bool may_take_records() {
        const bool may = lease_.held().has_value();
        log_dropped_ += may ? 0 : 1;
        return may;
    }

    Task<Outcome<std::vector<Rows>>> ask(OrgKey org, Query query) {
        std::vector<Query> queries;
        queries.push_back(std::move(query));
        return pool_.read(org, std::move(queries));
    }

    Task<Result<bool>> is_nested(OrgKey org, const Plan& plan) {
        const auto* by_group = std::get_if<ByGroup>(&plan.access);
        if (by_group == nullptr) co_return false;
        const auto rows = co_await ask(org, has_nested(org, by_group->group_id));
        if (!rows) co_return unavailable(rows);
        co_return rows->front().size() > 0;
    }

    /// Where a log may be: that of every organisation, and of requests that reached none.
    Task<Result<std::vector<OrgKey>>> organisations_with_log() {
        const auto rows = co_await ask(OrgKey{}, organisations());
        if (!rows) co_return unavailable(rows);
        std::vector<OrgKey> orgs = keys_in(rows->front());
        orgs.insert(orgs.begin(), OrgKey{});
        co_return orgs;
    }

    static std::vector<OrgKey> keys_in(const Rows& rows) {
        std::vector<OrgKey> keys;
        for (int row = 0; row < rows.size(); ++row) keys.push_back(OrgKey{rows.integer(row, 0)});
        return keys;
    }

    Task<Outcome<std::vector<Rows>>> keep_house(OrgKey org, std::vector<Query> queries) {
        auto job = [org, &queries](Connection& connection, Connection::Deadline deadline) {
            return write_once(connection, deadline, org, std::move(queries));
        };
        co_return co_await pool_.write(pool_.housekeeping(), pool_.deadline(), job);
    }

    /// Whether more is left of an organisation. Where its step fails it is passed over until
    /// nothing is left of the others; the error: theirs would fail as well.
    Task<Result<bool>> unless_it_fails(OrgKey org, Task<Result<bool>> step) {
        if (passed_over_.contains(org)) co_return false;
        auto left = co_await std::move(step);
        if (left) co_return left;
        CO_TRY_VOID(co_await healthy());
        Error& error = passed_over_.emplace(org, std::move(left).error()).first->second;
        error.message = fmt::format("organisation {}: {}", org.value, error.message);
        co_return false;
    }

    /// Deletes some of what has become old in an organisation. Whether more is left.
    Task<Result<bool>> purge_one(OrgKey org, std::int64_t last_id, Timestamp deleted_before) {
        std::vector<Query> queries;
        queries.push_back({&kPurgeLog, Parameters(org, last_id, kPurgeRows)});
        queries.push_back({&kPurgeDeleted, Parameters(org, deleted_before.ms, kPurgeRows)});
        const auto done = co_await keep_house(org, std::move(queries));
        if (!done) co_return unavailable(done);
        co_return std::ranges::any_of(
            *done, [](const Rows& purged) { return purged.affected() == kPurgeRows; });
    }

    /// Those that were seen to be removed so long ago that no write is left which has looked
    /// whether they are there before they were not, and is not committed.
    std::vector<OrgKey> resting(const std::vector<OrgKey>& removed) {
        const auto now = steady_clock::now();
        std::map<OrgKey, steady_clock::time_point> seen;
        for (const OrgKey org : removed) {
            const auto known = removed_since_.find(org);
            seen.emplace(org, known == removed_since_.end() ? now : known->second);
        }
        removed_since_ = std::move(seen);
        std::vector<OrgKey> orgs;
        for (const auto& [org, since] : removed_since_) {
            if (now - since >= removal_rest_) orgs.push_back(org);
        }
        return orgs;
    }

    /// Deletes some rows of an organisation that was removed, its own last. Whether more are left.
    Task<Result<bool>> clear(OrgKey org) {
        std::vector<Query> queries;
        // Other nodes that are about it wait, so that what is counted here is what is left.
        queries.push_back({&kTakeOrganisation, Parameters(org)});
        for (const Statement& statement : kClearOrganisation) {
            queries.push_back({&statement, Parameters(org, kClearRows)});
        }
        auto done = co_await keep_house(org, std::move(queries));
        if (!done) co_return unavailable(done);
        for (const Rows& cleared : std::span(*done).subspan(1)) {
            if (cleared.affected() >= kClearRows) co_return true;
        }
        // Nothing comes to be in it any more (resting).
        std::vector<Query> last;
        last.push_back({&kForgetOrganisation, Parameters(org)});
        done = co_await keep_house(OrgKey{}, std::move(last));
        if (!done) co_return unavailable(done);
        co_return false;
    }

    Task<Result<LogPage>> read_log(LogQuery query);
    Task<Result<void>> refill(LogWalk& walk, const LogQuery& query);

    const std::int64_t node_;
    const std::size_t lanes_;
    Pool pool_;
    WriteQueue writes_;
    LogBuffer log_;
    NodeLease lease_;
    const milliseconds removal_rest_;
    // Of purge():
    std::map<OrgKey, steady_clock::time_point> removed_since_;  ///< as this node saw it
    std::map<OrgKey, Error> passed_over_;
    std::atomic<bool> closed_{false};
    std::atomic<std::uint64_t> write_sets_{0};
    std::atomic<std::uint64_t> log_records_{0};
    std::atomic<std::uint64_t> log_dropped_{0};

    /// For the few calls that are made where there is no loop to wait on.
    template <class T>
    Outcome<T> wait_for(Task<Outcome<T>> task, milliseconds patience) {
        const auto promise = std::make_shared<std::promise<Outcome<T>>>();
        boost::asio::co_spawn(pool_.executor(), std::move(task),
                              [promise](const std::exception_ptr& error, Outcome<T> value) {
                                  if (error) {
                                      promise->set_exception(error);
                                  } else {
                                      promise->set_value(std::move(value));
                                  }
                              });
        std::future<Outcome<T>> future = promise->get_future();
        if (future.wait_for(patience) == std::future_status::ready) return future.get();
        return std::unexpected(Failure{{}, "PostgreSQL does not answer", 0, true});
    }
};

/// Each organisation is asked by itself (no statement spans organisations), and only the segments
/// are fetched that can hold one of the newest records.
Task<Result<LogPage>> PostgresStore::read_log(LogQuery query) {
    std::vector<OrgKey> orgs;
    if (query.org) {
        orgs = {*query.org};
    } else {
        CO_TRY_ASSIGN(orgs, co_await organisations_with_log());
    }
    SegmentReading reading(query);
    std::vector<LogWalk> walks;
    for (const OrgKey org : orgs) walks.push_back({org, reading.bounds(), {}});
    for (;;) {
        for (LogWalk& walk : walks) CO_TRY_VOID(co_await refill(walk, query));
        std::erase_if(walks, [](const LogWalk& walk) { return walk.ended; });
        const auto newest = std::ranges::max_element(walks, {}, &LogWalk::last_id);
        if (newest == walks.end() || !reading.wants(newest->last_id())) co_return reading.take();
        const auto rows =
            co_await ask(newest->org, segment(newest->org, newest->page.front().second));
        if (!rows) co_return unavailable(rows);
        newest->page.pop_front();
        if (rows->front().size() == 0) continue;  // purged meanwhile
        CO_TRY_VOID(reading.add(rows->front().bytes(0, 0)));
    }
}

Task<Result<void>> PostgresStore::refill(LogWalk& walk, const LogQuery& query) {
    if (!walk.page.empty()) co_return Result<void>();
    const auto rows = co_await ask(walk.org, segments(walk.org, query, walk.bounds));
    if (!rows) co_return unavailable(rows);
    const Rows& found = rows->front();
    for (int row = 0; row < found.size(); ++row) {
        walk.page.emplace_back(found.integer(row, 1), found.integer(row, 0));
    }
    walk.ended = walk.page.empty();
    if (!walk.ended) walk.bounds.newest = walk.page.back().first - 1;
    co_return Result<void>();
}

std::string hex(const Digest& digest) {
    std::string text;
    for (const std::byte byte : digest) {
        fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
    }
    return text;
}

/// What Muster needs of a session, whatever the server's own settings are. Every query has an index
/// to go by, and plans are kept: neither may a table that was empty when a statement was prepared
/// be scanned for ever after. Rows are fetched by distinct keys: remembering them (memoize) is
/// waste.
Result<std::string> conninfo_for(const std::string& url, bool citus) {
    std::string options =
        "-c enable_seqscan=off -c enable_memoize=off -c jit=off -c statement_timeout=9000 "
        "-c idle_in_transaction_session_timeout=15000 -c client_min_messages=error "
        "-c timezone=UTC -c synchronous_commit=on";
    // Citus sends a statement to the worker of its organisation once it knows which: its plans are
    // made for each execution, whatever a role's or a database's own setting would have.
    options += citus ? fmt::format("{} -c plan_cache_mode=auto", kTellWorkers)
                     : " -c plan_cache_mode=force_generic_plan";
    return with_settings(url, {{"options", options},
                               {"application_name", "muster"},
                               {"keepalives_idle", "5"},
                               {"keepalives_interval", "2"},
                               {"keepalives_count", "3"},
                               {"tcp_user_timeout", "10000"}});
}

}  // namespace

Result<bool> fits_key(const PostgresOptions& options, const Digest& fingerprint) {
    TRY_ASSIGN(Session session, Session::open(options.url));
    TRY_ASSIGN(const std::string table, session.run("SELECT to_regclass('instance_key')::text"));
    if (table.empty()) return true;
    TRY_ASSIGN(const std::string other,
               session.run(fmt::format("SELECT 1 FROM instance_key WHERE fingerprint <> '\\x{}'",
                                       hex(fingerprint))));
    return other.empty();
}

Result<void> hold_key(const PostgresOptions& options, const Digest& fingerprint) {
    TRY_ASSIGN(Session session, Session::open(options.url));
    TRY_VOID(
        session.run(fmt::format("INSERT INTO instance_key (one, fingerprint) VALUES (true, "
                                "'\\x{}') ON CONFLICT DO NOTHING",
                                hex(fingerprint))));
    TRY_ASSIGN(const std::string same,
               session.run(fmt::format("SELECT 1 FROM instance_key WHERE fingerprint = '\\x{}'",
                                       hex(fingerprint))));
    if (!same.empty()) return {};
    return std::unexpected(
        Error{ErrorCode::Unavailable,
              "the key file is not the one by which this database's tokens were made: copy it from "
              "another node, or from where it was kept (key_file). Where it is lost for good: stop "
              "every node, psql … -c 'DELETE FROM instance_key', start one with a new key, give "
              "that to the others, then renew every token",
              {},
              {}});
}

Result<std::unique_ptr<Store>> open(const PostgresOptions& options) {
    TRY_VOID(with_settings(options.url, {}));
    TRY_VOID(check_server(options.url));
    TRY_ASSIGN(SchemaState schema, schema_state(options.url));
    if (schema.unfinished) {
        return std::unexpected(Error{ErrorCode::Unavailable,
                                     "the database is a copy that was not finished: run the same "
                                     "muster copy or muster restore again, or make the database "
                                     "anew",
                                     {},
                                     {}});
    }
    if (schema.current == 0) {
        TRY_ASSIGN(schema, migrate(options.url, schema.newest));
    }
    if (schema.current != schema.newest) {
        const char* remedy = schema.current < schema.newest
                                 ? "the database is of an older version: run `muster migrate up`"
                                 : "the database was written by a newer version of Muster; start "
                                   "that version";
        return std::unexpected(Error{ErrorCode::Unavailable, remedy, {}, {}});
    }
    Pool::Options pool;
    TRY_ASSIGN(const std::string conninfo, conninfo_for(options.url, schema.citus));
    pool.hosts = hosts_of(conninfo);
    pool.readers = std::max<std::size_t>(options.readers, 1);
    pool.writers = std::max<std::size_t>(options.writers, 1);
    TRY_ASSIGN(NodeNumber node, claim_node(options.url));
    return std::make_unique<PostgresStore>(std::move(pool), std::move(node), options);
}

}  // namespace muster::store
