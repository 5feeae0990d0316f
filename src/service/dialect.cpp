#include "service/dialect.hpp"

#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

void say_what_it_looks_like(Call& call, const scim::Dialect& dialect, const json::Value* body) {
    const auto suggestion = scim::detect(call.user_agent, body);
    if (!suggestion || scim::covers(dialect, suggestion->dialect)) return;
    call.record.step("dialect",
                     fmt::format("looks like {} ({}); the connector says {}", suggestion->dialect,
                                 suggestion->reason, dialect.name()));
}

scim::Result<void> rewrite(Call& call, scim::ClientRequest request) {
    const auto& dialect = dialect_of(call);
    say_what_it_looks_like(call, dialect, request.body);
    std::vector<scim::Note> notes;
    const auto rewritten = dialect.rewrite(request, notes);
    call.record.notes(notes);
    return rewritten;
}

}  // namespace

const scim::Dialect& dialect_of(const Call& call) {
    return scim::dialect_for(call.principal.connector->connector.idp);
}

scim::Result<json::Value> read_body(Call& call, const Limits& limits,
                                    const scim::ResourceType& type, scim::Verb verb,
                                    std::string_view body, boost::json::storage_ptr storage) {
    TRY_ASSIGN(auto value, parse_body(call, limits, body, std::move(storage)));
    // Which of its values nobody may read, only the schema knows: none of it is kept in the log.
    // Nor of another type's, where it may name what theirs hides.
    const bool hides = type.hides_attributes || call.catalog().may_name_hidden(body);
    if (hides) call.record.request_body(body, nullptr);
    TRY_VOID(rewrite(call, {.verb = verb, .type = type, .body = &value}));
    return value;
}

scim::Result<void> rewrite_filter(Call& call, const scim::ResourceType& type, std::string& filter) {
    return rewrite(call, {.verb = scim::Verb::Query, .type = type, .filter = &filter});
}

}  // namespace muster::service
