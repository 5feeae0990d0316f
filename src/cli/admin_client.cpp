#include "cli/admin_client.hpp"

#include <system_error>

#include <fmt/format.h>

#include "app/application.hpp"
#include "base/result.hpp"
#include "http/message.hpp"
#include "net/http_client.hpp"

namespace muster::cli {

namespace {

constexpr std::string_view kBase = "/admin/v1";
// Answers come from our own server; a page of log records with bodies is what may be large.
constexpr json::Limits kAnswerLimits{
    .max_bytes = std::size_t{64} << 20, .max_depth = 64, .max_values = 5'000'000};

class SocketClient final : public AdminClient {
  public:
    explicit SocketClient(const std::filesystem::path& socket) : http_(socket) {}

    [[nodiscard]] std::expected<AdminResponse, std::string> call(
        std::string_view method, const std::string& target, const json::Object& body) override {
        net::ClientRequest request{.method = std::string{method},
                                   .target = std::string{kBase} + target};
        if (!body.empty()) {
            request.headers.emplace_back("Content-Type", "application/json");
            request.body = json::to_text(body);
        }
        TRY_ASSIGN(const auto answer, http_.send(request));
        return admin_response(answer.status, answer.body);
    }

    [[nodiscard]] bool live() const override { return true; }

  private:
    net::HttpClient http_;
};

std::string locked_and_silent(const std::string& offline_error, const std::filesystem::path& socket,
                              const std::string& socket_error) {
    if (socket_error.empty()) return offline_error;
    return fmt::format(
        "{} No server answers on {} either: {}. If one is just starting or "
        "stopping, try again in a moment; if it runs as another user, run this "
        "command as that user.",
        offline_error, socket.string(), socket_error);
}

}  // namespace

std::expected<AdminResponse, std::string> admin_response(int status, std::string_view text) {
    auto value = json::parse(text, kAnswerLimits);
    if (!value || !value->is_object()) {
        return std::unexpected(fmt::format(
            "the answer (status {}) is no JSON object; is it a Muster server?", status));
    }
    return AdminResponse{.status = status, .body = std::move(value->get_object())};
}

std::unique_ptr<AdminClient> socket_client(const std::filesystem::path& socket) {
    return std::make_unique<SocketClient>(socket);
}

ClientResult connect(const std::filesystem::path& data, bool may_make_directory,
                     const std::function<ClientResult()>& offline) {
    const auto socket = data / app::kSocketName;
    std::error_code ignored;
    std::string socket_error;
    if (std::filesystem::exists(socket, ignored)) {
        auto client = socket_client(socket);
        // Any answer will do: that there is no such path is told without asking the database.
        const auto answer = client->call("GET", "/", {});
        if (answer) return client;
        socket_error = answer.error();
    }
    if (!may_make_directory && !std::filesystem::exists(data, ignored)) {
        return std::unexpected(
            fmt::format("There is no data directory {}. Name it with --data DIR "
                        "or MUSTER_DATA, or the server's settings with --config FILE or "
                        "MUSTER_CONFIG; \"muster serve\" and \"muster org "
                        "create\" make a new one.",
                        data.string()));
    }
    auto client = offline();
    if (!client) {
        return std::unexpected(locked_and_silent(client.error(), socket, socket_error));
    }
    return client;
}

std::string target_of(std::initializer_list<std::string_view> segments,
                      std::initializer_list<std::pair<std::string_view, std::string_view>> query) {
    std::string target;
    for (const auto segment : segments) target += "/" + http::percent_encode(segment);
    char separator = '?';
    for (const auto& [name, value] : query) {
        if (value.empty()) continue;
        target += fmt::format("{}{}={}", separator, name, http::percent_encode(value));
        separator = '&';
    }
    return target;
}

}  // namespace muster::cli
