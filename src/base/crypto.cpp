#include "base/crypto.hpp"

#include <algorithm>
#include <span>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/check.hpp"
#include "base/ids.hpp"

namespace muster {

namespace {

constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint32_t, 256> make_crc_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < table.size(); ++i) {
        std::uint32_t value = i;
        for (int bit = 0; bit < 8; ++bit) {
            value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
        }
        table[i] = value;
    }
    return table;
}

struct MdContextDeleter {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using MdContext = std::unique_ptr<EVP_MD_CTX, MdContextDeleter>;

/// SHA-256 state after one 64-byte block: HMAC is two copies of such a state plus two short hashes.
/// Keeping both states makes a call four compressions instead of a key schedule and a look-up.
MdContext state_after_block(const EVP_MD* sha256, std::span<const unsigned char, 64> block) {
    MdContext context{EVP_MD_CTX_new()};
    MUSTER_CHECK(context && EVP_DigestInit_ex(context.get(), sha256, nullptr) == 1 &&
                 EVP_DigestUpdate(context.get(), block.data(), block.size()) == 1);
    return context;
}

void finish(const EVP_MD_CTX& state, std::string_view message, unsigned char* out) {
    thread_local const MdContext scratch{EVP_MD_CTX_new()};
    unsigned int size = 0;
    MUSTER_CHECK(scratch && EVP_MD_CTX_copy_ex(scratch.get(), &state) == 1 &&
                 EVP_DigestUpdate(scratch.get(), message.data(), message.size()) == 1 &&
                 EVP_DigestFinal_ex(scratch.get(), out, &size) == 1 && size == 32);
}

}  // namespace

struct KeyedHash::Impl {
    MdContext inner;
    MdContext outer;
};

KeyedHash::KeyedHash(std::string_view key) : impl_(std::make_unique<Impl>()) {
    const EVP_MD* sha256 = EVP_sha256();
    std::array<unsigned char, 64> block{};
    if (key.size() > block.size()) {
        MUSTER_CHECK(EVP_Digest(key.data(), key.size(), block.data(), nullptr, sha256, nullptr) ==
                     1);
    } else {
        std::ranges::copy(key, block.begin());
    }
    auto inner_block = block;
    auto outer_block = block;
    for (auto& byte : inner_block) byte ^= 0x36U;
    for (auto& byte : outer_block) byte ^= 0x5CU;
    impl_->inner = state_after_block(sha256, inner_block);
    impl_->outer = state_after_block(sha256, outer_block);
    OPENSSL_cleanse(block.data(), block.size());
    OPENSSL_cleanse(inner_block.data(), inner_block.size());
    OPENSSL_cleanse(outer_block.data(), outer_block.size());
}

KeyedHash::~KeyedHash() = default;
KeyedHash::KeyedHash(KeyedHash&&) noexcept = default;
KeyedHash& KeyedHash::operator=(KeyedHash&&) noexcept = default;

Digest KeyedHash::operator()(std::string_view message) const {
    Digest digest{};
    auto* bytes = reinterpret_cast<unsigned char*>(digest.data());
    finish(*impl_->inner, message, bytes);
    finish(*impl_->outer, {reinterpret_cast<const char*>(bytes), digest.size()}, bytes);
    return digest;
}

struct Sha256::Impl {
    MdContext context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
    MUSTER_CHECK(impl_->context &&
                 EVP_DigestInit_ex(impl_->context.get(), EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
    MUSTER_CHECK(EVP_DigestUpdate(impl_->context.get(), bytes.data(), bytes.size()) == 1);
}

Digest Sha256::finish() {
    Digest digest{};
    MUSTER_CHECK(EVP_DigestFinal_ex(impl_->context.get(),
                                    reinterpret_cast<unsigned char*>(digest.data()), nullptr) == 1);
    return digest;
}

bool equal_in_constant_time(const Digest& a, const Digest& b) noexcept {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::uint32_t crc32(std::string_view bytes) noexcept {
    static constexpr auto kTable = make_crc_table();
    std::uint32_t crc = 0xFFFFFFFFU;
    for (char c : bytes) crc = kTable[(crc ^ static_cast<unsigned char>(c)) & 0xFFU] ^ (crc >> 8);
    return crc ^ 0xFFFFFFFFU;
}

std::string to_base62(std::uint64_t number, std::size_t digits) {
    std::string text(digits, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit) {
        *digit = kBase62[number % 62];
        number /= 62;
    }
    return text;
}

std::string random_base62_256() {
    // Long division of a 256-bit number by 62, 43 times: log62(2^256) = 42.99.
    std::array<std::byte, 32> bytes{};
    fill_random(bytes);
    std::string text(43, '0');
    for (char& digit : text) {
        unsigned remainder = 0;
        for (auto& byte : bytes) {
            const unsigned value = (remainder << 8) | std::to_integer<unsigned>(byte);
            byte = static_cast<std::byte>(value / 62);
            remainder = value % 62;
        }
        digit = kBase62[remainder];
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 4 * 3);
    for (std::size_t i = 0; i < text.size(); i += 4) {
        const bool last = i + 4 == text.size();
        std::size_t padding = 0;
        if (last && text[i + 3] == '=') padding = text[i + 2] == '=' ? 2 : 1;
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 4; ++j) {
            std::size_t value = 0;
            if (j < 4 - padding) value = kBase64.find(text[i + j]);
            if (value == std::string_view::npos) return std::nullopt;
            group = (group << 6) | static_cast<std::uint32_t>(value);
        }
        // Bits under the padding must be zero: one byte string has one spelling.
        if ((padding == 1 && (group & 0xFFU) != 0) || (padding == 2 && (group & 0xFFFFU) != 0)) {
            return std::nullopt;
        }
        for (std::size_t j = 0; j < 3 - padding; ++j) {
            bytes.push_back(static_cast<char>((group >> (16 - 8 * j)) & 0xFFU));
        }
    }
    return bytes;
}

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        const std::size_t available = std::min<std::size_t>(3, bytes.size() - i);
        for (std::size_t j = 0; j < 3; ++j) {
            group <<= 8;
            if (j < available) group |= static_cast<unsigned char>(bytes[i + j]);
        }
        for (std::size_t j = 0; j < 4; ++j) {
            text.push_back(j <= available ? kBase64[(group >> (18 - 6 * j)) & 63U] : '=');
        }
    }
    return text;
}

}  // namespace muster
