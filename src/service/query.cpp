#include "service/query.hpp"

#include <algorithm>
#include <limits>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/result.hpp"
#include "scim/filter/filter.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

/// Candidates looked at before other requests of the same thread get their turn.
constexpr std::size_t kSlice = 256;

struct Window {
    std::size_t first = 0;  ///< matches to pass over
    std::size_t size = 0;   ///< matches to return
};

Window window_of(const ListRequest& request, const Limits& limits) {
    const auto start = std::max<std::int64_t>(request.start_index.value_or(1), 1);
    const auto asked =
        request.count.value_or(static_cast<std::int64_t>(limits.default_page));
    const auto size = std::clamp<std::int64_t>(asked, 0, static_cast<std::int64_t>(limits.max_page));
    return {static_cast<std::size_t>(start) - 1, static_cast<std::size_t>(size)};
}

/// The body of a ListResponse, written as the resources come.
class Page {
  public:
    explicit Page(std::size_t reserve) { resources_.reserve(reserve); }

    std::string& next() {
        if (count_++ != 0) resources_.push_back(',');
        return resources_;
    }
    [[nodiscard]] std::size_t count() const { return count_; }

    [[nodiscard]] std::string finish(std::int64_t total, std::size_t start_index) && {
        return fmt::format(
            R"({{"schemas":["{}"],"totalResults":{},"startIndex":{},"itemsPerPage":{},"Resources":[{}]}})",
            scim::kListResponse, total, start_index, count_, resources_);
    }

  private:
    std::string resources_;
    std::size_t count_ = 0;
};

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

Task<scim::Result<Answer>> Query::list(Call& call, const scim::ResourceType& type,
                                       ListRequest request) const {
    CO_TRY_ASSIGN(const auto projection, scim::Projection::parse(type, request.attributes,
                                                                 request.excluded_attributes));
    std::optional<scim::Filter> filter;
    if (!request.filter.empty()) {
        CO_TRY_ASSIGN(filter, scim::parse_filter(type, request.filter, core_.limits.filter));
        call.record.step("parsed", fmt::format("filter {}", filter->to_string()));
    }
    const auto plan = store::make_plan(type, filter ? &*filter : nullptr);
    const auto window = window_of(request, core_.limits);
    const auto org = call.org();
    const Renderer renderer(*core_.catalog, call.base_url);
    Page page(std::min(window.size, std::size_t{16}) * 1024);

    std::int64_t total = 0;
    std::size_t scanned = 0;
    std::size_t skip = 0;
    if (plan.exact) {
        auto count = co_await core_.store.count(org, plan);
        if (!count) co_return refuse_store(call, count.error());
        total = *count;
        skip = window.first;
    }
    const auto filter_needs =
        plan.exact ? scim::Projection{} : needed_by(type, *filter);
    Rid after{};
    for (bool more = !plan.exact || window.size > 0; more;) {
        const auto limit = plan.exact ? window.size - page.count() : kSlice;
        auto slice = co_await core_.store.query(org, plan, after, skip, std::min(limit, kSlice));
        if (!slice) co_return refuse_store(call, slice.error());
        skip = 0;
        scanned += slice->records.size();
        for (const auto& record : slice->records) {
            if (!plan.exact) {
                auto seen = co_await resources_.relations(org, type, record.rid, filter_needs);
                if (!seen) co_return refuse_store(call, seen.error());
                if (!filter->matches(renderer.object(type, record, *seen))) continue;
                const auto position = static_cast<std::size_t>(total++);
                if (position < window.first || page.count() >= window.size) continue;
            }
            auto related = co_await resources_.relations(org, type, record.rid, projection);
            if (!related) co_return refuse_store(call, related.error());
            renderer.append(page.next(), type, record, *related, projection);
        }
        if (!slice->records.empty()) after = slice->records.back().rid;
        more = slice->more && !(plan.exact && page.count() >= window.size);
        if (more && scanned > core_.limits.max_scanned_rows) {
            co_return std::unexpected(scim::too_many(
                "This filter would have to look at too many resources. Filter by userName, "
                "externalId, emails.value or id, which are indexed."));
        }
        if (more) {
            auto executor = co_await boost::asio::this_coro::executor;
            co_await boost::asio::post(executor, boost::asio::use_awaitable);
        }
    }
    call.record.step("answered", fmt::format("{} of {} resources", page.count(), total));
    co_return Answer{.status = 200,
                     .body = std::move(page).finish(total, window.first + 1)};
}

}  // namespace muster::service
