// Users, groups and the provisioning log, as an operator looks at them.

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "api/admin.hpp"
#include "api/admin_support.hpp"
#include "base/text.hpp"
#include "provlog/explain.hpp"
#include "service/dialect.hpp"
#include "service/render.hpp"
#include "service/steps.hpp"

namespace muster::api {

namespace {

std::string primary_email(const json::Object& document) {
    const auto* emails = document.if_contains("emails");
    if (emails == nullptr || !emails->is_array()) return {};
    std::string first;
    for (const auto& email : emails->get_array()) {
        if (!email.is_object()) continue;
        const auto& object = email.get_object();
        const auto* primary = object.if_contains("primary");
        if (primary != nullptr && primary->is_bool() && primary->get_bool()) {
            return text_member(object, "value");
        }
        if (first.empty()) first = text_member(object, "value");
    }
    return first;
}

/// What a list of log records shows of one.
json::Object log_summary(const json::Object& record) {
    static constexpr std::array<std::string_view, 13> kShown{
        "id",     "time",   "org",     "connector", "token",       "peer",    "method",
        "target", "status", "outcome", "reason",    "duration_us", "resource"};
    json::Object summary;
    for (const auto name : kShown) {
        if (const auto* value = record.if_contains(name)) summary[name] = *value;
    }
    // What was not made is named as its request names it.
    const auto* request = record.if_contains("request");
    if (!summary.contains("resource") && request != nullptr && request->is_object()) {
        for (const std::string_view name : {"userName", "displayName"}) {
            const auto display = json::string_or_empty(request->get_object(), name);
            if (display.empty()) continue;
            summary["resource"] = json::Object{{"display", display}};
            break;
        }
    }
    summary["path"] = summary.contains("target") ? summary["target"] : json::Value{};
    return summary;
}

}  // namespace

// ---- users and groups -----------------------------------------------------------------------

Task<AdminResponse> Admin::list_users(const AdminRequest& request, Segments) const {
    co_return co_await list_resources(request, "User");
}

Task<AdminResponse> Admin::list_groups(const AdminRequest& request, Segments) const {
    co_return co_await list_resources(request, "Group");
}

Task<AdminResponse> Admin::show_user(const AdminRequest& request, Segments path) const {
    co_return co_await show_resource(request, "User", path.front());
}

Task<AdminResponse> Admin::show_group(const AdminRequest& request, Segments path) const {
    co_return co_await show_resource(request, "Group", path.front());
}

Task<AdminResponse> Admin::list_resources(const AdminRequest& request,
                                          std::string_view type_name) const {
    const auto entry = organisation(request);
    if (!entry) co_return problem(entry.error());
    const auto* org = &entry->organisation;
    const scim::ResourceType& type = *entry->catalog->type_named(type_name);
    std::optional<scim::Filter> filter;
    if (auto text = std::string{request.parameter("filter")}; !text.empty()) {
        // Operators type it by hand.
        std::vector<scim::Note> notes;
        (void)scim::generic_dialect().rewrite({.type = type, .filter = &text}, notes);
        auto parsed = scim::parse_filter(type, text, core_.limits.filter);
        if (!parsed) co_return problem({400, "Invalid filter", parsed.error().detail, {}});
        filter = std::move(*parsed);
    }
    const auto start = number_parameter(request, "startIndex", 1, 1U << 30);
    if (!start) co_return problem(start.error());
    const auto count = number_parameter(request, "count", 100, 1000);
    if (!count) co_return problem(count.error());
    const service::Window window{.skip = std::max<std::size_t>(*start, 1) - 1, .size = *count};
    service::Search search{.catalog = entry->catalog.get(), .parts = {}};
    auto plan = store::make_plan(type, filter ? &*filter : nullptr);
    search.parts.push_back(
        {.type = &type, .filter = std::move(filter), .sort_by = {}, .plan = std::move(plan)});
    const service::Resources resources(core_);
    const service::Finder finder(core_, resources);
    const auto found = co_await finder.find(org->key, search, window);
    if (!found) co_return store_problem(found.error());
    if (found->gave_up != service::GaveUp::No) {
        co_return problem({400, "Too many", "This filter would have to look at too many rows.",
                           "Filter by userName, externalId or emails.value."});
    }

    const auto snapshot = core_.registry.snapshot();
    json::Array list;
    const bool groups = type.find("members") != nullptr;
    for (const auto& match : found->matches) {
        const store::Record& record = match.record;
        const auto document = service::parse_document(record.document);
        json::Object object{{"id", record.id}};
        for (std::string_view name : {"userName", "displayName", "externalId"}) {
            if (const auto* value = document.if_contains(name)) object[name] = *value;
        }
        if (groups) {
            const auto members = co_await core_.store.member_count(org->key, record.rid);
            if (!members) co_return store_problem(members.error());
            object["members"] = *members;
        } else {
            object["active"] = record.active;
            object["email"] = primary_email(document);
        }
        object["created"] = to_rfc3339(record.created);
        object["modified"] = to_rfc3339(record.modified);
        for (const auto& [connector_id, connector] : snapshot->by_id) {
            if (connector->connector.key == record.source)
                object["source"] = "SCIM " + connector->connector.name;
        }
        list.push_back(std::move(object));
    }
    co_return ok({{"total", found->total}, {groups ? "groups" : "users", std::move(list)}});
}

Task<AdminResponse> Admin::show_resource(const AdminRequest& request, std::string_view type_name,
                                         std::string id) const {
    const auto entry = organisation(request);
    if (!entry) co_return problem(entry.error());
    const auto* org = &entry->organisation;
    const scim::ResourceType& type = *entry->catalog->type_named(type_name);
    const auto record = co_await core_.store.find(org->key, type.name, id);
    if (!record) co_return store_problem(record.error());
    if (!*record) co_return not_found(to_lower_ascii(type.name), id);
    const service::Resources resources(core_);
    auto related = co_await resources.relations(org->key, type, **record, scim::Projection{});
    if (!related) co_return store_problem(related.error());
    if (type.find("members") != nullptr) {
        auto members = co_await resources.members_of(org->key, (*record)->rid);
        if (!members) co_return store_problem(members.error());
        if (!*members) {
            co_return problem(
                {400, "Too many",
                 fmt::format("The group has more than {} members.", core_.limits.max_members_held),
                 "Read it by SCIM, which sends it in pieces."});
        }
        related->members = **std::move(members);
    }
    const service::Renderer renderer(*entry->catalog, "");
    co_return ok({{"resource", renderer.object(type, **record, *related)}});
}

// ---- the provisioning log -------------------------------------------------------------------

Task<AdminResponse> Admin::list_log(const AdminRequest& request, Segments) const {
    const auto limit = number_parameter(request, "limit", 50, 1000);
    if (!limit) co_return problem(limit.error());
    store::LogQuery query{.limit = *limit};
    query.failed_only = request.parameter("failed") == "true";
    if (const auto slug = request.parameter("org"); !slug.empty()) {
        const auto org = organisation(request);
        if (!org) co_return problem(org.error());
        query.org = org->organisation.key;
    }
    if (const auto id = request.parameter("connector"); !id.empty()) {
        const auto entry = core_.registry.connector(id);
        if (!entry) co_return not_found("connector", id);
        query.connector = entry->connector.key;
    }
    for (auto [name, target] :
         {std::pair{"before", &query.before}, std::pair{"after", &query.after}}) {
        const auto text = request.parameter(name);
        if (text.empty()) continue;
        const auto number = from_base32(text);
        if (!number) co_return problem({400, "Invalid request", "A log id has 13 characters.", {}});
        *target = LogId{*number};
    }
    // As it stands in JSON.
    query.mentions = json::to_text(json::Value(request.parameter("mentions")));
    query.mentions = query.mentions.substr(1, query.mentions.size() - 2);
    const auto page = co_await core_.store.log(query);
    if (!page) co_return store_problem(page.error());
    json::Array list;
    for (const auto& text : page->records) {
        list.push_back(log_summary(service::parse_document(text)));
    }
    json::Object answer{{"records", std::move(list)}};
    if (page->rest) answer["rest"] = to_base32(page->rest->value);
    co_return ok(answer);
}

Task<AdminResponse> Admin::show_log(const AdminRequest&, Segments path) const {
    const auto number = from_base32(path.front());
    if (!number) co_return not_found("log record", path.front());
    const auto record = co_await core_.store.log_entry(LogId{*number});
    if (!record) co_return store_problem(record.error());
    if (!*record) co_return not_found("log record", path.front());
    co_return AdminResponse{.status = 200, .body = **record};
}

Task<AdminResponse> Admin::explain_log(const AdminRequest& request, Segments path) const {
    const auto record = co_await show_log(request, path);
    if (record.status != 200) co_return record;
    const auto document = service::parse_document(record.body);
    const auto connector = core_.registry.connector(text_member(document, "connector"));
    const auto* dialect = connector ? scim::find_dialect(connector->connector.idp) : nullptr;
    const bool named = dialect != nullptr && dialect->name() != "generic" && !dialect->is_strict();
    const auto explanation =
        named ? provlog::explain(document, dialect->client()) : provlog::explain(document);
    co_return ok({{"id", path.front()},
                  {"sentence", explanation.sentence},
                  {"happened", explanation.happened},
                  {"why", explanation.why},
                  {"todo", explanation.todo}});
}

Task<AdminResponse> Admin::status(const AdminRequest&, Segments) const {
    const auto figures = core_.store.figures();
    const auto healthy = co_await core_.store.healthy();
    json::Object answer{{"version", version_},
                        {"uptime_s", (core_.clock.now().ms - started_.ms) / 1000},
                        {"public_url", options_.public_url},
                        {"healthy", healthy.has_value()},
                        {"commits", figures.commits},
                        {"write_sets", figures.write_sets},
                        {"log_records", figures.log_records}};
    if (figures.database_bytes > 0) answer["database_bytes"] = figures.database_bytes;
    co_return ok(answer);
}

}  // namespace muster::api
