#pragma once
// One read-only connection with everything that is asked of it, and the pool of them.

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "store/plan.hpp"
#include "store/sqlite/db.hpp"
#include "store/sqlite/log_segments.hpp"
#include "store/store.hpp"

namespace muster::store::sqlite {

/// Used by one thread at a time. All that it is asked between two calls of see() is of one moment:
/// the read transaction stays open, so that a read costs no file locks and keeps its page cache.
class Reader {
  public:
    explicit Reader(Database db);

    /// Sees what is committed by now, unless it does since a call with the same `commit`.
    [[nodiscard]] Outcome<void> see(std::uint64_t commit);
    /// Ends the read transaction, in whose way a checkpoint may stand. The next read needs see().
    void let_go();

    [[nodiscard]] Outcome<std::optional<Record>> find(OrgKey org, std::string_view type,
                                                      std::string_view id);
    [[nodiscard]] Outcome<std::optional<RecordWithGroups>> find_with_groups(OrgKey org,
                                                                            std::string_view type,
                                                                            std::string_view id);
    [[nodiscard]] Outcome<Slice> query(OrgKey org, const Plan& plan, const Stretch& stretch);
    [[nodiscard]] Outcome<std::vector<Record>> records(OrgKey org, std::span<const Rid> rids);
    [[nodiscard]] Outcome<std::int64_t> count(OrgKey org, const Plan& plan);

    [[nodiscard]] Outcome<std::vector<std::vector<Reference>>> groups_of(
        OrgKey org, std::span<const Rid> members);
    [[nodiscard]] Outcome<Members> members_of(OrgKey org, Rid group, Rid after, std::size_t limit);
    [[nodiscard]] Outcome<std::int64_t> member_count(OrgKey org, Rid group);
    /// Appends the live ones among `ids` to `found`.
    [[nodiscard]] Outcome<void> resolve(OrgKey org, std::span<const std::string> ids,
                                        std::vector<Reference>& found);

    [[nodiscard]] SegmentReader& log() { return log_; }
    [[nodiscard]] Outcome<Directory> directory() const;
    [[nodiscard]] Outcome<void> probe();

  private:
    /// The statements of one way to find candidates; all take the same arguments.
    struct Access {
        Access(const Database& db, const std::string& candidates, std::string_view rid);
        Statement forward;
        Statement backward;
        Statement count;
    };
    struct Arguments;

    [[nodiscard]] Outcome<std::optional<Record>> fetch(Rid rid);
    [[nodiscard]] Outcome<Access*> access_of(OrgKey org, const Arguments& arguments);
    struct KnownGroup {
        Reference reference;
        bool nested = false;
    };
    /// By rid; nothing for one that was deleted.
    using KnownGroups = std::unordered_map<Rid, std::optional<KnownGroup>>;
    [[nodiscard]] Outcome<std::optional<std::vector<Reference>>> direct_groups_of(
        OrgKey org, Rid member, KnownGroups& known);
    [[nodiscard]] Outcome<std::vector<Reference>> groups_of(OrgKey org, Rid member);
    [[nodiscard]] Outcome<bool> add_groups_of(OrgKey org, Rid member,
                                              std::vector<Reference>& groups);

    Database db_;
    std::optional<std::uint64_t> seen_;  ///< the argument of see(), while a transaction is open
    Statement begin_, commit_, find_, fetch_, fetch_live_, live_count_;
    std::array<Access, 9> access_;
    Statement groups_of_, memberships_of_, group_, members_of_, has_nested_, member_count_,
        resolve_, probe_;
    SegmentReader log_;
};

/// Hands out the reader that the calling thread used last, or that anybody did: its cache is warm,
/// and the memory of its pages goes back to the thread that it came from. Knows how old what a
/// reader sees may be. Thread-safe.
class ReaderPool {
  public:
    void add(std::unique_ptr<Reader> reader);

    /// What `ask` says of a reader that sees every commit noted before. Waits while all are out, so
    /// for one read at most where there is one a thread.
    template <class Ask>
    [[nodiscard]] auto read(const Ask& ask) -> std::invoke_result_t<Ask, Reader&> {
        const Lease reader(*this);
        return ask_of(*reader, ask);
    }
    /// The same for what log records alone may have changed.
    template <class Ask>
    [[nodiscard]] auto read_anew(const Ask& ask) -> std::invoke_result_t<Ask, Reader&> {
        const Lease reader(*this);
        (*reader).let_go();
        return ask_of(*reader, ask);
    }

    /// After a commit of more than log records and before its answer: who asks from now on sees it.
    void note_commit() { commit_.fetch_add(1, std::memory_order_release); }
    /// Idle readers end their transactions, and those that are out will begin new ones.
    void let_go();

    /// Closes all of them; none may be out.
    void clear();

  private:
    class Lease {
      public:
        explicit Lease(ReaderPool& pool) : pool_(pool), reader_(pool.take()) {}
        ~Lease() { pool_.add(std::move(reader_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Reader& operator*() const { return *reader_; }

      private:
        ReaderPool& pool_;
        std::unique_ptr<Reader> reader_;
    };
    [[nodiscard]] std::unique_ptr<Reader> take();

    template <class Ask>
    [[nodiscard]] auto ask_of(Reader& reader, const Ask& ask)
        -> std::invoke_result_t<Ask, Reader&> {
        TRY_VOID(reader.see(commit_.load(std::memory_order_acquire)));
        return ask(reader);
    }

    std::atomic<std::uint64_t> commit_{0};
    std::mutex mutex_;
    std::condition_variable returned_;
    struct Idle {
        std::unique_ptr<Reader> reader;
        std::thread::id user;  ///< who had it last
    };
    std::vector<Idle> idle_;
};

}  // namespace muster::store::sqlite
