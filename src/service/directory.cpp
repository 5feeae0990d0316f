#include "service/directory.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "auth/token.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "scim/dialect/dialect.hpp"
#include "scim/resource/resource.hpp"
#include "service/default_roles.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

constexpr std::size_t kMaxNameBytes = 200;
constexpr std::size_t kMaxSlugBytes = 63;  // a DNS label
constexpr std::size_t kCheckedTogether = 500;

bool is_slug(std::string_view slug) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    return !slug.empty() && slug.size() <= kMaxSlugBytes && std::ranges::all_of(slug, allowed) &&
           slug.front() != '-' && slug.back() != '-';
}

/// "ACME, Inc." becomes "acme-inc"; empty where no letter or digit is left.
std::string slug_from(std::string_view name) {
    std::string slug;
    for (char c : to_lower_ascii(name)) {
        const bool keeps = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (keeps) {
            slug.push_back(c);
        } else if (!slug.empty() && slug.back() != '-') {
            slug.push_back('-');
        }
    }
    slug.resize(std::min(slug.size(), kMaxSlugBytes));
    while (!slug.empty() && slug.back() == '-') slug.pop_back();
    return slug;
}

std::string known_dialects() {
    std::string names;
    for (const auto& dialect : scim::dialects()) {
        if (!names.empty()) names += ", ";
        names += dialect.name();
    }
    return names;
}

std::unexpected<Problem> invalid(std::string detail, std::string remedy = {}) {
    return std::unexpected(Problem{400, "Invalid request", std::move(detail), std::move(remedy)});
}

std::unexpected<Problem> unavailable(const store::Error& error) {
    return std::unexpected(
        Problem{503, "Unavailable", error.message,
                "Look at the server's log, its database and its disk, then try again."});
}

std::unexpected<Problem> unknown_idp(std::string_view idp) {
    return invalid(fmt::format("\"{}\" is no known identity provider.", idp),
                   fmt::format("Choose one of {}.", known_dialects()));
}

std::unexpected<Problem> missing(std::string_view what, std::string_view id, std::string remedy) {
    return std::unexpected(Problem{
        404, "Not found", fmt::format("There is no {} \"{}\".", what, id), std::move(remedy)});
}

Outcome<void> check_name(std::string_view name) {
    if (name.empty() || name.size() > kMaxNameBytes) {
        return invalid(fmt::format("A name has 1 to {} bytes.", kMaxNameBytes));
    }
    if (!is_valid_utf8(name) || !forbidden_in_identifier(name).empty()) {
        return invalid("A name must be UTF-8 text without control characters.");
    }
    return {};
}

constexpr std::int64_t kNoVersion = -1;  // any that there is is newer
constexpr std::chrono::seconds kMostBehind{1};
constexpr std::chrono::seconds kLearningPatience{5};
constexpr std::chrono::milliseconds kFirstLearningPause{5};
constexpr std::chrono::milliseconds kLongestLearningPause{320};

Timestamp after(Timestamp now, std::chrono::days life) {
    return {now.ms + std::chrono::duration_cast<std::chrono::milliseconds>(life).count()};
}

std::string merge_settings(std::string_view stored, const json::Object& settings) {
    json::Value merged =
        stored.empty() ? json::Value(json::Object{}) : json::parse(stored).value_or(json::Object{});
    for (const auto& [name, value] : settings) merged.get_object()[name] = value;
    return json::to_text(merged);
}

}  // namespace

std::string_view state_of(const store::Token& token, Timestamp now) {
    if (token.expires <= now) return "expired";
    return token.active ? "active" : "inactive";
}

Directory::Directory(const Core& core, DirectoryLimits limits) : core_(core), limits_(limits) {}

Task<TurnQueue::Turn> Directory::begin_change() {
    auto turn = co_await changes_.take();
    const auto asked = BootClock::now();
    const auto newer = co_await core_.store.directory_since(core_.registry.version());
    if (newer && *newer) core_.registry.load(**newer);
    if (newer) asked_ = std::max(asked_.load(), asked);
    co_return turn;
}

bool Directory::is_current(BootClock::time_point then) const {
    return asked_.load() >= then - kMostBehind;
}

// A process that stood still, or whose database did, finds requests that wait, and would answer
// them by what it knew before.
Task<bool> Directory::becomes_current(BootClock::time_point then) const {
    if (is_current(then)) co_return true;
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    const auto end = std::chrono::steady_clock::now() + kLearningPatience;
    // Soon at first, as a rule that suffices; then seldom, for thousands may wait.
    for (auto pause = kFirstLearningPause; std::chrono::steady_clock::now() < end;
         pause = std::min(2 * pause, kLongestLearningPause)) {
        timer.expires_after(pause);
        co_await timer.async_wait(boost::asio::use_awaitable);
        if (is_current(then)) co_return true;
    }
    co_return false;
}

// Without the turn where nothing is new: who holds it may wait for locks of others, and reads for
// this.
Task<void> Directory::follow() {
    const auto asked = BootClock::now();
    const auto newer = co_await core_.store.directory_since(core_.registry.version());
    if (!newer) co_return;
    if (*newer) {
        const auto turn = co_await begin_change();
    } else {
        asked_ = std::max(asked_.load(), asked);
    }
}

Task<Outcome<void>> Directory::write(store::Mutation mutation, OrgKey org) {
    std::vector<store::Mutation> mutations;
    mutations.push_back(std::move(mutation));
    co_return co_await write(std::move(mutations), org);
}

Task<Outcome<void>> Directory::write(std::vector<store::Mutation> mutations, OrgKey org) {
    store::WriteSet set;
    set.org = org;
    set.mutations = std::move(mutations);
    set.directory_version = core_.registry.version();
    const auto committed = co_await core_.store.commit(std::move(set));
    if (committed) {
        core_.registry.note_own_change();
        co_return Outcome<void>{};
    }
    if (committed.error().code == store::ErrorCode::VersionMismatch) {
        co_return std::unexpected(
            Problem{409, "Conflict", "Another node changed the organisations at the same time.",
                    "Look at what there is now, then try again."});
    }
    if (committed.error().code == store::ErrorCode::Superseded) {
        co_return std::unexpected(Problem{409, "In use",
                                          "Resources that this does not fit were made just now.",
                                          "Try again to be told which."});
    }
    if (committed.error().code == store::ErrorCode::DirectoryConflict) {
        co_return std::unexpected(
            Problem{409, "Conflict", committed.error().message, "Choose another name."});
    }
    co_return unavailable(committed.error());
}

Outcome<auth::ConnectorPtr> Directory::known_connector(std::string_view id) const {
    auto connector = core_.registry.connector(id);
    if (!connector) return missing("connector", id, "List them: muster connector list");
    return connector;
}

Outcome<store::Token> Directory::known_token(std::string_view id) const {
    const auto connector =
        core_.registry.connector(id.substr(0, std::min(id.size(), auth::kConnectorIdLength)));
    if (connector) {
        for (const auto& entry : connector->tokens) {
            if (entry.token.id != id) continue;
            auto token = entry.token;
            if (auto use = entry.last_use->get()) {
                token.last_used = use->used;
                token.last_used_from = std::move(use->from);
            }
            return token;
        }
    }
    return missing("token", id, "List them: muster token list");
}

Task<Outcome<store::Organisation>> Directory::create_organisation(std::string name,
                                                                  std::string slug) {
    CO_TRY_VOID(check_name(name));
    if (slug.empty()) slug = slug_from(name);
    if (!is_slug(slug)) {
        co_return invalid(
            slug.empty() ? fmt::format("No slug can be made of \"{}\".", name)
                         : fmt::format("\"{}\" cannot be a slug.", slug),
            "Give one with --slug: lower-case letters, digits and hyphens, at most 63.");
    }
    const auto turn = co_await begin_change();
    if (core_.registry.snapshot()->by_slug.contains(slug)) {
        co_return std::unexpected(Problem{409, "Conflict",
                                          fmt::format("The slug \"{}\" is taken.", slug),
                                          "Choose another with --slug."});
    }
    const store::Organisation organisation{.key = core_.ids.next_key<OrgKey>(),
                                           .slug = slug,
                                           .name = name,
                                           .created = core_.clock.now(),
                                           .definitions = {}};
    auto mutations = make_default_roles(core_);
    mutations.insert(mutations.begin(), store::PutOrganisation{organisation});
    CO_TRY_VOID(co_await write(std::move(mutations), organisation.key));
    core_.registry.put(organisation);
    co_return organisation;
}

Task<Outcome<auth::OrganisationEntry>> Directory::set_definitions(std::string slug,
                                                                  std::string definitions) {
    co_await follow();
    CO_TRY_ASSIGN(const auto before, known_organisation(slug));
    const auto catalog = scim::Catalog::with(definitions);
    if (!catalog) {
        co_return invalid(catalog.error().detail, "Correct the file and set it again.");
    }
    if (auto fault = scim::fault_of(**catalog); !fault.empty()) {
        co_return invalid(std::move(fault), "Correct the file and set it again.");
    }
    // A look at everybody may take a minute, in which others change other things.
    CO_TRY_VOID(co_await types_to_stay_empty(before, **catalog));
    CO_TRY_VOID(co_await check_stored(before, **catalog));

    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(const auto now, known_organisation(slug));
    auto organisation = now.organisation;
    if (organisation.key != before.organisation.key ||
        organisation.definitions != before.organisation.definitions) {
        co_return std::unexpected(Problem{409, "Conflict",
                                          "The definitions were changed at the same time.",
                                          "Look at what there is now, then try again."});
    }
    CO_TRY_ASSIGN(auto empty, co_await types_to_stay_empty(now, **catalog));
    organisation.definitions = std::move(definitions);
    // From here on the store refuses what was checked by the definitions before.
    store::Mutation mutation{store::PutOrganisation{organisation, std::move(empty)}};
    CO_TRY_VOID(co_await write(std::move(mutation), organisation.key));
    core_.registry.put(organisation);
    co_return auth::OrganisationEntry{organisation, *catalog};
}

Outcome<auth::OrganisationEntry> Directory::known_organisation(const std::string& slug) const {
    const auto snapshot = core_.registry.snapshot();
    const auto found = snapshot->by_slug.find(slug);
    if (found == snapshot->by_slug.end()) {
        return missing("organisation", slug, "List them: muster org list");
    }
    return found->second;
}

Task<Outcome<std::vector<store::TypeName>>> Directory::types_to_stay_empty(
    const auth::OrganisationEntry& organisation, const scim::Catalog& catalog) const {
    std::vector<store::TypeName> empty;
    for (const auto& before : organisation.catalog->types()) {
        const auto conflict = scim::conflict_of(*before, catalog.type_named(before->name));
        if (conflict.empty()) continue;
        const auto live = co_await core_.store.count(organisation.organisation.key,
                                                     store::make_plan(*before, nullptr));
        if (!live) co_return unavailable(live.error());
        if (*live > 0) {
            co_return std::unexpected(
                Problem{409, "In use",
                        fmt::format("There are {} resources of the type {}: {}", *live,
                                    before->name, conflict),
                        "Remove those resources first, or keep that part as it is."});
        }
        empty.push_back(before->name);
    }
    co_return empty;
}

/// Values that were stored when an attribute was another one, or none, must fit it now.
Task<Outcome<void>> Directory::check_stored(const auth::OrganisationEntry& organisation,
                                            const scim::Catalog& catalog) const {
    for (const auto& before : organisation.catalog->types()) {
        const auto* after = catalog.type_named(before->name);
        if (after == nullptr || !scim::has_more_attributes(*before, *after)) continue;
        const auto everything = store::make_plan(*before, nullptr);
        store::Stretch stretch{.limit = kCheckedTogether};
        for (bool more = true; more;) {
            auto slice =
                co_await core_.store.query(organisation.organisation.key, everything, stretch);
            if (!slice) co_return unavailable(slice.error());
            for (const auto& record : slice->records) {
                const auto misfit =
                    scim::misfit_of(*before, *after, parse_document(record.document));
                if (misfit.empty()) continue;
                co_return std::unexpected(Problem{
                    409, "In use",
                    fmt::format("The {} {} holds a value under {} that does not fit the new "
                                "attribute.",
                                before->name, record.id, misfit),
                    "Give the attribute another name or the type of that value, or remove it."});
            }
            more = slice->more;
            if (more) stretch.behind = slice->records.back().rid;
            co_await step_aside();
        }
    }
    co_return Outcome<void>{};
}

Task<Outcome<void>> Directory::remove_organisation(std::string slug) {
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(const auto known, known_organisation(slug));
    const auto& organisation = known.organisation;
    store::Mutation mutation{store::RemoveOrganisation{organisation.key}};
    CO_TRY_VOID(co_await write(std::move(mutation), organisation.key));
    core_.registry.remove(organisation);
    co_return Outcome<void>{};
}

Task<Outcome<auth::ConnectorPtr>> Directory::create_connector(NewConnector request) {
    const auto* dialect = scim::find_dialect(request.idp);
    if (dialect == nullptr) co_return unknown_idp(request.idp);
    if (request.name.empty()) request.name = dialect->client();
    CO_TRY_VOID(check_name(request.name));
    const auto turn = co_await begin_change();
    const auto snapshot = core_.registry.snapshot();
    const auto organisation = snapshot->by_slug.find(request.org_slug);
    if (organisation == snapshot->by_slug.end()) {
        co_return missing("organisation", request.org_slug, "List them: muster org list");
    }
    const store::Connector connector{.key = core_.ids.next_key<ConnectorKey>(),
                                     .org = organisation->second.organisation.key,
                                     .id = auth::new_connector_id(),
                                     .idp = request.idp,
                                     .name = request.name,
                                     .state = store::ConnectorState::Active,
                                     .policy = "{}",
                                     .created = core_.clock.now()};
    store::Mutation mutation{store::PutConnector{connector}};
    CO_TRY_VOID(co_await write(std::move(mutation), connector.org));
    core_.registry.put(connector);
    co_return core_.registry.connector(connector.id);
}

Task<Outcome<auth::ConnectorPtr>> Directory::set_state(std::string connector_id,
                                                       store::ConnectorState state) {
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(const auto known, known_connector(connector_id));
    auto connector = known->connector;
    connector.state = state;
    store::Mutation mutation{store::PutConnector{connector}};
    CO_TRY_VOID(co_await write(std::move(mutation), connector.org));
    core_.registry.put(connector);
    co_return core_.registry.connector(connector.id);
}

Task<Outcome<auth::ConnectorPtr>> Directory::change_connector(std::string connector_id,
                                                              ConnectorChange change) {
    if (change.idp && scim::find_dialect(*change.idp) == nullptr) {
        co_return unknown_idp(*change.idp);
    }
    if (change.name) CO_TRY_VOID(check_name(*change.name));
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(const auto known, known_connector(connector_id));
    const auto parsed = json::parse(change.policy);
    if (!parsed || !parsed->is_object()) co_return invalid("A policy is a JSON object.");
    auto connector = known->connector;
    if (change.idp) connector.idp = *change.idp;
    if (change.name) connector.name = *change.name;
    connector.policy = merge_settings(connector.policy, parsed->get_object());
    const auto policy = auth::Policy::parse(connector.policy);
    if (!policy) co_return invalid(policy.error());
    store::Mutation mutation{store::PutConnector{connector}};
    CO_TRY_VOID(co_await write(std::move(mutation), connector.org));
    core_.registry.put(connector);
    co_return core_.registry.connector(connector.id);
}

Task<Outcome<IssuedToken>> Directory::generate_token(NewToken request) {
    if (request.life < std::chrono::days{1} || request.life > limits_.longest_life) {
        co_return invalid(fmt::format("A token lives 1 to {} days.", limits_.longest_life.count()),
                          "Give --expires, for example --expires 365d.");
    }
    if (request.name.empty()) request.name = "SCIM token";
    CO_TRY_VOID(check_name(request.name));
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(const auto connector, known_connector(request.connector_id));
    if (connector->tokens.size() >= limits_.tokens_per_connector) {
        co_return std::unexpected(
            Problem{409, "Too many tokens",
                    fmt::format("The connector already has {} tokens, which is the limit.",
                                connector->tokens.size()),
                    "Renew one of them (muster token renew) or remove one (muster token remove)."});
    }
    const auto now = core_.clock.now();
    store::Token token{.key = core_.ids.next_key<TokenKey>(),
                       .connector = connector->connector.key,
                       .id = auth::new_token_id(connector->connector.id),
                       .name = request.name,
                       .kind = request.kind,
                       .active = true,
                       .hash = {},
                       .previous_hash = {},
                       .previous_expires = {},
                       .created_by = request.created_by,
                       .created = now,
                       .expires = after(now, request.life),
                       .last_used = {},
                       .last_used_from = {}};
    auto secret = auth::new_token(token.id);
    token.hash = core_.registry.hash(secret.reveal());
    CO_TRY_ASSIGN(auto stored, co_await put_token(std::move(token)));
    co_return IssuedToken{std::move(stored), std::move(secret)};
}

Task<Outcome<store::Token>> Directory::put_token(store::Token token) {
    store::Mutation mutation{store::PutToken{token}};
    CO_TRY_VOID(co_await write(std::move(mutation), OrgKey{}));
    core_.registry.put(token);
    co_return token;
}

Task<Outcome<store::Token>> Directory::set_token_active(std::string token_id, bool active) {
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(auto token, known_token(token_id));
    if (active && token.expires <= core_.clock.now()) {
        co_return std::unexpected(Problem{409, "Expired", "An expired token cannot be activated.",
                                          "Renew it: muster token renew " + token.id});
    }
    token.active = active;
    co_return co_await put_token(std::move(token));
}

Task<Outcome<IssuedToken>> Directory::renew_token(std::string token_id) {
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(auto token, known_token(token_id));
    const auto now = core_.clock.now();
    auto secret = auth::new_token(token.id);
    if (!token.active) {
        co_return std::unexpected(Problem{409, "Inactive", "The token is switched off.",
                                          "Activate it first: muster token activate " + token.id});
    }
    // The secret in use stays good. Where that is still the one before the last renewal, the one
    // that nobody ever used goes. That of an expired token must not come back with its successor.
    const bool last_was_never_used = token.previous_hash.has_value();
    if (token.expires <= now) {
        token.previous_hash.reset();
        token.previous_expires.reset();
    } else if (!last_was_never_used) {
        token.previous_hash = token.hash;
        token.previous_expires = token.expires;
    }
    token.hash = core_.registry.hash(secret.reveal());
    token.expires = after(now, std::chrono::days{365});
    CO_TRY_ASSIGN(auto stored, co_await put_token(std::move(token)));
    co_return IssuedToken{std::move(stored), std::move(secret)};
}

Task<Outcome<store::Token>> Directory::remove_token(std::string token_id) {
    const auto turn = co_await begin_change();
    CO_TRY_ASSIGN(auto token, known_token(token_id));
    store::Mutation mutation{store::RemoveToken{token.key}};
    CO_TRY_VOID(co_await write(std::move(mutation), OrgKey{}));
    core_.registry.remove(token);
    co_return token;
}

Task<void> Directory::retire_previous_secret(std::string token_id) {
    const auto turn = co_await begin_change();
    auto token = known_token(token_id);
    if (!token || !token->previous_hash) co_return;
    token->previous_hash.reset();
    token->previous_expires.reset();
    // Memory first: the old secret is refused from here on even if the disk fails.
    core_.registry.put(*token);
    auto retired = std::move(*token);
    (void)co_await put_token(std::move(retired));
}

Task<void> Directory::save_last_uses() {
    // In the order of keys on every node: two that update the same tokens must not wait in a
    // circle.
    std::map<TokenKey, std::pair<std::shared_ptr<auth::LastUse>, auth::LastUse::Use>> unsaved;
    const auto snapshot = core_.registry.snapshot();
    for (const auto& [id, connector] : snapshot->by_id) {
        for (const auto& entry : connector->tokens) {
            if (auto use = entry.last_use->unsaved()) {
                unsaved.try_emplace(entry.token.key, entry.last_use, *std::move(use));
            }
        }
    }
    if (unsaved.empty()) co_return;
    store::WriteSet set;
    for (const auto& [key, last] : unsaved) {
        set.mutations.emplace_back(store::TouchToken{key, last.second.used, last.second.from});
    }
    if (!co_await core_.store.commit(std::move(set))) co_return;
    for (const auto& [key, last] : unsaved) last.first->note_saved(last.second.used);
}

Task<void> Directory::learn_last_uses() {
    const auto turn = co_await changes_.take();
    const auto saved = co_await core_.store.directory_since(kNoVersion);
    if (saved && *saved) core_.registry.load(**saved);
}

}  // namespace muster::service
