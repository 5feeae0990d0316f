#include "base/crypto.hpp"

#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace muster {
namespace {

std::string hex(const Digest& digest) {
    std::string text;
    for (auto byte : digest) text += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

TEST(KeyedHash, IsHmacSha256) {
    // RFC 4231, test cases 2 and 6.
    EXPECT_EQ(hex(KeyedHash{"Jefe"}("what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hex(KeyedHash{std::string(131, '\xaa')}(
                  "Test Using Larger Than Block-Size Key - Hash Key First")),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(KeyedHash, ComparesWholeDigests) {
    const KeyedHash hash("k");
    EXPECT_TRUE(equal_in_constant_time(hash("a"), hash("a")));
    EXPECT_FALSE(equal_in_constant_time(hash("a"), hash("b")));
}

TEST(Sha256, IsTheOneOfFips180WhateverThePieces) {
    Sha256 hash;
    for (const char* piece : {"a", "", "bc"}) hash.add(piece);
    EXPECT_EQ(hex(hash.finish()),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Crc32, IsTheOneOfZlib) { EXPECT_EQ(crc32("123456789"), 0xCBF43926U); }

TEST(Base62, PadsAndCarries256Bits) {
    EXPECT_EQ(to_base62(0, 3), "000");
    EXPECT_EQ(to_base62(61, 2), "0z");
    EXPECT_EQ(to_base62(62, 2), "10");
    const auto secret = random_base62_256();
    EXPECT_EQ(secret.size(), 43U);
    EXPECT_NE(secret, random_base62_256());
}

TEST(Base64, RoundTripsAndRefusesEveryOtherSpelling) {
    for (const char* text : {"", "f", "fo", "foo", "foobar"}) {
        EXPECT_EQ(from_base64(to_base64(text)), text);
    }
    EXPECT_EQ(to_base64("fo"), "Zm8=");
    for (const char* bad :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "Zm 8=", "Zg==Zg==", "_-=="}) {
        EXPECT_FALSE(from_base64(bad)) << bad;
    }
}

}  // namespace
}  // namespace muster
