#pragma once
// Resources as JSON, in pieces: members are read, a slice at a time, while the answer is sent.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "scim/projection/projection.hpp"
#include "service/call.hpp"
#include "service/core.hpp"
#include "service/render.hpp"
#include "store/store.hpp"

namespace muster::service {

/// How the resources of one type are shown.
struct View {
    const scim::ResourceType* type = nullptr;
    scim::Projection projection;

    [[nodiscard]] bool wants_members() const;
};

/// A resource to be shown, but for its members.
struct Shown {
    std::size_t view = 0;
    store::Record record;
    Relations relations;
};

/// A whole answer, of which it holds a piece at a time; so memory is bounded whatever the groups'
/// sizes. Members are read by the last one shown: whoever stays a member meanwhile is shown once,
/// who comes or goes perhaps. The version that is shown was that before the first of them. Where a
/// group goes meanwhile, or who asked may no longer, the answer is broken off.
class Pieces final : public Rest {
  public:
    /// `opening` and `closing` go around the resources, which commas separate. The types of `views`
    /// are the call's.
    Pieces(const Core& core, const Call& call, std::vector<View> views,
           std::vector<Shown> resources, std::string opening = {}, std::string closing = {});

    [[nodiscard]] Task<store::Result<std::string>> next() override;
    [[nodiscard]] std::size_t held() const override { return held_; }
    [[nodiscard]] bool done() const { return at_ == resources_.size() && closing_.empty(); }

  private:
    /// One resource, or a slice of its members where they are many.
    [[nodiscard]] Task<store::Result<void>> append_to(std::string& out);
    /// The resource at hand has been shown.
    [[nodiscard]] Task<store::Result<void>> go_on();

    const Core& core_;
    auth::Principal principal_;  ///< its connector keeps the types
    std::string base_url_;
    std::vector<View> views_;
    std::vector<Shown> resources_;
    std::string opening_;
    std::string closing_;
    std::size_t held_ = 0;  ///< of resources_, from at_ on
    std::size_t at_ = 0;
    Rid after_;            ///< the last member shown of the resource at hand
    bool listed_ = false;  ///< it has shown one
    bool begun_ = false;   ///< the first piece was made
};

/// Makes `pieces` the answer's body: whole where it is short, as nearly all are.
[[nodiscard]] Task<store::Result<void>> show(Answer& answer, std::shared_ptr<Pieces> pieces);

}  // namespace muster::service
