// PUT and PATCH: from the stored document to the next one.

#include <optional>
#include <unordered_set>

#include <fmt/format.h>

#include "base/result.hpp"
#include "service/attempts.hpp"
#include "service/dialect.hpp"
#include "service/etag.hpp"
#include "service/manager.hpp"
#include "service/resources.hpp"
#include "service/steps.hpp"

namespace muster::service {

/// The change of one resource, and what the resource will be after it.
struct Draft {
    store::UpdateResource update;
    store::Record after;
    /// The members afterwards, where the request gave the whole list.
    std::optional<std::vector<store::Reference>> members;

    [[nodiscard]] bool empty() const { return !update.document && !update.members; }
};

namespace {

Draft draft_document(const Core& core, const scim::ResourceType& type, Call& call,
                     const store::Record& before, const json::Object& document_before,
                     const json::Object& document_after) {
    call.record.resource(type.name, before.id, display_of(type, document_before));
    Draft draft{.update = {.rid = before.rid,
                           .type = type.name,
                           .now = core.clock.now(),
                           .expected_version = {},
                           .document = {},
                           .members = {}},
                .after = before,
                .members = {}};
    if (!call.if_match.empty()) draft.update.expected_version = before.version;
    auto text = json::to_text(document_after);
    if (text == before.document) return draft;

    const auto changes = scim::diff(type, document_before, document_after);
    call.record.changes(changes);
    draft.update.expected_version = before.version;
    draft.update.document = document_change(type, document_before, document_after, std::move(text));
    draft.after.document = draft.update.document->document;
    draft.after.active = draft.update.document->active;
    draft.after.version = before.version + 1;
    draft.after.modified = draft.update.now;
    return draft;
}

/// The one who holds the unique key is the same person, switched off, made by the same connector
/// under the same external id: the identity provider forgot that it knows them.
bool is_same_person(const Call& call, const store::Record& holder, const json::Object& sent) {
    const auto external_id = json::string_or_empty(sent, "externalId");
    return !holder.active && holder.source == call.principal.connector->connector.key &&
           !external_id.empty() &&
           json::string_or_empty(parse_document(holder.document), "externalId") == external_id;
}

std::unexpected<scim::Error> refuse_self_membership(Call& call) {
    return call.refuse("circle",
                       scim::invalid_value("A group cannot be a member of itself. Remove it from "
                                           "its own members."));
}

/// A manager that stays who it was is not looked for again: it may have left.
Task<scim::Result<void>> check_manager(const Core& core, Call& call, const json::Object& before,
                                       const json::Object& after) {
    const std::string_view manager = manager_of(after);
    if (manager == manager_of(before)) co_return scim::Result<void>();
    const auto known = co_await resolve_manager(core, call, manager);
    if (!known) co_return std::unexpected(known.error());
    co_return scim::Result<void>();
}

std::string members_step(const scim::MembersDelta& asked, std::size_t added) {
    if (asked.cleared) return fmt::format("members: these {} in place of all", added);
    return fmt::format("members: {} to add, {} to remove", added, asked.remove.size());
}

bool contains(const std::vector<store::Reference>& references, Rid rid) {
    for (const auto& reference : references) {
        if (reference.rid == rid) return true;
    }
    return false;
}

}  // namespace

/// Outer error: refused for good. Inner error: the store's, which may be worth another attempt.
Task<scim::Result<store::Result<Answer>>> Resources::update(Call& call,
                                                            const scim::ResourceType& type,
                                                            Draft draft,
                                                            scim::Projection projection,
                                                            int status) const {
    const bool is_group = type.find("members") != nullptr;
    const Renderer renderer(call.catalog(), call.base_url);
    Answer answer{.status = status, .etag = etag_of(draft.after.version)};
    answer.location = renderer.location(type, draft.after.id);
    const bool wants_body = status != 204;
    Relations related;
    if (wants_body && !is_group) {
        auto read = co_await relations(call.org(), type, draft.after, projection);
        if (!read) co_return refuse_store(call, read.error());
        related = std::move(*read);
        answer.body = renderer.render(type, draft.after, related, projection);
    }
    if (draft.empty()) {
        call.record.step("decided", "nothing differs from what is stored");
    } else {
        // A group's version after a change of members is known once the store has applied it, so
        // its answer is made afterwards and the log keeps what was written instead.
        store::Mutation mutation{std::move(draft.update)};
        const auto applied = co_await commit(core_, call, std::move(mutation), answer);
        if (!applied) co_return store::Result<Answer>{std::unexpected(applied.error())};
        draft.after.version = applied->version;
        draft.after.modified = applied->modified;
        answer.etag = etag_of(applied->version);
    }
    if (wants_body && is_group) {
        if (draft.members) {
            related.members = std::move(*draft.members);
            answer.body = renderer.render(type, draft.after, related, projection);
        } else {
            View view{.type = &type, .projection = std::move(projection)};
            const auto shown =
                co_await show(answer, call, std::move(view), std::move(draft.after), {});
            // The change stands: a body that cannot be made must not look like a failure.
            if (!shown) answer.status = 204;
        }
    }
    co_return store::Result<Answer>{std::move(answer)};
}

Task<scim::Result<Answer>> Resources::replace(Call& call, const scim::ResourceType& type,
                                              std::string id, std::string body,
                                              scim::Projection projection) const {
    CO_TRY_ASSIGN(const auto value, read_body(call, core_.limits, type, scim::Verb::Replace, body));
    co_return co_await replace_value(call, type, std::move(id), value, std::move(projection), 200);
}

Task<scim::Result<Answer>> Resources::replace_value(Call& call, const scim::ResourceType& type,
                                                    std::string id, const json::Value& value,
                                                    scim::Projection projection, int status) const {
    const auto fresh = call.record.mark();
    for (Attempts attempts(*turns_, id);;) {
        call.record.rewind(fresh);
        CO_TRY_ASSIGN(const auto before, co_await load(core_, call, type, id));
        CO_TRY_VOID(check_precondition(call, before.version));
        const auto document = parse_document(before.document);
        CO_TRY_ASSIGN(auto prepared,
                      scim::prepare(type, value, &document, limits_for(core_, call).values));
        CO_TRY_VOID(take_notes(call, prepared.notes));
        CO_TRY_VOID(co_await check_manager(core_, call, document, prepared.document));
        auto draft = draft_document(core_, type, call, before, document, prepared.document);
        // An absent `members` keeps them: an omission never empties a group (docs/adr/0007).
        if (prepared.members) {
            CO_TRY_ASSIGN(auto members,
                          co_await resolve_members(core_, call, *prepared.members, before.rid));
            if (contains(members, before.rid)) co_return refuse_self_membership(call);
            draft.update.members = {.replace = true,
                                    .add = rids_of(members),
                                    .remove = {},
                                    .groups = groups_among(members)};
            draft.members = std::move(members);
        }
        CO_TRY_ASSIGN(auto answer,
                      co_await update(call, type, std::move(draft), projection, status));
        if (answer) co_return std::move(*answer);
        if (!co_await attempts.again(call, answer.error())) {
            co_return refuse_store(call, answer.error());
        }
    }
}

Task<scim::Result<Answer>> Resources::restore_or_refuse(Call& call, const scim::ResourceType& type,
                                                        store::Error taken,
                                                        const json::Value& value,
                                                        scim::Projection projection) const {
    if (!value.is_object()) co_return refuse_store(call, taken);
    auto holder = co_await core_.store.find(call.org(), type.name, taken.holder_id);
    if (!holder) co_return refuse_store(call, holder.error());
    if (!*holder || !is_same_person(call, **holder, value.get_object())) {
        co_return refuse_store(call, taken);
    }
    call.record.step("matched", "a deactivated person with this userName and externalId");
    json::Value switched_on = value;
    if (json::find_ignoring_case(switched_on.get_object(), "active") == nullptr) {
        switched_on.get_object()["active"] = true;
    }
    co_return co_await replace_value(call, type, taken.holder_id, switched_on,
                                     std::move(projection), 201);
}

Task<scim::Result<Answer>> Resources::patch(Call& call, const scim::ResourceType& type,
                                            std::string id, std::string body,
                                            scim::Projection projection) const {
    CO_TRY_ASSIGN(const auto value, read_body(call, core_.limits, type, scim::Verb::Patch, body));
    CO_TRY_ASSIGN(const auto operations, scim::parse_patch(value, core_.limits.patch));
    // A group's members are not read where nobody asked for them: 204 (RFC 7644 §3.5.2).
    const bool is_group = type.find("members") != nullptr;
    const int status = is_group && projection.is_default() ? 204 : 200;
    const auto fresh = call.record.mark();
    for (Attempts attempts(*turns_, id);;) {
        call.record.rewind(fresh);
        CO_TRY_ASSIGN(const auto before, co_await load(core_, call, type, id));
        CO_TRY_VOID(check_precondition(call, before.version));
        const auto document = parse_document(before.document);
        CO_TRY_ASSIGN(auto patched,
                      scim::apply_patch(type, document, operations, limits_for(core_, call)));
        CO_TRY_VOID(take_notes(call, patched.notes));
        CO_TRY_VOID(co_await check_manager(core_, call, document, patched.document));
        auto draft = draft_document(core_, type, call, before, document, patched.document);
        if (!patched.members.empty()) {
            CO_TRY_ASSIGN(const auto added,
                          co_await resolve_members(core_, call, patched.members.add));
            if (contains(added, before.rid)) co_return refuse_self_membership(call);
            // Who is unknown cannot be a member, so an unknown id to remove is already removed.
            const auto removed = co_await core_.store.resolve(call.org(), patched.members.remove);
            if (!removed) co_return refuse_store(call, removed.error());
            draft.update.members = {.replace = patched.members.cleared,
                                    .add = rids_of(added),
                                    .remove = rids_of(*removed),
                                    .groups = groups_among(added)};
            call.record.step("decided", members_step(patched.members, added.size()));
        }
        CO_TRY_ASSIGN(auto answer,
                      co_await update(call, type, std::move(draft), projection, status));
        if (answer) co_return std::move(*answer);
        if (!co_await attempts.again(call, answer.error())) {
            co_return refuse_store(call, answer.error());
        }
    }
}

}  // namespace muster::service
