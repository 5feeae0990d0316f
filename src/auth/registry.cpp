#include "auth/registry.hpp"

#include <algorithm>
#include <array>

namespace muster::auth {

namespace {

constexpr std::int64_t kNever = 0;

Policy policy_of(const store::Connector& connector) {
    // What stands in the store passed Policy::parse before it was written; a policy that an older
    // version cannot read falls back to the defaults, which are the strictest.
    return Policy::parse(connector.policy).value_or(Policy{});
}

const TokenEntry* find_token(const ConnectorEntry& connector, std::string_view id) {
    const auto found = std::ranges::find(
        connector.tokens, id,
        [](const TokenEntry& entry) -> std::string_view { return entry.token.id; });
    return found == connector.tokens.end() ? nullptr : &*found;
}

TokenEntry entry_of(const store::Token& token) {
    return {token, std::make_shared<LastUse>(token.last_used, token.last_used_from)};
}

/// With the catalogue of `known`, where that was made of the same definitions.
OrganisationEntry entry_of(const store::Organisation& organisation,
                           const OrganisationEntry* known = nullptr) {
    if (known != nullptr && known->organisation.definitions == organisation.definitions) {
        return {organisation, known->catalog};
    }
    // What stands in the store passed Catalog::with before it was written.
    auto catalog = scim::Catalog::with(organisation.definitions);
    return {organisation, catalog ? *std::move(catalog) : scim::Catalog::standard()};
}

}  // namespace

LastUse::LastUse(std::optional<Timestamp> used, std::string from)
    : used_ms_(used ? used->ms : kNever), from_(std::move(from)), saved_ms_(used_ms_.load()) {}

void LastUse::note(Timestamp now, std::string_view from) {
    if (now.ms - used_ms_.load(std::memory_order_relaxed) < 1000) return;
    const std::lock_guard lock(mutex_);
    used_ms_.store(now.ms, std::memory_order_relaxed);
    from_ = from;
}

std::optional<LastUse::Use> LastUse::get() const {
    const std::lock_guard lock(mutex_);
    if (used_ms_.load() == kNever) return std::nullopt;
    return Use{{used_ms_.load()}, from_};
}

std::optional<LastUse::Use> LastUse::unsaved() const {
    const std::lock_guard lock(mutex_);
    if (used_ms_.load() == saved_ms_) return std::nullopt;
    return Use{{used_ms_.load()}, from_};
}

void LastUse::note_saved(Timestamp used) {
    const std::lock_guard lock(mutex_);
    saved_ms_ = used.ms;
}

void LastUse::learn(Timestamp used, std::string_view from) {
    const std::lock_guard lock(mutex_);
    if (used.ms <= used_ms_.load()) return;
    used_ms_.store(used.ms);
    saved_ms_ = used.ms;
    from_ = from;
}

std::string_view to_string(Refusal refusal) {
    static constexpr std::array<std::string_view, 10> kNames{
        "missing-credential", "not-a-token",  "bad-checksum", "unknown-token", "other-connector",
        "wrong-secret",       "wrong-scheme", "inactive",     "expired",       "no-such-connector"};
    return kNames[static_cast<std::size_t>(refusal)];
}

ConnectorPtr Registry::connector(std::string_view id) const {
    const auto current = snapshot();
    const auto found = current->by_id.find(std::string{id});
    return found == current->by_id.end() ? nullptr : found->second;
}

ConnectorPtr Registry::connector_of_slug(std::string_view slug) const {
    ConnectorPtr only;
    const auto current = snapshot();
    for (const auto& [id, entry] : current->by_id) {
        if (entry->organisation.slug != slug) continue;
        if (only) return nullptr;
        only = entry;
    }
    return only;
}

std::expected<Principal, Denied> Registry::authenticate(const ConnectorPtr& connector,
                                                        std::string_view authorization,
                                                        Timestamp now,
                                                        std::string_view peer) const {
    const auto deny = [](Refusal refusal, std::string token_id = {}) {
        return std::unexpected(Denied{refusal, std::move(token_id)});
    };
    const auto credential = parse_authorization(authorization);
    if (!credential) return deny(Refusal::MissingCredential);
    const auto text = credential->token.reveal();
    const auto parsed = parse_token(text);
    if (parsed.defect == Defect::NotAToken) return deny(Refusal::NotAToken);
    if (parsed.defect == Defect::BadChecksum) return deny(Refusal::BadChecksum);
    // Only behind what is wrong wherever it is sent, and answered as the next two are
    // (api/failure_text): a stranger learns of no connector.
    if (!connector) return deny(Refusal::NoSuchConnector);
    if (!parsed.id.starts_with(connector->connector.id)) return deny(Refusal::OtherConnector);

    const TokenEntry* entry = find_token(*connector, parsed.id);
    if (entry == nullptr) return deny(Refusal::UnknownToken);
    const auto& token = entry->token;
    const Digest digest = hash_(text);
    const bool current = equal_in_constant_time(digest, token.hash);
    const bool previous =
        token.previous_hash && equal_in_constant_time(digest, *token.previous_hash);
    if (!current && !previous) return deny(Refusal::WrongSecret, token.id);
    if (token.kind != credential->kind) return deny(Refusal::WrongScheme, token.id);
    if (!token.active) return deny(Refusal::Inactive, token.id);
    const auto expires = current ? token.expires : token.previous_expires.value_or(token.expires);
    if (expires <= now) return deny(Refusal::Expired, token.id);

    entry->last_use->note(now, peer);
    return Principal{.connector = connector,
                     .token = token.key,
                     .token_id = token.id,
                     .secret = digest,
                     .bare = credential->bare,
                     .retires_previous = current && token.previous_hash.has_value()};
}

Standing Registry::standing(const Principal& principal) const {
    const auto now = connector(principal.connector->connector.id);
    if (!now || now->connector.key != principal.connector->connector.key) return Standing::Gone;
    if (principal.token != TokenKey{}) {
        const auto token = std::ranges::find(now->tokens, principal.token,
                                             [](const TokenEntry& one) { return one.token.key; });
        if (token == now->tokens.end() || !token->token.active) return Standing::Gone;
        const store::Token& known = token->token;
        if (known.hash != principal.secret && known.previous_hash != principal.secret) {
            return Standing::Gone;
        }
    }
    return now->connector.state == store::ConnectorState::Paused ? Standing::Paused
                                                                 : Standing::Good;
}

template <class Change>
void Registry::change(Change change) {
    const std::lock_guard lock(writing_);
    auto next = std::make_shared<Snapshot>(*snapshot_.load());
    change(*next);
    snapshot_.store(std::move(next));
    ++generation_;
}

void Registry::load(const store::Directory& directory) {
    // What was noted of a token's use outlives a loading anew.
    std::unordered_map<TokenKey, std::shared_ptr<LastUse>> uses;
    const auto before = snapshot();
    for (const auto& [id, connector] : before->by_id) {
        for (const auto& entry : connector->tokens) uses.emplace(entry.token.key, entry.last_use);
    }
    std::unordered_map<OrgKey, OrganisationEntry> organisations;
    std::unordered_map<ConnectorKey, std::shared_ptr<ConnectorEntry>> connectors;
    auto next = std::make_shared<Snapshot>();
    for (const auto& organisation : directory.organisations) {
        const auto known = before->by_slug.find(organisation.slug);
        const auto entry =
            entry_of(organisation, known == before->by_slug.end() ? nullptr : &known->second);
        organisations.emplace(organisation.key, entry);
        next->by_slug.emplace(organisation.slug, entry);
    }
    for (const auto& connector : directory.connectors) {
        const auto organisation = organisations.find(connector.org);
        if (organisation == organisations.end()) continue;
        auto entry = std::make_shared<ConnectorEntry>();
        entry->connector = connector;
        entry->organisation = organisation->second.organisation;
        entry->catalog = organisation->second.catalog;
        entry->policy = policy_of(connector);
        connectors.emplace(connector.key, entry);
        next->by_id.emplace(connector.id, entry);
    }
    for (const auto& token : directory.tokens) {
        const auto connector = connectors.find(token.connector);
        if (connector == connectors.end()) continue;
        const auto use = uses.find(token.key);
        if (use == uses.end()) {
            connector->second->tokens.push_back(entry_of(token));
            continue;
        }
        if (token.last_used) use->second->learn(*token.last_used, token.last_used_from);
        connector->second->tokens.push_back({token, use->second});
    }
    const std::lock_guard lock(writing_);
    snapshot_.store(std::move(next));
    ++generation_;
    version_ = directory.version;
}

void Registry::put(const store::Organisation& organisation) {
    change([&](Snapshot& next) {
        const auto entry = entry_of(organisation);
        next.by_slug.insert_or_assign(organisation.slug, entry);
        for (auto& [id, known] : next.by_id) {
            if (known->connector.org != organisation.key) continue;
            auto connector = std::make_shared<ConnectorEntry>(*known);
            connector->organisation = organisation;
            connector->catalog = entry.catalog;
            known = std::move(connector);
        }
    });
}

void Registry::put(const store::Connector& connector) {
    change([&](Snapshot& next) {
        auto entry = std::make_shared<ConnectorEntry>();
        if (const auto known = next.by_id.find(connector.id); known != next.by_id.end()) {
            *entry = *known->second;
        } else {
            for (const auto& [slug, organisation] : next.by_slug) {
                if (organisation.organisation.key != connector.org) continue;
                entry->organisation = organisation.organisation;
                entry->catalog = organisation.catalog;
            }
        }
        entry->connector = connector;
        entry->policy = policy_of(connector);
        next.by_id.insert_or_assign(connector.id, std::move(entry));
    });
}

void Registry::put(const store::Token& token) {
    change([&](Snapshot& next) {
        for (auto& [id, known] : next.by_id) {
            if (known->connector.key != token.connector) continue;
            auto entry = std::make_shared<ConnectorEntry>(*known);
            const auto same = std::ranges::find(entry->tokens, token.key,
                                                [](const TokenEntry& t) { return t.token.key; });
            if (same == entry->tokens.end()) {
                entry->tokens.push_back(entry_of(token));
            } else {
                same->token = token;
            }
            known = std::move(entry);
            return;
        }
    });
}

void Registry::remove(const store::Token& token) {
    change([&](Snapshot& next) {
        for (auto& [id, known] : next.by_id) {
            if (known->connector.key != token.connector) continue;
            auto entry = std::make_shared<ConnectorEntry>(*known);
            std::erase_if(entry->tokens,
                          [&](const TokenEntry& t) { return t.token.key == token.key; });
            known = std::move(entry);
            return;
        }
    });
}

void Registry::remove(const store::Organisation& organisation) {
    change([&](Snapshot& next) {
        next.by_slug.erase(organisation.slug);
        std::erase_if(next.by_id, [&](const auto& item) {
            return item.second->connector.org == organisation.key;
        });
    });
}

}  // namespace muster::auth
