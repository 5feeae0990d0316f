#include "app/application.hpp"
#include "cli/admin_client.hpp"

namespace muster::cli {

namespace {

class OfflineClient final : public AdminClient {
  public:
    explicit OfflineClient(std::unique_ptr<app::Offline> offline) : offline_(std::move(offline)) {}

    [[nodiscard]] std::expected<AdminResponse, std::string> call(
        std::string_view method, const std::string& target, const json::Object& body) override {
        const auto [status, text] =
            offline_->call(method, "/admin/v1" + target, body.empty() ? "" : json::to_text(body));
        return admin_response(status, text);
    }

    [[nodiscard]] bool live() const override { return false; }
    [[nodiscard]] std::filesystem::path made() const override { return offline_->made(); }

  private:
    std::unique_ptr<app::Offline> offline_;
};

}  // namespace

ClientResult offline_client(const app::ServeOptions& installation, bool may_make_database) {
    auto offline = app::Offline::open(installation, may_make_database);
    if (!offline) return std::unexpected(std::move(offline).error());
    return std::make_unique<OfflineClient>(*std::move(offline));
}

ClientResult connect(const app::ServeOptions& installation, bool may_make_directory) {
    const auto data = app::data_directory(installation);
    if (!data) return std::unexpected(data.error());
    return connect(*data, may_make_directory,
                   [&] { return offline_client(installation, may_make_directory); });
}

}  // namespace muster::cli
