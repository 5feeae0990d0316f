#pragma once
// Identifiers. Strong integer types keep a tenant from being passed where a resource is meant.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace muster {

/// A 63-bit number, distinct for each Tag. 0 means "none" and is never handed out.
template <class Tag>
struct Key {
    std::int64_t value = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
    explicit operator bool() const { return value != 0; }
};

using OrgKey = Key<struct OrgTag>;              ///< an organisation (tenant)
using ConnectorKey = Key<struct ConnectorTag>;  ///< a connector
using TokenKey = Key<struct TokenTag>;          ///< a token
using Rid = Key<struct ResourceTag>;            ///< a resource's row, never shown to a client
using LogId = Key<struct LogTag>;               ///< a provisioning log record

/// Makes numbers that rise with time (ms since 2020 ≪ 22 | node ≪ 12 | counter), unique in this
/// process and, with distinct node numbers (0 to 1023), across processes. Thread-safe, lock-free.
class IdGenerator {
  public:
    IdGenerator(const Clock& clock, std::int64_t node) : clock_(clock), node_(node & 0x3FF) {}

    [[nodiscard]] std::int64_t next();
    template <class K>
    [[nodiscard]] K next_key() {
        return K{next()};
    }

    /// The time at which a number was made, to the millisecond.
    [[nodiscard]] static Timestamp time_of(std::int64_t number);
    /// The smallest number that could be made at `time`.
    [[nodiscard]] static std::int64_t first_at(Timestamp time);

  private:
    const Clock& clock_;
    std::int64_t node_;
    std::atomic<std::int64_t> last_{0};
};

/// RFC 9562 version 7, lower case, 36 characters. Time-ordered by the millisecond, 74 random bits.
[[nodiscard]] std::string uuid_v7(Timestamp now);

/// Crockford base 32, 13 lower-case characters, sorts as the number: how a log id is shown.
[[nodiscard]] std::string to_base32(std::int64_t number);
/// Accepts upper case and the look-alikes o, i, l. Nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> from_base32(std::string_view text);

/// `length` characters of a 32-letter alphabet without look-alikes, digits first excluded: 5 bits
/// of the system's randomness each. No underscore: Okta refuses one in a base URL.
[[nodiscard]] std::string random_short_id(std::size_t length);

/// Fills from getrandom(2). Never fails short: the process ends if the kernel has no randomness.
void fill_random(std::span<std::byte> bytes);

}  // namespace muster

template <class Tag>
struct std::hash<muster::Key<Tag>> {
    std::size_t operator()(muster::Key<Tag> key) const noexcept {
        return std::hash<std::int64_t>{}(key.value);
    }
};
