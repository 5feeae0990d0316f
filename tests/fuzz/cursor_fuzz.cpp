// Nothing but what was sealed opens, and what was sealed opens as it was.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/crypto.hpp"
#include "service/cursor.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace muster;
    static const KeyedHash kHash{"fuzz"};
    static const service::CursorSeal kSeal{[](std::string_view text) { return kHash(text); }, 3600};
    constexpr Timestamp kNow{1'800'000'000'000};
    const std::string_view text{reinterpret_cast<const char*>(data), size};

    // Whoever finds a seal by chance has broken the hash.
    const auto opened = kSeal.open(text, "walk", kNow);
    MUSTER_CHECK(!opened && opened.error().type == scim::ScimType::InvalidCursor);

    const service::Cursor cursor{
        {.part = size, .key = std::string{text.substr(0, 256)}, .rid = Rid{-7}},
        size % 2 == 1,
        static_cast<std::int64_t>(size),
        kNow};
    const auto sealed = kSeal.seal(cursor, "walk");
    MUSTER_CHECK(sealed.find_first_of("+/=&% ") == std::string::npos);
    const auto same = kSeal.open(sealed, "walk", kNow);
    MUSTER_CHECK(same.has_value());
    MUSTER_CHECK(same->behind.key == cursor.behind.key && same->behind.rid == cursor.behind.rid &&
                 same->behind.part == cursor.behind.part && same->backward == cursor.backward &&
                 same->total == cursor.total);
    MUSTER_CHECK(!kSeal.open(sealed, text, kNow) || text == "walk");
    return 0;
}
