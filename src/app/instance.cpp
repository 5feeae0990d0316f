#include "app/instance.hpp"

#include <cerrno>
#include <cstring>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <type_traits>

#include <fmt/format.h>

#include "app/application.hpp"
#include "app/key_file.hpp"
#include "base/result.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::app {

namespace {

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

template <class T>
std::expected<T, OpenFailure> spoken(store::Result<T> result) {
    if (!result) return std::unexpected(OpenFailure{std::move(result).error().message});
    if constexpr (std::is_void_v<T>) {
        return {};
    } else {
        return *std::move(result);
    }
}

std::expected<void, OpenFailure> prepare_directory(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error) {
        return std::unexpected(OpenFailure{fmt::format("Cannot make the data directory {}: {}.",
                                                       directory.string(), error.message())});
    }
    // What lies in it is for this user alone, whatever the umask is.
    if (::chmod(directory.c_str(), 0700) != 0) {
        return std::unexpected(
            OpenFailure{fmt::format("Cannot set the mode of the data directory {}: {}.",
                                    directory.string(), std::strerror(errno))});
    }
    return {};
}

service::Limits limits_of(const Config& config) {
    service::Limits limits;
    limits.body_bytes = static_cast<std::size_t>(config.body_bytes);
    limits.json.max_bytes = limits.body_bytes;
    limits.max_page = static_cast<std::size_t>(config.page);
    limits.default_page = std::min(limits.default_page, limits.max_page);
    return limits;
}

api::ScimOptions options_of(const Config& config) {
    const bool tls = !config.tls_certificate.empty();
    return {.public_url = config.public_url.empty()
                              ? fmt::format("{}://{}", tls ? "https" : "http", config.listen)
                              : config.public_url,
            .base_domain = config.base_domain,
            .open_discovery = config.open_discovery,
            .shared = !config.database.empty(),
            .paused_retry_after_s = static_cast<int>(config.paused_retry_after_s),
            .traffic = {.organisation = config.organisation_requests_per_s,
                        .token = config.token_requests_per_s}};
}

store::Result<void> hold_key(const Config& config, const Digest& fingerprint) {
    if (!config.database.empty()) {
        return store::hold_key(store::PostgresOptions{.url = config.database}, fingerprint);
    }
    return store::hold_key(store::SqliteOptions{.directory = config.data.string()}, fingerprint);
}

store::Result<std::unique_ptr<store::Store>> open_store(const Config& config) {
    if (!config.database.empty())
        return store::open(store::PostgresOptions{.url = config.database});
    const auto threads = config.threads > 0 ? static_cast<std::size_t>(config.threads)
                                            : std::thread::hardware_concurrency();
    return store::open(store::SqliteOptions{.directory = config.data.string(),
                                            .readers = std::max<std::size_t>(threads, 2)});
}

OpenFailure not_opened(const Config& config, const store::Error& error) {
    const bool away = !config.database.empty() && !knows_a_key(config);
    const bool locked = error.code == store::ErrorCode::Locked;
    return {error.message, away || locked, locked};
}

std::expected<store::sqlite::DirectoryLock, OpenFailure> take_lock(
    const std::filesystem::path& directory) {
    auto lock = store::sqlite::DirectoryLock::take(directory.string());
    if (lock) return *std::move(lock);
    const bool locked = lock.error().code == store::ErrorCode::Locked;
    return std::unexpected(OpenFailure{lock.error().message, locked, locked});
}

std::expected<Secret, OpenFailure> read_key(const std::filesystem::path& file,
                                            bool may_create = false) {
    auto key = read_or_create_key(file, may_create);
    if (!key) return std::unexpected(OpenFailure{std::move(key).error()});
    return *std::move(key);
}

// Of housekeeping: about once a minute.
constexpr std::uint64_t kLearningRounds = 4;

}  // namespace

std::string_view version() { return MUSTER_VERSION; }

std::expected<std::unique_ptr<Instance>, OpenFailure> Instance::open(Config config) {
    const bool shared = !config.database.empty();
    if (!shared) TRY_VOID(prepare_directory(config.data));
    auto store = open_store(config);
    if (!store) return std::unexpected(not_opened(config, store.error()));
    TRY_ASSIGN(const auto directory, spoken((*store)->load_directory()));
    TRY_ASSIGN(const bool known, shared ? spoken(knows_a_key(config)) : false);
    const bool may_make_key = directory.tokens.empty() && !known;
    // Of a shared database the directory holds the key alone: where that is missing, it may be one
    // that nobody meant.
    if (shared && !may_make_key) TRY_VOID(read_key(config.key_file));
    std::optional<store::sqlite::DirectoryLock> lock;
    if (shared) {
        TRY_VOID(prepare_directory(config.data));
        TRY_ASSIGN(auto taken, take_lock(config.data));
        lock.emplace(std::move(taken));
    }
    TRY_ASSIGN(Secret key, read_key(config.key_file, may_make_key));
    KeyedHash hash{key.reveal()};
    TRY_VOID(spoken(hold_key(config, fingerprint_of(hash))));

    auto instance =
        std::make_unique<Instance>(std::move(config), std::move(*store), std::move(hash));
    if (lock) instance->lock_.emplace(*std::move(lock));
    instance->load(directory);
    return instance;
}

Instance::Instance(Config config, std::unique_ptr<store::Store> store, KeyedHash hash)
    : config_(std::move(config)),
      options_(options_of(config_)),
      store_(std::move(store)),
      ids_(clock_, store_->node()),
      registry_(std::move(hash)),
      core_(std::make_unique<service::Core>(
          service::Core{*store_, registry_, clock_, ids_, limits_of(config_)})) {
    directory_ = std::make_unique<service::Directory>(
        *core_, service::DirectoryLimits{.tokens_per_connector = static_cast<std::size_t>(
                                             config_.tokens_per_connector)});
    metrics_ =
        std::make_unique<api::Metrics>(version(), config_.database.empty() ? "sqlite" : "postgres");
    scim_ = std::make_unique<api::ScimHandler>(*core_, *directory_, *metrics_, options_,
                                               [this](std::string_view cause) {
                                                   if (report_) report_(cause);
                                               });
    admin_ = std::make_unique<api::Admin>(*core_, *directory_, options_, std::string{version()});
    register_figures();
}

Instance::~Instance() { store_->close(); }

void Instance::register_figures() {
    using Figures = store::Store::Figures;
    const auto read = [this](std::uint64_t Figures::* member) {
        return [this, member] { return static_cast<double>(store_->figures().*member); };
    };
    metrics_->counter("muster_store_commits_total", "Durable commits", read(&Figures::commits));
    metrics_->counter("muster_store_write_sets_total", "Write sets in those commits",
                      read(&Figures::write_sets));
    metrics_->counter("muster_store_log_records_total", "Provisioning log records written",
                      read(&Figures::log_records));
    metrics_->counter("muster_store_log_dropped_total",
                      "Provisioning log records lost for want of room",
                      read(&Figures::log_dropped));
    metrics_->gauge("muster_store_queue_depth", "Write sets waiting for a commit",
                    read(&Figures::queue_depth));
    metrics_->gauge("muster_store_ready", "1 while the store serves, as /readyz says",
                    [this] { return scim_->store_trouble() ? 0.0 : 1.0; });
    // PostgreSQL's is not asked for: it looks at every file to tell it.
    if (!is_shared()) {
        metrics_->gauge("muster_store_database_bytes", "Size of the database",
                        read(&Figures::database_bytes));
    }
}

Task<store::Result<void>> Instance::housekeeping() {
    co_await directory_->save_last_uses();
    if (is_shared() && ++rounds_ % kLearningRounds == 0) co_await directory_->learn_last_uses();
    const auto now = clock_.now();
    const Timestamp log_before{now.ms - config_.log_retention_days * kDayMs};
    const Timestamp deleted_before{now.ms - config_.deleted_retention_days * kDayMs};
    for (bool more = true; more;) {
        CO_TRY_ASSIGN(more, co_await store_->purge(log_before, deleted_before));
    }
    co_return store::Result<void>();
}

}  // namespace muster::app
