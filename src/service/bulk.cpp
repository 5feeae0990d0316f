#include "service/bulk.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
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
// Why the server does what no operation asks for.
constexpr std::string_view kFinishes =
    "It was made without what refers to it in turn, and was to get that now";
constexpr std::string_view kTakesBack =
    "What it refers to could not be made, so the operation that had made it failed too";

json::Value patch_that_adds(json::Object attributes) {
    json::Object addition;
    addition.emplace("op", "add");
    addition.emplace("value", std::move(attributes));
    json::Object patch;
    patch.emplace("schemas", json::Array{json::Value(scim::kPatchOp)});
    patch.emplace("Operations", json::Array{json::Value(std::move(addition))});
    return json::Value(std::move(patch));
}

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
        const auto steps = order_of(request_.operations);
        for (std::span<const BulkStep> left = steps; !left.empty() && !stopped_;) {
            const auto together = left.first(how_many_at_once(left));
            left = left.subspan(together.size());
            co_await carry_out(together);
            co_await finish_circles();
        }
    }

    /// What became of the operations, for the log.
    [[nodiscard]] std::string summary() const {
        std::size_t good = 0;
        std::size_t bad = 0;
        for (const Item& item : items_) {
            if (item.outcome) ++(*item.outcome ? good : bad);
        }
        const std::size_t left = items_.size() - good - bad;
        auto text =
            fmt::format("Of {} operations {} succeeded and {} failed", items_.size(), good, bad);
        if (left > 0) text += fmt::format("; {} were not tried then (failOnErrors)", left);
        return text + "; each that was carried out has a record of its own";
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
        std::size_t made = 0;  ///< as the how manieth of this request
    };

    /// Made without the references that its circle's other resources have to be made for.
    struct Unfinished {
        std::size_t index;
        json::Object lacking;
    };

    [[nodiscard]] bool is_done(const std::string& bulk_id) const {
        const auto maker = makers_.find(bulk_id);
        return maker == makers_.end() || items_[maker->second].outcome.has_value();
    }
    [[nodiscard]] bool is_provisional(const std::string& bulk_id) const {
        const auto maker = makers_.find(bulk_id);
        return maker != makers_.end() && provisional_.contains(maker->second);
    }

    /// Creations that wait for nothing go together, and share a commit. Other operations must not
    /// be overtaken: they may be about the same resource.
    [[nodiscard]] std::size_t how_many_at_once(std::span<const BulkStep> left) const {
        if (request_.fail_on_errors > 0) return 1;
        const auto first_other =
            std::ranges::find_if(left.first(std::min(left.size(), kMostAtOnce)),
                                 [this](const BulkStep& step) { return !creates_freely(step); });
        return std::max<std::size_t>(
            static_cast<std::size_t>(std::distance(left.begin(), first_other)), 1);
    }
    [[nodiscard]] bool creates_freely(const BulkStep& step) const {
        return request_.operations[step.index].method == Method::Post && step.missing.empty() &&
               std::ranges::all_of(items_[step.index].references,
                                   [this](const auto& id) { return is_done(id); });
    }

    Task<void> carry_out(std::span<const BulkStep> steps) {
        if (steps.size() == 1) {
            co_await carry_out(steps.front());
            co_return;
        }
        const auto executor = co_await boost::asio::this_coro::executor;
        using Operation = decltype(boost::asio::co_spawn(executor, std::declval<Task<void>>(),
                                                         boost::asio::deferred));
        std::vector<Operation> operations;
        for (const BulkStep& step : steps) {
            operations.push_back(
                boost::asio::co_spawn(executor, carry_out(step), boost::asio::deferred));
        }
        const auto [order, thrown] =
            co_await boost::asio::experimental::make_parallel_group(std::move(operations))
                .async_wait(boost::asio::experimental::wait_for_all(), boost::asio::use_awaitable);
        for (const auto& exception : thrown) {
            if (exception) std::rethrow_exception(exception);
        }
    }

    Task<void> carry_out(const BulkStep& step) {
        Item& item = items_[step.index];
        BulkOperation operation = request_.operations[step.index];
        json::Object lacking;
        if (!step.missing.empty()) {
            lacking = take_out_references(operation.data.as_object(), step.missing);
        }
        if (auto fault = fault_of_references(item.references, step.missing)) {
            item.outcome = std::unexpected(*std::move(fault));
        } else {
            const bool provisional = !step.missing.empty() ||
                                     std::ranges::any_of(item.references, [this](const auto& id) {
                                         return is_provisional(id);
                                     });
            if (provisional) provisional_.insert(step.index);
            resolve_references(operation, ids_);
            item.outcome = co_await dispatch(operation, item.error_body, provisional);
        }
        note(step.index);
        if (item.outcome->has_value() && !lacking.empty()) {
            unfinished_.push_back({step.index, std::move(lacking)});
        }
    }

    /// Finishes what has got all that it lacked, or never will.
    Task<void> finish_circles() {
        for (std::size_t i = 0; i < unfinished_.size();) {
            const auto& references = items_[unfinished_[i].index].references;
            const bool complete =
                std::ranges::all_of(references, [this](const auto& id) { return is_done(id); });
            if (!complete && !stopped_) {
                ++i;
                continue;
            }
            Unfinished one = std::move(unfinished_[i]);
            unfinished_.erase(unfinished_.begin() + static_cast<std::ptrdiff_t>(i));
            if (*items_[one.index].outcome) co_await finish(std::move(one));
            i = 0;
        }
        if (unfinished_.empty()) provisional_.clear();
    }

    /// Adds the references that a resource was made without; whatever others have done to it since
    /// stays. Where that fails, it goes again, and so do those that were made to refer to it: an
    /// operation that is refused changes nothing.
    Task<void> finish(Unfinished one) {
        Item& item = items_[one.index];
        scim::Result<Answer> finished{};
        std::string error_body;
        if (auto fault = fault_of_references(item.references, {})) {
            finished = std::unexpected(*std::move(fault));
        } else {
            const BulkOperation& made = request_.operations[one.index];
            BulkOperation addition{.method = Method::Patch,
                                   .path = made.path + "/" + ids_.at(made.bulk_id),
                                   .bulk_id = {},
                                   .version = {},
                                   .data = patch_that_adds(std::move(one.lacking)),
                                   .malformed = {},
                                   .own_reason = kFinishes};
            resolve_references(addition, ids_);
            finished = co_await dispatch(std::move(addition), error_body, true);
        }
        if (finished) {
            (*item.outcome)->etag = std::move(finished->etag);
            co_return;
        }
        co_await take_back(one.index, std::move(finished).error(), std::move(error_body));
    }

    /// Deletes what a POST has made, which counts as failed now, and what was made to refer to it.
    Task<void> take_back(std::size_t first, scim::Error error, std::string error_body) {
        struct Failed {
            std::size_t index;
            std::string path;
            std::string etag;
        };
        std::vector<Failed> all;
        const auto fail = [&](std::size_t index, scim::Error why) {
            const BulkOperation& made = request_.operations[index];
            all.push_back({index, made.path + "/" + ids_.extract(made.bulk_id).mapped(),
                           std::move((*items_[index].outcome)->etag)});
            items_[index].outcome = std::unexpected(std::move(why));
            note(index);
        };
        fail(first, std::move(error));
        items_[first].error_body = std::move(error_body);
        for (std::size_t done = 0; done < all.size(); ++done) {
            const auto& bulk_id = request_.operations[all[done].index].bulk_id;
            for (std::size_t i = 0; i < items_.size(); ++i) {
                const bool stands = request_.operations[i].method == Method::Post &&
                                    items_[i].outcome && items_[i].outcome->has_value();
                if (!stands || !items_[i].references.contains(bulk_id)) continue;
                fail(i, *fault_of_references(items_[i].references, {}));
            }
        }
        // The youngest first: with what it refers to, a group would become another version.
        std::ranges::sort(all, std::ranges::greater(),
                          [this](const Failed& one) { return items_[one.index].made; });
        for (Failed& failed : all) {
            if (co_await was_removed(failed.path, std::move(failed.etag))) continue;
            items_[failed.index].error_body.clear();
            items_[failed.index].outcome = std::unexpected(scim::Error{
                409, scim::ScimType::None,
                fmt::format("What it refers to could not be made. {} was, and stays without that: "
                            "another request has changed it meanwhile, or it could not be deleted "
                            "just now.",
                            failed.path)});
        }
    }

    /// Deletes a resource that is still as it was at `etag`, so that nobody's change goes with it.
    Task<bool> was_removed(std::string path, std::string etag) {
        std::string ignored;
        const auto removed = co_await dispatch({.method = Method::Delete,
                                                .path = std::move(path),
                                                .bulk_id = {},
                                                .version = std::move(etag),
                                                .data = {},
                                                .malformed = {},
                                                .own_reason = kTakesBack},
                                               ignored, true);
        co_return removed || removed.error().status == 404;
    }

    /// Of those that are not `missing` as yet.
    [[nodiscard]] std::optional<scim::Error> fault_of_references(
        const std::set<std::string>& references, const std::set<std::string>& missing) const {
        for (const auto& id : references) {
            if (ids_.contains(id) || missing.contains(id)) continue;
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
    Task<scim::Result<Answer>> dispatch(BulkOperation operation, std::string& error_body,
                                        bool provisional) {
        const auto slash = std::min(operation.path.find('/', 1), operation.path.size());
        const auto* type = call_.catalog().type_at(operation.path.substr(0, slash));
        auto id = operation.path.substr(std::min(slash + 1, operation.path.size()));
        Call call = call_of(operation);
        // Who was there before could not be taken back.
        call.may_restore = !provisional;
        scim::Result<Answer> outcome{};
        if (type == nullptr) {
            outcome = call.refuse("no-endpoint",
                                  {404, scim::ScimType::None,
                                   fmt::format("There is no endpoint {}.",
                                               scim::quoted(operation.path.substr(0, slash)))});
        } else {
            outcome = co_await dispatch(call, *type, std::move(id), operation);
            // An answer to a bulk request tells of resources, it does not show them.
            if (outcome) {
                outcome->body = {};
                outcome->rest = {};
            }
        }
        if (!outcome) {
            error_body = scim::to_json(outcome.error(), call.record.shown_id());
            outcome.error().detail = {};
        }
        if (!call.recorded) {
            const int status = outcome ? outcome->status : outcome.error().status;
            const auto us = call.elapsed_us();
            co_await bulk_.core_.store.record(call.record.finish(status, error_body, us));
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
                       .user_agent = call_.user_agent},
                      {.method = to_string(operation.method), .target = operation.path}),
                  .started = std::chrono::steady_clock::now()};
        if (!call.catalog().hides_attributes()) call.record.tell_all();
        call.record.step("authenticated", "in the bulk request " + call_.record.shown_id());
        if (!operation.own_reason.empty()) call.record.step("itself", operation.own_reason);
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
            items_[index].made = ++made_;
        }
    }

    void append(std::string& out, const BulkOperation& operation, const Item& item) const {
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
            // Who was refused before there was a record of the operation finds this one.
            out.append(item.error_body.empty()
                           ? scim::to_json(outcome.error(), call_.record.shown_id())
                           : item.error_body);
        }
        out.push_back('}');
    }

    const Bulk& bulk_;
    Call& call_;
    BulkRequest request_;
    std::vector<Item> items_;
    std::map<std::string, std::size_t> makers_;  ///< the POST of each bulkId
    std::map<std::string, std::string> ids_;     ///< what it was given
    std::set<std::size_t> provisional_;          ///< what may have to be taken back
    std::vector<Unfinished> unfinished_;
    std::size_t made_ = 0;
    std::size_t errors_ = 0;
    bool stopped_ = false;
};

Task<scim::Result<Answer>> Bulk::run(Call& call, std::string body) const {
    CO_TRY_ASSIGN(auto value, parse_body(call, core_.limits, body));
    // Each operation's own record holds what may be kept of it.
    call.record.request_body(body, nullptr);
    CO_TRY_ASSIGN(auto request, parse_bulk(std::move(value), core_.limits.bulk_operations));
    Run run(*this, call, std::move(request));
    co_await run.carry_out();
    call.record.step("decided", run.summary());
    co_return run.answer();
}

}  // namespace muster::service
