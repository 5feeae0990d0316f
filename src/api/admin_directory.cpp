// Organisations, connectors and tokens: JSON to use cases and back.

#include <algorithm>

#include <fmt/format.h>

#include "api/admin.hpp"
#include "api/admin_support.hpp"

namespace muster::api {

namespace {

/// The organisation's own definitions as they were set, and the types that result.
AdminResponse describe(const auth::OrganisationEntry& entry) {
    json::Array types;
    for (const auto& type : entry.catalog->types()) {
        std::string extensions;
        for (const auto& extension : type->extensions) {
            extensions.append(extensions.empty() ? "" : " ").append(extension.schema->id);
        }
        types.push_back(json::Object{{"name", type->name},
                                     {"endpoint", type->endpoint},
                                     {"schema", type->schema->id},
                                     {"extensions", extensions}});
    }
    const auto& text = entry.organisation.definitions;
    const auto definitions = json::parse(text.empty() ? "{}" : text);
    return ok(
        {{"types", std::move(types)}, {"definitions", definitions ? *definitions : json::Value{}}});
}

}  // namespace

// ---- organisations --------------------------------------------------------------------------

Task<AdminResponse> Admin::list_organisations(const AdminRequest&, Segments) const {
    const auto snapshot = core_.registry.snapshot();
    std::vector<const store::Organisation*> sorted;
    for (const auto& [slug, entry] : snapshot->by_slug) sorted.push_back(&entry.organisation);
    std::ranges::sort(sorted, {}, &store::Organisation::slug);
    json::Array list;
    for (const auto* organisation : sorted) {
        const auto users = co_await core_.store.count(
            organisation->key, store::make_plan(scim::Catalog::standard()->user(), nullptr));
        if (!users) co_return store_problem(users.error());
        const auto groups = co_await core_.store.count(
            organisation->key, store::make_plan(scim::Catalog::standard()->group(), nullptr));
        if (!groups) co_return store_problem(groups.error());
        const auto connectors = std::ranges::count_if(snapshot->by_id, [&](const auto& item) {
            return item.second->connector.org == organisation->key;
        });
        list.push_back(json::Object{{"slug", organisation->slug},
                                    {"name", organisation->name},
                                    {"created", to_rfc3339(organisation->created)},
                                    {"users", *users},
                                    {"groups", *groups},
                                    {"connectors", connectors}});
    }
    co_return ok({{"organisations", std::move(list)}});
}

Task<AdminResponse> Admin::create_organisation(const AdminRequest& request, Segments) const {
    const auto body = body_of(request);
    if (!body) co_return problem(body.error());
    auto made = co_await directory_.create_organisation(text_member(*body, "name"),
                                                        text_member(*body, "slug"));
    if (!made) co_return problem(made.error());
    co_return ok(
        {{"slug", made->slug}, {"name", made->name}, {"created", to_rfc3339(made->created)}}, 201);
}

Task<AdminResponse> Admin::show_organisation(const AdminRequest& request, Segments path) const {
    const auto all = co_await list_organisations(request, {});
    const auto parsed = json::parse(all.body);
    if (all.status != 200 || !parsed) co_return all;
    for (const auto& organisation : parsed->at("organisations").as_array()) {
        if (organisation.at("slug").as_string() == path.front()) {
            co_return ok(organisation.as_object());
        }
    }
    co_return not_found("organisation", path.front());
}

Task<AdminResponse> Admin::show_definitions(const AdminRequest&, Segments path) const {
    const auto snapshot = core_.registry.snapshot();
    const auto found = snapshot->by_slug.find(path.front());
    if (found == snapshot->by_slug.end()) co_return not_found("organisation", path.front());
    co_return describe(found->second);
}

Task<AdminResponse> Admin::set_definitions(const AdminRequest& request, Segments path) const {
    const auto body = body_of(request);
    if (!body) co_return problem(body.error());
    auto definitions = body->empty() ? std::string{} : request.body;
    const auto set = co_await directory_.set_definitions(path.front(), std::move(definitions));
    if (!set) co_return problem(set.error());
    co_return describe(*set);
}

Task<AdminResponse> Admin::delete_organisation(const AdminRequest&, Segments path) const {
    const auto removed = co_await directory_.remove_organisation(path.front());
    if (!removed) co_return problem(removed.error());
    co_return ok({{"slug", path.front()}, {"removed", true}});
}

service::Outcome<auth::OrganisationEntry> Admin::organisation(const AdminRequest& request) const {
    const auto snapshot = core_.registry.snapshot();
    const auto slug = request.parameter("org");
    if (slug.empty() && snapshot->by_slug.size() == 1) return snapshot->by_slug.begin()->second;
    if (const auto found = snapshot->by_slug.find(slug); found != snapshot->by_slug.end()) {
        return found->second;
    }
    if (slug.empty()) {
        return std::unexpected(service::Problem{400, "Which organisation?",
                                                "There is not exactly one organisation.",
                                                "Name it with --org; list them: muster org list"});
    }
    return std::unexpected(service::Problem{404, "Not found",
                                            fmt::format("There is no organisation \"{}\".", slug),
                                            "List them: muster org list"});
}

// ---- connectors and tokens --------------------------------------------------------------------

json::Object Admin::to_json(const auth::ConnectorEntry& entry) const {
    json::Object object{
        {"id", entry.connector.id},
        {"org", entry.organisation.slug},
        {"idp", entry.connector.idp},
        {"name", entry.connector.name},
        {"state", entry.connector.state == store::ConnectorState::Active ? "active" : "paused"},
        {"scim_url", options_.public_url + "/c/" + entry.connector.id + "/scim/v2"},
        {"created", to_rfc3339(entry.connector.created)},
        {"policy", json::parse(entry.policy.to_json()).value_or(json::Value{})},
        {"tokens", entry.tokens.size()}};
    return object;
}

json::Object Admin::to_json(const store::Token& token, const auth::LastUse* last_use) const {
    json::Object object{{"id", token.id},
                        {"name", token.name},
                        {"kind", token.kind == store::TokenKind::Bearer ? "bearer" : "basic"},
                        {"state", service::state_of(token, core_.clock.now())},
                        {"created", to_rfc3339(token.created)},
                        {"created_by", token.created_by},
                        {"expires", to_rfc3339(token.expires)},
                        {"renewal_pending", token.previous_hash.has_value()},
                        {"last_used", nullptr},
                        {"last_used_from", nullptr}};
    if (const auto use = last_use == nullptr ? std::nullopt : last_use->get()) {
        object["last_used"] = to_rfc3339(use->used);
        object["last_used_from"] = use->from;
    }
    return object;
}

namespace {

/// Connectors in the order in which they were made.
std::vector<auth::ConnectorPtr> in_order(const auth::Snapshot& snapshot) {
    std::vector<auth::ConnectorPtr> sorted;
    for (const auto& [id, entry] : snapshot.by_id) sorted.push_back(entry);
    std::ranges::sort(sorted, {},
                      [](const auth::ConnectorPtr& entry) { return entry->connector.key; });
    return sorted;
}

}  // namespace

Task<AdminResponse> Admin::list_connectors(const AdminRequest& request, Segments) const {
    const auto slug = request.parameter("org");
    if (!slug.empty() && !core_.registry.snapshot()->by_slug.contains(slug)) {
        co_return not_found("organisation", slug);
    }
    json::Array list;
    for (const auto& entry : in_order(*core_.registry.snapshot())) {
        if (slug.empty() || entry->organisation.slug == slug) list.push_back(to_json(*entry));
    }
    co_return ok({{"connectors", std::move(list)}});
}

Task<AdminResponse> Admin::create_connector(const AdminRequest& request, Segments) const {
    const auto body = body_of(request);
    if (!body) co_return problem(body.error());
    service::NewConnector wanted{.org_slug = text_member(*body, "org"),
                                 .idp = text_member(*body, "idp"),
                                 .name = text_member(*body, "name")};
    const auto made = co_await directory_.create_connector(std::move(wanted));
    if (!made) co_return problem(made.error());
    co_return ok(to_json(**made), 201);
}

Task<AdminResponse> Admin::show_connector(const AdminRequest&, Segments path) const {
    const auto entry = core_.registry.connector(path.front());
    if (!entry) co_return not_found("connector", path.front());
    co_return ok(to_json(*entry));
}

Task<AdminResponse> Admin::change_connector(const AdminRequest& request, Segments path) const {
    const auto body = body_of(request);
    if (!body) co_return problem(body.error());
    service::ConnectorChange change;
    if (body->contains("idp")) change.idp = text_member(*body, "idp");
    if (body->contains("name")) change.name = text_member(*body, "name");
    if (const auto* policy = body->if_contains("policy")) change.policy = json::to_text(*policy);
    const auto changed = co_await directory_.change_connector(path.front(), std::move(change));
    if (!changed) co_return problem(changed.error());
    co_return ok(to_json(**changed));
}

Task<AdminResponse> Admin::pause_connector(const AdminRequest&, Segments path) const {
    const auto changed = co_await directory_.set_state(path.front(), store::ConnectorState::Paused);
    if (!changed) co_return problem(changed.error());
    co_return ok(to_json(**changed));
}

Task<AdminResponse> Admin::resume_connector(const AdminRequest&, Segments path) const {
    const auto changed = co_await directory_.set_state(path.front(), store::ConnectorState::Active);
    if (!changed) co_return problem(changed.error());
    co_return ok(to_json(**changed));
}

Task<AdminResponse> Admin::carry_out_bulk(const AdminRequest& request, Segments path) const {
    const auto entry = core_.registry.connector(path.front());
    if (!entry) co_return not_found("connector", path.front());
    const auto& connector = entry->connector;
    service::Call call{
        .principal = {.connector = entry, .token = {}, .token_id = {}},
        .base_url = fmt::format("{}/c/{}/scim/v2", options_.public_url, connector.id),
        .if_match = {},
        .if_none_match = {},
        .user_agent = request.actor,
        .peer = {},
        .record = provlog::Record(core_.ids.next_key<LogId>(),
                                  {.org = connector.org,
                                   .connector = connector.key,
                                   .org_slug = entry->organisation.slug,
                                   .connector_id = connector.id,
                                   .token_id = {},
                                   .peer = {},
                                   .user_agent = request.actor},
                                  {.method = "POST", .target = "/Bulk"}),
        .started = std::chrono::steady_clock::now()};
    call.record.step("authenticated", "by the operator's socket or data directory");
    auto done = co_await bulk_.run(call, request.body);
    const int status = done ? done->status : done.error().status;
    auto record = call.record.finish(status, done ? done->body : "", call.elapsed_us());
    co_await core_.store.record(std::move(record));
    if (!done) co_return problem({status, "Refused", std::move(done).error().detail, {}});
    co_return AdminResponse{.status = status, .body = std::move(done->body)};
}

Task<AdminResponse> Admin::list_tokens(const AdminRequest& request, Segments) const {
    const auto connector_id = request.parameter("connector");
    const auto entry = core_.registry.connector(connector_id);
    if (!entry && !connector_id.empty()) co_return not_found("connector", connector_id);
    json::Array list;
    for (const auto& connector : in_order(*core_.registry.snapshot())) {
        if (entry && connector->connector.key != entry->connector.key) continue;
        for (const auto& token : connector->tokens) {
            auto object = to_json(token.token, token.last_use.get());
            object["connector"] = connector->connector.id;
            list.push_back(std::move(object));
        }
    }
    co_return ok({{"tokens", std::move(list)}});
}

namespace {

/// The secret as its user needs it: a basic token's user name is its id.
void add_secret(json::Object& object, const service::IssuedToken& issued) {
    if (issued.token.kind == store::TokenKind::Basic) {
        object["user_name"] = issued.token.id;
        object["secret"] = auth::secret_part(issued.secret.reveal());
    } else {
        object["secret"] = issued.secret.reveal();
    }
}

}  // namespace

Task<AdminResponse> Admin::generate_token(const AdminRequest& request, Segments) const {
    const auto body = body_of(request);
    if (!body) co_return problem(body.error());
    service::NewToken wanted{.connector_id = text_member(*body, "connector"),
                             .name = text_member(*body, "name"),
                             .created_by = request.actor};
    const auto kind = text_member(*body, "kind");
    if (kind == "basic") wanted.kind = store::TokenKind::Basic;
    if (!kind.empty() && kind != "basic" && kind != "bearer") {
        co_return problem({400, "Invalid request", "kind is bearer or basic.", {}});
    }
    if (const auto* days = body->if_contains("expires_days")) {
        if (!days->is_int64() || days->get_int64() < 1 || days->get_int64() > 100'000) {
            co_return problem({400, "Invalid request", "expires_days is a number of days.", {}});
        }
        wanted.life = std::chrono::days{days->get_int64()};
    }
    const auto issued = co_await directory_.generate_token(std::move(wanted));
    if (!issued) co_return problem(issued.error());
    auto object = to_json(issued->token, nullptr);
    add_secret(object, *issued);
    co_return ok(object, 201);
}

Task<AdminResponse> Admin::renew_token(const AdminRequest&, Segments path) const {
    const auto issued = co_await directory_.renew_token(path.front());
    if (!issued) co_return problem(issued.error());
    auto object = to_json(issued->token, nullptr);
    add_secret(object, *issued);
    co_return ok(object);
}

Task<AdminResponse> Admin::activate_token(const AdminRequest&, Segments path) const {
    const auto token = co_await directory_.set_token_active(path.front(), true);
    if (!token) co_return problem(token.error());
    co_return ok(to_json(*token, nullptr));
}

Task<AdminResponse> Admin::deactivate_token(const AdminRequest&, Segments path) const {
    const auto token = co_await directory_.set_token_active(path.front(), false);
    if (!token) co_return problem(token.error());
    co_return ok(to_json(*token, nullptr));
}

Task<AdminResponse> Admin::remove_token(const AdminRequest&, Segments path) const {
    const auto token = co_await directory_.remove_token(path.front());
    if (!token) co_return problem(token.error());
    co_return ok({{"id", token->id}, {"removed", true}});
}

}  // namespace muster::api
