#include "service/attempts.hpp"

namespace muster::service {

namespace {

constexpr int kMost = 50;

bool can_help(const store::Error& error, const Call& call) {
    if (error.code == store::ErrorCode::MemberGone) return true;
    return error.code == store::ErrorCode::VersionMismatch && call.if_match.empty();
}

}  // namespace

Task<bool> Attempts::again(const Call& call, const store::Error& error) {
    if (made_ == kMost || !can_help(error, call)) co_return false;
    ++made_;
    if (!turn_) turn_.emplace(co_await turns_.take(id_));
    co_return true;
}

}  // namespace muster::service
