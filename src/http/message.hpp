#pragma once
// Requests and answers as the handlers see them; no Beast type crosses this header.

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/task.hpp"

namespace muster::http {

enum class Method : std::uint8_t { Get, Head, Post, Put, Patch, Delete, Options, Other };

[[nodiscard]] std::string_view to_string(Method method);

/// The head of a request. Views live as long as the request is being handled.
struct RequestHead {
    Method method = Method::Get;
    std::string_view method_text;
    std::string_view target;  ///< as sent; of an absolute URL the part from the path on
    std::string_view path;    ///< target without query, still percent-encoded
    std::string_view query;   ///< without '?'
    std::string_view host;
    std::string_view authorization;
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view accept;
    std::string_view user_agent;
    std::string_view if_match;
    std::string_view if_none_match;
    std::string_view peer;  ///< address of the client, without port; "unix" on a local socket
    bool has_body = false;
    std::chrono::steady_clock::time_point started;
};

/// Of a body that is made while it is sent.
struct Piece {
    std::string text;
    std::size_t held = 0;  ///< bytes that its maker keeps for those to come
};

struct Response {
    int status = 200;
    std::string_view content_type;                                  ///< a literal; empty: no body
    std::vector<std::pair<std::string_view, std::string>> headers;  ///< names are literals
    std::string body;
    std::size_t held = 0;  ///< bytes that `rest` keeps
    /// Makes the rest of a body that is too long to be held: the next piece, asked for when the one
    /// before has been sent. An empty one ends the body; where there is none the connection is
    /// broken off, so that the client does not take what it has for the whole.
    std::function<Task<std::optional<Piece>>()> rest;
    /// Something was changed: where there is no room for the body, the answer goes without it.
    bool done = false;
    bool close = false;  ///< end the connection afterwards
    /// Answered so much later: whom it refuses for asking too often shall not ask again at once.
    std::chrono::milliseconds pause{0};
};

/// Why a request could not be read to its end, or not be answered.
enum class Failure : std::uint8_t {
    BodyTooLarge,    ///< 413
    BodyTimeout,     ///< 408
    MalformedBody,   ///< 400: chunking or Content-Length broken
    NoRoom,          ///< 503: other large bodies take all the memory there is for them
    NoRoomToAnswer,  ///< 503: the same of large answers
    HandlerFailed,   ///< 500: the handler threw; a bug or exhaustion
};

/// What the application does with requests. One object serves all threads.
class Handler {
  public:
    virtual ~Handler() = default;

    struct Admission {
        std::any context;                 ///< handed back to the calls below
        std::int64_t owner = 0;           ///< among whom memory is shared out; 0: nobody's
        std::size_t body_limit = 0;       ///< bytes
        std::optional<Response> refusal;  ///< answered at once; the body is not read
    };
    /// Called when the head is complete and before a byte of the body is read: routing,
    /// authentication and limits belong here. Must not block.
    [[nodiscard]] virtual Admission admit(const RequestHead& head) = 0;
    /// The whole request. `body` may be moved from.
    [[nodiscard]] virtual Task<Response> handle(const RequestHead& head, std::string body,
                                                std::any& context) = 0;
    /// The answer to an admitted request that could not be read, whose handler threw, or for whose
    /// answer there is no room. `context`
    /// is empty where admit() itself threw. `cause` is what the exception says of itself. Must not
    /// throw: the client would get no answer.
    [[nodiscard]] virtual Response fail(const RequestHead& head, Failure failure, std::any& context,
                                        std::string_view cause) = 0;
    /// The answer to bytes that never became a request head (400, 408, 431 or 503): the body to
    /// send. There is no RequestHead, hence no route.
    [[nodiscard]] virtual Response malformed(int status, std::string_view reason,
                                             std::string_view peer) = 0;
};

/// Splits "a=b&c=d" and decodes %XX and '+' in values and names. Nothing for a broken escape or an
/// NUL, nor for more than 64 pairs.
[[nodiscard]] std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query);
/// Escapes everything but unreserved characters (RFC 3986 §2.3); muster::percent_decode undoes it.
[[nodiscard]] std::string percent_encode(std::string_view text);

}  // namespace muster::http
