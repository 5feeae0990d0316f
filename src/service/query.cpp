#include "service/query.hpp"

#include <algorithm>
#include <limits>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/result.hpp"
#include "scim/filter/filter.hpp"
#include "service/dialect.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

/// Candidates looked at before other requests of the same thread get their turn.
constexpr std::size_t kSlice = 256;

Window window_of(const ListRequest& request, const Limits& limits) {
    const auto start = std::max<std::int64_t>(request.start_index.value_or(1), 1);
    const auto asked = request.count.value_or(static_cast<std::int64_t>(limits.default_page));
    const auto size =
        std::clamp<std::int64_t>(asked, 0, static_cast<std::int64_t>(limits.max_page));
    return {static_cast<std::size_t>(start) - 1, static_cast<std::size_t>(size)};
}

std::string words_for(const store::Plan& plan) {
    if (const auto* key = std::get_if<store::ByKey>(&plan.access)) {
        return "by the index of " + key->attribute;
    }
    if (std::holds_alternative<store::ById>(plan.access)) return "by id";
    if (std::holds_alternative<store::ScanAll>(plan.access)) {
        return plan.exact ? "in order of creation" : "by looking at every resource";
    }
    return "by membership";
}

/// Which rows of other tables the filter has to see.
scim::Projection needed_by(const scim::ResourceType& type, const scim::Filter& filter) {
    std::string wanted = "id";
    for (std::string_view name : {"groups", "members"}) {
        if (filter.mentions(name)) wanted.append(",").append(name);
    }
    return scim::Projection::parse(type, wanted, {}).value_or(scim::Projection{});
}

scim::Result<std::string> optional_text(const json::Object& body, std::string_view name) {
    const auto* value = json::find_ignoring_case(body, name);
    if (value == nullptr || value->is_null()) return std::string{};
    if (const auto* text = value->if_string()) return std::string{*text};
    return std::unexpected(scim::invalid_value(fmt::format("{} must be a string.", name)));
}

/// A list of names as an array of strings, or as one comma-separated string.
scim::Result<std::string> optional_names(const json::Object& body, std::string_view name) {
    const auto* value = json::find_ignoring_case(body, name);
    if (value == nullptr || !value->is_array()) return optional_text(body, name);
    std::string joined;
    for (const auto& element : value->get_array()) {
        if (!element.is_string()) {
            return std::unexpected(scim::invalid_value(fmt::format("{} holds names only.", name)));
        }
        if (!joined.empty()) joined.push_back(',');
        joined += std::string_view{element.get_string()};
    }
    return joined;
}

scim::Result<std::optional<std::int64_t>> optional_number(const json::Object& body,
                                                          std::string_view name) {
    const auto* value = json::find_ignoring_case(body, name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (const auto* number = value->if_int64()) return *number;
    return std::unexpected(scim::invalid_value(fmt::format("{} must be an integer.", name)));
}

}  // namespace

scim::Result<ListRequest> parse_search(const json::Value& body) {
    const auto* object = body.if_object();
    if (object == nullptr) {
        return std::unexpected(scim::invalid_syntax("A search request must be a JSON object."));
    }
    ListRequest request;
    TRY_ASSIGN(request.filter, optional_text(*object, "filter"));
    TRY_ASSIGN(request.attributes, optional_names(*object, "attributes"));
    TRY_ASSIGN(request.excluded_attributes, optional_names(*object, "excludedAttributes"));
    TRY_ASSIGN(request.start_index, optional_number(*object, "startIndex"));
    TRY_ASSIGN(request.count, optional_number(*object, "count"));
    return request;
}

Task<scim::Result<Answer>> Query::search(Call& call, const scim::ResourceType& type,
                                         std::string body) const {
    CO_TRY_ASSIGN(const auto value, parse_body(call, core_.limits, body));
    CO_TRY_ASSIGN(auto request, parse_search(value));
    co_return co_await list(call, type, std::move(request));
}

Task<store::Result<Found>> Query::find(OrgKey org, const scim::ResourceType& type,
                                       const scim::Filter* filter, Window window) const {
    const auto plan = store::make_plan(type, filter);
    Found found;
    found.by = words_for(plan);
    std::size_t skip = 0;
    if (plan.exact) {
        CO_TRY_ASSIGN(found.total, co_await core_.store.count(org, plan));
        skip = window.first;
    }
    const auto needs = plan.exact ? scim::Projection{} : needed_by(type, *filter);
    const Renderer renderer(*core_.catalog, "");
    std::size_t scanned = 0;
    Rid after{};
    for (bool more = !plan.exact || window.size > 0; more;) {
        const auto wanted = plan.exact ? window.size - found.records.size() : kSlice;
        CO_TRY_ASSIGN(auto slice,
                      co_await core_.store.query(org, plan, after, skip, std::min(wanted, kSlice)));
        skip = 0;
        scanned += slice.records.size();
        if (!slice.records.empty()) after = slice.records.back().rid;
        std::vector<Relations> seen;
        if (!plan.exact) {
            CO_TRY_ASSIGN(seen, co_await resources_.relations(org, type, slice.records, needs));
        }
        for (std::size_t i = 0; i < slice.records.size(); ++i) {
            auto& record = slice.records[i];
            if (!plan.exact) {
                if (!filter->matches(renderer.object(type, record, seen[i]))) continue;
                const auto position = static_cast<std::size_t>(found.total++);
                if (position < window.first || found.records.size() >= window.size) continue;
            }
            found.records.push_back(std::move(record));
        }
        more = slice.more && !(plan.exact && found.records.size() >= window.size);
        if (!more) break;
        if (scanned > core_.limits.max_scanned_rows) {
            found.gave_up = true;
            break;
        }
        const auto executor = co_await boost::asio::this_coro::executor;
        co_await boost::asio::post(executor, boost::asio::use_awaitable);
    }
    co_return found;
}

Task<scim::Result<Answer>> Query::list(Call& call, const scim::ResourceType& type,
                                       ListRequest request) const {
    CO_TRY_ASSIGN(const auto projection,
                  scim::Projection::parse(type, request.attributes, request.excluded_attributes));
    CO_TRY_VOID(rewrite_filter(call, type, request.filter));
    std::optional<scim::Filter> filter;
    if (!request.filter.empty()) {
        CO_TRY_ASSIGN(filter, scim::parse_filter(type, request.filter, core_.limits.filter));
        call.record.step("parsed", "filter " + filter->to_string());
    }
    const auto window = window_of(request, core_.limits);
    const auto found = co_await find(call.org(), type, filter ? &*filter : nullptr, window);
    if (!found) co_return refuse_store(call, found.error());
    if (found->gave_up) {
        co_return std::unexpected(scim::too_many(
            "This filter would have to look at too many resources. Filter by userName, externalId, "
            "emails.value or id, which are indexed."));
    }
    call.record.step("matched", found->by);
    const Renderer renderer(*core_.catalog, call.base_url);
    std::string resources;
    resources.reserve(found->records.size() * 1024);
    const auto related =
        co_await resources_.relations(call.org(), type, found->records, projection);
    if (!related) co_return refuse_store(call, related.error());
    for (std::size_t i = 0; i < found->records.size(); ++i) {
        if (i > 0) resources.push_back(',');
        renderer.append(resources, type, found->records[i], (*related)[i], projection);
    }
    call.record.step("answered",
                     fmt::format("{} of {} resources", found->records.size(), found->total));
    co_return Answer{
        .status = 200,
        .body = fmt::format(
            R"({{"schemas":["{}"],"totalResults":{},"startIndex":{},"itemsPerPage":{},"Resources":[{}]}})",
            scim::kListResponse, found->total, window.first + 1, found->records.size(), resources)};
}

}  // namespace muster::service
