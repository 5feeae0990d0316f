#pragma once
// The few cryptographic operations that the product needs, over OpenSSL 3.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace muster {

using Digest = std::array<std::byte, 32>;

/// HMAC-SHA-256 under one key. Thread-safe; a call costs about 0.5 µs.
class KeyedHash {
  public:
    explicit KeyedHash(std::string_view key);
    ~KeyedHash();
    KeyedHash(KeyedHash&&) noexcept;
    KeyedHash& operator=(KeyedHash&&) noexcept;

    [[nodiscard]] Digest operator()(std::string_view message) const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// SHA-256 over what is added.
class Sha256 {
  public:
    Sha256();
    ~Sha256();
    Sha256(Sha256&&) noexcept;
    Sha256& operator=(Sha256&&) noexcept;

    void add(std::string_view bytes);
    /// Once, and nothing after it.
    [[nodiscard]] Digest finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// In constant time for a given size.
[[nodiscard]] bool equal_in_constant_time(const Digest& a, const Digest& b) noexcept;

/// IEEE 802.3, as in zlib.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes) noexcept;

/// `digits` characters of 0-9A-Za-z for the number, most significant first.
[[nodiscard]] std::string to_base62(std::uint64_t number, std::size_t digits);

/// 43 characters of 0-9A-Za-z carrying 256 random bits.
[[nodiscard]] std::string random_base62_256();

/// RFC 4648 with padding; nothing for anything that is not exactly that.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
[[nodiscard]] std::string to_base64(std::string_view bytes);

}  // namespace muster
