#pragma once
// The use cases of RFC 7644 §3.3 to §3.6 on one resource. Each turns a request into a WriteSet by
// pure functions of scim/ and hands it to the store; none holds a lock or keeps state.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/task.hpp"
#include "scim/projection/projection.hpp"
#include "service/call.hpp"
#include "service/core.hpp"
#include "service/pieces.hpp"
#include "service/render.hpp"
#include "service/turn.hpp"

namespace muster::service {

class Resources {
  public:
    explicit Resources(const Core& core) : core_(core), turns_(std::make_unique<ResourceTurns>()) {}

    /// Every call answers with a Result; an error changed nothing. The caller finishes the log
    /// record unless `call.recorded` says that it went into a commit.
    [[nodiscard]] Task<scim::Result<Answer>> get(Call& call, const scim::ResourceType& type,
                                                 std::string id, scim::Projection projection) const;
    [[nodiscard]] Task<scim::Result<Answer>> create(Call& call, const scim::ResourceType& type,
                                                    std::string body,
                                                    scim::Projection projection) const;
    [[nodiscard]] Task<scim::Result<Answer>> replace(Call& call, const scim::ResourceType& type,
                                                     std::string id, std::string body,
                                                     scim::Projection projection) const;
    /// A group answers 204 unless attributes were asked for, so that its members need not be read.
    [[nodiscard]] Task<scim::Result<Answer>> patch(Call& call, const scim::ResourceType& type,
                                                   std::string id, std::string body,
                                                   scim::Projection projection) const;
    [[nodiscard]] Task<scim::Result<Answer>> remove(Call& call, const scim::ResourceType& type,
                                                    std::string id) const;

    /// What resources of one type have in rows but for members, in their order, as far as the
    /// projection wants it.
    [[nodiscard]] Task<store::Result<std::vector<Relations>>> relations(
        OrgKey org, const scim::ResourceType& type, std::span<const store::Record* const> records,
        const scim::Projection& projection) const;
    /// The same of one resource.
    [[nodiscard]] Task<store::Result<Relations>> relations(
        OrgKey org, const scim::ResourceType& type, const store::Record& record,
        const scim::Projection& projection) const;
    /// All members of a group, for whoever has to hold them; nothing where they are more than the
    /// limit allows.
    [[nodiscard]] Task<store::Result<std::optional<std::vector<store::Reference>>>> members_of(
        OrgKey org, Rid group) const;

  private:
    /// Makes the resource the answer's body.
    [[nodiscard]] Task<store::Result<void>> show(Answer& answer, const Call& call, View view,
                                                 store::Record record, Relations relations) const;
    /// Whoever the documents name as managers, looked up at once.
    [[nodiscard]] Task<store::Result<void>> add_managers(
        OrgKey org, std::span<const store::Record* const> records,
        std::vector<Relations>& relations) const;
    /// PUT of an already parsed body; `status` is what success answers.
    [[nodiscard]] Task<scim::Result<Answer>> replace_value(Call& call,
                                                           const scim::ResourceType& type,
                                                           std::string id, const json::Value& value,
                                                           scim::Projection projection,
                                                           int status) const;
    /// POST of what already exists, by a connector whose policy allows it: the same person,
    /// switched off, is restored; anyone else is 409.
    [[nodiscard]] Task<scim::Result<Answer>> restore_or_refuse(Call& call,
                                                               const scim::ResourceType& type,
                                                               store::Error taken,
                                                               const json::Value& value,
                                                               scim::Projection projection) const;
    [[nodiscard]] Task<scim::Result<store::Result<Answer>>> update(Call& call,
                                                                   const scim::ResourceType& type,
                                                                   struct Draft draft,
                                                                   scim::Projection projection,
                                                                   int status) const;

    const Core& core_;
    std::unique_ptr<ResourceTurns> turns_;
};

}  // namespace muster::service
