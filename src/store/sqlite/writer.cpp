#include "store/sqlite/writer.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <ranges>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "store/log_json.hpp"

namespace muster::store::sqlite {
namespace asio = boost::asio;
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLogDelay{100};
constexpr milliseconds kLogRetryDelay{1000};  // after a full disk
constexpr milliseconds kIdleDelay{1000};      // before the write-ahead log is checkpointed
constexpr microseconds kLongestWait{2000};    // for others of the same batch
constexpr milliseconds kLongestApply{10};     // after which a batch ends where others wait
constexpr milliseconds kControlDelay{20};     // by which a control run's commits lag its answers
constexpr std::size_t kSharedBatch = 64;      // sets of several organisations
constexpr std::size_t kLeastShare = std::size_t{64} << 10;  // bytes of one of several
constexpr std::size_t kLogFlushBytes = std::size_t{2} << 20;
constexpr int kMostWaits = 3;  // for room, an attempt to write each
constexpr std::size_t kLogRoomBytes = std::size_t{16} << 20;
// The log is rewritten from its beginning after a checkpoint. It is kept small and is not cut
// unless one change was very large: a sync of blocks that the file already has is cheaper than one
// that makes it grow.
constexpr int kCheckpointPages = 1000;

// After these the transaction is gone but the database is as it was: the next one may succeed.
// After any other error nobody knows what reached the disk (a failed fsync may report success when
// repeated), so the writer stops for good.
constexpr std::array kRecoverable = {SQLITE_FULL,          SQLITE_NOMEM, SQLITE_IOERR_NOMEM,
                                     SQLITE_IOERR_SHMSIZE, SQLITE_BUSY,  SQLITE_LOCKED,
                                     SQLITE_INTERRUPT};

/// The write set is at fault, not the database: others of its batch go on.
bool concerns_one_set(const Failure& failure) {
    return failure.code == 0 || failure.is_constraint() || failure.code == SQLITE_TOOBIG;
}

std::size_t size_of(const LogEntry& entry) { return sizeof(LogEntry) + entry.json.size(); }

/// Roughly what a mutation carries; the point is to bound a batch.
std::size_t size_of(const Mutation& mutation) {
    return std::visit(
        [](const auto& one) -> std::size_t {
            using T = std::decay_t<decltype(one)>;
            std::size_t bytes = sizeof(T);
            if constexpr (std::is_same_v<T, CreateResource>) {
                bytes += one.document.size() + one.members.size() * sizeof(Rid);
            } else if constexpr (std::is_same_v<T, UpdateResource>) {
                if (one.document) bytes += one.document->document.size();
                if (one.members) bytes += one.members->add.size() * sizeof(Rid);
            }
            return bytes;
        },
        mutation);
}

std::size_t size_of(const Work& work) {
    std::size_t bytes = 0;
    if (const auto* set = std::get_if<WriteSet>(&work)) {
        for (const Mutation& mutation : set->mutations) bytes += size_of(mutation);
        for (const LogEntry& entry : set->log) bytes += size_of(entry);
    }
    return bytes;
}

/// Whose set it is; none for housekeeping.
OrgKey org_of(const Work& work) {
    const auto* set = std::get_if<WriteSet>(&work);
    return set == nullptr ? OrgKey{} : set->org;
}

Error unavailable(std::string message) {
    return {ErrorCode::Unavailable, std::move(message), {}, {}};
}

}  // namespace

Writer::Writer(Database db, ReaderPool& readers, const Options& options)
    : options_(options),
      db_(std::move(db)),
      readers_(readers),
      begin_(db_, "BEGIN IMMEDIATE"),
      commit_(db_, "COMMIT"),
      rollback_(db_, "ROLLBACK"),
      savepoint_(db_, "SAVEPOINT write_set"),
      release_(db_, "RELEASE write_set"),
      rollback_to_(db_, "ROLLBACK TO write_set"),
      purge_log_(db_,
                 "DELETE FROM log_segment WHERE seq IN (SELECT seq FROM log_segment "
                 "INDEXED BY log_time WHERE last_id < ?1 LIMIT 500)"),
      purge_deleted_(db_,
                     "DELETE FROM resource WHERE rid IN (SELECT rid FROM resource "
                     "INDEXED BY resource_deleted WHERE deleted < ?1 LIMIT 500)"),
      purge_more_(db_,
                  "SELECT EXISTS (SELECT 1 FROM log_segment WHERE last_id < ?1) OR "
                  "EXISTS (SELECT 1 FROM resource WHERE deleted < ?2)"),
      resources_(db_),
      directory_(db_),
      segments_(db_) {
    sqlite3_wal_hook(
        db_.handle(),
        [](void* pages, sqlite3*, const char*, int count) {
            *static_cast<int*>(pages) = count;
            return SQLITE_OK;
        },
        &wal_pages_);
    thread_ = std::thread([this] { run(); });
}

Writer::~Writer() { stop(); }

// ---- called by any thread --------------------------------------------------------------------

Task<Result<Done>> Writer::submit(Work work) {
    auto initiate = [this](auto handler, Work what) {
        const std::size_t bytes = size_of(what);
        const asio::any_io_executor executor = busy_executor_of(handler);
        enqueue({std::move(what), bytes, {executor, std::move(handler)}});
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<Done>)>(
        std::move(initiate), asio::use_awaitable, std::move(work));
}

void Writer::enqueue(Request request) {
    std::unique_lock lock(mutex_);
    if (!stopping_ && !failed_) {
        queue_.push_back(std::move(request));
        // The writer sleeps until there is something to do.
        const bool awaited = queue_.size() == 1;
        lock.unlock();
        if (awaited) wake_.notify_one();
        return;
    }
    const Error error = stopping_ ? unavailable("the store is closing") : *failed_;
    lock.unlock();
    std::vector<Request> requests;
    requests.push_back(std::move(request));
    answer(requests, {std::unexpected(error)});
}

Task<void> Writer::record(LogEntry entry) {
    for (int waited = 0; waited < kMostWaits && !has_room(); ++waited) co_await room();
    offer(std::move(entry));
}

bool Writer::offer(LogEntry entry) {
    bool notify = false;
    {
        const std::scoped_lock lock(mutex_);
        // Where nothing can be written any more there is nothing to keep either.
        if (failed_ || stopping_ || log_bytes_ > kLogRoomBytes) {
            ++log_dropped_;
            return false;
        }
        const std::size_t before = log_bytes_;
        const bool first = log_.empty();
        log_bytes_ += size_of(entry);
        log_.push_back(std::move(entry));
        if (first) log_due_ = steady_clock::now() + kLogDelay;
        const bool plenty = before < kLogFlushBytes && log_bytes_ >= kLogFlushBytes;
        if (plenty) log_due_ = steady_clock::now();
        notify = first || plenty;
    }
    if (notify) wake_.notify_one();
    return true;
}

bool Writer::has_room() const {
    const std::scoped_lock lock(mutex_);
    return log_bytes_ <= kLogRoomBytes || failed_ || stopping_;
}

Task<void> Writer::room() {
    auto initiate = [this](auto handler) {
        const asio::any_io_executor executor = busy_executor_of(handler);
        Resumption waiter{executor, std::move(handler)};
        {
            const std::scoped_lock lock(mutex_);
            if (log_bytes_ > kLogRoomBytes && !failed_ && !stopping_) {
                room_.push_back(std::move(waiter));
                return;
            }
        }
        std::vector<Resumption> resumptions;
        resumptions.push_back(std::move(waiter));
        muster::resume(std::move(resumptions));
    };
    return asio::async_initiate<const asio::use_awaitable_t<>, void()>(std::move(initiate),
                                                                       asio::use_awaitable);
}

bool Writer::has_unwritten_log() const {
    const std::scoped_lock lock(mutex_);
    return log_bytes_ > 0;
}

Result<void> Writer::healthy() const {
    const std::scoped_lock lock(mutex_);
    if (failed_) return std::unexpected(*failed_);
    if (stopping_) return std::unexpected(unavailable("the store is closing"));
    return {};
}

Store::Figures Writer::figures() const {
    Store::Figures figures;
    figures.commits = commits_;
    figures.write_sets = write_sets_;
    figures.log_records = log_records_;
    figures.log_dropped = log_dropped_;
    const std::scoped_lock lock(mutex_);
    figures.queue_depth = queue_.size();
    return figures;
}

void Writer::stop() {
    {
        const std::scoped_lock lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

// ---- the writer's thread ---------------------------------------------------------------------

void Writer::run() {
    while (std::optional<Batch> batch = take()) {
        if (batch->empty()) {
            checkpoint();
            continue;
        }
        write(*std::move(batch));
        if (wal_pages_ < checkpointed_at_) checkpointed_at_ = 0;
        if (wal_pages_ - checkpointed_at_ >= kCheckpointPages) {
            checkpoint();
        }
    }
}

std::optional<Writer::Batch> Writer::take() {
    std::unique_lock lock(mutex_);
    const Instant idle_until = steady_clock::now() + kIdleDelay;
    while (queue_.empty() && !stopping_) {
        const bool waits_for_log = !log_.empty();
        if (!waits_for_log && wal_pages_ == 0) {
            wake_.wait(lock);
            continue;
        }
        const Instant until = waits_for_log ? log_due_ : idle_until;
        if (steady_clock::now() < until) {
            wake_.wait_until(lock, until);
        } else if (waits_for_log) {
            break;
        } else {
            return Batch{};
        }
    }
    if (queue_.empty() && log_.empty()) return std::nullopt;
    Batch batch;
    collect(batch);
    return batch;
}

// Clients that were answered together ask again together. The first to come back would otherwise
// have a durable commit of its own, while all the others wait for it and then for a second one. So
// those who come while it is written join it. Nobody waits where the last batch was a single set,
// nor longer than half a commit.
bool Writer::gather(Batch& batch, Instant until) {
    const std::size_t before = batch.requests.size();
    if (before == 0) return false;
    std::unique_lock lock(mutex_);
    if (before < expected_sets_) {
        wake_.wait_until(lock, until, [this] { return !queue_.empty() || stopping_; });
    }
    collect(batch);
    return batch.requests.size() > before;
}

// Where several organisations wait, batches are small, so that nobody's set waits long for the one
// under way, and shared alike, so that a crowd of one, or its large sets, do not stand before the
// others. They take turns in it too, as what large sets leave no time for waits for the next one
// (apply_all).
Writer::Shares Writer::share_out() const {
    std::unordered_set<OrgKey> orgs;
    for (const Request& request : queue_) orgs.insert(org_of(request.work));
    if (orgs.size() < 2) return {options_.batch_sets, {options_.batch_sets, options_.batch_bytes}};
    const std::size_t together = std::min(options_.batch_sets, std::max(kSharedBatch, orgs.size()));
    return {together,
            {std::max<std::size_t>(together / orgs.size(), 1),
             std::max(options_.batch_bytes / orgs.size(), kLeastShare)}};
}

void Writer::collect(Batch& batch) {
    const Shares shares = share_out();
    const auto before = static_cast<std::ptrdiff_t>(batch.requests.size());
    std::deque<Request> left;
    while (!queue_.empty() && batch.requests.size() < shares.together) {
        Request& next = queue_.front();
        Share& taken = batch.taken[org_of(next.work)];
        taken.sets += 1;
        taken.bytes += next.bytes;
        next.turn = {taken.sets, batch.requests.size()};
        // Whoever waits longest goes, however large.
        const bool goes = batch.requests.empty() ||
                          (taken.sets <= shares.each.sets && taken.bytes <= shares.each.bytes);
        if (goes) {
            batch.requests.push_back(std::move(next));
        } else {
            left.push_back(std::move(next));
        }
        queue_.pop_front();
    }
    if (batch.taken.size() > 1) {
        std::ranges::sort(batch.requests.begin() + before, batch.requests.end(), {},
                          &Request::turn);
    }
    // What is over its organisation's share goes first the next time.
    std::ranges::move(left | std::views::reverse, std::front_inserter(queue_));
    for (const LogEntry& entry : log_) batch.log_bytes += size_of(entry);
    std::ranges::move(log_, std::back_inserter(batch.log));
    log_.clear();
}

bool Writer::others_wait(const Batch& batch) const {
    if (batch.taken.size() > 1) return true;
    const std::scoped_lock lock(mutex_);
    return std::ranges::any_of(queue_, [&batch](const Request& request) {
        return !batch.taken.contains(org_of(request.work));
    });
}

void Writer::give_back(Batch& batch, std::size_t first) {
    const auto rest = batch.requests.begin() + static_cast<std::ptrdiff_t>(first);
    const std::scoped_lock lock(mutex_);
    std::ranges::move(std::ranges::subrange(rest, batch.requests.end()) | std::views::reverse,
                      std::front_inserter(queue_));
    batch.requests.erase(rest, batch.requests.end());
}

void Writer::write(Batch batch) {
    const Instant began = steady_clock::now();
    Outcome<std::vector<Result<Done>>> results =
        apply_all(batch, began + std::min(last_write_ / 2, kLongestWait));
    const bool answered = results.has_value() && !options_.durable;
    if (answered) {
        answer(batch.requests, *results);
        std::this_thread::sleep_for(kControlDelay);
    }
    if (results) {
        if (auto committed = commit_.execute(); !committed) {
            results = std::unexpected(std::move(committed).error());
        }
    }
    if (results) {
        count(batch, *results);
        if (!batch.requests.empty()) readers_.note_commit();
    } else {
        static_cast<void>(roll_back());  // its end cannot fail usefully
        note_failure(results.error());
    }
    settle_log(batch, results.has_value());
    last_write_ = std::chrono::duration_cast<microseconds>(steady_clock::now() - began);
    if (answered) return;
    if (!results) {
        const Error error = std::move(results).error().error;
        results = std::vector<Result<Done>>(batch.requests.size(), std::unexpected(error));
    }
    answer(batch.requests, *std::move(results));
}

void Writer::count(const Batch& batch, const std::vector<Result<Done>>& results) {
    commits_ += 1;
    log_records_ += batch.log.size();
    for (std::size_t i = 0; i < results.size(); ++i) {
        const auto* set = std::get_if<WriteSet>(&batch.requests[i].work);
        if (!results[i] || set == nullptr) continue;
        write_sets_ += set->mutations.empty() && set->log.empty() ? 0 : 1;
        log_records_ += set->log.size();
    }
}

Outcome<std::vector<Result<Done>>> Writer::apply_all(Batch& batch, Instant until) {
    if (failed_) return std::unexpected(Failure{SQLITE_ABORT, *failed_});
    SegmentBatch log;
    std::vector<Result<Done>> results;
    bool careful = false;
    Instant end = steady_clock::now() + kLongestApply;
    const auto is_late = [&] {
        return !results.empty() && steady_clock::now() > end && others_wait(batch);
    };
    TRY_VOID(begin_.execute());
    do {
        while (results.size() < batch.requests.size()) {
            if (is_late()) {
                give_back(batch, results.size());
                break;
            }
            const Work& next = batch.requests[results.size()].work;
            TRY_ASSIGN(std::optional<Result<Done>> done, apply_alone(next, careful, log));
            if (done) {
                results.push_back(*std::move(done));
                continue;
            }
            TRY_VOID(roll_back());
            TRY_VOID(begin_.execute());
            results.clear();
            log = {};
            careful = true;
            // Else what was applied before it would go back to the queue, and meet it again.
            end = steady_clock::now() + kLongestApply;
        }
    } while (!is_late() && gather(batch, until));
    for (const LogEntry& entry : batch.log) log.add(entry, kLogJsonEnd);
    TRY_VOID(segments_.write(log));
    expected_sets_ = batch.requests.size();
    return results;
}

Outcome<void> Writer::roll_back() {
    checked_ = {};
    Outcome<void> done;
    // An error may have ended the transaction already.
    if (db_.in_transaction()) {
        if (auto ended = rollback_.execute(); !ended) done = std::unexpected(ended.error());
    }
    db_.rolled_back();
    return done;
}

// Within a savepoint SQLite copies each page before it is first changed. Refusals are few, and most
// come before anything was written, so a batch is first tried without.
Outcome<std::optional<Result<Done>>> Writer::apply_alone(const Work& work, bool careful,
                                                         SegmentBatch& log) {
    const std::int64_t changes = db_.total_changes();
    if (careful) TRY_VOID(savepoint_.execute());
    Outcome<Done> done = apply(work);
    if (!done && !concerns_one_set(done.error())) return std::unexpected(std::move(done).error());
    if (!done && db_.total_changes() != changes) {
        if (!careful) return std::nullopt;
        TRY_VOID(rollback_to_.execute());
    }
    if (careful) TRY_VOID(release_.execute());
    if (!done) return Result<Done>(std::unexpected(std::move(done).error().error));
    if (const auto* set = std::get_if<WriteSet>(&work)) {
        const std::string end = log_json_end(done->committed.applied);
        for (const LogEntry& entry : set->log) log.add(entry, end);
    }
    return Result<Done>(*std::move(done));
}

Outcome<Done> Writer::apply(const Work& work) {
    Done done;
    if (const auto* set = std::get_if<WriteSet>(&work)) {
        TRY_ASSIGN(done.committed, apply_set(*set));
    } else {
        TRY_ASSIGN(done.more, apply_purge(std::get<Purge>(work)));
    }
    return done;
}

Outcome<Committed> Writer::apply_set(const WriteSet& set) {
    if (set.token != checked_.token || set.secret != checked_.secret) {
        if (set.token != TokenKey{}) {
            TRY_VOID(directory_.check_authority(set.token, set.secret));
        }
        checked_.token = set.token;
        checked_.secret = set.secret;
    }
    if (set.definitions && (set.org != checked_.org || set.definitions != checked_.definitions)) {
        TRY_VOID(directory_.check_definitions(set.org, *set.definitions));
        checked_.org = set.org;
        checked_.definitions = set.definitions;
    }
    Committed committed;
    committed.applied.reserve(set.mutations.size());
    for (const Mutation& mutation : set.mutations) {
        Outcome<Applied> applied = std::visit(
            [this, &set](const auto& one) -> Outcome<Applied> {
                if constexpr (requires { resources_.apply(set.org, one); }) {
                    if (!set.definitions) TRY_VOID(directory_.require_organisation(set.org));
                    return resources_.apply(set.org, one);
                } else {
                    checked_ = {};
                    TRY_VOID(directory_.apply(one));
                    return Applied{};
                }
            },
            mutation);
        TRY_ASSIGN(const Applied one, std::move(applied));
        committed.applied.push_back(one);
    }
    return committed;
}

Outcome<bool> Writer::apply_purge(const Purge& purge) {
    const std::int64_t first_kept = IdGenerator::first_at(purge.log_before);
    TRY_VOID(purge_log_.execute(first_kept));
    TRY_VOID(purge_deleted_.execute(purge.deleted_before.ms));
    TRY_ASSIGN(const bool cleared, directory_.clear_a_removed_one());
    Rows rows = purge_more_.query(first_kept, purge.deleted_before.ms);
    TRY_ASSIGN(const bool row, rows.next());
    return cleared || (row && rows.integer(0) != 0);
}

void Writer::note_failure(const Failure& failure) {
    if (std::ranges::find(kRecoverable, failure.code) != kRecoverable.end()) return;
    if (failed_) return;
    db_.leave_log_on_close();
    const std::scoped_lock lock(mutex_);
    failed_ = unavailable(fmt::format(
        "writing stopped after an error that may have lost data on its way to the disk; check the "
        "disk, then restart: {}",
        failure.error.message));
}

void Writer::settle_log(Batch& batch, bool written) {
    std::vector<Resumption> resumptions;
    {
        const std::scoped_lock lock(mutex_);
        if (written || failed_ || stopping_) {
            log_bytes_ -= batch.log_bytes;
            if (!written) log_dropped_ += batch.log.size();
        } else {
            log_.insert(log_.begin(), std::move_iterator(batch.log.begin()),
                        std::move_iterator(batch.log.end()));
            log_due_ = steady_clock::now() + kLogRetryDelay;
        }
        // Also where there is no room yet: who waits counts the attempts.
        resumptions = std::exchange(room_, {});
    }
    muster::resume(std::move(resumptions));
}

void Writer::answer(std::vector<Request>& requests, std::vector<Result<Done>> results) {
    std::vector<Resumption> resumptions;
    resumptions.reserve(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
        Waiter<Result<Done>>& waiter = requests[i].waiter;
        const asio::any_io_executor executor = std::move(waiter.executor);
        // The set goes where its memory came from, and costs the writer nothing.
        auto run = [request = std::move(requests[i]), result = std::move(results[i])]() mutable {
            request.waiter.resume(std::move(result));
        };
        resumptions.push_back({executor, std::move(run)});
    }
    muster::resume(std::move(resumptions));
}

void Writer::checkpoint() {
    if (failed_) {
        wal_pages_ = 0;  // nothing to come back for
        return;
    }
    // Nobody's old snapshot may keep pages in the log, nor, once all are moved, a newer one keep
    // the log from being begun anew: a reader that comes now needs none of it.
    readers_.let_go();
    int in_log = 0;
    int moved = 0;
    const int status = sqlite3_wal_checkpoint_v2(db_.handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE,
                                                 &in_log, &moved);
    readers_.let_go();
    if (status != SQLITE_OK) note_failure(db_.failure(status));
    if (status == SQLITE_OK && moved == in_log) wal_pages_ = 0;
    checkpointed_at_ = wal_pages_;
}

}  // namespace muster::store::sqlite
