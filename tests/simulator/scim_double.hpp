#pragma once
// A SCIM server of its own making, simple on purpose and independent of the product, that can be
// told to misbehave as servers in the field did.

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.hpp"
#include "json/json.hpp"

namespace muster::testing {

enum class Misbehaviour {
    None,
    KeepsActive,          ///< answers a deactivation with success and does not do it
    LowersUserName,       ///< stores userName in lower case
    MatchesCase,          ///< compares userName with case
    AcceptsDuplicates,    ///< 201 to a userName that exists
    TruncatesTotals,      ///< totalResults is the size of the page
    OverlapsPages,        ///< a page begins with the last of the page before
    ReplaceOnlyAdds,      ///< a list of members is added, never replaced
    EmptyCreateBody,      ///< 201 without the resource
    PlainTextErrors,      ///< errors as text
    FailsOnNoMatch,       ///< 500 where a filter matches nobody
    NewIdOnReactivation,  ///< a person switched on again is someone else
    RenameEmptiesGroup,   ///< a new displayName loses the members
    AcceptsAnyToken,
    EchoesItemsPerPage,  ///< itemsPerPage is what was asked for
    LosesUpdates,        ///< answers a profile change with success and does not do it
    EchoesPassword,
    HidesInactive,   ///< a deactivated person is not found by userName
    RefusesForEver,  ///< 429 with a date to every write
    SaysPlainJson,   ///< Content-Type is application/json
    HoldsNoGroupSchema,
    NullsInSchemas,
    LosesExternalId,
    IgnoresUnknownFilters,     ///< a filter on what it does not know matches all
    RefusesCapitalOperations,  ///< 400 to "Add"
    KeepsBooleansAsText,       ///< "False" stays a text
    TakesPathsForNames,        ///< a dotted or filtered path becomes a name
    AddsAnElementAPath,        ///< each path with a filter makes an element of its own
    IgnoresMissingElements,    ///< a path with a filter that matches nothing does nothing
    ReturnsManagerAsText,
    KeepsEmptyTexts,  ///< "" is stored
    IgnoresNull,      ///< null changes nothing
    IgnoresExcludedAttributes,
    AcceptsDuplicateGroups,
    AddsMembersTwice,
    RemovalEmptiesGroup,         ///< a removal by value removes all
    FilteredRemovalDoesNothing,  ///< `members[value eq "…"]` matches nobody
    KeepsOldNames,               ///< a group is found by the name that it had
    DeactivationLeavesGroups,    ///< who is switched off leaves their groups
    KeepsDeleted,                ///< 204 to DELETE, and it stays
    DeletedStayMembers,
};

/// Thread-safe. Takes "Bearer right-token".
class ScimDouble final : public http::Handler {
  public:
    explicit ScimDouble(Misbehaviour misbehaviour) : misbehaviour_(misbehaviour) {}

    [[nodiscard]] Admission admit(const http::RequestHead& head) override;
    [[nodiscard]] Task<http::Response> handle(const http::RequestHead& head, std::string body,
                                              std::any& context) override;
    [[nodiscard]] http::Response fail(const http::RequestHead& head, http::Failure failure,
                                      std::any& context, std::string_view cause) override;
    [[nodiscard]] http::Response malformed(int status, std::string_view reason,
                                           std::string_view peer) override;

  private:
    using Resources = std::map<std::string, json::Object>;

    [[nodiscard]] bool does(Misbehaviour misbehaviour) const {
        return misbehaviour_ == misbehaviour;
    }
    http::Response answer(const http::RequestHead& head, const std::string& body);
    http::Response list(Resources& resources, std::string_view query);
    http::Response schemas() const;
    http::Response create(Resources& resources, std::string_view key, json::Object resource);
    http::Response change(Resources& resources, const std::string& id, http::Method method,
                          const json::Object& body);
    http::Response error(int status, std::string_view detail) const;
    http::Response respond(int status, std::string body) const;
    /// Looks like one that is about to be sent: without what was excluded.
    json::Object shown(json::Object resource, std::string_view query) const;
    [[nodiscard]] bool holds(const json::Object& resource, std::string_view filter) const;
    void assign(json::Object& resource, const json::Object& values);
    void patch(json::Object& resource, const json::Object& operation);
    void patch_members(json::Object& resource, const std::string& op, const json::Value* value);
    void set_path(json::Object& resource, std::string_view path, json::Value value);
    json::Value taken(std::string_view path, json::Value value) const;
    void leave_groups(const std::string& id);
    void set_members(json::Object& resource, const json::Array& members, bool replace);
    std::string after_change(Resources& resources, const std::string& id, bool was_active);

    Misbehaviour misbehaviour_;
    std::mutex mutex_;
    Resources users_;
    Resources groups_;
    std::map<std::string, std::string> former_names_;  ///< by id
    int next_id_ = 1;
};

}  // namespace muster::testing
