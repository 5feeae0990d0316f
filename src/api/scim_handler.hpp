#pragma once
// HTTP to use cases and back, for the public port: SCIM, health and metrics.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/metrics.hpp"
#include "api/readiness.hpp"
#include "api/router.hpp"
#include "api/traffic.hpp"
#include "http/message.hpp"
#include "service/bulk.hpp"
#include "service/directory.hpp"
#include "service/query.hpp"
#include "service/resources.hpp"

namespace muster::api {

struct ScimOptions {
    std::string public_url;   ///< without a trailing slash
    std::string base_domain;  ///< empty: connectors are found by path only
    bool open_discovery = true;
    /// Other nodes may serve the same data, and Directory::follow is called.
    bool shared = false;
    /// What a paused connector's client is told to wait (docs/adr/0006).
    int paused_retry_after_s = 300;
    TrafficLimits traffic;
};

/// Serves every I/O thread; of requests it keeps only their number.
class ScimHandler final : public http::Handler {
  public:
    /// Says in the server's log why a request failed with 500.
    using Report = std::function<void(std::string_view cause)>;

    ScimHandler(const service::Core& core, service::Directory& directory, Metrics& metrics,
                const ScimOptions& options, Report report);
    ~ScimHandler() override;

    [[nodiscard]] Admission admit(const http::RequestHead& head) override;
    [[nodiscard]] Task<http::Response> handle(const http::RequestHead& head, std::string body,
                                              std::any& context) override;
    [[nodiscard]] http::Response fail(const http::RequestHead& head, http::Failure failure,
                                      std::any& context, std::string_view cause) override;
    [[nodiscard]] http::Response malformed(int status, std::string_view reason,
                                           std::string_view peer) override;

    /// Periodic work, never done: what /readyz says follows the store while it runs.
    [[nodiscard]] Task<void> keep_ready() { return readiness_.keep_fresh(); }
    /// Readiness::trouble.
    [[nodiscard]] std::optional<std::string> store_trouble() const { return readiness_.trouble(); }

  private:
    struct Context;

    [[nodiscard]] provlog::Record record_of(const http::RequestHead& head,
                                            const auth::ConnectorEntry* connector,
                                            std::string_view token_id) const;
    [[nodiscard]] Admission admit_scim(const http::RequestHead& head, Route route);
    [[nodiscard]] http::Response too_many(const http::RequestHead& head, Context& context,
                                          std::string_view cause, int wait_s);
    [[nodiscard]] http::Response paused(const http::RequestHead& head, Context& context);
    /// Who asks was let in, and is no more.
    [[nodiscard]] auth::ConnectorPtr connector_at(const Route& route) const;
    /// Whether other nodes may have changed more than a second ago what this one does not know.
    [[nodiscard]] bool is_behind() const;
    /// The connector and who asks, as of now. False: one of them is not there any more.
    [[nodiscard]] bool look_up_again(const http::RequestHead& head, Context& context);
    [[nodiscard]] http::Response behind(const http::RequestHead& head, Context& context);
    [[nodiscard]] http::Response switched_off(const http::RequestHead& head, Context& context);
    [[nodiscard]] http::Response refuse(const http::RequestHead& head, Context& context,
                                        const scim::Error& error);
    [[nodiscard]] Task<http::Response> describe(const http::RequestHead& head, Context& context,
                                                std::string document);
    [[nodiscard]] Task<http::Response> handle_resource(const http::RequestHead& head,
                                                       std::string body, Context& context);
    [[nodiscard]] Task<scim::Result<service::Answer>> dispatch(const http::RequestHead& head,
                                                               std::string body, Context& context,
                                                               service::Call& call);
    [[nodiscard]] Task<scim::Result<service::Answer>> dispatch_root(const http::RequestHead& head,
                                                                    std::string body,
                                                                    Context& context,
                                                                    service::Call& call);
    [[nodiscard]] static std::unexpected<scim::Error> refuse_me(service::Call& call);
    [[nodiscard]] static std::unexpected<scim::Error> method_not_allowed(service::Call& call);
    [[nodiscard]] http::Response health(Area area) const;
    [[nodiscard]] http::Response respond(const http::RequestHead& head, const Context& context,
                                         service::Answer answer) const;
    /// Of the rest of a long answer, in its organisation's turn.
    [[nodiscard]] Task<std::optional<http::Piece>> next_piece(std::shared_ptr<service::Rest> rest,
                                                              OrgKey org) const;

    const service::Core& core_;
    service::Directory& directory_;
    Metrics& metrics_;
    const ScimOptions& options_;
    Report report_;
    service::Resources resources_;
    service::Query query_;
    service::Bulk bulk_;
    Traffic traffic_;
    Readiness readiness_;
};

}  // namespace muster::api
