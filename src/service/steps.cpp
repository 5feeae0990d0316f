#include "service/steps.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "service/dialect.hpp"
#include "service/etag.hpp"
#include "service/turn.hpp"

namespace muster::service {

namespace {

std::vector<scim::IndexKey> difference(const std::vector<scim::IndexKey>& from,
                                       const std::vector<scim::IndexKey>& without) {
    std::vector<scim::IndexKey> left;
    std::ranges::set_difference(from, without, std::back_inserter(left));
    return left;
}

scim::Error body_error(const json::ParseError& error) {
    using Kind = json::ParseError::Kind;
    if (error.kind == Kind::TooLarge || error.kind == Kind::TooMany) {
        return {413, scim::ScimType::TooMany, error.message};
    }
    return scim::invalid_syntax(
        fmt::format("The body is not acceptable JSON (byte {}): {}", error.offset, error.message));
}

/// The type of the resource that a mutation is about.
std::string_view type_of(const store::Mutation& mutation) {
    return std::visit(
        [](const auto& one) -> std::string_view {
            if constexpr (requires { one.type; }) return one.type;
            return {};
        },
        mutation);
}

/// An attribute as the schema spells it; stores know it in lower case.
std::string spelled(const scim::ResourceType* type, const std::string& attribute) {
    const auto* known = type == nullptr ? nullptr : type->find(attribute);
    return known == nullptr ? attribute : known->name;
}

/// The first few ids, quoted, and how many more there are.
std::string list_ids(const std::vector<std::string>& ids) {
    constexpr std::size_t kShown = 10;
    std::string text;
    for (const auto& id : std::span{ids}.first(std::min(ids.size(), kShown))) {
        if (!text.empty()) text += ", ";
        text += scim::quoted(id);
    }
    if (ids.size() > kShown) text += fmt::format(" and {} more", ids.size() - kShown);
    return text;
}

std::string unique_taken_detail(const store::Error& error, const scim::Dialect& dialect) {
    return fmt::format(
        "Another one already has this {} (id {}). Give one of them another, or let the identity "
        "provider link the existing one{}.",
        error.attribute, error.holder_id,
        dialect.name() == "okta" ? ": in Okta, import from this app, then assign or push again"
                                 : "");
}

/// A group shows it of each of its members.
constexpr std::size_t kDisplayBytes = 1000;
/// So many ids are looked up before other requests have their turn.
constexpr std::size_t kTogether = 1000;

/// As Store::resolve. A list that replaces a group's names mostly those who are in it, and they are
/// cheaper to read as its members than one by one: O(ids), however large the group is.
Task<store::Result<std::vector<store::Reference>>> find_members(store::Store& store, OrgKey org,
                                                                const std::vector<std::string>& ids,
                                                                Rid group) {
    std::unordered_map<std::string, store::Reference> known;
    const auto keep = [&known](std::span<store::Reference> references) {
        for (auto& one : references) known.try_emplace(one.id, std::move(one));
    };
    for (Rid behind; group != Rid{} && known.size() < ids.size();) {
        CO_TRY_ASSIGN(auto present, co_await store.members_of(org, group, behind, kTogether));
        if (!present.references.empty()) behind = present.references.back().rid;
        keep(present.references);
        if (!present.more) break;
        co_await step_aside();
    }
    std::vector<std::string> others;
    std::ranges::copy_if(ids, std::back_inserter(others),
                         [&known](const auto& id) { return !known.contains(id); });
    for (std::span<const std::string> left = others; !left.empty();) {
        const auto next = left.first(std::min(left.size(), kTogether));
        left = left.subspan(next.size());
        CO_TRY_ASSIGN(auto found, co_await store.resolve(org, next));
        if (known.empty() && left.empty()) co_return found;
        keep(found);
        if (!left.empty()) co_await step_aside();
    }
    std::vector<store::Reference> in_order;
    in_order.reserve(ids.size());
    for (const auto& id : ids) {
        if (auto one = known.find(id); one != known.end()) in_order.push_back(one->second);
    }
    co_return in_order;
}

}  // namespace

scim::Result<json::Value> parse_body(Call& call, const Limits& limits, std::string_view body,
                                     boost::json::storage_ptr storage) {
    auto value = json::parse(body, limits.json, std::move(storage));
    call.record.request_body(body, value ? &*value : nullptr);
    if (!value) return std::unexpected(body_error(value.error()));
    call.record.step("parsed", fmt::format("{} bytes of JSON", body.size()));
    return std::move(*value);
}

scim::PatchLimits limits_for(const Core& core, const Call& call) {
    scim::PatchLimits limits = core.limits.patch;
    limits.values.keep_unknown = call.policy().unknown_attributes == auth::UnknownAttributes::Keep;
    return limits;
}

scim::Result<void> take_notes(Call& call, std::span<const scim::Note> notes) {
    call.record.notes(notes);
    if (call.policy().unknown_attributes != auth::UnknownAttributes::Refuse) return {};
    const auto unknown = std::ranges::find(notes, scim::kUnknownDropped, &scim::Note::rule);
    if (unknown == notes.end()) return {};
    return call.refuse("unknown-attribute",
                       scim::invalid_value(fmt::format(
                           "{}, and this connector refuses such. Take it out of the attribute "
                           "mappings, or add it to the schema.",
                           unknown->text.substr(0, unknown->text.find(';')))));
}

Task<scim::Result<store::Record>> load(const Core& core, Call& call, const scim::ResourceType& type,
                                       std::string id) {
    auto found = co_await core.store.find(call.org(), type.name, id);
    if (!found) co_return refuse_store(call, found.error());
    if (!*found) co_return refuse_missing(call, type, id);
    co_return std::move(**found);
}

std::unexpected<scim::Error> refuse_missing(Call& call, const scim::ResourceType& type,
                                            std::string_view id) {
    call.record.resource(type.name, utf8_prefix(id, 100), {});
    return call.refuse(
        "not-found",
        {404, scim::ScimType::None,
         fmt::format("There is no {} with the id {} here. If it should be, unlink it in the "
                     "identity provider and provision it again.",
                     type.name, scim::quoted(id))});
}

scim::Result<void> check_precondition(Call& call, std::int64_t version) {
    if (!call.if_none_match.empty() && etag_matches(call.if_none_match, version)) {
        return call.refuse(
            "version-mismatch",
            {412, scim::ScimType::None,
             fmt::format("If-None-Match names the current version, which is {}: the change was to "
                         "be made only if it were another. Nothing was changed.",
                         etag_of(version))});
    }
    if (call.if_match.empty() || etag_matches(call.if_match, version)) return {};
    return call.refuse(
        "version-mismatch",
        {412, scim::ScimType::None,
         fmt::format("If-Match does not name the current version, which is {}. Read the resource "
                     "again and repeat the change.",
                     etag_of(version))});
}

Task<scim::Result<std::vector<store::Reference>>> resolve_members(
    const Core& core, Call& call, const std::vector<std::string>& ids, Rid group) {
    if (ids.empty()) co_return std::vector<store::Reference>{};
    auto found = co_await find_members(core.store, call.org(), ids, group);
    if (!found) co_return refuse_store(call, found.error());
    // Only users and groups can be members (RFC 7643 §4.2); anything else is as good as unknown.
    std::erase_if(*found, [](const store::Reference& reference) {
        return reference.type != "User" && reference.type != "Group";
    });
    if (found->size() == ids.size()) co_return std::move(*found);

    std::unordered_set<std::string_view> known;
    for (const auto& reference : *found) known.insert(reference.id);
    std::vector<std::string> unknown;
    for (const auto& id : ids) {
        if (!known.contains(id)) unknown.push_back(id);
    }
    if (call.policy().unknown_members == auth::UnknownMembers::Skip) {
        const std::array notes{
            scim::Note{"unknown-member-skipped",
                       fmt::format("left out, as they are unknown here: {}", list_ids(unknown))}};
        call.record.notes(notes);
        co_return std::move(*found);
    }
    co_return call.refuse(
        "unknown-member",
        scim::invalid_value(fmt::format(
            "The group names {} member{} unknown here: {}. Assign them to the app first, then push "
            "the group again.",
            unknown.size(), unknown.size() == 1 ? "" : "s", list_ids(unknown))));
}

Task<scim::Result<std::optional<store::Reference>>> resolve_manager(const Core& core, Call& call,
                                                                    std::string_view id) {
    if (id.empty()) co_return std::nullopt;
    const std::array ids{std::string{id}};
    auto found = co_await core.store.resolve(call.org(), ids);
    if (!found) co_return refuse_store(call, found.error());
    if (!found->empty() && found->front().type == "User") co_return std::move(found->front());
    if (dialect_of(call).is_strict()) {
        co_return call.refuse("unknown-manager",
                              scim::invalid_value(fmt::format(
                                  "The manager {} is nobody's id here, and this connector "
                                  "is strict. Create the manager first, or leave it out.",
                                  scim::quoted(id))));
    }
    const std::array notes{scim::Note{
        "unknown-manager-kept",
        fmt::format("manager {} is nobody's id here; it was kept as it came, without a reference.",
                    scim::quoted(id))}};
    call.record.notes(notes);
    co_return std::nullopt;
}

Task<store::Result<store::Applied>> commit(const Core& core, Call& call, store::Mutation mutation,
                                           Answer answer) {
    const auto* type = call.catalog().type_named(type_of(mutation));
    store::WriteSet set;
    set.org = call.org();
    set.token = call.principal.token;
    set.secret = call.principal.secret;
    set.definitions = call.principal.connector->organisation.definitions;
    set.mutations.push_back(std::move(mutation));
    const auto unwritten = call.record.mark();
    call.record.step("written", "durable with this record");
    set.log.push_back(call.record.finish(answer.status, answer.body, call.elapsed_us()));
    call.record.rewind(unwritten);
    auto committed = co_await core.store.commit(std::move(set));
    if (!committed) {
        auto error = std::move(committed).error();
        error.attribute = spelled(type, error.attribute);
        co_return std::unexpected(std::move(error));
    }
    MUSTER_CHECK(committed->applied.size() == 1);
    call.recorded = true;
    co_return committed->applied.front();
}

std::unexpected<scim::Error> refuse_store(Call& call, const store::Error& error) {
    using enum store::ErrorCode;
    switch (error.code) {
        case UniqueTaken:
            return call.refuse("uniqueness", {409, scim::ScimType::Uniqueness,
                                              unique_taken_detail(error, dialect_of(call))});
        case NotFound:
            return call.refuse("not-found",
                               {404, scim::ScimType::None,
                                "The resource was deleted while this request was under way."});
        case VersionMismatch:
            // 412 is for a client that named a version (RFC 9110 §15.5.13).
            if (call.if_match.empty()) break;
            return call.refuse("version-mismatch",
                               {412, scim::ScimType::None,
                                "The resource was changed while this request was under way. Read "
                                "it again and repeat the change."});
        case Circle:
            return call.refuse("circle",
                               scim::invalid_value(
                                   "The group would become a member of itself by way of the groups "
                                   "in it. Leave out the one that leads back to it."));
        case Revoked:
            return call.refuse("inactive",
                               {401, scim::ScimType::None,
                                "The token, its connector or its organisation was switched off "
                                "while this request was under way; nothing was changed."});
        case Paused:
            return call.refuse("paused",
                               {429, scim::ScimType::None,
                                "This connector is paused; nothing was changed. The identity "
                                "provider may try again later."});
        case Superseded:
            return call.refuse("schemas-changed",
                               {503, scim::ScimType::None,
                                "The organisation's schemas were changed while this request was "
                                "under way; nothing was changed. Repeat the request."});
        case OutcomeUnknown:
            call.record.step("refused", error.message);
            return call.refuse("outcome-unknown",
                               {503, scim::ScimType::None,
                                "The database was lost while it wrote this: the change may or may "
                                "not have been made. Repeat the request."});
        case MemberGone:
        case Unavailable:
        case Locked:
        case Unfit:
        case DirectoryConflict:
            break;
    }
    call.record.step("refused", error.message);
    return call.refuse("unavailable", {503, scim::ScimType::None,
                                       "The directory cannot be read or written just now; nothing "
                                       "was changed. Try again in a minute."});
}

std::string display_of(const scim::ResourceType& type, const json::Object& document) {
    const auto shown = [&](std::string_view name) {
        const auto text = json::string_or_empty(document, name);
        const auto* attribute = text.empty() ? nullptr : type.find(name);
        return attribute == nullptr || attribute->is_hidden() ? std::string_view{} : text;
    };
    auto display = shown("displayName");
    if (display.empty()) display = shown("userName");
    return std::string{utf8_prefix(display, kDisplayBytes)};
}

store::DocumentChange document_change(const scim::ResourceType& type, const json::Object& before,
                                      const json::Object& after, std::string after_text) {
    const auto unique_before = scim::unique_keys(type, before);
    const auto unique_after = scim::unique_keys(type, after);
    const auto index_before = scim::index_keys(type, before);
    const auto index_after = scim::index_keys(type, after);
    return {.active = scim::is_active(after),
            .display = display_of(type, after),
            .document = std::move(after_text),
            .unique_removed = difference(unique_before, unique_after),
            .unique_added = difference(unique_after, unique_before),
            .index_removed = difference(index_before, index_after),
            .index_added = difference(index_after, index_before)};
}

std::string document_text(const json::Object& document, std::string_view id) {
    auto text = json::to_text(document);
    const auto end_of_schemas = text.find(']') + 1;
    std::string member = ",\"id\":";
    json::append_string(member, id);
    return text.insert(end_of_schemas, member);
}

json::Object parse_document(std::string_view text) {
    auto parsed =
        json::parse(text, {.max_bytes = text.size(), .max_depth = 64, .max_values = text.size()});
    MUSTER_CHECK(parsed.has_value() && parsed->is_object());
    return std::move(parsed->get_object());
}

std::vector<Rid> groups_among(std::span<const store::Reference> references) {
    std::vector<Rid> rids;
    for (const auto& reference : references) {
        if (reference.type == "Group") rids.push_back(reference.rid);
    }
    return rids;
}

std::vector<Rid> rids_of(std::span<const store::Reference> references) {
    std::vector<Rid> rids;
    rids.reserve(references.size());
    for (const auto& reference : references) rids.push_back(reference.rid);
    return rids;
}

}  // namespace muster::service
