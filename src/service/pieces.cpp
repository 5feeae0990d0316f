#include "service/pieces.hpp"

#include <utility>

#include "base/result.hpp"

namespace muster::service {

namespace {

/// What an answer holds at most, but for a slice of members or one resource more.
constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr std::size_t kSlice = 1000;

/// But for members, which are read when it is shown.
std::size_t memory_of(const Shown& shown) {
    std::size_t bytes = sizeof(Shown) + shown.record.document.size();
    for (const store::Reference& group : shown.relations.groups) {
        bytes += sizeof(group) + group.id.size() + group.display.size();
    }
    return bytes;
}

}  // namespace

bool View::wants_members() const {
    const auto* members = type->find("members");
    return members != nullptr && projection.wants(*members);
}

Pieces::Pieces(const Core& core, const Call& call, std::vector<View> views,
               std::vector<Shown> resources, std::string opening, std::string closing)
    : core_(core),
      principal_(call.principal),
      base_url_(call.base_url),
      views_(std::move(views)),
      resources_(std::move(resources)),
      opening_(std::move(opening)),
      closing_(std::move(closing)) {
    for (const Shown& shown : resources_) held_ += memory_of(shown);
}

Task<store::Result<std::string>> Pieces::next() {
    if (begun_ && core_.registry.standing(principal_) != auth::Standing::Good) {
        co_return std::unexpected(store::Error{
            store::ErrorCode::Revoked, "the token or its connector was switched off", {}, {}});
    }
    std::string piece = std::exchange(opening_, {});
    while (at_ < resources_.size() && piece.size() < kPieceBytes) {
        CO_TRY_VOID(co_await append_to(piece));
    }
    if (at_ == resources_.size()) piece += std::exchange(closing_, {});
    begun_ = true;
    co_return piece;
}

Task<store::Result<void>> Pieces::append_to(std::string& out) {
    Shown& shown = resources_[at_];
    const View& view = views_[shown.view];
    store::Members slice;
    const auth::ConnectorEntry& connector = *principal_.connector;
    if (view.wants_members()) {
        CO_TRY_ASSIGN(slice, co_await core_.store.members_of(connector.connector.org,
                                                             shown.record.rid, after_, kSlice));
    }
    const Renderer renderer(*connector.catalog, base_url_);
    const bool begins = after_ == Rid{};
    if (begins && at_ > 0) out.push_back(',');
    if (begins && !slice.more) {
        shown.relations.members = std::move(slice.references);
        renderer.append(out, *view.type, shown.record, shown.relations, view.projection);
        co_return co_await go_on();
    }
    if (begins) renderer.open(out, *view.type, shown.record, view.projection);
    listed_ |= renderer.append_members(out, *view.type, slice.references, view.projection, listed_);
    if (slice.more) {
        after_ = slice.references.back().rid;
        co_return store::Result<void>();
    }
    Renderer::close(out);
    co_return co_await go_on();
}

Task<store::Result<void>> Pieces::go_on() {
    const Shown& shown = resources_[at_];
    const View& view = views_[shown.view];
    // Members that went with their group, while its answer waited for the client, are no members
    // that left it: who reconciles by such a list would take everybody's access away.
    if (begun_ && view.wants_members()) {
        CO_TRY_ASSIGN(const auto there,
                      co_await core_.store.find(principal_.connector->connector.org,
                                                view.type->name, shown.record.id));
        if (!there) {
            co_return std::unexpected(
                store::Error{store::ErrorCode::NotFound, "the group was deleted", {}, {}});
        }
    }
    held_ -= memory_of(resources_[at_]);
    resources_[at_++] = {};
    after_ = {};
    listed_ = false;
    co_return store::Result<void>();
}

Task<store::Result<void>> show(Answer& answer, std::shared_ptr<Pieces> pieces) {
    CO_TRY_ASSIGN(answer.body, co_await pieces->next());
    if (!pieces->done()) answer.rest = std::move(pieces);
    co_return store::Result<void>();
}

}  // namespace muster::service
