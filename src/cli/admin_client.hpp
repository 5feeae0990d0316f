#pragma once
// The operator's API as the commands see it: the same calls, whether a server runs or not.

#include <expected>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "app/application.hpp"
#include "json/json.hpp"

namespace muster::cli {

struct AdminResponse {
    int status = 0;
    json::Object body;  ///< from 400 on a problem document (RFC 9457) with an optional "remedy"
};

/// Blocking; one thread at a time.
class AdminClient {
  public:
    virtual ~AdminClient() = default;

    /// `target` is a path behind /admin/v1 with its query, encoded (see target_of). The error says
    /// why there is no answer at all.
    [[nodiscard]] virtual std::expected<AdminResponse, std::string> call(
        std::string_view method, const std::string& target, const json::Object& body) = 0;

    /// Whether a server answers, so that something may happen without this process doing it.
    [[nodiscard]] virtual bool live() const = 0;
    /// The data directory that it began to fill, where there was none; else empty.
    [[nodiscard]] virtual std::filesystem::path made() const { return {}; }
};

using ClientResult = std::expected<std::unique_ptr<AdminClient>, std::string>;

/// Speaks HTTP over a running server's socket.
[[nodiscard]] std::unique_ptr<AdminClient> socket_client(const std::filesystem::path& socket);

/// Works on the data directory itself and holds its lock until it goes.
[[nodiscard]] ClientResult offline_client(const app::ServeOptions& installation,
                                          bool may_make_database);

/// The running server's where its socket answers, else `offline`. The error is a sentence with the
/// remedy: the directory is missing and may not be made, or it is locked by what does not answer.
[[nodiscard]] ClientResult connect(const std::filesystem::path& data, bool may_make_directory,
                                   const std::function<ClientResult()>& offline);
/// The same for the data directory of an installation and the client that works on it.
[[nodiscard]] ClientResult connect(const app::ServeOptions& installation, bool may_make_directory);

/// {"tokens", "a b"}, {{"org", "x"}, {"failed", ""}} is "/tokens/a%20b?org=x": segments and values
/// are encoded, parameters without a value left out.
[[nodiscard]] std::string target_of(
    std::initializer_list<std::string_view> segments,
    std::initializer_list<std::pair<std::string_view, std::string_view>> query = {});

/// An answer's text as a response; the error where it is no JSON object.
[[nodiscard]] std::expected<AdminResponse, std::string> admin_response(int status,
                                                                       std::string_view text);

}  // namespace muster::cli
