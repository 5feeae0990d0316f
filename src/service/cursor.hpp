#pragma once
// Cursors (RFC 9865): a place in a walk, sealed so that only the walk that it was given to can use
// it. The server keeps nothing.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/crypto.hpp"
#include "scim/error.hpp"
#include "service/finder.hpp"

namespace muster::service {

struct Cursor {
    Position behind;
    bool backward = false;
    std::int64_t total = 0;  ///< as it was counted for the first page
    Timestamp issued;
};

/// Makes and opens cursors. `walk` is everything that a cursor is bound to: the organisation, the
/// connector and the query. Pure but for the key.
class CursorSeal {
  public:
    /// A keyed hash; the seal puts a word of its own before each message.
    using Hash = std::function<Digest(std::string_view)>;

    CursorSeal(Hash hash, std::int64_t lifetime_s)
        : hash_(std::move(hash)), lifetime_s_(lifetime_s) {}

    [[nodiscard]] std::string seal(const Cursor& cursor, std::string_view walk) const;
    /// Errors: InvalidCursor for anything but a cursor of this walk, ExpiredCursor.
    [[nodiscard]] scim::Result<Cursor> open(std::string_view text, std::string_view walk,
                                            Timestamp now) const;

  private:
    [[nodiscard]] Digest mac(std::string_view payload, std::string_view walk) const;

    Hash hash_;
    std::int64_t lifetime_s_;
};

}  // namespace muster::service
