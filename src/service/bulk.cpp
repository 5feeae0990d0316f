#include "service/bulk.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/result.hpp"
#include "service/steps.hpp"

namespace muster::service {

namespace {

using Method = BulkOperation::Method;

/// Creations under way at once.
constexpr std::size_t kMostAtOnce = 256;

std::string last_segment(std::string_view location) {
    return std::string{location.substr(location.rfind('/') + 1)};
}

}  // namespace

/// One bulk request on its way.
class Bulk::Run {
  public:
    Run(const Bulk& bulk, Call& call, BulkRequest request)
        : bulk_(bulk), call_(call), request_(std::move(request)) {
        for (const BulkOperation& operation : request_.operations) {
            Item item{.references = references_of(operation), .outcome = {}, .error_body = {}};
            if (operation.malformed) item.outcome = std::unexpected(*operation.malformed);
            items_.push_back(std::move(item));
        }
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const auto& operation = request_.operations[i];
            if (operation.method == Method::Post && !operation.malformed) {
                makers_.emplace(operation.bulk_id, i);
            }
        }
    }

    Task<void> carry_out() {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (items_[i].outcome) note(i);
        }
        while (!stopped_) {
            const auto ready = next_ready();
            if (!ready.empty()) {
                co_await carry_out(ready);
            } else if (const auto first = first_of_circle()) {
                co_await begin_circle(*first);
            } else if (!unfinished_.empty()) {
                co_await finish_circles();
            } else {
                break;
            }
        }
        co_await finish_circles();
    }

    [[nodiscard]] Answer answer() const {
        std::string body = fmt::format(R"({{"schemas":["{}"],"Operations":[)", scim::kBulkResponse);
        std::size_t size = body.size();
        for (const Item& item : items_) size += item.error_body.size() + kItemBytes;
        body.reserve(size);
        bool first = true;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!items_[i].outcome) continue;
            if (!std::exchange(first, false)) body.push_back(',');
            append(body, request_.operations[i], items_[i]);
        }
        body.append("]}");
        return {.status = 200, .body = std::move(body)};
    }

  private:
    static constexpr std::size_t kItemBytes = 200;  // of an outcome, about

    struct Item {
        std::set<std::string> references;
        std::optional<scim::Result<Answer>> outcome;
        std::string error_body;
        bool provisional = false;  ///< what was made may have to be taken back
    };

    [[nodiscard]] bool is_done(const std::string& bulk_id) const {
        const auto maker = makers_.find(bulk_id);
        return maker == makers_.end() || items_[maker->second].outcome.has_value();
    }
    /// Also that what was made will stay: a change of something else cannot be taken back.
    [[nodiscard]] bool is_settled(const std::string& bulk_id) const {
        const auto maker = makers_.find(bulk_id);
        return is_done(bulk_id) && (maker == makers_.end() || !items_[maker->second].provisional);
    }

    /// The first operation that can be carried out, and where that may be, the creations behind it.
    [[nodiscard]] std::vector<std::size_t> next_ready() const {
        std::vector<std::size_t> ready;
        for (std::size_t i = 0; i < items_.size() && ready.size() < kMostAtOnce; ++i) {
            if (items_[i].outcome) continue;
            const bool creates = request_.operations[i].method == Method::Post;
            const bool waits = !std::ranges::all_of(items_[i].references, [&](const auto& id) {
                return creates ? is_done(id) : is_settled(id);
            });
            // Others must not be overtaken: they may be about the same resource.
            if (!ready.empty() && (waits || !creates)) break;
            if (waits) continue;
            ready.push_back(i);
            if (!creates || request_.fail_on_errors > 0) break;
        }
        return ready;
    }

    [[nodiscard]] std::optional<std::size_t> first_of_circle() const {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            const bool creates = request_.operations[i].method == Method::Post;
            if (!items_[i].outcome && creates) return i;
        }
        return std::nullopt;
    }

    Task<void> carry_out(std::vector<std::size_t> indices) {
        if (indices.size() == 1) {
            co_await carry_out(indices.front());
            co_return;
        }
        const auto executor = co_await boost::asio::this_coro::executor;
        using Operation = decltype(boost::asio::co_spawn(executor, std::declval<Task<void>>(),
                                                         boost::asio::deferred));
        std::vector<Operation> operations;
        for (const std::size_t index : indices) {
            operations.push_back(
                boost::asio::co_spawn(executor, carry_out(index), boost::asio::deferred));
        }
        const auto [order, thrown] =
            co_await boost::asio::experimental::make_parallel_group(std::move(operations))
                .async_wait(boost::asio::experimental::wait_for_all(), boost::asio::use_awaitable);
        for (const auto& exception : thrown) {
            if (exception) std::rethrow_exception(exception);
        }
    }

    Task<void> carry_out(std::size_t index) {
        BulkOperation operation = request_.operations[index];
        if (auto fault = fault_of_references(items_[index].references)) {
            items_[index].outcome = std::unexpected(*std::move(fault));
        } else {
            items_[index].provisional = !std::ranges::all_of(
                items_[index].references, [this](const auto& id) { return is_settled(id); });
            resolve_references(operation, ids_);
            items_[index].outcome = co_await dispatch(operation, items_[index]);
        }
        note(index);
    }

    Task<void> begin_circle(std::size_t index) {
        std::set<std::string> missing;
        for (const auto& id : items_[index].references) {
            if (!is_done(id)) missing.insert(id);
        }
        BulkOperation operation = request_.operations[index];
        take_out_references(operation.data, missing);
        resolve_references(operation, ids_);
        items_[index].provisional = true;
        items_[index].outcome = co_await dispatch(operation, items_[index]);
        note(index);
        if (items_[index].outcome->has_value()) unfinished_.push_back(index);
    }

    Task<void> finish_circles() {
        for (const std::size_t index : std::exchange(unfinished_, {})) {
            if (*items_[index].outcome) co_await finish_circle(index);
        }
        for (Item& item : items_) item.provisional = false;
    }

    /// Gives the resource the references that it was made without. Where that fails, it goes again,
    /// and so do those that were made to refer to it: an operation that is refused changes nothing.
    Task<void> finish_circle(std::size_t index) {
        BulkOperation operation = request_.operations[index];
        const auto id = ids_.at(operation.bulk_id);
        operation.method = Method::Put;
        operation.path += "/" + id;
        auto fault = fault_of_references(items_[index].references);
        Item attempt;
        scim::Result<Answer> finished{};
        if (fault) {
            finished = std::unexpected(*std::move(fault));
        } else {
            resolve_references(operation, ids_);
            finished = co_await dispatch(operation, attempt);
        }
        if (finished) {
            (*items_[index].outcome)->etag = finished->etag;
            co_return;
        }
        co_await take_back(index, std::move(finished).error());
        items_[index].error_body = std::move(attempt.error_body);
    }

    /// Deletes what a POST has made, which counts as failed now, and what was made to refer to it.
    Task<void> take_back(std::size_t first, scim::Error error) {
        for (std::vector<std::pair<std::size_t, scim::Error>> failed{{first, std::move(error)}};
             !failed.empty();) {
            const std::size_t index = failed.back().first;
            items_[index].outcome = std::unexpected(std::move(failed.back().second));
            failed.pop_back();
            note(index);
            const BulkOperation& made = request_.operations[index];
            const auto id = ids_.extract(made.bulk_id);
            Item ignored;
            BulkOperation removal{.method = Method::Delete,
                                  .path = made.path + "/" + id.mapped(),
                                  .bulk_id = {},
                                  .version = {},
                                  .data = {},
                                  .malformed = {}};
            static_cast<void>(co_await dispatch(std::move(removal), ignored));
            for (std::size_t i = 0; i < items_.size(); ++i) {
                const bool stands = request_.operations[i].method == Method::Post &&
                                    items_[i].outcome && items_[i].outcome->has_value();
                if (!stands || !items_[i].references.contains(made.bulk_id)) continue;
                failed.emplace_back(i, *fault_of_references(items_[i].references));
                // Once is enough, however many of what it refers to fail.
                items_[i].outcome = std::unexpected(failed.back().second);
            }
        }
    }

    [[nodiscard]] std::optional<scim::Error> fault_of_references(
        const std::set<std::string>& references) const {
        for (const auto& id : references) {
            if (ids_.contains(id)) continue;
            if (makers_.contains(id)) {
                return scim::invalid_value(fmt::format(
                    "The operation with the bulkId {} failed, and this one refers to it.",
                    scim::quoted(id)));
            }
            return scim::invalid_value(
                fmt::format("No POST of this request has the bulkId {} that is referred to.",
                            scim::quoted(id)));
        }
        return std::nullopt;
    }

    /// One operation as the request that it stands for, with a log record of its own.
    Task<scim::Result<Answer>> dispatch(BulkOperation operation, Item& item) {
        const auto slash = std::min(operation.path.find('/', 1), operation.path.size());
        const auto* type = call_.catalog().type_at(operation.path.substr(0, slash));
        auto id = operation.path.substr(std::min(slash + 1, operation.path.size()));
        Call call = call_of(operation);
        // Who was there before could not be taken back.
        call.may_restore = !item.provisional;
        scim::Result<Answer> outcome{};
        if (type == nullptr) {
            outcome = call.refuse("no-endpoint",
                                  {404, scim::ScimType::None,
                                   fmt::format("There is no endpoint {}.",
                                               scim::quoted(operation.path.substr(0, slash)))});
        } else {
            outcome = co_await dispatch(call, *type, std::move(id), operation);
            // An answer to a bulk request tells of resources, it does not show them.
            if (outcome) outcome->body = {};
        }
        if (!outcome) {
            item.error_body = scim::to_json(outcome.error(), call.record.shown_id());
            outcome.error().detail = {};
        }
        if (!call.recorded) {
            const int status = outcome ? outcome->status : outcome.error().status;
            const auto us = call.elapsed_us();
            co_await bulk_.core_.store.record(
                std::move(call.record).finish(status, item.error_body, us));
        }
        co_return outcome;
    }

    Task<scim::Result<Answer>> dispatch(Call& call, const scim::ResourceType& type, std::string id,
                                        const BulkOperation& operation) {
        const Resources& resources = bulk_.resources_;
        auto body = operation.method == Method::Delete ? "" : json::to_text(operation.data);
        switch (operation.method) {
            case Method::Post:
                return resources.create(call, type, std::move(body), {});
            case Method::Put:
                return resources.replace(call, type, std::move(id), std::move(body), {});
            case Method::Patch:
                return resources.patch(call, type, std::move(id), std::move(body), {});
            case Method::Delete:
                break;
        }
        return resources.remove(call, type, std::move(id));
    }

    [[nodiscard]] Call call_of(const BulkOperation& operation) const {
        const auto& entry = *call_.principal.connector;
        Call call{.principal = call_.principal,
                  .base_url = call_.base_url,
                  .if_match = operation.version,
                  .if_none_match = {},
                  .user_agent = call_.user_agent,
                  .peer = call_.peer,
                  .record = provlog::Record(
                      bulk_.core_.ids.next_key<LogId>(),
                      {.org = call_.org(),
                       .connector = entry.connector.key,
                       .org_slug = entry.organisation.slug,
                       .connector_id = entry.connector.id,
                       .token_id = call_.principal.token_id,
                       .peer = call_.peer,
                       .user_agent = call_.user_agent,
                       .own_attributes = !entry.organisation.definitions.empty()},
                      {.method = to_string(operation.method), .target = operation.path}),
                  .started = std::chrono::steady_clock::now()};
        call.record.step("authenticated", "in the bulk request " + call_.record.shown_id());
        return call;
    }

    /// After an outcome is known.
    void note(std::size_t index) {
        const auto& outcome = *items_[index].outcome;
        const auto& operation = request_.operations[index];
        if (!outcome) {
            ++errors_;
            stopped_ = request_.fail_on_errors > 0 && errors_ >= request_.fail_on_errors;
        } else if (operation.method == Method::Post) {
            ids_.emplace(operation.bulk_id, last_segment(outcome->location));
        }
    }

    static void append(std::string& out, const BulkOperation& operation, const Item& item) {
        const auto& outcome = *item.outcome;
        out.append(R"({"method":")").append(to_string(operation.method)).push_back('"');
        const auto member = [&out](std::string_view name, std::string_view text) {
            if (text.empty()) return;
            out.append(",\"").append(name).append("\":");
            json::append_string(out, text);
        };
        member("bulkId", operation.bulk_id);
        if (outcome) {
            member("location", outcome->location);
            member("version", outcome->etag);
        }
        const int status = outcome ? outcome->status : outcome.error().status;
        member("status", std::to_string(status));
        if (!outcome) {
            out.append(",\"response\":");
            out.append(item.error_body.empty() ? scim::to_json(outcome.error()) : item.error_body);
        }
        out.push_back('}');
    }

    const Bulk& bulk_;
    Call& call_;
    BulkRequest request_;
    std::vector<Item> items_;
    std::map<std::string, std::size_t> makers_;  ///< the POST of each bulkId
    std::map<std::string, std::string> ids_;     ///< what it was given
    std::vector<std::size_t> unfinished_;        ///< made without their references
    std::size_t errors_ = 0;
    bool stopped_ = false;
};

Task<scim::Result<Answer>> Bulk::run(Call& call, std::string body) const {
    CO_TRY_ASSIGN(auto value, parse_body(call, core_.limits, body));
    // Each operation's own record holds what may be kept of it.
    call.record.request_body(body, nullptr);
    CO_TRY_ASSIGN(auto request, parse_bulk(std::move(value), core_.limits.bulk_operations));
    const auto operations = request.operations.size();
    Run run(*this, call, std::move(request));
    co_await run.carry_out();
    call.record.step("decided",
                     fmt::format("{} operations, each with a record of its own", operations));
    co_return run.answer();
}

}  // namespace muster::service
