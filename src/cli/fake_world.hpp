#pragma once
// A small world for tests of the command line: an administrator's API that answers from a table.

#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "cli/run.hpp"

namespace muster::cli {

/// What one call is answered, and which calls were made ("GET /organisations").
struct FakeApi {
    std::map<std::string, AdminResponse> answers;
    std::vector<std::string> calls;
    std::vector<json::Object> bodies;
    std::string silence;  ///< no answer at all, and why
    bool live = true;

    void answer(const std::string& call, int status, std::string_view body) {
        answers[call] = {status, json::parse(body).value().as_object()};
    }
};

class FakeClient final : public AdminClient {
  public:
    explicit FakeClient(FakeApi& api) : api_(api) {}

    [[nodiscard]] std::expected<AdminResponse, std::string> call(
        std::string_view method, const std::string& target, const json::Object& body) override {
        api_.calls.push_back(std::string{method} + " " + target);
        api_.bodies.push_back(body);
        if (!api_.silence.empty()) return std::unexpected(api_.silence);
        const auto found = api_.answers.find(api_.calls.back());
        if (found != api_.answers.end()) return found->second;
        return AdminResponse{404, {{"title", "Not found"}, {"detail", "There is none."}}};
    }
    [[nodiscard]] bool live() const override { return api_.live; }

  private:
    FakeApi& api_;
};

struct FakeWorld {
    FakeApi api;
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    std::map<std::string, std::string> variables;
    std::string cannot_connect;
    app::ServeOptions installation;  ///< what was connected to
    bool may_make_directory = false;
    app::ServeOptions serve_options;
    int serve_result = 0;
    std::vector<app::DoctorCheck> checks;
    std::string simulated_secret;
    std::string simulated_url;
    simulator::Client simulated_client = simulator::Client::OktaCatalog;
    simulator::Auth simulated_auth = simulator::Auth::Bearer;
    simulator::Report report;
    std::string conform_authorization;
    std::vector<std::string> conform_only;
    std::expected<conform::Report, std::string> conform_report;
    std::expected<app::SchemaVersion, app::Failure> schema =
        app::SchemaVersion{"postgres://db/muster", 1, 2, false};
    std::expected<app::Transferred, app::Failure> transferred;
    std::vector<std::string> transfers;  ///< "copy FROM TO", "backup DATABASE FILE"
    int waits = 0;                       ///< how often `log tail` may wait
    Environment environment{
        .in = in,
        .out = out,
        .err = err,
        .variable = [this](const char* name) -> std::optional<std::string> {
            const auto found = variables.find(name);
            if (found == variables.end()) return std::nullopt;
            return found->second;
        },
        .connect = [this](const app::ServeOptions& options, bool may_make) -> ClientResult {
            installation = options;
            may_make_directory = may_make;
            if (!cannot_connect.empty()) return std::unexpected(cannot_connect);
            return std::make_unique<FakeClient>(api);
        },
        .serve =
            [this](const app::ServeOptions& options) {
                serve_options = options;
                return serve_result;
            },
        .doctor = [this](const app::ServeOptions&) { return checks; },
        .schema_version = [this](const app::ServeOptions&) { return schema; },
        .migrate =
            [this](const app::ServeOptions&, std::optional<std::int64_t> target) {
                if (schema) schema->version = target.value_or(schema->newest);
                return schema;
            },
        .copy =
            [this](const std::string& from, const std::string& to,
                   const app::TransferProgress& progress) {
                transfers.push_back(fmt::format("copy {} {}", from, to));
                progress(1, 2, "copy resource");
                return transferred;
            },
        .backup =
            [this](const app::ServeOptions& options, const std::string& file,
                   const app::TransferProgress&) {
                transfers.push_back(
                    fmt::format("backup {} {}", options.database.value_or("-"), file));
                return transferred;
            },
        .restore =
            [this](const app::ServeOptions& options, const std::string& file,
                   const app::TransferProgress&) {
                transfers.push_back(
                    fmt::format("restore {} {}", options.database.value_or("-"), file));
                return transferred;
            },
        .simulate =
            [this](const simulator::Options& options, const simulator::Progress& progress) {
                simulated_secret = options.secret.reveal();
                simulated_url = options.base_url;
                simulated_client = options.client;
                simulated_auth = options.auth;
                progress(1, 2, "Create users");
                return report;
            },
        .conform =
            [this](const conform::Options& options, const conform::Progress& progress) {
                conform_authorization = options.authorization.reveal();
                conform_only = options.only;
                progress(1, 2, "filter");
                return conform_report;
            },
        .wait = [this] { return waits-- > 0; },
        .version = "1.2.3"};

    /// Runs words and returns the exit code; `out` and `err` hold this run's texts only.
    int run(std::vector<std::string> words) {
        out.str({});
        err.str({});
        return muster::cli::run(environment, std::move(words));
    }
};

}  // namespace muster::cli
