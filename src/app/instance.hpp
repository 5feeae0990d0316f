#pragma once
// The wiring: everything that one Muster process consists of, made here and nowhere else.

#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "api/admin.hpp"
#include "api/metrics.hpp"
#include "api/scim_handler.hpp"
#include "app/config.hpp"
#include "auth/registry.hpp"
#include "base/clock.hpp"
#include "base/ids.hpp"
#include "service/core.hpp"
#include "service/directory.hpp"
#include "store/sqlite/directory_lock.hpp"
#include "store/store.hpp"

namespace muster::app {

/// Why an installation cannot be opened, with the remedy.
struct OpenFailure {
    std::string message;
    /// Another process serves the same data, or the database's server cannot be reached.
    bool unreachable = false;
    /// Another process holds the data directory.
    bool locked = false;
};

/// An open data directory with all use cases on it; no network. Holding one is holding the
/// directory's lock. Members are made in this order and go in reverse.
class Instance {
  public:
    /// Opens or creates the data directory: locks it, reads or makes its key, loads the directory
    /// of organisations. The error is a sentence with the remedy; where a database that is shared
    /// knows a key and the file is missing, nothing was made.
    [[nodiscard]] static std::expected<std::unique_ptr<Instance>, OpenFailure> open(Config config);
    /// From opened parts; `open` and tests call it.
    Instance(Config config, std::unique_ptr<store::Store> store, KeyedHash hash);
    ~Instance();
    /// Makes the organisations, connectors and tokens of an opened store known. Once, at the start.
    void load(const store::Directory& directory) { registry_.load(directory); }

    /// Before the first request: what locations and SCIM URLs begin with, where the configuration
    /// leaves it to the port that was bound.
    void set_public_url(std::string url) { options_.public_url = std::move(url); }

    [[nodiscard]] const Config& config() const { return config_; }
    [[nodiscard]] api::ScimHandler& scim() { return *scim_; }
    [[nodiscard]] const api::Admin& admin() const { return *admin_; }
    [[nodiscard]] api::Metrics& metrics() { return *metrics_; }
    [[nodiscard]] store::Store& store() { return *store_; }

    /// Before the first request: where it is said why a request failed with 500.
    void report_to(api::ScimHandler::Report report) { report_ = std::move(report); }

    /// Whether other nodes may serve the same data; then `follow` is to be awaited twice a second.
    [[nodiscard]] bool is_shared() const { return !config_.database.empty(); }
    [[nodiscard]] Task<void> follow() { return directory_->follow(); }

    /// Periodic work, to be awaited every few seconds: last uses of tokens, retention. The error:
    /// what is left of it will be tried next time.
    [[nodiscard]] Task<store::Result<void>> housekeeping();

  private:
    void register_figures();

    Config config_;
    std::optional<store::sqlite::DirectoryLock> lock_;  ///< where the store is in no directory
    api::ScimOptions options_;
    SystemClock clock_;
    std::unique_ptr<store::Store> store_;
    IdGenerator ids_;
    auth::Registry registry_;
    api::ScimHandler::Report report_;
    std::unique_ptr<service::Core> core_;
    std::unique_ptr<service::Directory> directory_;
    std::unique_ptr<api::Metrics> metrics_;
    std::unique_ptr<api::ScimHandler> scim_;
    std::unique_ptr<api::Admin> admin_;
    std::uint64_t rounds_ = 0;  ///< of housekeeping
};

}  // namespace muster::app
