#include "net/http_client.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sys/un.h>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/text.hpp"

namespace muster::net {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace {

using Socket = asio::generic::stream_protocol::socket;
using TlsStream = asio::ssl::stream<Socket>;
using Error = boost::system::error_code;
using Parser = beast::http::response_parser<beast::http::string_body>;

constexpr std::uint64_t kMaxBody = 64ULL * 1024 * 1024;
constexpr std::uint32_t kMaxHeader = 64 * 1024;

std::string describe(const Error& ec) {
    if (ec == asio::error::connection_refused) return "refused";
    if (ec == asio::error::timed_out) return "timed out";
    if (ec == asio::error::eof || ec == beast::http::error::end_of_stream ||
        ec == asio::error::connection_reset || ec == asio::error::broken_pipe ||
        ec == asio::ssl::error::stream_truncated) {
        return "the server closed the connection";
    }
    return ec.message();
}

bool names(const ClientRequest& request, std::string_view header) {
    return std::ranges::any_of(request.headers, [&](const auto& entry) {
        return equals_ignoring_case(entry.first, header);
    });
}

std::string head_of(const ClientRequest& request, const std::string& host) {
    std::string head = request.method + " " + request.target + " HTTP/1.1\r\n";
    if (!names(request, "Host")) head += "Host: " + host + "\r\n";
    const bool empty = request.body.empty();
    if (!names(request, "Content-Length") && !names(request, "Transfer-Encoding") &&
        (!empty || request.method.starts_with('P'))) {
        head += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    }
    for (const auto& [name, value] : request.headers) {
        head.append(name).append(": ").append(value).append("\r\n");
    }
    return head + "\r\n";
}

/// After these many servers close without having said so, by when the next request is under way.
bool is_often_the_last(unsigned status) { return status == 413 || status >= 500; }

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
    Url url;
    const std::string scheme = to_lower_ascii(text.substr(0, text.find(':')));
    if (scheme != "http" && scheme != "https") return std::nullopt;
    url.tls = scheme == "https";
    url.port = url.tls ? 443 : 80;
    text.remove_prefix(scheme.size());
    if (!text.starts_with("://")) return std::nullopt;
    text.remove_prefix(3);
    const bool unusable = std::ranges::any_of(
        text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
    if (unusable || text.find_first_of("#?") != std::string_view::npos) return std::nullopt;

    std::string_view authority = text.substr(0, text.find('/'));
    std::string_view path = text.substr(authority.size());
    while (path.ends_with('/')) path.remove_suffix(1);
    url.path = path;

    if (authority.find('@') != std::string_view::npos) return std::nullopt;
    std::string_view host = authority.substr(0, authority.find(':'));
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
    } else {
        authority.remove_prefix(host.size());
    }
    if (host.empty()) return std::nullopt;
    url.host = host;
    if (authority.empty()) return url;

    const std::string_view port = authority.substr(1);
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (!authority.starts_with(':') || ec != std::errc{} || end != port.data() + port.size() ||
        url.port == 0) {
        return std::nullopt;
    }
    return url;
}

std::string_view ClientResponse::header(std::string_view name) const {
    const auto found = std::ranges::find_if(
        headers, [&](const auto& entry) { return equals_ignoring_case(entry.first, name); });
    return found == headers.end() ? std::string_view() : found->second;
}

struct HttpClient::Impl {
    using Answer = std::expected<ClientResponse, std::string>;

    Answer send(const ClientRequest& request);
    Error connect();
    Error connect_tcp();
    Error connect_unix();
    Error start_tls();
    template <class Stream>
    Error exchange(Stream& stream, const ClientRequest& request);
    [[nodiscard]] bool still_open();
    void close();
    [[nodiscard]] Socket& socket() { return tls ? tls->next_layer() : *plain; }
    [[nodiscard]] std::string address() const;

    /// Starts an operation with `start(handler)` and runs it to its end or to the deadline.
    template <class Start>
    Error wait(Start start) {
        Error result;
        start([&result](const Error& ec, auto&&...) { result = ec; });
        context.restart();
        context.run_until(deadline);
        if (context.stopped()) return result;
        close();
        resolver.cancel();
        context.run();
        return asio::error::timed_out;
    }

    Url url;
    std::filesystem::path unix_socket;
    std::chrono::seconds timeout{60};

    asio::io_context context{1};
    asio::ip::tcp::resolver resolver{context};
    std::optional<asio::ssl::context> trust;
    std::optional<Socket> plain;
    std::optional<TlsStream> tls;
    bool connected = false;
    std::optional<Parser> answer;  ///< of the exchange under way
    bool answer_began = false;
    beast::flat_buffer buffer;
    std::chrono::steady_clock::time_point deadline;
};

std::string HttpClient::Impl::address() const {
    if (!unix_socket.empty()) return unix_socket.string();
    const bool v6 = url.host.find(':') != std::string::npos;
    return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

void HttpClient::Impl::close() {
    Error ignored;
    if (plain || tls) socket().close(ignored);
    connected = false;
}

bool HttpClient::Impl::still_open() {
    if (!connected) return false;
    // Between two requests a server has nothing to say but that it closes.
    Error ec;
    std::array<char, 1> byte;
    socket().non_blocking(true, ec);
    socket().receive(asio::buffer(byte), asio::socket_base::message_peek, ec);
    return ec == asio::error::would_block;
}

Error HttpClient::Impl::connect_tcp() {
    asio::ip::tcp::resolver::results_type found;
    Error ec = wait([&](auto handler) {
        resolver.async_resolve(url.host, std::to_string(url.port),
                               [&found, handler](const Error& error, const auto& results) {
                                   found = results;
                                   handler(error);
                               });
    });
    for (const auto& entry : found) {
        plain.emplace(context);
        ec = wait([&](auto handler) { plain->async_connect(entry.endpoint(), handler); });
        if (!ec) break;
    }
    if (ec) return ec;
    plain->set_option(asio::ip::tcp::no_delay(true), ec);
    return url.tls ? start_tls() : Error{};
}

Error HttpClient::Impl::connect_unix() {
    // The endpoint's constructor throws for these.
    if (unix_socket.string().size() >= sizeof(sockaddr_un::sun_path)) {
        return asio::error::name_too_long;
    }
    plain.emplace(context);
    const asio::local::stream_protocol::endpoint endpoint(unix_socket.string());
    return wait([&](auto handler) { plain->async_connect(endpoint, handler); });
}

Error HttpClient::Impl::start_tls() {
    Error ec;
    if (!trust) {
        trust.emplace(asio::ssl::context::tls_client);
        SSL_CTX_set_min_proto_version(trust->native_handle(), TLS1_2_VERSION);
        trust->set_verify_mode(asio::ssl::verify_peer);
        trust->set_default_verify_paths(ec);
        if (ec) return ec;
    }
    tls.emplace(*std::move(plain), *trust);
    plain.reset();
    tls->set_verify_callback(asio::ssl::host_name_verification(url.host));
    SSL_set_tlsext_host_name(tls->native_handle(), url.host.c_str());
    return wait(
        [&](auto handler) { tls->async_handshake(asio::ssl::stream_base::client, handler); });
}

Error HttpClient::Impl::connect() {
    close();
    tls.reset();
    buffer.clear();
    Error ec;
    if (unix_socket.empty()) {
        ec = connect_tcp();
    } else {
        ec = connect_unix();
    }
    connected = !ec;
    return ec;
}

template <class Stream>
Error HttpClient::Impl::exchange(Stream& stream, const ClientRequest& request) {
    answer.reset();
    answer_began = false;
    const std::string head = head_of(request, unix_socket.empty() ? address() : "localhost");
    const std::array<asio::const_buffer, 2> bytes = {asio::buffer(head),
                                                     asio::buffer(request.body)};
    const Error written = wait([&](auto handler) { asio::async_write(stream, bytes, handler); });
    if (written == asio::error::timed_out) return written;
    // Not yet lost: a server that refuses a body answers and closes without reading all of it.
    do {
        answer.emplace();
        answer->body_limit(kMaxBody);
        answer->header_limit(kMaxHeader);
        answer->skip(request.method == "HEAD");
        const Error ec =
            wait([&](auto handler) { beast::http::async_read(stream, buffer, *answer, handler); });
        answer_began = answer_began || answer->got_some();
        if (ec) return written && !answer_began ? written : ec;
    } while (answer->get().result_int() / 100 == 1);
    if (written || !answer->keep_alive() || buffer.size() > 0 ||
        is_often_the_last(answer->get().result_int()))
        close();
    return {};
}

HttpClient::Impl::Answer HttpClient::Impl::send(const ClientRequest& request) {
    const auto started = std::chrono::steady_clock::now();
    deadline = started + timeout;
    for (bool first = true;; first = false) {
        const bool reused = still_open();
        if (!reused) {
            if (const Error ec = connect()) {
                close();
                return std::unexpected("cannot connect to " + address() + ": " + describe(ec));
            }
        }
        const Error ec = tls ? exchange(*tls, request) : exchange(*plain, request);
        if (!ec) break;
        close();
        const bool was_stale = reused && !answer_began && ec != asio::error::timed_out;
        if (first && was_stale && request.method == "GET") continue;
        return std::unexpected("no answer from " + address() + ": " + describe(ec));
    }
    ClientResponse response;
    auto& message = answer->get();
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
        response.headers.emplace_back(field.name_string(), field.value());
    }
    response.body = std::move(message.body());
    response.elapsed = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - started);
    return response;
}

HttpClient::HttpClient(const Url& url, std::chrono::seconds timeout)
    : impl_(std::make_unique<Impl>()) {
    impl_->url = url;
    impl_->timeout = timeout;
}

HttpClient::HttpClient(const std::filesystem::path& unix_socket, std::chrono::seconds timeout)
    : impl_(std::make_unique<Impl>()) {
    impl_->unix_socket = unix_socket;
    impl_->timeout = timeout;
}

HttpClient::~HttpClient() = default;
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;

std::expected<ClientResponse, std::string> HttpClient::send(const ClientRequest& request) {
    return impl_->send(request);
}

}  // namespace muster::net
