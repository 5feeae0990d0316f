#include "store/memory/apply.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <variant>

#include "base/result.hpp"

namespace muster::store::memory {
namespace {

constexpr Rid kLastRid{std::numeric_limits<std::int64_t>::max()};

std::unexpected<Error> refuse(ErrorCode code, std::string message) {
    return std::unexpected(Error{code, std::move(message), {}, {}});
}

/// The second of the pairs of (org, first) in a table of pairs, in order.
std::vector<Rid> partners(const std::map<std::tuple<OrgKey, Rid, Rid>, Present>& table, OrgKey org,
                          Rid first) {
    std::vector<Rid> found;
    const auto end = table.upper_bound({org, first, kLastRid});
    for (auto at = table.lower_bound({org, first, Rid{}}); at != end; ++at) {
        found.push_back(std::get<2>(at->first));
    }
    return found;
}

class Application {
  public:
    Application(Tables& tables, OrgKey org) : tables_(tables), org_(org) {}

    void keep() { changes_.keep(); }

    Result<Applied> operator()(const CreateResource& create);
    Result<Applied> operator()(const UpdateResource& update);
    Result<Applied> operator()(const DeleteResource& removal);
    Result<Applied> operator()(const PutOrganisation& put);
    Result<Applied> operator()(const RemoveOrganisation& removal);
    Result<Applied> operator()(const PutConnector& put);
    Result<Applied> operator()(const PutToken& put);
    Result<Applied> operator()(const RemoveToken& removal);
    Result<Applied> operator()(const TouchToken& touch);

  private:
    using Keys = std::vector<scim::IndexKey>;

    Result<void> require_organisation() const;
    Result<const Row*> load(Rid rid, const TypeName& type, std::optional<std::int64_t> version);
    Result<void> add_unique(const TypeName& type, Rid rid, const Keys& keys);
    void remove_unique(const TypeName& type, Rid rid, const Keys& keys);
    void add_index(const TypeName& type, Rid rid, const Keys& keys);
    void remove_index(const TypeName& type, Rid rid, const Keys& keys);
    void count(const TypeName& type, std::int64_t change);
    void raise_version(Rid rid, Timestamp now);
    Result<void> change_members(Rid group, MembersChange change, Applied& applied);
    bool remove_member(Rid group, Rid member);
    template <class K, class V, class Predicate>
    void erase_where(std::map<K, V>& table, const Predicate& doomed);

    Tables& tables_;
    OrgKey org_;
    Transaction changes_;
};

Result<void> Application::require_organisation() const {
    if (tables_.organisations.contains(org_)) return {};
    return refuse(ErrorCode::DirectoryConflict, "the organisation is gone");
}

Result<const Row*> Application::load(Rid rid, const TypeName& type,
                                     std::optional<std::int64_t> version) {
    TRY_VOID(require_organisation());
    const Row* row = tables_.live_row(org_, rid);
    if (row == nullptr || row->record.type != type) return refuse(ErrorCode::NotFound, "gone");
    if (version && *version != row->record.version) {
        return refuse(ErrorCode::VersionMismatch, "changed meanwhile");
    }
    return row;
}

Result<void> Application::add_unique(const TypeName& type, Rid rid, const Keys& keys) {
    for (const scim::IndexKey& key : keys) {
        AttributeKey place{org_, type, key.attribute, key.key};
        if (const auto holder = tables_.unique.find(place); holder != tables_.unique.end()) {
            if (const Row* row = tables_.live_row(org_, holder->second)) {
                return std::unexpected(Error{ErrorCode::UniqueTaken, key.attribute + " is taken",
                                             key.attribute, row->record.id});
            }
        }
        changes_.put(tables_.unique, std::move(place), rid);
    }
    return {};
}

void Application::remove_unique(const TypeName& type, Rid rid, const Keys& keys) {
    for (const scim::IndexKey& key : keys) {
        const AttributeKey place{org_, type, key.attribute, key.key};
        const auto holder = tables_.unique.find(place);
        if (holder != tables_.unique.end() && holder->second == rid) {
            changes_.erase(tables_.unique, place);
        }
    }
}

void Application::add_index(const TypeName& type, Rid rid, const Keys& keys) {
    for (const scim::IndexKey& key : keys) {
        changes_.put(tables_.indexed, {org_, type, key.attribute, key.key, rid}, Present{});
    }
}

void Application::remove_index(const TypeName& type, Rid rid, const Keys& keys) {
    for (const scim::IndexKey& key : keys) {
        changes_.erase(tables_.indexed, {org_, type, key.attribute, key.key, rid});
    }
}

void Application::count(const TypeName& type, std::int64_t change) {
    const std::pair key{org_, type};
    const auto place = tables_.live.find(key);
    changes_.put(tables_.live, key, (place == tables_.live.end() ? 0 : place->second) + change);
}

void Application::raise_version(Rid rid, Timestamp now) {
    Row row = tables_.resources.at(rid);
    row.record.version += 1;
    row.record.modified = now;
    changes_.put(tables_.resources, rid, std::move(row));
}

bool Application::remove_member(Rid group, Rid member) {
    changes_.erase(tables_.groups, {org_, member, group});
    return changes_.erase(tables_.members, {org_, group, member});
}

Result<void> Application::change_members(Rid group, MembersChange change, Applied& applied) {
    for (const Rid nested : change.groups) {
        if (groups_above(tables_, org_, group).contains(nested)) {
            return refuse(ErrorCode::Circle, "a group would become its own member");
        }
    }
    if (change.replace) {
        std::ranges::sort(change.add);
        change.add.erase(std::ranges::unique(change.add).begin(), change.add.end());
        const std::vector<Rid> present = partners(tables_.members, org_, group);
        MembersChange difference;
        std::ranges::set_difference(change.add, present, std::back_inserter(difference.add));
        std::ranges::set_difference(present, change.add, std::back_inserter(difference.remove));
        difference.groups = std::move(change.groups);
        change = std::move(difference);
    }
    for (const Rid member : change.remove) {
        if (remove_member(group, member)) ++applied.members_removed;
    }
    for (const Rid member : change.add) {
        if (tables_.live_row(org_, member) == nullptr) {
            return refuse(ErrorCode::MemberGone, "a member is no live resource");
        }
        if (tables_.members.contains({org_, group, member})) continue;
        changes_.put(tables_.members, {org_, group, member}, Present{});
        changes_.put(tables_.groups, {org_, member, group}, Present{});
        ++applied.members_added;
    }
    return {};
}

Result<Applied> Application::operator()(const CreateResource& create) {
    TRY_VOID(require_organisation());
    TRY_VOID(add_unique(create.type, create.rid, create.unique));
    if (tables_.resources.contains(create.rid) || tables_.ids.contains({org_, create.id})) {
        return refuse(ErrorCode::Unavailable, "the row or the id exists");
    }
    Row row{org_,
            {create.rid, create.id, create.type, 1, create.now, create.now, create.active,
             create.source, create.document},
            create.display,
            {}};
    changes_.put(tables_.resources, create.rid, std::move(row));
    changes_.put(tables_.ids, {org_, create.id}, create.rid);
    add_index(create.type, create.rid, create.index);
    count(create.type, 1);
    Applied applied{1, create.now, 0, 0};
    TRY_VOID(change_members(create.rid, {false, create.members, {}, create.groups}, applied));
    return applied;
}

Result<Applied> Application::operator()(const UpdateResource& update) {
    TRY_ASSIGN(const Row* current, load(update.rid, update.type, update.expected_version));
    Applied applied{current->record.version, current->record.modified, 0, 0};
    if (update.document) {
        const DocumentChange& change = *update.document;
        remove_unique(update.type, update.rid, change.unique_removed);
        TRY_VOID(add_unique(update.type, update.rid, change.unique_added));
        remove_index(update.type, update.rid, change.index_removed);
        add_index(update.type, update.rid, change.index_added);
    }
    if (update.members) TRY_VOID(change_members(update.rid, *update.members, applied));
    const bool members_changed = applied.members_added + applied.members_removed > 0;
    if (!update.document && !members_changed) return applied;

    if (update.document) {
        const DocumentChange& change = *update.document;
        Row row = *current;
        row.record.active = change.active;
        row.record.document = change.document;
        row.display = change.display;
        changes_.put(tables_.resources, update.rid, std::move(row));
    }
    raise_version(update.rid, update.now);
    applied.version += 1;
    applied.modified = update.now;
    return applied;
}

Result<Applied> Application::operator()(const DeleteResource& removal) {
    TRY_ASSIGN(const Row* current, load(removal.rid, removal.type, removal.expected_version));
    Applied applied{current->record.version + 1, removal.now, 0, 0};
    for (const Rid group : partners(tables_.groups, org_, removal.rid)) {
        if (group != removal.rid) raise_version(group, removal.now);
        if (remove_member(group, removal.rid)) ++applied.members_removed;
    }
    for (const Rid member : partners(tables_.members, org_, removal.rid)) {
        if (remove_member(removal.rid, member)) ++applied.members_removed;
    }
    remove_unique(removal.type, removal.rid, removal.unique);
    remove_index(removal.type, removal.rid, removal.index);
    count(removal.type, -1);
    if (removal.erase) {
        changes_.erase(tables_.ids, {org_, current->record.id});
        changes_.erase(tables_.resources, removal.rid);
    } else {
        raise_version(removal.rid, removal.now);
        Row row = tables_.resources.at(removal.rid);
        row.deleted = removal.now;
        changes_.put(tables_.resources, removal.rid, std::move(row));
    }
    return applied;
}

template <class T, class K, class Name>
bool taken_by_another(const std::map<K, T>& table, K key, const Name& name) {
    return std::ranges::any_of(
        table, [&](const auto& entry) { return entry.first != key && name(entry.second); });
}

Result<Applied> Application::operator()(const PutOrganisation& put) {
    const Organisation& org = put.organisation;
    if (taken_by_another(tables_.organisations, org.key,
                         [&](const Organisation& other) { return other.slug == org.slug; })) {
        return refuse(ErrorCode::DirectoryConflict, "the slug of the organisation is taken");
    }
    if (tables_.removed.contains(org.key)) {
        return refuse(ErrorCode::DirectoryConflict, "the organisation is gone");
    }
    for (const TypeName& type : put.without) {
        const auto live = tables_.live.find({org.key, type});
        if (live != tables_.live.end() && live->second > 0) {
            return refuse(ErrorCode::Superseded, "there are resources of the type by now");
        }
    }
    changes_.put(tables_.organisations, org.key, org);
    return Applied{};
}

Result<Applied> Application::operator()(const PutConnector& put) {
    const Connector& connector = put.connector;
    if (!tables_.organisations.contains(connector.org) ||
        taken_by_another(tables_.connectors, connector.key,
                         [&](const Connector& other) { return other.id == connector.id; })) {
        return refuse(ErrorCode::DirectoryConflict,
                      "the connector's id is taken, or its organisation is gone");
    }
    changes_.put(tables_.connectors, connector.key, connector);
    return Applied{};
}

Result<Applied> Application::operator()(const PutToken& put) {
    const Token& token = put.token;
    if (!tables_.connectors.contains(token.connector) ||
        taken_by_another(tables_.tokens, token.key,
                         [&](const Token& other) { return other.id == token.id; })) {
        return refuse(ErrorCode::DirectoryConflict,
                      "the token's id is taken, or its connector is gone");
    }
    Token stored = token;
    if (const auto before = tables_.tokens.find(token.key); before != tables_.tokens.end()) {
        stored.last_used = before->second.last_used;
        stored.last_used_from = before->second.last_used_from;
    }
    changes_.put(tables_.tokens, token.key, std::move(stored));
    return Applied{};
}

Result<Applied> Application::operator()(const RemoveToken& removal) {
    changes_.erase(tables_.tokens, removal.key);
    return Applied{};
}

Result<Applied> Application::operator()(const TouchToken& touch) {
    const auto place = tables_.tokens.find(touch.key);
    if (place == tables_.tokens.end() || place->second.last_used >= touch.used) return Applied{};
    Token token = place->second;
    token.last_used = touch.used;
    token.last_used_from = touch.from;
    changes_.put(tables_.tokens, touch.key, std::move(token));
    return Applied{};
}

template <class K, class V, class Predicate>
void Application::erase_where(std::map<K, V>& table, const Predicate& doomed) {
    std::vector<K> keys;
    for (const auto& [key, value] : table) {
        if (doomed(key, value)) keys.push_back(key);
    }
    for (const K& key : keys) changes_.erase(table, key);
}

Result<Applied> Application::operator()(const RemoveOrganisation& removal) {
    const OrgKey org = removal.key;
    erase_where(tables_.tokens, [&](const TokenKey&, const Token& token) {
        const auto connector = tables_.connectors.find(token.connector);
        return connector != tables_.connectors.end() && connector->second.org == org;
    });
    erase_where(tables_.connectors,
                [org](const ConnectorKey&, const Connector& one) { return one.org == org; });
    if (changes_.erase(tables_.organisations, org)) changes_.put(tables_.removed, org, Present{});
    return Applied{};
}

Result<void> check_authority(const Tables& tables, TokenKey key, const Digest& secret) {
    const auto token = tables.tokens.find(key);
    if (token == tables.tokens.end() || !token->second.active ||
        (token->second.hash != secret && token->second.previous_hash != secret)) {
        return refuse(ErrorCode::Revoked, "the token was switched off");
    }
    const auto connector = tables.connectors.find(token->second.connector);
    if (connector == tables.connectors.end()) {
        return refuse(ErrorCode::Revoked, "the connector was removed");
    }
    if (connector->second.state == ConnectorState::Paused) {
        return refuse(ErrorCode::Paused, "the connector was paused");
    }
    return {};
}

}  // namespace

Result<Committed> apply(Tables& tables, const WriteSet& set) {
    if (set.token != TokenKey{}) TRY_VOID(check_authority(tables, set.token, set.secret));
    if (set.definitions) {
        const auto org = tables.organisations.find(set.org);
        if (org == tables.organisations.end() || org->second.definitions != *set.definitions) {
            return refuse(ErrorCode::Superseded, "the organisation's schemas were changed");
        }
    }
    Application application(tables, set.org);
    Committed committed;
    for (const Mutation& mutation : set.mutations) {
        TRY_ASSIGN(const Applied applied, std::visit(application, mutation));
        committed.applied.push_back(applied);
    }
    application.keep();
    return committed;
}

bool clear_a_removed_one(Tables& tables, std::size_t rows) {
    if (tables.removed.empty()) return false;
    const OrgKey org = tables.removed.begin()->first;
    bool more = false;
    const auto clear = [&](auto& table, const auto& is_of_org) {
        if (more) return;
        std::size_t left = rows;
        std::erase_if(table, [&](const auto& row) {
            if (!is_of_org(row.first, row.second)) return false;
            if (left == 0) more = true;
            return left > 0 && left-- > 0;
        });
    };
    const auto by_key = [org](const auto& key, const auto&) { return std::get<0>(key) == org; };
    const auto by_value = [org](const auto&, const auto& value) { return value.org == org; };
    clear(tables.members, by_key);
    clear(tables.groups, by_key);
    clear(tables.indexed, by_key);
    clear(tables.unique, by_key);
    clear(tables.live, by_key);
    clear(tables.ids, by_key);
    clear(tables.resources, by_value);
    clear(tables.log, by_value);
    if (!more) tables.removed.erase(org);
    return true;
}

namespace {

/// `from` and all that can be reached from it by rows of `table`, of those that `wanted` lets in.
template <class Wanted>
std::set<Rid> reachable(const std::map<std::tuple<OrgKey, Rid, Rid>, Present>& table, OrgKey org,
                        Rid from, Wanted wanted) {
    std::set<Rid> reached{from};
    std::vector<Rid> open{from};
    while (!open.empty()) {
        const Rid at = open.back();
        open.pop_back();
        for (auto row = table.lower_bound({org, at, Rid{}});
             row != table.end() && std::get<0>(row->first) == org && std::get<1>(row->first) == at;
             ++row) {
            const Rid next = std::get<2>(row->first);
            if (wanted(next) && reached.insert(next).second) open.push_back(next);
        }
    }
    return reached;
}

}  // namespace

std::set<Rid> groups_above(const Tables& tables, OrgKey org, Rid group) {
    return reachable(tables.groups, org, group, [](Rid) { return true; });
}

std::set<Rid> groups_within(const Tables& tables, OrgKey org, Rid group) {
    return reachable(tables.members, org, group, [&](Rid member) {
        const Row* row = tables.live_row(org, member);
        return row != nullptr && row->record.type == "Group";
    });
}

const Row* Tables::live_row(OrgKey org, Rid rid) const {
    const auto place = resources.find(rid);
    if (place == resources.end()) return nullptr;
    const Row& row = place->second;
    return row.org == org && !row.deleted ? &row : nullptr;
}

const Row* Tables::live_row(OrgKey org, const std::string& id) const {
    const auto place = ids.find({org, id});
    return place == ids.end() ? nullptr : live_row(org, place->second);
}

}  // namespace muster::store::memory
