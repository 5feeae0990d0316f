#include "api/scim_handler.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "api/discovery.hpp"
#include "api/failure_text.hpp"
#include "api/list_query.hpp"
#include "api/media_type.hpp"
#include "api/turns.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/text.hpp"
#include "provlog/redact.hpp"
#include "scim/dialect/dialect.hpp"

namespace muster::api {

namespace {

using http::Method;

// A client that asks again at once would cost as much refused as served.
constexpr std::chrono::milliseconds kRefusalPause{500};
// So little that it takes none of the memory that bodies share.
constexpr std::size_t kStrangersBody = std::size_t{16} << 10;
/// What the log holds of an answer that is sent in pieces.
constexpr std::string_view kStreamed = R"({"streamed":true})";
constexpr std::string_view kSearch = ".search";
constexpr std::string_view kRootSearch = "/.search";
constexpr std::string_view kMe = "/Me";
constexpr std::string_view kBulk = "/Bulk";
constexpr std::string_view kCollectionMethods = "GET, HEAD, POST, OPTIONS";
constexpr std::string_view kResourceMethods = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
constexpr std::string_view kSearchMethods = "POST, OPTIONS";
constexpr std::string_view kReadMethods = "GET, HEAD, OPTIONS";

bool reads(Method method) { return method == Method::Get || method == Method::Head; }

bool searches(const Route& route) { return route.id == kSearch || route.endpoint == kRootSearch; }

/// Whether another node may have made that what is refused here is let in.
bool depends_on_directory(auth::Refusal refusal) {
    using enum auth::Refusal;
    return refusal != MissingCredential && refusal != NotAToken && refusal != BadChecksum &&
           refusal != WrongScheme;
}

std::string_view method_not_allowed_detail() {
    return "This URL does not take that method; the Allow header lists those that it takes.";
}

std::string join_url(const ScimOptions& options, const Route& route) {
    if (!route.connector_id.empty()) {
        std::string url = options.public_url;
        return url.append("/c/").append(route.connector_id).append("/scim/v2");
    }
    const auto scheme = options.public_url.starts_with("http://") ? "http" : "https";
    return fmt::format("{}://{}.{}/scim/v2", scheme, route.slug, options.base_domain);
}

/// A detail may name what was sent, and a token may have been sent anywhere.
std::string error_body(scim::Error error, std::string_view log_id) {
    error.detail = provlog::mask_tokens(error.detail);
    return scim::to_json(error, log_id);
}

http::Response plain(int status, std::string body) {
    http::Response response{.status = status, .content_type = "text/plain; charset=utf-8"};
    response.body = std::move(body);
    return response;
}

}  // namespace

/// One SCIM request from its admission to its answer.
struct ScimHandler::Context {
    Route route;
    std::string base_url;
    provlog::Record record;  ///< while nobody is authenticated
    std::optional<auth::Principal> principal;
    auth::ConnectorPtr connector;           ///< null where there is none of that id
    std::uint64_t generation = 0;           ///< of the registry, as they were looked up in it
    std::string_view allow = kReadMethods;  ///< of the URL, for 405
    int retry_after_s = 0;
};

ScimHandler::ScimHandler(const service::Core& core, service::Directory& directory, Metrics& metrics,
                         const ScimOptions& options, Report report)
    : core_(core),
      directory_(directory),
      metrics_(metrics),
      options_(options),
      report_(std::move(report)),
      resources_(core),
      query_(core, resources_),
      bulk_(core, resources_),
      traffic_(options.traffic),
      readiness_([&store = core.store] { return store.healthy(); }) {}

ScimHandler::~ScimHandler() = default;

http::Handler::Admission ScimHandler::admit(const http::RequestHead& head) {
    auto route = api::route(head.path, head.host, options_.base_domain);
    switch (route.area) {
        case Area::Live:
        case Area::Ready:
        case Area::Metrics:
            return {.context = {}, .body_limit = 0, .refusal = health(route.area)};
        case Area::Unknown: {
            const scim::Error error{404, scim::ScimType::None,
                                    "Nothing is served at this URL. A SCIM base URL looks like "
                                    "/c/{connector}/scim/v2."};
            http::Response response{.status = 404, .content_type = kScimJson};
            response.body = scim::to_json(error);
            return {.context = {}, .body_limit = 0, .refusal = std::move(response)};
        }
        case Area::Scim:
            break;
    }
    return admit_scim(head, std::move(route));
}

provlog::Record ScimHandler::record_of(const http::RequestHead& head,
                                       const auth::ConnectorEntry* connector,
                                       std::string_view token_id) const {
    provlog::Who who{.org = {},
                     .connector = {},
                     .org_slug = {},
                     .connector_id = {},
                     .token_id = token_id,
                     .peer = head.peer,
                     .user_agent = head.user_agent};
    if (connector != nullptr) {
        who.org = connector->connector.org;
        who.connector = connector->connector.key;
        who.org_slug = connector->organisation.slug;
        who.connector_id = connector->connector.id;
    }
    const provlog::What what{.method = head.method_text, .target = head.target};
    return {core_.ids.next_key<LogId>(), who, what};
}

http::Handler::Admission ScimHandler::admit_scim(const http::RequestHead& head, Route route) {
    const bool was_behind = is_behind();
    const std::uint64_t generation = core_.registry.generation();
    const auto connector = connector_at(route);
    auto principal =
        core_.registry.authenticate(connector, head.authorization, core_.clock.now(), head.peer);
    const std::string token_id = principal ? principal->token_id : principal.error().token_id;
    auto context =
        std::make_shared<Context>(Context{.route = std::move(route),
                                          .base_url = {},
                                          .record = record_of(head, connector.get(), token_id),
                                          .principal = {},
                                          .connector = connector,
                                          .generation = generation,
                                          .allow = kReadMethods});
    context->base_url = join_url(options_, context->route);

    const bool open = options_.open_discovery && connector && reads(head.method) &&
                      is_discovery(context->route.endpoint);
    if (!principal && !open && was_behind && depends_on_directory(principal.error().refusal)) {
        return {.context = {}, .body_limit = 0, .refusal = behind(head, *context)};
    }
    if (!principal && !open) {
        const auto refusal = principal.error().refusal;
        metrics_.refused(refusal);
        const auto text = text_of(refusal);
        context->record.reason(auth::to_string(refusal));
        return {.context = {},
                .body_limit = 0,
                .refusal = refuse(
                    head, *context,
                    {401, scim::ScimType::None, fmt::format("{} {}", text.cause, text.remedy)})};
    }
    if (principal) {
        context->record.step("authenticated",
                             principal->bare ? "bare token, without a scheme" : "token");
        context->principal = std::move(*principal);
    }
    const TokenKey token = context->principal ? context->principal->token : TokenKey{};
    if (const auto refused = traffic_.refuses(connector->connector.org, token, head.started)) {
        const bool of_token = refused->limit == Traffic::Refusal::Limit::Token;
        return {.context = {},
                .body_limit = 0,
                .refusal = too_many(head, *context,
                                    of_token ? "This token's requests are more a second than the "
                                               "server's limit allows"
                                             : "This organisation's requests are more a second "
                                               "than the server's limit allows",
                                    refused->wait_s)};
    }
    if (connector->connector.state == store::ConnectorState::Paused) {
        return {.context = {}, .body_limit = 0, .refusal = paused(head, *context)};
    }
    if (!accepts_json(head.accept)) {
        context->record.reason("not-acceptable");
        return {.context = {},
                .body_limit = 0,
                .refusal = refuse(head, *context,
                                  {406, scim::ScimType::None,
                                   "Answers are application/scim+json; the Accept header asks for "
                                   "something else."})};
    }
    if (head.has_body && !head.content_encoding.empty() &&
        !equals_ignoring_case(head.content_encoding, "identity")) {
        context->record.reason("media-type");
        return {.context = {},
                .body_limit = 0,
                .refusal = refuse(head, *context,
                                  {415, scim::ScimType::None,
                                   "No Content-Encoding is understood here; send the body "
                                   "uncompressed."})};
    }
    if (head.has_body && !is_json(head.content_type)) {
        context->record.reason("media-type");
        return {.context = {},
                .body_limit = 0,
                .refusal = refuse(head, *context,
                                  {415, scim::ScimType::None,
                                   "The body must be application/scim+json or application/json."})};
    }
    // A stranger may read discovery; what it sends beside takes none of the organisation's memory.
    const bool stranger = !context->principal;
    const std::int64_t owner = stranger ? 0 : connector->connector.org.value;
    const std::size_t most = core_.limits.body_bytes;
    const std::size_t body_limit = stranger ? std::min(kStrangersBody, most) : most;
    return {.context = std::move(context), .owner = owner, .body_limit = body_limit, .refusal = {}};
}

http::Response ScimHandler::too_many(const http::RequestHead& head, Context& context,
                                     std::string_view cause, int wait_s) {
    context.record.reason("too-many-requests");
    context.retry_after_s = wait_s;
    http::Response refusal = refuse(head, context,
                                    {429, scim::ScimType::None,
                                     fmt::format("{}; nothing was changed. Try again after the "
                                                 "time in Retry-After.",
                                                 cause)});
    refusal.pause = kRefusalPause;
    return refusal;
}

http::Response ScimHandler::paused(const http::RequestHead& head, Context& context) {
    context.record.reason("paused");
    context.retry_after_s = options_.paused_retry_after_s;
    return refuse(head, context,
                  {429, scim::ScimType::None,
                   "This connector is paused; nothing was changed. The identity provider may try "
                   "again later."});
}

http::Response ScimHandler::switched_off(const http::RequestHead& head, Context& context) {
    context.record.reason("inactive");
    return refuse(head, context,
                  {401, scim::ScimType::None,
                   "The token, its connector or its organisation was switched off while this "
                   "request was under way; nothing was changed."});
}

auth::ConnectorPtr ScimHandler::connector_at(const Route& route) const {
    return route.connector_id.empty() ? core_.registry.connector_of_slug(route.slug)
                                      : core_.registry.connector(route.connector_id);
}

bool ScimHandler::is_behind() const {
    return options_.shared && !directory_.is_current(BootClock::now());
}

bool ScimHandler::look_up_again(const http::RequestHead& head, Context& context) {
    context.generation = core_.registry.generation();
    auto connector = connector_at(context.route);
    // Another one may have its name by now.
    if (!connector || connector->connector.key != context.connector->connector.key) return false;
    context.connector = std::move(connector);
    if (!context.principal) return true;
    auto principal = core_.registry.authenticate(context.connector, head.authorization,
                                                 core_.clock.now(), head.peer);
    if (!principal) return false;
    context.principal = std::move(*principal);
    return true;
}

http::Response ScimHandler::behind(const http::RequestHead& head, Context& context) {
    context.record.reason("behind");
    context.retry_after_s = 1;
    return refuse(head, context,
                  {503, scim::ScimType::None,
                   "This server could not learn from its database just now whether the token still "
                   "holds. Try again after the time in Retry-After."});
}

http::Response ScimHandler::refuse(const http::RequestHead& head, Context& context,
                                   const scim::Error& error) {
    service::Answer answer{.status = error.status};
    answer.body = error_body(error, context.record.shown_id());
    answer.retry_after_s = context.retry_after_s;
    const auto elapsed = std::chrono::steady_clock::now() - head.started;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
    auto response = respond(head, context, answer);
    core_.store.offer(context.record.finish(error.status, answer.body, us));
    metrics_.request(head.method, "other", error.status, static_cast<double>(us) / 1e6);
    return response;
}

Task<http::Response> ScimHandler::handle(const http::RequestHead& head, std::string body,
                                         std::any& any_context) {
    auto& context = **std::any_cast<std::shared_ptr<Context>>(&any_context);
    const OrgKey org = context.connector->connector.org;
    Turns& turns = Turns::of(co_await boost::asio::this_coro::executor);
    if (const auto wait = turns.refuses(org)) {
        co_return too_many(head, context,
                           "More of this organisation's requests wait than the server can do",
                           *wait);
    }
    co_await turns.take(org);
    if (context.principal && is_behind() &&
        !co_await directory_.becomes_current(BootClock::now())) {
        co_return behind(head, context);
    }
    // What was looked up at the head may be of before.
    if (context.generation != core_.registry.generation() && !look_up_again(head, context)) {
        co_return switched_off(head, context);
    }
    if (context.principal) {
        const auto standing = core_.registry.standing(*context.principal);
        if (standing == auth::Standing::Paused) co_return paused(head, context);
        if (standing == auth::Standing::Gone) co_return switched_off(head, context);
    }
    if (context.principal && !context.principal->connector->catalog->hides_attributes()) {
        context.record.tell_all();
    }
    if (context.principal && context.principal->retires_previous) {
        co_await directory_.retire_previous_secret(context.principal->token_id);
    }
    if (!context.principal || is_discovery(context.route.endpoint)) {
        if (head.method == Method::Options) co_return co_await describe(head, context, {});
        if (!reads(head.method)) {
            co_return refuse(head, context,
                             {405, scim::ScimType::None, std::string{method_not_allowed_detail()}});
        }
        const auto request = list_request(head.query);
        if (!request) co_return refuse(head, context, request.error());
        if (request->filter) {
            co_return refuse(
                head, context,
                {403, scim::ScimType::None,
                 "This endpoint takes no filter (RFC 7644 section 4); read it whole."});
        }
        // What an organisation has of its own is nobody's business but its client's.
        const auto& catalog =
            context.principal ? context.connector->catalog : scim::Catalog::standard();
        auto document =
            discovery(core_.limits, scim::dialect_for(context.connector->connector.idp).is_strict(),
                      *catalog, context.route.endpoint, context.route.id, context.base_url);
        if (!document) {
            co_return refuse(
                head, context,
                {404, scim::ScimType::None, "There is no such schema or resource type."});
        }
        co_return co_await describe(head, context, std::move(*document));
    }
    co_return co_await handle_resource(head, std::move(body), context);
}

/// A discovery document, or no content for OPTIONS.
Task<http::Response> ScimHandler::describe(const http::RequestHead& head, Context& context,
                                           std::string document) {
    const int status = document.empty() ? 204 : 200;
    const auto elapsed = std::chrono::steady_clock::now() - head.started;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(elapsed).count();
    auto entry = context.record.finish(status, {}, us);
    co_await core_.store.record(std::move(entry));
    metrics_.request(head.method, "discovery", status, static_cast<double>(us) / 1e6);
    service::Answer answer{.status = status, .body = std::move(document)};
    co_return respond(head, context, std::move(answer));
}

Task<http::Response> ScimHandler::handle_resource(const http::RequestHead& head, std::string body,
                                                  Context& context) {
    service::Call call{.principal = std::move(*context.principal),
                       .base_url = context.base_url,
                       .if_match = std::string{head.if_match},
                       .if_none_match = std::string{head.if_none_match},
                       .user_agent = std::string{head.user_agent},
                       .peer = std::string{head.peer},
                       .record = std::move(context.record),
                       .started = head.started};
    auto result = co_await dispatch(head, std::move(body), context, call);
    service::Answer answer;
    if (result) {
        answer = std::move(*result);
    } else {
        answer.status = result.error().status;
        answer.body = error_body(result.error(), call.record.shown_id());
        if (answer.status == 503) answer.retry_after_s = 30;
        if (answer.status == 429) answer.retry_after_s = options_.paused_retry_after_s;
        if (call.record.reason().empty()) call.record.reason(scim::to_string(result.error().type));
    }
    const auto us = call.elapsed_us();
    if (!call.recorded) {
        // An answer in pieces is recorded when it begins: it may take a slow client long.
        const std::string_view shown = answer.rest ? kStreamed : answer.body;
        auto entry = call.record.finish(answer.status, shown, us);
        co_await core_.store.record(std::move(entry));
    }
    const auto* type = call.catalog().type_at(context.route.endpoint);
    metrics_.request(head.method, type != nullptr ? std::string_view{type->name} : "other",
                     answer.status, static_cast<double>(us) / 1e6);
    co_return respond(head, context, std::move(answer));
}

Task<scim::Result<service::Answer>> ScimHandler::dispatch(const http::RequestHead& head,
                                                          std::string body, Context& context,
                                                          service::Call& call) {
    const auto& endpoint = context.route.endpoint;
    if (endpoint.empty() || endpoint == kRootSearch) {
        co_return co_await dispatch_root(head, std::move(body), context, call);
    }
    if (endpoint == kMe) co_return refuse_me(call);
    if (endpoint == kBulk && context.route.id.empty()) {
        context.allow = kSearchMethods;
        if (head.method == Method::Options) co_return service::Answer{.status = 204};
        if (head.method != Method::Post) co_return method_not_allowed(call);
        co_return co_await bulk_.run(call, std::move(body));
    }
    const auto* type = call.catalog().type_at(endpoint);
    if (type == nullptr) {
        co_return call.refuse("no-endpoint", {404, scim::ScimType::None,
                                              fmt::format("There is no endpoint {}. /ResourceTypes "
                                                          "lists those that there are.",
                                                          scim::quoted(endpoint))});
    }
    const auto& id = context.route.id;
    const bool is_search = id == kSearch;
    context.allow = id.empty() ? kCollectionMethods : is_search ? kSearchMethods : kResourceMethods;
    if (head.method == Method::Options) co_return service::Answer{.status = 204};
    if (is_search) {
        if (head.method != Method::Post) co_return method_not_allowed(call);
        co_return co_await query_.search(call, std::span(&type, 1), std::move(body));
    }
    CO_TRY_ASSIGN(auto request, list_request(head.query));
    if (id.empty() && reads(head.method)) {
        co_return co_await query_.list(call, std::span(&type, 1), std::move(request));
    }
    CO_TRY_ASSIGN(auto projection,
                  scim::Projection::parse(*type, request.attributes, request.excluded_attributes));
    if (id.empty()) {
        if (head.method != Method::Post) co_return method_not_allowed(call);
        co_return co_await resources_.create(call, *type, std::move(body), std::move(projection));
    }
    switch (head.method) {
        case Method::Get:
        case Method::Head:
            co_return co_await resources_.get(call, *type, id, std::move(projection));
        case Method::Put:
            co_return co_await resources_.replace(call, *type, id, std::move(body),
                                                  std::move(projection));
        case Method::Patch:
            co_return co_await resources_.patch(call, *type, id, std::move(body),
                                                std::move(projection));
        case Method::Delete:
            co_return co_await resources_.remove(call, *type, id);
        default:
            co_return method_not_allowed(call);
    }
}

/// Queries over all resource types (RFC 7644 §3.4.2.1 and §3.4.3).
Task<scim::Result<service::Answer>> ScimHandler::dispatch_root(const http::RequestHead& head,
                                                               std::string body, Context& context,
                                                               service::Call& call) {
    const bool is_search = !context.route.endpoint.empty();
    if (is_search && !context.route.id.empty()) {
        co_return call.refuse("no-endpoint",
                              {404, scim::ScimType::None, "Nothing is served below /.search."});
    }
    context.allow = is_search ? kSearchMethods : kReadMethods;
    if (head.method == Method::Options) co_return service::Answer{.status = 204};
    std::vector<const scim::ResourceType*> types;
    for (const auto& type : call.catalog().types()) types.push_back(type.get());
    if (is_search) {
        if (head.method != Method::Post) co_return method_not_allowed(call);
        co_return co_await query_.search(call, types, std::move(body));
    }
    if (!reads(head.method)) co_return method_not_allowed(call);
    CO_TRY_ASSIGN(auto request, list_request(head.query));
    co_return co_await query_.list(call, types, std::move(request));
}

/// RFC 7644 §3.11: a connector's token stands for a client, not for a person.
std::unexpected<scim::Error> ScimHandler::refuse_me(service::Call& call) {
    return call.refuse("no-subject",
                       {501, scim::ScimType::None,
                        "A connector's token belongs to an identity provider, not to a person, so "
                        "/Me stands for nobody. Name the resource by its id."});
}

std::unexpected<scim::Error> ScimHandler::method_not_allowed(service::Call& call) {
    return call.refuse("method-not-allowed",
                       {405, scim::ScimType::None, std::string{method_not_allowed_detail()}});
}

http::Response ScimHandler::respond(const http::RequestHead& head, const Context& context,
                                    service::Answer answer) const {
    http::Response response{.status = answer.status};
    if (!answer.body.empty()) response.content_type = kScimJson;
    response.headers.reserve(4);
    if (!answer.etag.empty()) response.headers.emplace_back("ETag", std::move(answer.etag));
    if (!answer.location.empty()) {
        const bool created = answer.status == 201;
        response.headers.emplace_back(created ? "Location" : "Content-Location",
                                      std::move(answer.location));
    }
    if (answer.status == 401) {
        response.headers.emplace_back("WWW-Authenticate",
                                      "Bearer realm=\"SCIM\", Basic realm=\"SCIM\"");
    }
    if (answer.status == 405 || head.method == Method::Options) {
        response.headers.emplace_back("Allow", std::string{context.allow});
    }
    if (answer.retry_after_s > 0) {
        response.headers.emplace_back("Retry-After", std::to_string(answer.retry_after_s));
    }
    response.headers.emplace_back("Cache-Control", "no-store");
    response.body = std::move(answer.body);
    response.done = !reads(head.method) && !searches(context.route);
    if (answer.rest) {
        response.held = answer.rest->held();
        response.rest = [this, rest = std::move(answer.rest),
                         org = context.connector->connector.org] { return next_piece(rest, org); };
    }
    return response;
}

Task<std::optional<http::Piece>> ScimHandler::next_piece(std::shared_ptr<service::Rest> rest,
                                                         OrgKey org) const {
    Turns& turns = Turns::of(co_await boost::asio::this_coro::executor);
    co_await turns.take(org);
    auto piece = co_await rest->next();
    if (piece) co_return http::Piece{.text = std::move(*piece), .held = rest->held()};
    report_(fmt::format("an answer was broken off: {}", piece.error().message));
    co_return std::nullopt;
}

http::Response ScimHandler::health(Area area) const {
    if (area == Area::Live) return plain(200, "ok\n");
    if (area == Area::Metrics) {
        http::Response response{.status = 200,
                                .content_type = "text/plain; version=0.0.4; charset=utf-8"};
        response.body = metrics_.text();
        return response;
    }
    const auto trouble = readiness_.trouble();
    if (!trouble) return plain(200, "ready\n");
    return plain(503, fmt::format("not ready: {}\n", *trouble));
}

http::Response ScimHandler::fail(const http::RequestHead& head, http::Failure failure,
                                 std::any& any_context, std::string_view cause) {
    const FailureText& text = text_of(failure);
    const scim::Error error{text.status, scim::ScimType::None, std::string{text.detail}};
    if (failure == http::Failure::HandlerFailed) report_(cause);
    auto* context = std::any_cast<std::shared_ptr<Context>>(&any_context);
    if (context == nullptr || *context == nullptr) {
        http::Response response{.status = text.status, .content_type = kScimJson};
        response.body = scim::to_json(error);
        return response;
    }
    auto& known = **context;
    if (failure == http::Failure::HandlerFailed || failure == http::Failure::NoRoomToAnswer) {
        // The record may have been moved into the use case; a fresh one stands for it.
        known.record = record_of(head, known.connector.get(), {});
    }
    if (failure == http::Failure::NoRoom || failure == http::Failure::NoRoomToAnswer) {
        known.retry_after_s = 1;
    }
    known.record.reason(text.reason);
    return refuse(head, known, error);
}

http::Response ScimHandler::malformed(int status, std::string_view reason, std::string_view) {
    http::Response response{.status = status, .content_type = kScimJson, .close = true};
    response.body = scim::to_json({status, scim::ScimType::None, std::string{reason}});
    return response;
}

}  // namespace muster::api
