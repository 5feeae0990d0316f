#pragma once
// A SCIM server in memory that makes one mistake on purpose: what the simulator is tested against.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/server.hpp"
#include "json/json.hpp"

namespace muster::misbehaving {

enum class Misbehaviour : std::uint8_t {
    None,
    KeepsActive,          ///< 200 to a deactivation that is not done
    LowersUserName,       ///< userName comes back in lower case
    AcceptsDuplicates,    ///< 201 to a userName that exists
    TruncatesTotals,      ///< totalResults counts the page, not the matches
    OverlapsPages,        ///< every page but the first begins one too early
    ReplaceOnlyAdds,      ///< replaced members are added to the old ones
    EmptyCreateBody,      ///< 201 without the resource
    PlainTextErrors,      ///< errors are text/plain
    FailsForEmptyFilter,  ///< 500 to a filter that matches nothing
    NewIdOnReactivation,  ///< active again under another id
    RenameEmptiesGroup,   ///< a new displayName loses the members
    AcceptsAnyToken,      ///< no 401
    EchoesItemsPerPage,   ///< itemsPerPage is what was asked for, not what was returned
    RefusesForEver,       ///< 429 to every write, with a date in Retry-After
    DropsPatchSilently,   ///< success to a PATCH of a profile that is not done
};

/// Serves /scim/v2/{Users,Groups} on a free port of 127.0.0.1 from construction to destruction. One
/// I/O thread, hence no locks. Understands what Okta sends: filters `name eq "value"`, PATCH
/// without path, with a plain attribute as path, and of members; no projections, no ETags.
class ScimDouble final : private http::Handler {
  public:
    static constexpr std::string_view kToken = "the-token";

    explicit ScimDouble(Misbehaviour misbehaviour);

    [[nodiscard]] std::string base_url() const;

  private:
    struct Kind {
        std::string_view name_attribute;  ///< what filters ask for and what is unique
        std::string_view resource_type;
        std::vector<json::Object> resources;  ///< in the order of creation: pages are stable
    };
    struct Target {
        Kind* kind = nullptr;
        std::string_view id;  ///< empty: the endpoint itself
    };

    Admission admit(const http::RequestHead& head) override;
    Task<http::Response> handle(const http::RequestHead& head, std::string body,
                                std::any& context) override;
    http::Response fail(const http::RequestHead& head, http::Failure failure,
                        std::any& context) override;
    http::Response malformed(int status, std::string_view reason, std::string_view peer) override;

    http::Response respond(const http::RequestHead& head, std::string_view body);
    http::Response respond_for(Kind& kind, json::Object& resource, http::Method method,
                               const json::Object& body);
    http::Response list(const Kind& kind, std::string_view query) const;
    http::Response create(Kind& kind, const json::Object& body);
    http::Response put(const Kind& kind, json::Object& current, json::Object wanted);
    http::Response patch(const Kind& kind, json::Object& current, const json::Object& body);
    http::Response error(int status, std::string_view detail,
                         std::string_view scim_type = {}) const;

    [[nodiscard]] bool does(Misbehaviour which) const { return misbehaviour_ == which; }
    [[nodiscard]] std::optional<Target> find_target(std::string_view path);
    [[nodiscard]] std::string next_id();
    /// Takes one operation over into `resource`; false where it is not understood.
    bool apply(json::Object& resource, const json::Object& operation) const;
    void replace_members(json::Object& resource, const json::Array& members) const;
    /// Makes `wanted` the new state of `current`, which keeps its id.
    void keep(const Kind& kind, json::Object& current, json::Object wanted);

    Misbehaviour misbehaviour_;
    unsigned last_id_ = 0;
    Kind users_{.name_attribute = "userName", .resource_type = "User", .resources = {}};
    Kind groups_{.name_attribute = "displayName", .resource_type = "Group", .resources = {}};
    http::Server server_;  // the last member: it stops before what it serves goes
};

}  // namespace muster::misbehaving
