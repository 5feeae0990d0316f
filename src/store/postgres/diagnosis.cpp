#include "store/postgres/diagnosis.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "store/postgres/write_statements.hpp"

namespace muster::store::postgres {
namespace {

/// The unique keys that a mutation adds, and the type they are of.
std::pair<TypeName, std::vector<scim::IndexKey>> unique_added(const Mutation& mutation) {
    if (const auto* create = std::get_if<CreateResource>(&mutation)) {
        return {create->type, create->unique};
    }
    if (const auto* update = std::get_if<UpdateResource>(&mutation)) {
        if (update->document) return {update->type, update->document->unique_added};
    }
    return {};
}

/// The row of a mutation of a resource, and its type.
std::pair<Rid, TypeName> row_of(const Mutation& mutation) {
    return std::visit(
        [](const auto& one) -> std::pair<Rid, TypeName> {
            if constexpr (requires { one.rid; }) {
                return {one.rid, one.type};
            } else {
                return {};
            }
        },
        mutation);
}

}  // namespace

Refused refused(ErrorCode code, std::string message, bool retry) {
    return {{code, std::move(message), {}, {}}, retry, {}};
}

Task<Outcome<std::vector<Rows>>> Diagnosis::ask(std::vector<Query> queries) {
    return write_once(connection_, deadline_, set_.org, std::move(queries));
}

Task<Refused> Diagnosis::of(Meaning meaning) {
    switch (meaning.code) {
        case ErrorCode::NotFound:
            co_return co_await version_of(meaning.mutation);
        case ErrorCode::UniqueTaken:
            co_return co_await holder_of_name(meaning.mutation);
        case ErrorCode::MemberGone:
            co_return refused(ErrorCode::MemberGone, "a member is no live resource");
        case ErrorCode::Circle:
            co_return refused(ErrorCode::Circle, "a group would become its own member");
        case ErrorCode::Revoked:
            co_return co_await end_of_authority();
        case ErrorCode::VersionMismatch:
            co_return refused(ErrorCode::VersionMismatch, "another node changed the directory");
        case ErrorCode::Superseded:
            co_return refused(ErrorCode::Superseded,
                              "schemas were changed, or resources of a type made");
        default:
            co_return refused(meaning.code, "a name or id is taken, or what it belongs to is gone");
    }
}

Task<Refused> Diagnosis::end_of_authority() {
    std::vector<Query> queries;
    queries.push_back({&kAuthorityPaused, Parameters(set_.token)});
    const auto rows = co_await ask(std::move(queries));
    if (!rows) co_return refused(ErrorCode::Unavailable, rows.error().message, true);
    if (rows->front().size() > 0) co_return refused(ErrorCode::Paused, "the connector was paused");
    co_return refused(ErrorCode::Revoked, "the token or its connector was switched off");
}

Task<Refused> Diagnosis::version_of(std::size_t mutation) {
    const auto [rid, type] = row_of(set_.mutations[mutation]);
    std::vector<Query> queries;
    queries.push_back({&kVersion, Parameters(set_.org, rid, type)});
    const auto rows = co_await ask(std::move(queries));
    if (!rows) co_return refused(ErrorCode::Unavailable, rows.error().message, true);
    if (rows->front().size() == 0) {
        co_return refused(ErrorCode::NotFound, fmt::format("row {} is gone", rid.value));
    }
    co_return refused(ErrorCode::VersionMismatch,
                      fmt::format("version is {} by now", rows->front().integer(0, 0)));
}

std::optional<std::string> Diagnosis::created_in_set(std::size_t before, const TypeName& type,
                                                     const scim::IndexKey& key) const {
    for (std::size_t i = 0; i < before; ++i) {
        const auto* create = std::get_if<CreateResource>(&set_.mutations[i]);
        if (create == nullptr || create->type != type) continue;
        const bool same = std::ranges::any_of(create->unique, [&](const scim::IndexKey& own) {
            return own.attribute == key.attribute && own.key == key.key;
        });
        if (same) return create->id;
    }
    return std::nullopt;
}

Task<Refused> Diagnosis::holder_of_name(std::size_t mutation) {
    const auto [type, keys] = unique_added(set_.mutations[mutation]);
    for (const scim::IndexKey& key : keys) {
        std::optional<std::string> holder = created_in_set(mutation, type, key);
        if (!holder) {
            const Parameters place(set_.org, type, key.attribute, key.key);
            std::vector<Query> queries;
            queries.push_back({&kForgetStale, place});
            queries.push_back({&kHolder, place});
            const auto rows = co_await ask(std::move(queries));
            if (!rows) co_return refused(ErrorCode::Unavailable, rows.error().message, true);
            if (rows->back().size() > 0) holder = rows->back().text(0, 0);
        }
        if (holder) {
            Refused taken = refused(ErrorCode::UniqueTaken, key.attribute + " is taken");
            taken.error.attribute = key.attribute;
            taken.error.holder_id = *std::move(holder);
            co_return taken;
        }
    }
    // Nobody has it any more: its holder went meanwhile, or had gone long ago.
    co_return refused(ErrorCode::Unavailable, "a name was taken and is free again", true);
}

}  // namespace muster::store::postgres
