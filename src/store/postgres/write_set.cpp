#include "store/postgres/write_set.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "store/log_json.hpp"
#include "store/log_segments.hpp"
#include "store/postgres/log_portion.hpp"
#include "store/postgres/pool.hpp"
#include "store/postgres/transaction.hpp"
#include "store/postgres/write_statements.hpp"
#include "store/replacement.hpp"

namespace muster::store::postgres {
namespace {

std::vector<Rid> without_repeats(std::vector<Rid> rids) {
    std::ranges::sort(rids);
    rids.erase(std::ranges::unique(rids).begin(), rids.end());
    return rids;
}

/// The members that a group has, in rid order.
std::vector<Rid> rids_of(const Rows& members) {
    std::vector<Rid> rids;
    rids.reserve(static_cast<std::size_t>(members.size()));
    for (int row = 0; row < members.size(); ++row) rids.push_back(Rid{members.integer(row, 0)});
    return rids;
}

// ---- one write set ---------------------------------------------------------------------------

class Application {
  public:
    Application(Connection& connection, Connection::Deadline deadline, std::int64_t slot)
        : transaction_(connection, deadline), slot_(slot) {}

    Task<Outcome<std::vector<Committed>>> run(Sets sets);
    [[nodiscard]] const Transaction& transaction() const { return transaction_; }

  private:
    /// Where the answers to a change of members will be.
    struct Change {
        std::vector<std::size_t> removals;
        std::optional<std::size_t> addition;
    };
    struct Owner {
        TypeName type;
        Rid rid;
    };

    Task<Outcome<Applied>> apply(const CreateResource& create);
    Task<Outcome<Applied>> apply(const UpdateResource& update);
    Task<Outcome<Applied>> apply(const DeleteResource& removal);
    Task<Outcome<Applied>> apply(const PutOrganisation& put);
    Task<Outcome<Applied>> apply(const RemoveOrganisation& removal);
    Task<Outcome<Applied>> apply(const PutConnector& put);
    Task<Outcome<Applied>> apply(const PutToken& put);
    Task<Outcome<Applied>> apply(const RemoveToken& removal);
    Task<Outcome<Applied>> apply(const TouchToken& touch);

    void check_directory();
    void check_authority();
    void require_organisation(OrgKey org);
    void change_keys(const Owner& owner, const DocumentChange& change);
    void run_each(const Statement& statement, const Owner& owner,
                  const std::vector<scim::IndexKey>& keys, Meaning meaning = {});
    std::optional<std::size_t> add_members(Rid group, std::vector<Rid> members,
                                           const std::vector<Rid>& groups);
    Change change_members(Rid group, const MembersChange& change);
    Change replace_members(Rid group, const Rows& present, const MembersChange& wanted);
    void change_directory(Query query, const char* state = nullptr);

    [[nodiscard]] Meaning meaning(const char* state, ErrorCode code) const {
        return {state, code, mutation_};
    }

    Transaction transaction_;
    const WriteSet* set_ = nullptr;  ///< the one that is being applied
    std::int64_t slot_;
    std::size_t mutation_ = 0;  ///< of it
    std::set<OrgKey> there_;    ///< looked for at the end
    std::set<OrgKey> removed_;
    std::set<std::pair<TokenKey, Digest>> checked_;
    std::optional<std::string> checked_definitions_;
    std::map<TypeName, std::int64_t> live_;  ///< by how much the counters change
    bool directory_changed_ = false;
};

Task<Outcome<std::vector<Committed>>> Application::run(Sets sets) {
    transaction_.add(begin_writing());
    transaction_.add(become(sets.front()->org));
    SegmentBatch log;
    std::vector<Committed> all;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        set_ = sets[i];
        transaction_.belong_to(i);
        check_directory();
        Committed committed;
        for (mutation_ = 0; mutation_ < set_->mutations.size(); ++mutation_) {
            Task<Outcome<Applied>> task = std::visit([this](const auto& one) { return apply(one); },
                                                     set_->mutations[mutation_]);
            CO_TRY_ASSIGN(const Applied applied, co_await std::move(task));
            committed.applied.push_back(applied);
        }
        for (const LogEntry& entry : set_->log) {
            log.add(entry, log_json_end(committed.applied));
        }
        all.push_back(std::move(committed));
    }
    transaction_.belong_to(std::nullopt);
    // Once for all of them: a row that one transaction updates often is slow to find in it.
    for (const auto& [type, change] : live_) {
        transaction_.add({&kCount, Parameters(set_->org, type, slot_, change)});
    }
    if (directory_changed_) transaction_.add({&kNewDirectory});
    SegmentPacker packer;
    for (const SegmentBatch::Segment& segment : log.segments()) {
        if (removed_.contains(segment.org)) continue;
        if (segment.org) there_.insert(segment.org);
        if (segment.org != set_->org) transaction_.add(become(segment.org));
        transaction_.add(insert_segment(segment, packer));
    }
    for (std::size_t i = 0; i < sets.size(); ++i) {
        set_ = sets[i];
        transaction_.belong_to(i);
        check_authority();
    }
    transaction_.belong_to(std::nullopt);
    for (const OrgKey org : there_) require_organisation(org);
    CO_TRY_VOID(co_await transaction_.finish());
    co_return all;
}

/// Before any organisation, so that two that change the directory wait here and not in a circle.
void Application::check_directory() {
    if (!set_->directory_version) return;
    transaction_.add({&kSameDirectory, Parameters(*set_->directory_version)},
                     meaning(kGuard, ErrorCode::VersionMismatch));
}

/// Whether the one who writes still may, as the directory is just before this is committed. What is
/// created here holds its organisation's row, so that who changes that has waited or is seen; what
/// is changed here does not (docs/adr/0012).
void Application::check_authority() {
    mutation_ = 0;
    if (set_->token && checked_.emplace(set_->token, set_->secret).second) {
        const std::span<const std::byte> secret = set_->secret;
        transaction_.add({&kAuthority, Parameters(set_->token, secret)},
                         meaning(kGuard, ErrorCode::Revoked));
    }
    if (set_->definitions && checked_definitions_ != set_->definitions) {
        checked_definitions_ = set_->definitions;
        transaction_.add({&kSameDefinitions, Parameters(set_->org, *set_->definitions)},
                         meaning(kGuard, ErrorCode::Superseded));
    }
    // Tokens go with their organisation, so that one that is there says that it is too.
    if (set_->token || set_->definitions) there_.erase(set_->org);
}

void Application::require_organisation(OrgKey org) {
    transaction_.add({&kOrganisationThere, Parameters(org)},
                     meaning(kGuard, ErrorCode::DirectoryConflict));
}

void Application::run_each(const Statement& statement, const Owner& owner,
                           const std::vector<scim::IndexKey>& keys, Meaning meaning) {
    for (const scim::IndexKey& key : keys) {
        transaction_.add(
            {&statement, Parameters(set_->org, owner.type, key.attribute, key.key, owner.rid)},
            meaning);
    }
}

Task<Outcome<Applied>> Application::apply(const CreateResource& create) {
    there_.insert(set_->org);
    const Owner owner{create.type, create.rid};
    // Unique keys first: a taken name is the common refusal, and costs nothing so early.
    run_each(kInsertUnique, owner, create.unique,
             meaning(kUniqueViolation, ErrorCode::UniqueTaken));
    transaction_.add(
        {&kInsert, Parameters(set_->org, create.rid, create.type, create.id, create.now.ms,
                              create.active, create.source, create.display, create.document)},
        meaning(kForeignKey, ErrorCode::DirectoryConflict));
    run_each(kInsertIndexed, owner, create.index);
    live_[create.type] += 1;
    std::vector<Rid> members = without_repeats(create.members);
    const auto count = static_cast<std::int64_t>(members.size());
    add_members(create.rid, std::move(members), create.groups);
    co_return Applied{1, create.now, count, 0};
}

void Application::change_keys(const Owner& owner, const DocumentChange& change) {
    run_each(kDeleteUnique, owner, change.unique_removed);
    run_each(kInsertUnique, owner, change.unique_added,
             meaning(kUniqueViolation, ErrorCode::UniqueTaken));
    run_each(kDeleteIndexed, owner, change.index_removed);
    run_each(kInsertIndexed, owner, change.index_added);
}

Task<Outcome<Applied>> Application::apply(const UpdateResource& update) {
    there_.insert(set_->org);
    const std::size_t head = transaction_.add(
        {&kHead, Parameters(set_->org, update.rid, update.type, update.expected_version)},
        meaning(kGuard, ErrorCode::NotFound));
    if (update.document) change_keys({update.type, update.rid}, *update.document);
    Applied applied{0, update.now, 0, 0};
    if (update.document && !update.members && update.expected_version) {
        applied.version = *update.expected_version + 1;  // or nothing at all
    } else {
        // The version, and what comes of a change of members, are the database's to tell.
        Rows before;
        Change change;
        const bool replaces = update.members && update.members->replace;
        if (replaces) {
            // Only differences are written, however long the list is.
            const std::size_t present =
                transaction_.add({&kPresent, Parameters(set_->org, update.rid)});
            CO_TRY_ASSIGN(std::vector<Rows> answers, co_await transaction_.so_far());
            before = std::move(answers[head]);
            change = replace_members(update.rid, answers[present], *update.members);
        } else if (update.members) {
            change = change_members(update.rid, *update.members);
        }
        CO_TRY_ASSIGN(std::vector<Rows> answers, co_await transaction_.so_far());
        if (!replaces) before = std::move(answers[head]);
        for (const std::size_t at : change.removals) {
            applied.members_removed += answers[at].affected();
        }
        if (change.addition) applied.members_added = answers[*change.addition].size();
        applied.version = before.integer(0, 0);
        if (!update.document && applied.members_added + applied.members_removed == 0) {
            applied.modified = Timestamp{before.integer(0, 1)};
            co_return applied;
        }
        applied.version += 1;
    }
    if (!update.document) {
        transaction_.add({&kTouch, Parameters(set_->org, update.rid, update.now.ms)});
        co_return applied;
    }
    const DocumentChange& change = *update.document;
    transaction_.add({&kRewrite, Parameters(set_->org, update.rid, update.now.ms, change.active,
                                            change.display, change.document)});
    co_return applied;
}

Task<Outcome<Applied>> Application::apply(const DeleteResource& removal) {
    there_.insert(set_->org);
    transaction_.add(
        {&kDoomedHead, Parameters(set_->org, removal.rid, removal.type, removal.expected_version)},
        meaning(kGuard, ErrorCode::NotFound));
    transaction_.add({&kMemberships, Parameters(set_->org, removal.rid)});
    transaction_.add({&kDeleteMemberships, Parameters(set_->org, removal.rid)});
    transaction_.add({&kDeleteMembers, Parameters(set_->org, removal.rid)});
    CO_TRY_ASSIGN(const std::vector<Rows> done, co_await transaction_.so_far());
    const std::size_t head = done.size() - 4;
    const std::int64_t memberships = done[head + 2].affected() + done[head + 3].affected();
    for (int row = 0; row < done[head + 1].size(); ++row) {
        const Rid group{done[head + 1].integer(row, 0)};
        if (group == removal.rid) continue;
        transaction_.add({&kTouch, Parameters(set_->org, group, removal.now.ms)});
    }

    const Owner owner{removal.type, removal.rid};
    run_each(kDeleteUnique, owner, removal.unique);
    run_each(kDeleteIndexed, owner, removal.index);
    live_[removal.type] -= 1;
    if (removal.erase) {
        transaction_.add({&kErase, Parameters(set_->org, removal.rid)});
    } else {
        transaction_.add({&kRetire, Parameters(set_->org, removal.rid, removal.now.ms)});
    }
    co_return Applied{done[head].integer(0, 0) + 1, removal.now, 0, memberships};
}

// ---- members ---------------------------------------------------------------------------------

/// The place of the answer that counts them, where there are any.
std::optional<std::size_t> Application::add_members(Rid group, std::vector<Rid> members,
                                                    const std::vector<Rid>& groups) {
    std::optional<std::size_t> addition;
    const std::span<const Rid> nested = groups;
    if (!nested.empty()) {
        transaction_.add({&kTakeTurns, Parameters(set_->org)});
        // What is above the group does not depend on what comes below it.
        transaction_.add({&kNoCircle, Parameters(set_->org, group, nested)},
                         meaning(kGuard, ErrorCode::Circle));
    }
    if (!members.empty()) {
        const std::span<const Rid> wanted = members;
        transaction_.add({&kLiveMembers,
                          Parameters(set_->org, wanted, static_cast<std::int64_t>(wanted.size()))},
                         meaning(kGuard, ErrorCode::MemberGone));
        addition = transaction_.add({&kAddMembers, Parameters(set_->org, group, wanted, nested)});
    }
    for (const Rid one : groups) {
        transaction_.add({&kMarkRow, Parameters(set_->org, group, one)});
        transaction_.add({&kMarkGroup, Parameters(set_->org, one)});
    }
    return addition;
}

Application::Change Application::change_members(Rid group, const MembersChange& members) {
    Change change;
    for (const Rid one : members.remove) {
        change.removals.push_back(
            transaction_.add({&kRemoveMember, Parameters(set_->org, group, one)}));
    }
    change.addition = add_members(group, without_repeats(members.add), members.groups);
    return change;
}

Application::Change Application::replace_members(Rid group, const Rows& present,
                                                 const MembersChange& wanted) {
    Change change;
    Replacement replacement = replacement_of(rids_of(present), wanted.add);
    for (const MemberRange& gone : replacement.remove) {
        change.removals.push_back(transaction_.add(
            {&kRemoveMembers, Parameters(set_->org, group, gone.first, gone.last)}));
    }
    change.addition = add_members(group, std::move(replacement.add), wanted.groups);
    return change;
}

// ---- the directory ---------------------------------------------------------------------------

void Application::change_directory(Query query, const char* state) {
    transaction_.add(std::move(query), meaning(state, ErrorCode::DirectoryConflict));
    directory_changed_ = true;
}

Task<Outcome<Applied>> Application::apply(const PutOrganisation& put) {
    const Organisation& org = put.organisation;
    // What is under way in it is committed, and what comes sees the new definitions.
    transaction_.add({&kTakeOrganisation, Parameters(org.key)});
    for (const TypeName& type : put.without) {
        transaction_.add({&kNoneOfType, Parameters(org.key, type)},
                         meaning(kGuard, ErrorCode::Superseded));
    }
    change_directory({&kPutOrganisation,
                      Parameters(org.key, org.slug, org.name, org.created.ms, org.definitions)},
                     kUniqueViolation);
    there_.insert(org.key);
    co_return Applied{};
}

Task<Outcome<Applied>> Application::apply(const RemoveOrganisation& removal) {
    there_.erase(removal.key);
    removed_.insert(removal.key);
    transaction_.add({&kRemoveTokens, Parameters(removal.key)});
    transaction_.add({&kRemoveConnectors, Parameters(removal.key)});
    change_directory({&kMarkRemoved, Parameters(removal.key, slug_of_removed(removal.key))});
    co_return Applied{};
}

Task<Outcome<Applied>> Application::apply(const PutConnector& put) {
    const Connector& connector = put.connector;
    there_.insert(connector.org);
    change_directory(
        {&kPutConnector, Parameters(connector.key, connector.org, connector.id, connector.idp,
                                    connector.name, static_cast<std::int64_t>(connector.state),
                                    connector.policy, connector.created.ms)},
        kAnyConstraint);
    co_return Applied{};
}

Task<Outcome<Applied>> Application::apply(const PutToken& put) {
    const Token& token = put.token;
    const auto milliseconds = [](const std::optional<Timestamp>& time) {
        return time ? std::optional(time->ms) : std::nullopt;
    };
    const std::span<const std::byte> hash = token.hash;
    std::optional<std::span<const std::byte>> previous_hash;
    if (token.previous_hash) previous_hash = *token.previous_hash;
    change_directory(
        {&kPutToken, Parameters(token.key, token.connector, token.id, token.name,
                                static_cast<std::int64_t>(token.kind), token.active, hash,
                                previous_hash, token.created_by, token.created.ms, token.expires.ms,
                                milliseconds(token.last_used), token.last_used_from,
                                milliseconds(token.previous_expires))},
        kAnyConstraint);
    co_return Applied{};
}

Task<Outcome<Applied>> Application::apply(const RemoveToken& removal) {
    change_directory({&kRemoveToken, Parameters(removal.key)});
    co_return Applied{};
}

// The last use is for people to look at: other nodes need not learn of it at once.
Task<Outcome<Applied>> Application::apply(const TouchToken& touch) {
    transaction_.add({&kTouchToken, Parameters(touch.key, touch.used.ms, touch.from)});
    co_return Applied{};
}

/// Nothing was done, and the same may be done in a moment: a deadlock, a conflict of snapshots, a
/// connection that went before COMMIT was sent, a server that goes or has become a standby.
bool worth_repeating(const Failure& failure) {
    return failure.lost || failure.passing() || failure.is("40P01") || failure.is("40001") ||
           failure.is("25006");
}

}  // namespace

Task<std::expected<std::vector<Committed>, Refused>> apply(Connection& connection,
                                                           Connection::Deadline deadline, Sets sets,
                                                           std::int64_t slot) {
    Application application(connection, deadline, slot);
    auto committed = co_await application.run(sets);
    if (committed) co_return *std::move(committed);
    const Failure& failure = committed.error();
    if (failure.unknown) {
        co_return std::unexpected(refused(ErrorCode::OutcomeUnknown, failure.message));
    }
    const Meaning meaning = application.transaction().meaning_of(failure);
    if (meaning.state == nullptr || sets.size() > 1) {
        Refused all = refused(ErrorCode::Unavailable, failure.message, worth_repeating(failure));
        if (!all.retry) all.set = application.transaction().set_of(failure);
        co_return std::unexpected(std::move(all));
    }
    Diagnosis diagnosis(connection, deadline, *sets.front());
    co_return std::unexpected(co_await diagnosis.of(meaning));
}

}  // namespace muster::store::postgres
