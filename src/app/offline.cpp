#include <chrono>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fmt/format.h>

#include "app/application.hpp"
#include "app/instance.hpp"
#include "app/settings.hpp"

namespace muster::app {

namespace {

constexpr std::string_view kBase = "/admin/v1";
// Another command on the same directory is over within it; a server is not.
constexpr std::chrono::seconds kPatience{2};
constexpr std::chrono::milliseconds kBetweenAttempts{100};

http::Method method_of(std::string_view text) {
    for (auto method : {http::Method::Get, http::Method::Post, http::Method::Put,
                        http::Method::Patch, http::Method::Delete}) {
        if (http::to_string(method) == text) return method;
    }
    return http::Method::Other;
}

std::expected<std::unique_ptr<Instance>, OpenFailure> open_patiently(const Config& config) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (true) {
        auto instance = Instance::open(config);
        if (instance || !instance.error().locked || std::chrono::steady_clock::now() >= until) {
            return instance;
        }
        std::this_thread::sleep_for(kBetweenAttempts);
    }
}

}  // namespace

struct Offline::Impl {
    boost::asio::io_context context{1};
    std::unique_ptr<Instance> instance;
    std::filesystem::path made;
};

Offline::Offline(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Offline::~Offline() = default;

std::expected<std::unique_ptr<Offline>, std::string> Offline::open(const ServeOptions& options,
                                                                   bool may_make_database) {
    auto config = settings_for(options);
    if (!config) return std::unexpected(config.error());
    if (config->database.empty() && !std::filesystem::exists(config->data / "muster.db") &&
        (!may_make_database || std::filesystem::exists(config->data / "key"))) {
        return std::unexpected(no_database_in(config->data));
    }
    const auto first = config->database.empty() ? config->data / "muster.db" : config->data;
    const bool fresh = !std::filesystem::exists(first);
    auto instance = open_patiently(*config);
    if (!instance) return std::unexpected(advice(instance.error().message, options));
    auto impl = std::make_unique<Impl>();
    impl->instance = std::move(*instance);
    if (fresh) impl->made = impl->instance->config().data;
    return std::make_unique<Offline>(std::move(impl));
}

const std::filesystem::path& Offline::made() const { return impl_->made; }

std::pair<int, std::string> Offline::call(std::string_view method, std::string_view target,
                                          std::string_view body) {
    const auto mark = std::min(target.find('?'), target.size());
    const auto path = target.substr(0, mark);
    auto query = http::parse_query(target.substr(std::min(mark + 1, target.size())));
    if (!path.starts_with(kBase) || !query) return {400, "{}"};
    api::AdminRequest request{.method = method_of(method),
                              .path = std::string{path.substr(kBase.size())},
                              .query = std::move(*query),
                              .body = std::string{body},
                              .actor = "command line (offline)"};
    auto future = boost::asio::co_spawn(
        impl_->context, impl_->instance->admin().call(std::move(request)), boost::asio::use_future);
    impl_->context.restart();
    // The writer's completions come from another thread: there may be nothing to run for a while.
    auto work = boost::asio::make_work_guard(impl_->context);
    while (future.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        impl_->context.run_one();
    }
    auto answer = future.get();
    return {answer.status, std::move(answer.body)};
}

}  // namespace muster::app
