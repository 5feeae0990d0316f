#pragma once
// A small HTTP/1.1 client for the command line, the simulator and the tests. Keep-alive, one
// request at a time; not for untrusted URLs (it follows no redirects and has no SSRF guard).

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace muster::net {

struct Url {
    bool tls = false;
    std::string host;  ///< without brackets
    std::uint16_t port = 0;
    std::string
        path;  ///< without trailing slash; may be empty; the caller prefixes targets with it
    /// http:// or https:// only; nothing for anything else, user info or a fragment.
    [[nodiscard]] static std::optional<Url> parse(std::string_view text);
};

struct ClientResponse {
    int status = 0;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::chrono::microseconds elapsed{0};
    [[nodiscard]] std::string_view header(std::string_view name) const;  ///< without case
};

struct ClientRequest {
    std::string method = "GET";
    std::string target = "/";  ///< sent as it is; Url::path is not added
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
};

/// Blocking. Not thread-safe: one a thread. Reconnects once where a kept-alive connection had been
/// closed before a byte of the answer came and the method is GET, or nothing had been sent.
/// TLS needs a certificate for the host from the system's authorities (or SSL_CERT_FILE).
class HttpClient {
  public:
    explicit HttpClient(const Url& url, std::chrono::seconds timeout = std::chrono::seconds{60});
    explicit HttpClient(const std::filesystem::path& unix_socket,
                        std::chrono::seconds timeout = std::chrono::seconds{60});
    ~HttpClient();
    HttpClient(HttpClient&&) noexcept;
    HttpClient& operator=(HttpClient&&) noexcept;

    /// The answer, or what went wrong in words ("cannot connect to 127.0.0.1:8080: refused").
    /// At most 64 MiB of body.
    [[nodiscard]] std::expected<ClientResponse, std::string> send(const ClientRequest& request);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace muster::net
