#include "service/resources.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <utility>

#include <boost/json/monotonic_resource.hpp>
#include <fmt/format.h>

#include "base/result.hpp"
#include "service/attempts.hpp"
#include "service/dialect.hpp"
#include "service/etag.hpp"
#include "service/manager.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

bool wants(const scim::ResourceType& type, const scim::Projection& projection,
           std::string_view name) {
    const auto* attribute = type.find(name);
    return attribute != nullptr && projection.wants(*attribute);
}

/// What a creation stores, as texts and keys: no tree of values waits with it for the commit.
struct Creation {
    std::string document;
    std::string display;
    bool active = true;
    std::vector<scim::IndexKey> unique;
    std::vector<scim::IndexKey> index;
    std::vector<std::string> members;
    std::string manager;  ///< an id; empty: none
    /// Where the log does not keep the request, which says it all.
    std::vector<scim::Change> changes;
    provlog::Record::Mark read;  ///< behind the reading of the body
};

/// Reads a body, prepares and notes it. No coroutine: its values lie on the stack.
scim::Result<Creation> read_creation(const Core& core, Call& call, const scim::ResourceType& type,
                                     std::string_view body, std::string_view id) {
    // The values of a person fit into it, and go with it at once.
    std::array<unsigned char, std::size_t{16} << 10> memory;
    boost::json::monotonic_resource values(memory.data(), memory.size());
    TRY_ASSIGN(const auto value,
               read_body(call, core.limits, type, scim::Verb::Create, body, &values));
    auto read = call.record.mark();
    TRY_ASSIGN(auto prepared, scim::prepare(type, value, nullptr, limits_for(core, call).values));
    TRY_VOID(take_notes(call, prepared.notes));
    const auto& document = prepared.document;
    Creation creation{.document = document_text(document, id),
                      .display = display_of(type, document),
                      .active = scim::is_active(document),
                      .unique = scim::unique_keys(type, document),
                      .index = scim::index_keys(type, document),
                      .members = std::move(prepared.members).value_or(std::vector<std::string>{}),
                      .manager = std::string{manager_of(document)},
                      .changes = {},
                      .read = std::move(read)};
    if (!call.record.keeps_request()) creation.changes = scim::diff(type, {}, document);
    return creation;
}

}  // namespace

Task<store::Result<std::optional<std::vector<store::Reference>>>> Resources::members_of(
    OrgKey org, Rid group) const {
    constexpr std::size_t kSlice = 1000;
    std::vector<store::Reference> members;
    Rid after{};
    while (members.size() < core_.limits.max_members_held) {
        const std::size_t room = core_.limits.max_members_held - members.size();
        CO_TRY_ASSIGN(auto slice,
                      co_await core_.store.members_of(org, group, after, std::min(kSlice, room)));
        if (!slice.references.empty()) after = slice.references.back().rid;
        std::ranges::move(slice.references, std::back_inserter(members));
        if (!slice.more) co_return members;
    }
    co_return std::nullopt;
}

Task<store::Result<void>> Resources::show(Answer& answer, const Call& call, View view,
                                          store::Record record, Relations relations) const {
    const Renderer renderer(call.catalog(), call.base_url);
    if (!view.wants_members()) {
        answer.body = renderer.render(*view.type, record, relations, view.projection);
        co_return store::Result<void>();
    }
    std::vector<View> views;
    views.push_back(std::move(view));
    std::vector<Shown> resources;
    resources.push_back(
        {.view = 0, .record = std::move(record), .relations = std::move(relations)});
    auto pieces = std::make_shared<Pieces>(core_, call, std::move(views), std::move(resources));
    co_return co_await service::show(answer, std::move(pieces));
}

Task<store::Result<std::vector<Relations>>> Resources::relations(
    OrgKey org, const scim::ResourceType& type, std::span<const store::Record* const> records,
    const scim::Projection& projection) const {
    std::vector<Rid> rids;
    rids.reserve(records.size());
    for (const store::Record* record : records) rids.push_back(record->rid);
    std::vector<Relations> relations(rids.size());
    if (wants(type, projection, "groups")) {
        CO_TRY_ASSIGN(auto groups, co_await core_.store.groups_of(org, rids));
        for (std::size_t i = 0; i < rids.size(); ++i) relations[i].groups = std::move(groups[i]);
    }
    if (wants_manager(type, projection))
        CO_TRY_VOID(co_await add_managers(org, records, relations));
    co_return relations;
}

Task<store::Result<void>> Resources::add_managers(OrgKey org,
                                                  std::span<const store::Record* const> records,
                                                  std::vector<Relations>& relations) const {
    std::unordered_map<std::string, std::vector<std::size_t>> reports;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto manager = manager_in(records[i]->document);
        if (manager) reports[manager->id()].push_back(i);
    }
    reports.erase("");
    if (reports.empty()) co_return store::Result<void>();
    std::vector<std::string> ids;
    for (const auto& [id, of] : reports) ids.push_back(id);
    CO_TRY_ASSIGN(const auto managers, co_await core_.store.resolve(org, ids));
    for (const store::Reference& manager : managers) {
        if (manager.type != "User") continue;
        for (const std::size_t i : reports[manager.id]) relations[i].manager = manager;
    }
    co_return store::Result<void>();
}

Task<store::Result<Relations>> Resources::relations(OrgKey org, const scim::ResourceType& type,
                                                    const store::Record& record,
                                                    const scim::Projection& projection) const {
    const store::Record* const one = &record;
    CO_TRY_ASSIGN(auto all, co_await relations(org, type, std::span(&one, 1), projection));
    co_return std::move(all.front());
}

Task<scim::Result<Answer>> Resources::get(Call& call, const scim::ResourceType& type,
                                          std::string id, scim::Projection projection) const {
    store::Record record;
    Relations related;
    const auto* groups = type.find("groups");
    if (groups != nullptr && projection.wants(*groups)) {
        auto found = co_await core_.store.find_with_groups(call.org(), type.name, id);
        if (!found) co_return refuse_store(call, found.error());
        if (!*found) co_return refuse_missing(call, type, id);
        record = std::move((*found)->record);
        related.groups = std::move((*found)->groups);
        if (wants_manager(type, projection)) {
            std::vector<Relations> one(1);
            const store::Record* const of = &record;
            const auto added = co_await add_managers(call.org(), std::span(&of, 1), one);
            if (!added) co_return refuse_store(call, added.error());
            related.manager = std::move(one.front().manager);
        }
    } else {
        CO_TRY_ASSIGN(record, co_await load(core_, call, type, std::move(id)));
    }
    Answer answer{.etag = etag_of(record.version)};
    if (!call.if_none_match.empty() && etag_matches(call.if_none_match, record.version)) {
        answer.status = 304;
        co_return answer;
    }
    if (groups == nullptr) {
        auto read = co_await relations(call.org(), type, record, projection);
        if (!read) co_return refuse_store(call, read.error());
        related = std::move(*read);
    }
    answer.location = Renderer(call.catalog(), call.base_url).location(type, record.id);
    View view{.type = &type, .projection = std::move(projection)};
    const auto shown =
        co_await show(answer, call, std::move(view), std::move(record), std::move(related));
    if (!shown) co_return refuse_store(call, shown.error());
    co_return answer;
}

Task<scim::Result<Answer>> Resources::create(Call& call, const scim::ResourceType& type,
                                             std::string body, scim::Projection projection) const {
    const auto unread = call.record.mark();
    const auto now = core_.clock.now();
    auto id = uuid_v7(now);
    CO_TRY_ASSIGN(auto creation, read_creation(core_, call, type, body, id));
    CO_TRY_ASSIGN(const auto manager, co_await resolve_manager(core_, call, creation.manager));
    const store::Record record{.rid = core_.ids.next_key<Rid>(),
                               .id = std::move(id),
                               .type = type.name,
                               .version = 1,
                               .created = now,
                               .modified = now,
                               .active = creation.active,
                               .source = call.principal.connector->connector.key,
                               .document = std::move(creation.document)};
    call.record.resource(type.name, record.id, creation.display);
    call.record.changes(std::exchange(creation.changes, {}));

    const Renderer renderer(call.catalog(), call.base_url);
    const auto fresh = call.record.mark();
    for (Attempts attempts(*turns_, record.id);;) {
        call.record.rewind(fresh);
        CO_TRY_ASSIGN(auto members, co_await resolve_members(core_, call, creation.members));
        store::CreateResource create{.rid = record.rid,
                                     .id = record.id,
                                     .type = type.name,
                                     .source = record.source,
                                     .now = now,
                                     .active = record.active,
                                     .display = creation.display,
                                     .document = record.document,
                                     .unique = creation.unique,
                                     .index = creation.index,
                                     .members = rids_of(members),
                                     .groups = groups_among(members)};
        const Relations related{.groups = {}, .members = std::move(members), .manager = manager};
        Answer answer{.status = 201,
                      .body = renderer.render(type, record, related, projection),
                      .etag = etag_of(1),
                      .location = renderer.location(type, record.id)};
        store::Mutation mutation{std::move(create)};
        const auto applied = co_await commit(core_, call, std::move(mutation), answer);
        if (applied) co_return answer;
        if (applied.error().code == store::ErrorCode::UniqueTaken) {
            call.record.rewind(creation.read);  // nobody was made
            const bool restores = call.policy().restore_on_create && call.may_restore;
            if (!restores) co_return refuse_store(call, applied.error());
            // Its values went before the commit, as few creations need them again.
            call.record.rewind(unread);
            CO_TRY_ASSIGN(const auto value,
                          read_body(call, core_.limits, type, scim::Verb::Create, body));
            co_return co_await restore_or_refuse(call, type, applied.error(), value, projection);
        }
        if (!co_await attempts.again(call, applied.error())) {
            co_return refuse_store(call, applied.error());
        }
    }
}

Task<scim::Result<Answer>> Resources::remove(Call& call, const scim::ResourceType& type,
                                             std::string id) const {
    const auto fresh = call.record.mark();
    for (Attempts attempts(*turns_, id);;) {
        call.record.rewind(fresh);
        CO_TRY_ASSIGN(const auto record, co_await load(core_, call, type, id));
        CO_TRY_VOID(check_precondition(call, record.version));
        const auto document = parse_document(record.document);
        call.record.resource(type.name, record.id, display_of(type, document));
        const bool erase = call.policy().on_delete == auth::OnDelete::Erase;
        call.record.step("decided", erase ? "erased, by the connector's policy on_delete"
                                          : "hidden and kept for the retention time");
        store::Mutation mutation{store::DeleteResource{.rid = record.rid,
                                                       .type = type.name,
                                                       .now = core_.clock.now(),
                                                       .erase = erase,
                                                       .expected_version = record.version,
                                                       .unique = scim::unique_keys(type, document),
                                                       .index = scim::index_keys(type, document)}};
        Answer answer{.status = 204};
        const auto applied = co_await commit(core_, call, std::move(mutation), answer);
        if (applied) co_return answer;
        if (!co_await attempts.again(call, applied.error())) {
            co_return refuse_store(call, applied.error());
        }
    }
}

}  // namespace muster::service
