#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "http/message.hpp"

namespace muster::http {

/// What the head says about the connection's future; an HTTP/1.0 client must be told that it stays.
enum class Ending : std::uint8_t {
    KeepAlive,
    KeepAliveAloud,
    Close,
    EndsBody,  ///< Close, by which an HTTP/1.0 client finds the end of a body of unknown length
};

[[nodiscard]] inline bool closes(Ending ending) {
    return ending == Ending::Close || ending == Ending::EndsBody;
}

/// 204 and 304 have neither body nor Content-Length (RFC 9110 §8.6).
[[nodiscard]] bool may_have_body(int status);

/// Replaces `out` by status line and headers with the blank line; a body with a rest is chunked, or
/// ends with the connection. False, with `out` unspecified,
/// where a header's value holds a control character: a client could be made to read it as headers.
[[nodiscard]] bool write_head(std::string& out, const Response& response, std::string_view date,
                              Ending ending);

/// The Date header's value, formatted once a second. Not thread-safe.
class DateCache {
  public:
    [[nodiscard]] std::string_view now();

  private:
    std::int64_t second_ = -1;
    std::string text_;
};

}  // namespace muster::http
