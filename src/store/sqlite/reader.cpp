#include "store/sqlite/reader.hpp"

#include <algorithm>
#include <limits>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "store/sqlite/directory_rows.hpp"

namespace muster::store::sqlite {
namespace {

// Every way to find candidates gives rids and takes the same arguments: ?1 organisation, ?2 type,
// ?3 id or attribute, ?4 key, ?5 end of the key's range. Access adds order and bounds: ?6 rid to go
// on behind, ?7 limit, ?8 rows to skip. Rows are fetched afterwards, so skipping never reads one.
enum AccessKind : std::size_t {
    kAll,
    kId,
    kMember,
    kGroup,
    kGroupNested,
    kUniqueEqual,
    kIndexedEqual,
    kUniquePrefix,
    kIndexedPrefix,
};

constexpr const char* kScanAll =
    "SELECT rid FROM resource INDEXED BY resource_live "
    "WHERE org = ?1 AND type = ?2 AND deleted IS NULL";
constexpr const char* kById =
    "SELECT rid FROM resource INDEXED BY resource_id "
    "WHERE org = ?1 AND id = ?3 AND type = ?2 AND deleted IS NULL";
// Rows of keys may outlive a resource (KeyRows::take_over), so each is held against the resource.
#define MUSTER_KEY_ROWS(table)                                   \
    " FROM " table                                               \
    " k CROSS JOIN resource r WHERE k.org = ?1 AND k.type = ?2 " \
    "AND k.attribute = ?3 AND r.rid = k.rid AND r.deleted IS NULL "
constexpr const char* kUniqueKey = "SELECT k.rid" MUSTER_KEY_ROWS("uniq") "AND k.key = ?4";
constexpr const char* kIndexedKey = "SELECT k.rid" MUSTER_KEY_ROWS("attr") "AND k.key = ?4";
// A multi-valued attribute may hold several keys of one range, hence DISTINCT.
constexpr const char* kUniqueRange =
    "SELECT DISTINCT k.rid" MUSTER_KEY_ROWS("uniq") "AND k.key >= ?4 AND k.key < ?5";
constexpr const char* kIndexedRange =
    "SELECT DISTINCT k.rid" MUSTER_KEY_ROWS("attr") "AND k.key >= ?4 AND k.key < ?5";
#undef MUSTER_KEY_ROWS
constexpr const char* kByMember =
    "SELECT m.grp FROM member m CROSS JOIN resource r WHERE m.org = ?1 AND m.member = "
    "(SELECT rid FROM resource WHERE org = ?1 AND id = ?3 AND deleted IS NULL) "
    "AND r.rid = m.grp AND r.type = ?2 AND r.deleted IS NULL";
constexpr const char* kByGroup =
    "SELECT m.member FROM member m CROSS JOIN resource r WHERE m.org = ?1 AND m.grp = "
    "(SELECT rid FROM resource WHERE org = ?1 AND id = ?3 AND deleted IS NULL) "
    "AND r.rid = m.member AND r.type = ?2 AND r.deleted IS NULL";

// Of a group that has groups among its members: also theirs.
constexpr const char* kByGroupNested =
    "SELECT DISTINCT m.member FROM (WITH RECURSIVE within (grp) AS ("
    "SELECT rid FROM resource WHERE org = ?1 AND id = ?3 AND deleted IS NULL UNION "
    "SELECT n.member FROM within w CROSS JOIN member n INDEXED BY member_nested "
    "WHERE n.org = ?1 AND n.grp = w.grp AND n.is_group = 1) SELECT grp FROM within) w "
    "CROSS JOIN member m CROSS JOIN resource r WHERE m.org = ?1 AND m.grp = w.grp "
    "AND r.rid = m.member AND r.type = ?2 AND r.deleted IS NULL";

constexpr const char* kRecordColumns =
    "SELECT rid, id, type, version, created, modified, active, source, document FROM resource ";

Record record_of(const Rows& row) {
    Record record;
    record.rid = Rid{row.integer(0)};
    record.id = row.text(1);
    record.type = row.text(2);
    record.version = row.integer(3);
    record.created = Timestamp{row.integer(4)};
    record.modified = Timestamp{row.integer(5)};
    record.active = row.integer(6) != 0;
    record.source = ConnectorKey{row.integer(7)};
    record.document = row.text(8);
    return record;
}

Reference reference_of(const Rows& row) {
    return {Rid{row.integer(0)}, std::string(row.text(1)), std::string(row.text(2)),
            std::string(row.text(3))};
}

/// The least byte string greater than every one that begins with `prefix`. None: there is no end.
std::optional<std::string> end_of_prefix(std::string prefix) {
    while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
    if (prefix.empty()) return std::nullopt;
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

std::int64_t clamp(std::size_t number) {
    constexpr auto kMost = std::size_t{std::numeric_limits<std::int32_t>::max()};
    return static_cast<std::int64_t>(std::min(number, kMost));
}

}  // namespace

/// The arguments of a plan; views into it.
struct Reader::Arguments {
    AccessKind kind = kAll;
    std::string_view name;
    std::string_view key;
    std::optional<std::string> end;

    explicit Arguments(const Plan& plan) { std::visit(*this, plan.access); }

    void operator()(const ScanAll&) {}
    void operator()(const ById& access) { set(kId, access.id); }
    void operator()(const ByMember& access) { set(kMember, access.member_id); }
    void operator()(const ByGroup& access) { set(kGroup, access.group_id); }
    void operator()(const ByKey& access) {
        key = access.key;
        if (access.prefix) {
            set(access.unique ? kUniquePrefix : kIndexedPrefix, access.attribute);
            end = end_of_prefix(access.key);
        } else {
            set(access.unique ? kUniqueEqual : kIndexedEqual, access.attribute);
        }
    }
    void set(AccessKind which, std::string_view what) {
        kind = which;
        name = what;
    }

    /// A blob sorts behind every text: the end of a range that has none.
    [[nodiscard]] Rows run(Statement& statement, OrgKey org, const Plan& plan, Rid behind,
                           std::int64_t limit, std::size_t skip) const {
        if (!end) {
            return statement.query(org.value, plan.type, name, key, std::span<const std::byte>(),
                                   behind.value, limit, clamp(skip));
        }
        return statement.query(org.value, plan.type, name, key, *end, behind.value, limit,
                               clamp(skip));
    }
};

Reader::Access::Access(const Database& db, const std::string& candidates, std::string_view rid)
    : forward(db, fmt::format("{0} AND {1} > ?6 ORDER BY {1} LIMIT ?7 OFFSET ?8", candidates, rid)),
      backward(db, fmt::format("{0} AND {1} < ?6 ORDER BY {1} DESC LIMIT ?7 OFFSET ?8", candidates,
                               rid)),
      count(db, fmt::format("SELECT count(*) FROM ({0} AND {1} > ?6 LIMIT ?7 OFFSET ?8)",
                            candidates, rid)) {}

Reader::Reader(Database db)
    : db_(std::move(db)),
      begin_(db_, "BEGIN"),
      commit_(db_, "COMMIT"),
      find_(db_, fmt::format("{} INDEXED BY resource_id WHERE org = ?1 AND id = ?2 AND type = ?3 "
                             "AND deleted IS NULL",
                             kRecordColumns)),
      fetch_(db_, fmt::format("{} WHERE rid = ?1", kRecordColumns)),
      fetch_live_(
          db_, fmt::format("{} WHERE rid = ?1 AND org = ?2 AND deleted IS NULL", kRecordColumns)),
      live_count_(db_, "SELECT live FROM counter WHERE org = ?1 AND type = ?2"),
      access_{Access(db_, kScanAll, "rid"),
              Access(db_, kById, "rid"),
              Access(db_, kByMember, "m.grp"),
              Access(db_, kByGroup, "m.member"),
              Access(db_, kByGroupNested, "m.member"),
              Access(db_, kUniqueKey, "k.rid"),
              Access(db_, kIndexedKey, "k.rid"),
              Access(db_, kUniqueRange, "k.rid"),
              Access(db_, kIndexedRange, "k.rid")},
      groups_of_(db_,
                 "SELECT r.rid, r.id, r.type, r.display, r.nested FROM member m "
                 "CROSS JOIN resource r WHERE m.org = ?1 AND m.member = ?2 AND r.rid = m.grp AND "
                 "r.deleted IS NULL "
                 "ORDER BY m.grp"),
      memberships_of_(db_, "SELECT grp FROM member WHERE org = ?1 AND member = ?2 ORDER BY grp"),
      group_(
          db_,
          "SELECT rid, id, type, display, nested FROM resource WHERE rid = ?1 AND deleted IS NULL"),
      members_of_(db_,
                  "SELECT r.rid, r.id, r.type, r.display FROM member m CROSS JOIN resource r "
                  "WHERE m.org = ?1 AND m.grp = ?2 AND m.member > ?3 AND r.rid = m.member "
                  "AND r.deleted IS NULL ORDER BY m.member LIMIT ?4"),
      has_nested_(db_,
                  "SELECT 1 FROM member INDEXED BY member_nested WHERE org = ?1 AND is_group = 1 "
                  "AND grp = (SELECT rid FROM resource WHERE org = ?1 AND id = ?2 "
                  "AND deleted IS NULL) LIMIT 1"),
      member_count_(db_, "SELECT count(*) FROM member WHERE org = ?1 AND grp = ?2"),
      resolve_(db_,
               "SELECT rid, id, type, display FROM resource INDEXED BY resource_id "
               "WHERE org = ?1 AND id = ?2 AND deleted IS NULL"),
      probe_(db_, "SELECT count(*) FROM sqlite_schema"),
      log_(db_) {}

Outcome<void> Reader::see(std::uint64_t commit) {
    if (seen_ == commit) return {};
    let_go();
    TRY_VOID(begin_.execute());
    seen_ = commit;
    return {};
}

void Reader::let_go() {
    seen_.reset();
    // A read transaction has nothing to lose: the outcome of its end changes no answer. After some
    // errors it is over already.
    if (db_.in_transaction()) static_cast<void>(commit_.execute());
}

Outcome<std::optional<Record>> Reader::find(OrgKey org, std::string_view type,
                                            std::string_view id) {
    Rows rows = find_.query(org.value, id, type);
    TRY_ASSIGN(const bool found, rows.next());
    if (!found) return std::nullopt;
    return record_of(rows);
}

Outcome<std::optional<RecordWithGroups>> Reader::find_with_groups(OrgKey org, std::string_view type,
                                                                  std::string_view id) {
    Rows rows = find_.query(org.value, id, type);
    TRY_ASSIGN(const bool found, rows.next());
    if (!found) return std::nullopt;
    RecordWithGroups result{record_of(rows), {}};
    TRY_ASSIGN(result.groups, groups_of(org, result.record.rid));
    return result;
}

Outcome<std::optional<Record>> Reader::fetch(Rid rid) {
    Rows rows = fetch_.query(rid.value);
    TRY_ASSIGN(const bool found, rows.next());
    if (!found) return std::nullopt;
    return record_of(rows);
}

Outcome<Reader::Access*> Reader::access_of(OrgKey org, const Arguments& arguments) {
    if (arguments.kind != kGroup) return &access_[arguments.kind];
    Rows rows = has_nested_.query(org.value, arguments.name);
    TRY_ASSIGN(const bool nested, rows.next());
    return &access_[nested ? kGroupNested : kGroup];
}

Outcome<Slice> Reader::query(OrgKey org, const Plan& plan, const Stretch& stretch) {
    const Arguments arguments(plan);
    const std::int64_t limit = clamp(stretch.limit);
    const bool from_end = stretch.backward && stretch.behind == Rid{};
    const Rid behind = from_end ? Rid{std::numeric_limits<std::int64_t>::max()} : stretch.behind;
    Slice slice;
    TRY_ASSIGN(Access * access, access_of(org, arguments));
    Statement& statement = stretch.backward ? access->backward : access->forward;
    Rows rows = arguments.run(statement, org, plan, behind, limit + 1, stretch.skip);
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return slice;
        if (static_cast<std::int64_t>(slice.records.size()) == limit) {
            slice.more = true;
            return slice;
        }
        TRY_ASSIGN(std::optional<Record> record, fetch(Rid{rows.integer(0)}));
        MUSTER_CHECK(record.has_value());
        slice.records.push_back(*std::move(record));
    }
}

Outcome<std::int64_t> Reader::count(OrgKey org, const Plan& plan) {
    const Arguments arguments(plan);
    TRY_ASSIGN(Access * access, access_of(org, arguments));
    Rows rows = arguments.kind == kAll ? live_count_.query(org.value, plan.type)
                                       : arguments.run(access->count, org, plan, Rid{}, -1, 0);
    TRY_ASSIGN(const bool row, rows.next());
    return row ? rows.integer(0) : 0;
}

Outcome<std::vector<Record>> Reader::records(OrgKey org, std::span<const Rid> rids) {
    std::vector<Record> records;
    records.reserve(rids.size());
    for (const Rid rid : rids) {
        Rows rows = fetch_live_.query(rid.value, org.value);
        TRY_ASSIGN(const bool found, rows.next());
        if (found) records.push_back(record_of(rows));
    }
    return records;
}

Outcome<std::vector<std::vector<Reference>>> Reader::groups_of(OrgKey org,
                                                               std::span<const Rid> members) {
    std::vector<std::vector<Reference>> groups;
    groups.reserve(members.size());
    // Many are in the same groups: each is read once.
    KnownGroups known;
    for (const Rid member : members) {
        TRY_ASSIGN(std::optional<std::vector<Reference>> direct,
                   direct_groups_of(org, member, known));
        if (!direct) {
            TRY_ASSIGN(direct, groups_of(org, member));
        }
        groups.push_back(*std::move(direct));
    }
    return groups;
}

/// Nothing where one of them is in groups itself, which the direct ones do not tell.
Outcome<std::optional<std::vector<Reference>>> Reader::direct_groups_of(OrgKey org, Rid member,
                                                                        KnownGroups& known) {
    std::vector<Reference> groups;
    Rows rows = memberships_of_.query(org.value, member.value);
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return groups;
        const Rid rid{rows.integer(0)};
        const auto [place, is_new] = known.try_emplace(rid);
        if (is_new) {
            Rows found = group_.query(rid.value);
            TRY_ASSIGN(const bool is_live, found.next());
            if (is_live) place->second = KnownGroup{reference_of(found), found.integer(4) != 0};
        }
        if (!place->second) continue;
        if (place->second->nested) return std::nullopt;
        groups.push_back(place->second->reference);
    }
}

Outcome<std::vector<Reference>> Reader::groups_of(OrgKey org, Rid member) {
    std::vector<Reference> groups;
    TRY_ASSIGN(bool nested, add_groups_of(org, member, groups));
    if (!nested) return groups;
    // The list grows while it is walked, each group once: there is no circle to be caught in.
    const std::size_t direct = groups.size();
    for (std::size_t i = 0; i < groups.size(); ++i) {
        TRY_VOID(add_groups_of(org, groups[i].rid, groups));
    }
    const auto indirect =
        std::ranges::subrange(groups.begin() + static_cast<std::ptrdiff_t>(direct), groups.end());
    std::ranges::sort(indirect, {}, &Reference::rid);
    for (Reference& group : indirect) group.direct = false;
    return groups;
}

/// Those that are not there yet; whether one of them has been a member of a group itself.
Outcome<bool> Reader::add_groups_of(OrgKey org, Rid member, std::vector<Reference>& groups) {
    bool nested = false;
    Rows rows = groups_of_.query(org.value, member.value);
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return nested;
        const auto known = std::ranges::find(groups, Rid{rows.integer(0)}, &Reference::rid);
        if (known != groups.end()) continue;
        nested = nested || rows.integer(4) != 0;
        groups.push_back(reference_of(rows));
    }
}

Outcome<Members> Reader::members_of(OrgKey org, Rid group, Rid after, std::size_t limit) {
    Members members;
    const std::int64_t most = clamp(limit);
    Rows rows = members_of_.query(org.value, group.value, after.value, most + 1);
    for (;;) {
        TRY_ASSIGN(const bool row, rows.next());
        if (!row) return members;
        if (static_cast<std::int64_t>(members.references.size()) == most) {
            members.more = true;
            return members;
        }
        members.references.push_back(reference_of(rows));
    }
}

Outcome<std::int64_t> Reader::member_count(OrgKey org, Rid group) {
    Rows rows = member_count_.query(org.value, group.value);
    TRY_ASSIGN(const bool row, rows.next());
    return row ? rows.integer(0) : 0;
}

Outcome<void> Reader::resolve(OrgKey org, std::span<const std::string> ids,
                              std::vector<Reference>& found) {
    for (const std::string& id : ids) {
        Rows rows = resolve_.query(org.value, id);
        TRY_ASSIGN(const bool row, rows.next());
        if (row) found.push_back(reference_of(rows));
    }
    return {};
}

Outcome<Directory> Reader::directory() const { return read_directory(db_); }

Outcome<void> Reader::probe() {
    Rows rows = probe_.query();
    TRY_VOID(rows.next());
    return {};
}

void ReaderPool::add(std::unique_ptr<Reader> reader) {
    {
        const std::scoped_lock lock(mutex_);
        idle_.push_back({std::move(reader), std::this_thread::get_id()});
    }
    returned_.notify_one();
}

std::unique_ptr<Reader> ReaderPool::take() {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return !idle_.empty(); });
    auto own = std::ranges::find(idle_, std::this_thread::get_id(), &Idle::user);
    if (own == idle_.end()) --own;
    std::unique_ptr<Reader> reader = std::move(own->reader);
    idle_.erase(own);
    return reader;
}

void ReaderPool::let_go() {
    note_commit();
    const std::scoped_lock lock(mutex_);
    for (const Idle& idle : idle_) idle.reader->let_go();
}

void ReaderPool::clear() {
    const std::scoped_lock lock(mutex_);
    idle_.clear();
}

}  // namespace muster::store::sqlite
