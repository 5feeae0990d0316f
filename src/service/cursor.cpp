#include "service/cursor.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

namespace muster::service {

namespace {

constexpr std::string_view kPurpose = "muster cursor 1";
constexpr std::size_t kMostBytes = 1024;  ///< of the text; a key has at most 256
constexpr std::int64_t kMsInSecond = 1000;

void append_number(std::string& out, std::uint64_t number) {
    for (unsigned byte = 0; byte < sizeof(number); ++byte) {
        out.push_back(static_cast<char>((number >> (8 * byte)) & 0xFFU));
    }
}

std::uint64_t take_number(std::string_view& in) {
    std::uint64_t number = 0;
    for (unsigned byte = 0; byte < sizeof(number); ++byte) {
        number |= std::uint64_t{static_cast<unsigned char>(in[byte])} << (8 * byte);
    }
    in.remove_prefix(sizeof(number));
    return number;
}

/// Behind these five numbers stands the key, to the end.
constexpr std::size_t kFixedBytes = 5 * sizeof(std::uint64_t);

std::string to_bytes(const Cursor& cursor) {
    std::string bytes;
    append_number(bytes, static_cast<std::uint64_t>(cursor.issued.ms));
    append_number(bytes, static_cast<std::uint64_t>(cursor.total));
    append_number(bytes, cursor.backward ? 1 : 0);
    append_number(bytes, cursor.behind.part);
    append_number(bytes, static_cast<std::uint64_t>(cursor.behind.rid.value));
    return bytes.append(cursor.behind.key);
}

/// `bytes` were made by to_bytes.
Cursor from_bytes(std::string_view bytes) {
    Cursor cursor;
    cursor.issued = Timestamp{static_cast<std::int64_t>(take_number(bytes))};
    cursor.total = static_cast<std::int64_t>(take_number(bytes));
    cursor.backward = take_number(bytes) != 0;
    cursor.behind.part = take_number(bytes);
    cursor.behind.rid = Rid{static_cast<std::int64_t>(take_number(bytes))};
    cursor.behind.key = bytes;
    return cursor;
}

/// RFC 4648 §5 without padding: safe in a query string as it stands.
std::string to_base64url(std::string_view bytes) {
    std::string text = to_base64(bytes);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    while (text.ends_with('=')) text.pop_back();
    return text;
}

std::optional<std::string> from_base64url(std::string_view url_text) {
    if (url_text.find_first_of("+/=") != std::string_view::npos) return std::nullopt;
    std::string text{url_text};
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    while (text.size() % 4 != 0) text.push_back('=');
    return from_base64(text);
}

std::unexpected<scim::Error> invalid() {
    return std::unexpected(
        scim::Error{400, scim::ScimType::InvalidCursor,
                    "This cursor is not one of this query. Send a cursor as it was received, with "
                    "the query unchanged, or an empty one to begin again."});
}

}  // namespace

Digest CursorSeal::mac(std::string_view payload, std::string_view walk) const {
    // The payload's length keeps it apart from what follows it.
    return hash_(fmt::format("{}\n{}\n{}{}", kPurpose, payload.size(), payload, walk));
}

std::string CursorSeal::seal(const Cursor& cursor, std::string_view walk) const {
    const std::string payload = to_bytes(cursor);
    const Digest digest = mac(payload, walk);
    std::string bytes(digest.size(), '\0');
    std::memcpy(bytes.data(), digest.data(), digest.size());
    return to_base64url(bytes + payload);
}

scim::Result<Cursor> CursorSeal::open(std::string_view text, std::string_view walk,
                                      Timestamp now) const {
    if (text.size() > kMostBytes) return invalid();
    const auto bytes = from_base64url(text);
    Digest digest;
    if (!bytes || bytes->size() < digest.size() + kFixedBytes) return invalid();
    std::memcpy(digest.data(), bytes->data(), digest.size());
    const std::string_view payload = std::string_view{*bytes}.substr(digest.size());
    if (!equal_in_constant_time(digest, mac(payload, walk))) return invalid();
    Cursor cursor = from_bytes(payload);
    if (now.ms - cursor.issued.ms > lifetime_s_ * kMsInSecond) {
        return std::unexpected(scim::Error{
            400, scim::ScimType::ExpiredCursor,
            fmt::format("This cursor is older than {} seconds. Begin again with an empty cursor.",
                        lifetime_s_)});
    }
    return cursor;
}

}  // namespace muster::service
