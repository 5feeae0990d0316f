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

Pieces::Pieces(store::Store& store, const Call& call, std::vector<View> views,
               std::vector<Shown> resources, std::string opening, std::string closing)
    : store_(store),
      connector_(call.principal.connector),
      base_url_(call.base_url),
      views_(std::move(views)),
      resources_(std::move(resources)),
      opening_(std::move(opening)),
      closing_(std::move(closing)) {
    for (const Shown& shown : resources_) held_ += memory_of(shown);
}

Task<store::Result<std::string>> Pieces::next() {
    std::string piece = std::exchange(opening_, {});
    while (at_ < resources_.size() && piece.size() < kPieceBytes) {
        CO_TRY_VOID(co_await append_to(piece));
    }
    if (at_ == resources_.size()) piece += std::exchange(closing_, {});
    co_return piece;
}

Task<store::Result<void>> Pieces::append_to(std::string& out) {
    Shown& shown = resources_[at_];
    const View& view = views_[shown.view];
    store::Members slice;
    if (view.wants_members()) {
        const OrgKey org = connector_->connector.org;
        CO_TRY_ASSIGN(slice, co_await store_.members_of(org, shown.record.rid, after_, kSlice));
    }
    const Renderer renderer(*connector_->catalog, base_url_);
    const bool begins = after_ == Rid{};
    if (begins && at_ > 0) out.push_back(',');
    if (begins && !slice.more) {
        shown.relations.members = std::move(slice.references);
        renderer.append(out, *view.type, shown.record, shown.relations, view.projection);
        go_on();
        co_return store::Result<void>();
    }
    if (begins) renderer.open(out, *view.type, shown.record, view.projection);
    listed_ |= renderer.append_members(out, *view.type, slice.references, view.projection, listed_);
    if (slice.more) {
        after_ = slice.references.back().rid;
    } else {
        Renderer::close(out);
        go_on();
    }
    co_return store::Result<void>();
}

void Pieces::go_on() {
    held_ -= memory_of(resources_[at_]);
    resources_[at_++] = {};
    after_ = {};
    listed_ = false;
}

Task<store::Result<void>> show(Answer& answer, std::shared_ptr<Pieces> pieces) {
    CO_TRY_ASSIGN(answer.body, co_await pieces->next());
    if (!pieces->done()) answer.rest = std::move(pieces);
    co_return store::Result<void>();
}

}  // namespace muster::service
