#pragma once
// The operator's API, /admin/v1: what the command line speaks, over the Unix socket of a running
// server or in process. Who may reach it is decided by who may open the socket or the data
// directory; there is no other authority in it.

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/scim_handler.hpp"
#include "http/message.hpp"
#include "service/directory.hpp"

namespace muster::api {

struct AdminRequest {
    http::Method method = http::Method::Get;
    std::string path;  ///< behind /admin/v1
    std::vector<std::pair<std::string, std::string>> query;
    std::string body;
    std::string actor;  ///< for created_by: "command line (unix)"

    [[nodiscard]] std::string parameter(std::string_view name) const;
};

struct AdminResponse {
    int status = 200;
    std::string body;  ///< JSON; a problem document from 400 on
};

class Admin {
  public:
    Admin(const service::Core& core, service::Directory& directory, const ScimOptions& options,
          std::string version);

    [[nodiscard]] Task<AdminResponse> call(AdminRequest request) const;

  private:
    using Segments = std::vector<std::string>;
    using Action = Task<AdminResponse> (Admin::*)(const AdminRequest&, Segments) const;
    struct Endpoint;

    Task<AdminResponse> list_organisations(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> create_organisation(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> show_organisation(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> delete_organisation(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> show_definitions(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> set_definitions(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> list_connectors(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> create_connector(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> show_connector(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> change_connector(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> pause_connector(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> resume_connector(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> carry_out_bulk(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> list_tokens(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> generate_token(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> activate_token(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> deactivate_token(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> renew_token(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> remove_token(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> list_users(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> list_groups(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> show_user(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> show_group(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> list_log(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> show_log(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> explain_log(const AdminRequest& request, Segments path) const;
    Task<AdminResponse> status(const AdminRequest& request, Segments path) const;

    Task<AdminResponse> list_resources(const AdminRequest& request,
                                       std::string_view type_name) const;
    Task<AdminResponse> show_resource(const AdminRequest& request, std::string_view type_name,
                                      std::string id) const;
    [[nodiscard]] service::Outcome<auth::OrganisationEntry> organisation(
        const AdminRequest& request) const;
    [[nodiscard]] json::Object to_json(const auth::ConnectorEntry& entry) const;
    [[nodiscard]] json::Object to_json(const store::Token& token,
                                       const auth::LastUse* last_use) const;

    const service::Core& core_;
    service::Directory& directory_;
    const ScimOptions& options_;
    service::Resources resources_;
    service::Bulk bulk_;
    std::string version_;
    Timestamp started_;
};

/// Serves Admin over HTTP on the Unix socket.
class AdminHandler final : public http::Handler {
  public:
    /// Says in the server's log why a request failed with 500.
    using Report = std::function<void(std::string_view cause)>;

    AdminHandler(const Admin& admin, Report report) : admin_(admin), report_(std::move(report)) {}

    [[nodiscard]] Admission admit(const http::RequestHead& head) override;
    [[nodiscard]] Task<http::Response> handle(const http::RequestHead& head, std::string body,
                                              std::any& context) override;
    [[nodiscard]] http::Response fail(const http::RequestHead& head, http::Failure failure,
                                      std::any& context, std::string_view cause) override;
    [[nodiscard]] http::Response malformed(int status, std::string_view reason,
                                           std::string_view peer) override;

  private:
    const Admin& admin_;
    Report report_;
};

}  // namespace muster::api
