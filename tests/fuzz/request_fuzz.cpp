// However a request is cut into pieces, it is read as the same request. The first byte of the input
// says how large the pieces are and where the cuts fall.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "http/request_parser.hpp"

namespace {

using muster::http::ParseStatus;
using muster::http::RequestHead;
using muster::http::RequestParser;

constexpr std::size_t kMaxHeader = 16 * 1024;
constexpr std::size_t kMaxBody = 64 * 1024;

struct Read {
    ParseStatus status = ParseStatus::NeedMore;
    std::string target, path, query, host, authorization;
    std::size_t head_size = 0;
    ParseStatus body_status = ParseStatus::Done;
    std::string body;
    std::size_t unused = 0;
    friend bool operator==(const Read&, const Read&) = default;
};

/// The sizes of the pieces that arrive: all the largest, or drawn up to it from a seed.
class Pieces {
  public:
    Pieces(std::size_t largest, std::uint32_t seed) : largest_(largest), state_(seed) {}

    std::size_t next() {
        if (state_ == 0) return largest_;
        state_ = state_ * 1664525U + 1013904223U;
        return 1 + (state_ >> 16U) % largest_;
    }

  private:
    std::size_t largest_;
    std::uint32_t state_;
};

void read_chunks(RequestParser& parser, std::string_view bytes, Pieces& pieces, Read& read) {
    std::string waiting;
    read.body_status = ParseStatus::NeedMore;
    while (read.body_status == ParseStatus::NeedMore && !bytes.empty()) {
        const std::size_t step = pieces.next();
        waiting += bytes.substr(0, step);
        bytes.remove_prefix(std::min(step, bytes.size()));
        std::string_view rest = waiting;
        read.body_status = parser.parse_chunks(rest, kMaxBody, read.body);
        waiting = std::string(rest);
    }
    read.unused = waiting.size() + bytes.size();
}

Read read_in_pieces(std::string_view bytes, Pieces pieces) {
    Read read;
    RequestParser parser(kMaxHeader);
    std::size_t size = 0;
    std::string arrived;
    while (read.status == ParseStatus::NeedMore && size < bytes.size()) {
        size = std::min(size + pieces.next(), bytes.size());
        // In memory of its own, so that a sanitizer sees every read beyond it.
        arrived = std::string(bytes.substr(0, size));
        read.status = parser.parse_head(arrived);
    }
    if (read.status != ParseStatus::Done) return read;
    RequestHead head;
    parser.fill(head, arrived);
    read.target = head.target;
    read.path = head.path;
    read.query = head.query;
    read.host = head.host;
    read.authorization = head.authorization;
    read.head_size = parser.head_size();
    if (parser.has_chunked_body()) read_chunks(parser, bytes.substr(read.head_size), pieces, read);
    return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > kMaxHeader) return 0;
    const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    const Read whole = read_in_pieces(bytes, {std::max<std::size_t>(bytes.size(), 1), 0});
    // Even: pieces of one size. Odd: of any sizes.
    const std::uint32_t seed = data[0] % 2 == 0 ? 0 : data[0];
    const Read pieces = read_in_pieces(bytes, {data[0] / 2 + std::size_t{1}, seed});
    // What is wrong may be noticed sooner or later; what is right must be the same.
    MUSTER_CHECK((whole.status == ParseStatus::Done) == (pieces.status == ParseStatus::Done));
    if (whole.status != ParseStatus::Done) return 0;
    MUSTER_CHECK((whole.body_status == ParseStatus::Done) ==
                 (pieces.body_status == ParseStatus::Done));
    if (whole.body_status == ParseStatus::Done) MUSTER_CHECK(whole == pieces);
    return 0;
}
