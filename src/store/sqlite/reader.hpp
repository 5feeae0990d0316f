#pragma once
// One read-only connection with everything that is asked of it, and the pool of them.

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "store/plan.hpp"
#include "store/sqlite/db.hpp"
#include "store/sqlite/log_segments.hpp"
#include "store/store.hpp"

namespace muster::store::sqlite {

/// Used by one thread at a time. Each call is one consistent snapshot.
class Reader {
  public:
    explicit Reader(Database db);

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
    class Snapshot;

    [[nodiscard]] Outcome<std::optional<Record>> fetch(Rid rid);
    [[nodiscard]] Outcome<Access*> access_of(OrgKey org, const Arguments& arguments);
    [[nodiscard]] Outcome<std::vector<Reference>> groups_of(OrgKey org, Rid member);
    [[nodiscard]] Outcome<bool> add_groups_of(OrgKey org, Rid member,
                                              std::vector<Reference>& groups);

    Database db_;
    Statement begin_, commit_, find_, fetch_, fetch_live_, live_count_;
    std::array<Access, 9> access_;
    Statement groups_of_, members_of_, has_nested_, member_count_, resolve_, probe_;
    SegmentReader log_;
};

/// Hands out the reader that was used last, whose cache is warm. Thread-safe.
class ReaderPool {
  public:
    void add(std::unique_ptr<Reader> reader);

    class Lease {
      public:
        Lease(ReaderPool& pool, std::unique_ptr<Reader> reader)
            : pool_(pool), reader_(std::move(reader)) {}
        ~Lease() { pool_.add(std::move(reader_)); }
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        Reader* operator->() const { return reader_.get(); }

      private:
        ReaderPool& pool_;
        std::unique_ptr<Reader> reader_;
    };
    /// Waits while all are out, so for one read at most where there is one a thread. A lease is
    /// never held over a co_await.
    [[nodiscard]] Lease lease();

    /// Closes all of them; none may be out.
    void clear();

  private:
    std::mutex mutex_;
    std::condition_variable returned_;
    std::vector<std::unique_ptr<Reader>> idle_;
};

}  // namespace muster::store::sqlite
