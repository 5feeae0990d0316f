#pragma once
// The single writer: one thread, one connection that both writes and checkpoints. Write sets that
// arrive while a commit is being synced, or the next is being written, share that next one.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/resumption.hpp"
#include "base/task.hpp"
#include "store/sqlite/db.hpp"
#include "store/sqlite/directory_rows.hpp"
#include "store/sqlite/log_segments.hpp"
#include "store/sqlite/reader.hpp"
#include "store/sqlite/resource_rows.hpp"
#include "store/store.hpp"

namespace muster::store::sqlite {

/// Store::purge.
struct Purge {
    Timestamp log_before;
    Timestamp deleted_before;
};

/// What the writer does between two commits. An empty WriteSet only waits for the commit, and with
/// it for the log records handed over before.
using Work = std::variant<WriteSet, Purge>;

struct Done {
    Committed committed;
    bool more = false;  ///< of a Purge
};

class Writer {
  public:
    struct Options {
        std::size_t batch_sets = 256;
        std::size_t batch_bytes = std::size_t{2} << 20;
        /// Off: answers come before the commit. Only for the crash test's control run.
        bool durable = true;
    };

    /// `readers` outlive it.
    Writer(Database db, ReaderPool& readers, const Options& options);
    ~Writer();
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Any thread. Resumes on the caller's executor.
    [[nodiscard]] Task<Result<Done>> submit(Work work);
    /// Any thread. Store::record.
    [[nodiscard]] Task<void> record(LogEntry entry);
    /// Any thread. Store::offer.
    bool offer(LogEntry entry);
    /// Whether log records wait that no reader can see yet.
    [[nodiscard]] bool has_unwritten_log() const;

    /// The error after which nothing is written any more, if there was one.
    [[nodiscard]] Result<void> healthy() const;
    /// All but database_bytes.
    [[nodiscard]] Store::Figures figures() const;

    /// Writes what waits, checkpoints and ends the thread. Idempotent.
    void stop();

  private:
    using Instant = std::chrono::steady_clock::time_point;

    struct Request {
        Work work;
        std::size_t bytes = 0;
        Waiter<Result<Done>> waiter;
        /// In its batch, among those of its organisation; of equals who waits longest is first.
        std::pair<std::size_t, std::size_t> turn{};
    };
    /// Of a batch, what is one organisation's.
    struct Share {
        std::size_t sets = 0;
        std::size_t bytes = 0;
    };
    struct Batch {
        std::vector<Request> requests;
        std::vector<LogEntry> log;
        std::size_t log_bytes = 0;                ///< of log
        std::unordered_map<OrgKey, Share> taken;  ///< and what of theirs was left for the next
        [[nodiscard]] bool empty() const { return requests.empty() && log.empty(); }
    };
    void enqueue(Request request);
    [[nodiscard]] bool has_room() const;
    /// Until the next attempt to write is over.
    [[nodiscard]] Task<void> room();

    void run();
    /// The next batch; an empty one after an idle second; nothing when it is time to end.
    [[nodiscard]] std::optional<Batch> take();
    /// Adds to the batch under way who has come meanwhile, after a wait for the rest of those who
    /// are expected; whether there was somebody.
    [[nodiscard]] bool gather(Batch& batch, Instant until);
    /// What the next batch may hold: sets in all, and of each organisation.
    struct Shares {
        std::size_t together = 0;
        Share each;
    };
    [[nodiscard]] Shares share_out() const;
    /// Adds to the batch what waits and has room in it. With the lock.
    void collect(Batch& batch);
    /// Whether there is more than one organisation, in the batch or behind it.
    [[nodiscard]] bool others_wait(const Batch& batch) const;
    /// To the front of the queue: what the batch holds from `first` on.
    void give_back(Batch& batch, std::size_t first);
    void write(Batch batch);
    /// In a transaction, to which others are added while it lasts (gather). What it had no time for
    /// leaves the batch.
    [[nodiscard]] Outcome<std::vector<Result<Done>>> apply_all(Batch& batch, Instant until);
    /// Where it is refused it changes nothing. Nothing: it was, but `careful` was not told, and
    /// part of it is written; the transaction is to be begun anew, with care.
    [[nodiscard]] Outcome<std::optional<Result<Done>>> apply_alone(const Work& work, bool careful,
                                                                   SegmentBatch& log);
    [[nodiscard]] Outcome<void> roll_back();
    [[nodiscard]] Outcome<Done> apply(const Work& work);
    [[nodiscard]] Outcome<Committed> apply_set(const WriteSet& set);
    [[nodiscard]] Outcome<bool> apply_purge(const Purge& purge);
    void count(const Batch& batch, const std::vector<Result<Done>>& results);
    void note_failure(const Failure& failure);
    void settle_log(Batch& batch, bool written);
    static void answer(std::vector<Request>& requests, std::vector<Result<Done>> results);
    void checkpoint();

    const Options options_;
    Database db_;
    ReaderPool& readers_;
    Statement begin_, commit_, rollback_, savepoint_, release_, rollback_to_;
    Statement purge_log_, purge_deleted_, purge_more_;
    ResourceRows resources_;
    DirectoryRows directory_;
    SegmentWriter segments_;
    /// What was found to hold of the last sets, since the directory last changed.
    struct Checked {
        TokenKey token;
        Digest secret{};
        OrgKey org;
        std::optional<std::string> definitions;
    };
    Checked checked_;
    std::chrono::microseconds last_write_{0};  ///< how long the last batch took
    std::size_t expected_sets_ = 1;            ///< in the next batch: as many as in the last one
    int wal_pages_ = 0;                        ///< in the log after the last commit
    int checkpointed_at_ = 0;                  ///< wal_pages_ at the last checkpoint

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Request> queue_;
    std::vector<LogEntry> log_;
    std::size_t log_bytes_ = 0;  ///< in log_ and in the batch that is being written
    Instant log_due_;
    std::vector<Resumption> room_;  ///< calls of record() that wait
    bool stopping_ = false;
    std::optional<Error> failed_;  ///< set once, by the writer's thread

    std::atomic<std::uint64_t> commits_{0};
    std::atomic<std::uint64_t> write_sets_{0};
    std::atomic<std::uint64_t> log_records_{0};
    std::atomic<std::uint64_t> log_dropped_{0};
    std::thread thread_;
};

}  // namespace muster::store::sqlite
