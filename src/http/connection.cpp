#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include "http/read_buffer.hpp"
#include "http/request_parser.hpp"

namespace muster::http {
namespace asio = boost::asio;
namespace {

using std::chrono::steady_clock;

constexpr auto kToken = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kBodyStep = 64 * 1024;
constexpr std::chrono::seconds kLingerTime{1};
constexpr std::size_t kLingerBytes = 64 * 1024;

using TlsStream = asio::ssl::stream<Socket>;
using Buffers = std::array<asio::const_buffer, 2>;

/// Frames a piece of a body (RFC 9112 §7.1), its size behind what goes before it; an empty one is
/// the end.
void make_chunk(std::string& before, std::string& piece) {
    before.append(fmt::format("{:x}\r\n", piece.size()));
    piece.append("\r\n");
}

void take_from(Buffers& buffers, std::size_t written) {
    const std::size_t of_first = std::min(written, buffers[0].size());
    buffers[0] += of_first;
    buffers[1] += written - of_first;
}

/// What an answer in pieces takes from its beginning: it must not be broken off because others came
/// while it held a small piece.
constexpr std::size_t kUsualPiece = 512 * 1024;

std::size_t memory_of(const Response& response) {
    const std::size_t held = response.body.size() + response.held;
    return response.rest ? std::max(held, kUsualPiece) : held;
}

/// Unlike clear() and assignment it gives the memory back.
void drop(std::string& text) { std::string().swap(text); }

template <class Stream>
class Connection final : public Watched {
  public:
    Connection(IoThread& thread, Stream stream, Accepted& accepted)
        : thread_(thread),
          stream_(std::move(stream)),
          peer_(std::move(accepted.peer)),
          handler_(*accepted.handler),
          surplus_(accepted.surplus),
          input_(thread.limits().max_header_bytes) {
        thread_.watch(*this);
    }
    ~Connection() override {
        wait_for(Waits::ForNothing);
        thread_.forget();
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    static Task<void> run(std::unique_ptr<Connection> self) {
        if (co_await self->open()) co_await self->serve();
        if (self->answered_last_) co_await self->end();
    }

    bool has_input() override {
        boost::system::error_code ec;
        return socket().available(ec) > 0;
    }

    void close() override {
        boost::system::error_code ec;
        socket().close(ec);
    }

  private:
    static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

    Task<bool> open();
    Task<void> serve();
    Task<bool> read_head();
    Task<bool> answer();
    Task<void> refuse(int status, std::string_view reason);
    Task<void> sleep(std::chrono::milliseconds time);
    Task<std::optional<Failure>> read_body(std::size_t limit, MemoryRoom::Share& room);
    Task<std::optional<Failure>> read_sized_body(MemoryRoom::Share& room);
    Task<std::optional<Failure>> read_chunked_body(std::size_t limit, MemoryRoom::Share& room);
    [[nodiscard]] Ending ending_of(bool framed) const;
    Task<bool> write_response(Ending ending, bool with_body, MemoryRoom::Share& room);
    Task<bool> write_rest(bool chunked, MemoryRoom::Share& room);
    Task<bool> write(Buffers rest);
    Task<void> end();

    Socket& socket() {
        if constexpr (kTls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    void cancel() override {
        boost::system::error_code ec;
        socket().cancel(ec);
    }

    /// What the client owes from now on.
    void wait_for(Waits waits) {
        const int before = dispensable() ? 1 : 0;
        set_waits(waits);
        thread_.count_waiting((dispensable() ? 1 : 0) - before);
    }

    void become_known() {
        if (known()) return;
        set_known();
        thread_.watch(*this);
    }

    /// Passes over the body of a refused request where all of it is here already.
    bool skip_body();
    bool write_response_head(Ending ending);
    void leave_out_body();
    Failure body_failure();

    IoThread& thread_;
    Stream stream_;
    std::string peer_;
    Handler& handler_;
    bool surplus_;
    bool answered_last_ = false;  ///< the client must be given time to read the answer

    ReadBuffer input_;
    std::string behind_body_;  ///< read past the end of a chunked body
    std::optional<RequestParser> parser_;
    RequestHead head_;
    std::size_t used_ = 0;  ///< of input_ by the request under way
    std::string body_;
    Response response_;
    std::string response_head_;
};

template <class Stream>
Task<bool> Connection<Stream>::open() {
    if constexpr (kTls) {
        wait_until(steady_clock::now() + thread_.limits().header_timeout);
        wait_for(Waits::ForRestOfHead);
        const auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kToken);
        wait_for(Waits::ForNothing);
        if (expired()) thread_.timeouts.add();
        if (ec) co_return false;
    }
    if (surplus_) co_await refuse(503, "there are too many connections");
    co_return !surplus_;
}

template <class Stream>
Task<void> Connection<Stream>::serve() {
    for (bool stays = true; stays;) {
        parser_.emplace(thread_.limits().max_header_bytes);
        stays = co_await read_head() && co_await answer();
        input_.consume(used_);
        if (behind_body_.empty()) continue;
        input_.append(behind_body_);
        behind_body_.clear();
    }
}

/// False where the connection is over; whoever deserved an answer has got it.
template <class Stream>
Task<bool> Connection<Stream>::read_head() {
    used_ = 0;
    bool begun = !input_.bytes().empty();
    head_.started = steady_clock::now();
    wait_until(head_.started +
               (begun ? thread_.limits().header_timeout : thread_.limits().idle_timeout));
    for (;;) {
        const ParseStatus status =
            begun ? parser_->parse_head(input_.bytes()) : ParseStatus::NeedMore;
        if (status == ParseStatus::Done) co_return true;
        if (status == ParseStatus::Failed) {
            co_await refuse(parser_->failure().status, parser_->failure().reason);
            co_return false;
        }
        const std::span<char> room = input_.prepare();
        if (room.empty()) {
            co_await refuse(431, "the header is too large");
            co_return false;
        }
        wait_for(begun ? Waits::ForRestOfHead : Waits::ForRequest);
        if (!begun && known()) thread_.watch(*this);
        const auto [ec, count] =
            co_await stream_.async_read_some(asio::buffer(room.data(), room.size()), kToken);
        wait_for(Waits::ForNothing);
        if (ec) {
            if (!begun || !expired()) co_return false;
            thread_.timeouts.add();
            co_await refuse(408, "the header did not arrive in time");
            co_return false;
        }
        input_.commit(count);
        if (!begun) {
            begun = true;
            head_.started = steady_clock::now();
            wait_until(head_.started + thread_.limits().header_timeout);
        }
    }
}

/// Inside a handler of exceptions only.
std::string what_was_thrown() {
    try {
        throw;
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

/// Answers the request whose head has been read. True where the connection stays.
template <class Stream>
Task<bool> Connection<Stream>::answer() {
    thread_.requests.add();
    wait_until(Time::max());
    used_ = parser_->head_size();
    parser_->fill(head_, input_.bytes());
    head_.peer = peer_;

    Handler::Admission admission;
    std::optional<Failure> failure;
    std::string cause;
    bool framed = true;  // it is known where the next request begins
    try {
        admission = handler_.admit(head_);
    } catch (...) {
        failure = Failure::HandlerFailed;
        cause = what_was_thrown();
    }
    if (failure || admission.refusal) {
        framed = skip_body();
        if (admission.refusal) response_ = *std::move(admission.refusal);
    } else {
        become_known();
        MemoryRoom::Share room(thread_.body_room(), admission.owner);
        if (head_.has_body) failure = co_await read_body(admission.body_limit, room);
        framed = !failure;
        wait_until(Time::max());
        if (!failure) {
            try {
                Task<Response> handling =
                    handler_.handle(head_, std::move(body_), admission.context);
                response_ = co_await std::move(handling);
            } catch (...) {
                failure = Failure::HandlerFailed;
                cause = what_was_thrown();
            }
        }
        // The client may take its time over the answer: the room is not held for that.
        drop(body_);
    }
    if (failure) response_ = handler_.fail(head_, *failure, admission.context, cause);
    const bool with_body = head_.method != Method::Head;
    MemoryRoom::Share room(thread_.answer_room(), admission.owner);
    if (with_body && !room.holds(memory_of(response_))) {
        if (response_.done) {
            leave_out_body();
        } else {
            response_ = handler_.fail(head_, Failure::NoRoomToAnswer, admission.context, {});
        }
    }

    if (response_.pause.count() > 0) co_await sleep(response_.pause);
    Ending ending = ending_of(framed);
    if (!write_response_head(ending)) {
        response_ = handler_.fail(head_, Failure::HandlerFailed, admission.context,
                                  "the answer has a malformed header");
        ending = Ending::Close;
        if (!write_response_head(ending)) co_return false;
    }
    try {
        co_return co_await write_response(ending, with_body, room);
    } catch (...) {
        cause = what_was_thrown();
    }
    // Half of it has been sent: there is only a report to make.
    response_ = handler_.fail(head_, Failure::HandlerFailed, admission.context, cause);
    co_return false;
}

template <class Stream>
Ending Connection<Stream>::ending_of(bool framed) const {
    const bool old = parser_->is_http_1_0();
    if (old && response_.rest) return Ending::EndsBody;
    if (!framed || !parser_->keeps_alive() || response_.close || thread_.draining()) {
        return Ending::Close;
    }
    return old ? Ending::KeepAliveAloud : Ending::KeepAlive;
}

template <class Stream>
Task<void> Connection<Stream>::sleep(std::chrono::milliseconds time) {
    asio::steady_timer timer(stream_.get_executor(), time);
    co_await timer.async_wait(kToken);
}

/// Answers bytes that are no request.
template <class Stream>
Task<void> Connection<Stream>::refuse(int status, std::string_view reason) {
    response_ = handler_.malformed(status, reason, peer_);
    if (status == 503) {
        response_.headers.emplace_back("Retry-After", "1");
    } else {
        thread_.malformed.add();
    }
    MemoryRoom::Share room(thread_.answer_room(), 0);
    if (write_response_head(Ending::Close)) co_await write_response(Ending::Close, true, room);
}

template <class Stream>
bool Connection<Stream>::skip_body() {
    if (!head_.has_body) return true;
    if (parser_->has_chunked_body() || parser_->body_size() > input_.bytes().size() - used_) {
        return false;
    }
    used_ += static_cast<std::size_t>(parser_->body_size());
    return true;
}

template <class Stream>
Task<std::optional<Failure>> Connection<Stream>::read_body(std::size_t limit,
                                                           MemoryRoom::Share& room) {
    if (parser_->body_size() > limit) co_return Failure::BodyTooLarge;
    wait_until(steady_clock::now() + thread_.limits().body_timeout);
    // A client that has begun to send its body waits for nothing (RFC 9110 §10.1.1).
    if (parser_->expects_continue() && input_.bytes().size() == used_) {
        constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        const auto [ec, count] =
            co_await asio::async_write(stream_, asio::buffer(kContinue), kToken);
        if (ec) co_return body_failure();
    }
    if (parser_->has_chunked_body()) co_return co_await read_chunked_body(limit, room);
    co_return co_await read_sized_body(room);
}

template <class Stream>
Task<std::optional<Failure>> Connection<Stream>::read_sized_body(MemoryRoom::Share& room) {
    const auto size = static_cast<std::size_t>(parser_->body_size());
    body_ = input_.bytes().substr(used_, size);
    used_ += body_.size();
    Pace pace(*this, thread_.limits().slow_after);
    while (body_.size() < size) {
        // Memory follows what arrives, not what was announced.
        const std::size_t had = body_.size();
        const std::size_t next = had + std::min(kBodyStep, size - had);
        if (!room.holds(next)) co_return Failure::NoRoom;
        body_.resize(next);
        const auto [ec, count] = co_await stream_.async_read_some(
            asio::buffer(body_.data() + had, body_.size() - had), kToken);
        body_.resize(had + count);
        if (ec) co_return body_failure();
        pace.moved(count);
    }
    co_return std::nullopt;
}

template <class Stream>
Task<std::optional<Failure>> Connection<Stream>::read_chunked_body(std::size_t limit,
                                                                   MemoryRoom::Share& room) {
    std::string_view rest = input_.bytes().substr(used_);
    ParseStatus status = parser_->parse_chunks(rest, limit, body_);
    used_ = input_.bytes().size() - rest.size();
    if (status == ParseStatus::Done) co_return std::nullopt;

    // The head must stay where it is, so that the body goes through a buffer of its own.
    ReadBuffer chunks(thread_.limits().max_header_bytes);
    chunks.append(rest);
    used_ = input_.bytes().size();
    Pace pace(*this, thread_.limits().slow_after);
    while (status == ParseStatus::NeedMore) {
        const std::span<char> space = chunks.prepare();
        if (space.empty()) co_return Failure::MalformedBody;
        const auto [ec, count] =
            co_await stream_.async_read_some(asio::buffer(space.data(), space.size()), kToken);
        if (ec) co_return body_failure();
        pace.moved(count);
        chunks.commit(count);
        rest = chunks.bytes();
        status = parser_->parse_chunks(rest, limit, body_);
        if (!room.holds(body_.size())) co_return Failure::NoRoom;
        chunks.consume(chunks.bytes().size() - rest.size());
    }
    behind_body_ = chunks.bytes();
    if (status == ParseStatus::Done) co_return std::nullopt;
    co_return parser_->body_too_large() ? Failure::BodyTooLarge : Failure::MalformedBody;
}

template <class Stream>
Failure Connection<Stream>::body_failure() {
    if (!expired()) return Failure::MalformedBody;
    thread_.timeouts.add();
    return Failure::BodyTimeout;
}

template <class Stream>
bool Connection<Stream>::write_response_head(Ending ending) {
    return write_head(response_head_, response_, thread_.date(), ending);
}

template <class Stream>
void Connection<Stream>::leave_out_body() {
    if (response_.status == 200) response_.status = 204;
    response_.content_type = {};
    drop(response_.body);
    response_.rest = nullptr;
}

/// True where the connection stays.
template <class Stream>
Task<bool> Connection<Stream>::write_response(Ending ending, bool with_body,
                                              MemoryRoom::Share& room) {
    if (!with_body || !may_have_body(response_.status)) {
        drop(response_.body);
        response_.rest = nullptr;
    }
    const bool streams = static_cast<bool>(response_.rest);
    const bool chunked = streams && ending != Ending::EndsBody;
    if (chunked && !response_.body.empty()) make_chunk(response_head_, response_.body);
    Buffers rest = {asio::buffer(response_head_), asio::buffer(response_.body)};
    if constexpr (!kTls) {
        // Nearly every answer fits the socket's buffer: no trip through the event loop.
        boost::system::error_code ec;
        take_from(rest, stream_.write_some(rest, ec));
    }
    if (asio::buffer_size(rest) > 0 && !co_await write(rest)) co_return false;
    // Neither an idle connection nor one that sends what comes later keeps what was sent.
    drop(response_.body);
    if (streams && !co_await write_rest(chunked, room)) co_return false;
    response_ = {};
    answered_last_ = closes(ending);
    co_return !answered_last_;
}

/// Piece by piece: the next one is made when the socket has taken the one before.
template <class Stream>
Task<bool> Connection<Stream>::write_rest(bool chunked, MemoryRoom::Share& room) {
    for (;;) {
        wait_until(Time::max());
        std::optional<Piece> piece = co_await response_.rest();
        if (!piece) co_return false;
        // Only pieces of many long texts grow so far.
        if (!room.holds(std::max(piece->text.size() + piece->held, kUsualPiece))) co_return false;
        const bool last = piece->text.empty();
        std::string size;
        if (chunked) make_chunk(size, piece->text);
        const Buffers chunk = {asio::buffer(size), asio::buffer(piece->text)};
        if (asio::buffer_size(chunk) > 0 && !co_await write(chunk)) co_return false;
        if (last) co_return true;
    }
}

template <class Stream>
Task<bool> Connection<Stream>::write(Buffers rest) {
    wait_until(steady_clock::now() + thread_.limits().write_timeout);
    Pace pace(*this, thread_.limits().slow_after);
    while (asio::buffer_size(rest) > 0) {
        const auto [ec, count] = co_await stream_.async_write_some(rest, kToken);
        if (expired()) thread_.timeouts.add();
        if (ec || expired()) co_return false;
        pace.moved(count);
        take_from(rest, count);
    }
    co_return true;
}

/// Closes so that the client can read the last answer: bytes of it that arrive at a closed socket
/// would be answered with a reset, which may overtake the answer (RFC 9112 §9.6).
template <class Stream>
Task<void> Connection<Stream>::end() {
    wait_until(steady_clock::now() + kLingerTime);
    wait_for(Waits::ForClose);
    if constexpr (kTls) co_await stream_.async_shutdown(kToken);
    boost::system::error_code ignored;
    socket().shutdown(Socket::shutdown_send, ignored);
    std::array<char, 4096> sink;
    for (std::size_t drained = 0; drained < kLingerBytes && !expired();) {
        const auto [ec, count] = co_await socket().async_read_some(asio::buffer(sink), kToken);
        if (ec) break;
        drained += count;
    }
}

template <class Stream>
void start(IoThread& thread, Stream stream, Accepted& accepted) {
    auto connection = std::make_unique<Connection<Stream>>(thread, std::move(stream), accepted);
    asio::co_spawn(thread.context(), Connection<Stream>::run(std::move(connection)),
                   asio::detached);
}

}  // namespace

void serve(IoThread& thread, Accepted accepted) {
    if (accepted.tls != nullptr) {
        TlsStream stream(std::move(accepted.socket), *accepted.tls);
        start(thread, std::move(stream), accepted);
    } else {
        start(thread, std::move(accepted.socket), accepted);
    }
}

}  // namespace muster::http
