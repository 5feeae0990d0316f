#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "app/application.hpp"
#include "app/instance.hpp"
#include "app/settings.hpp"
#include "base/secret.hpp"
#include "http/server.hpp"

namespace muster::app {

namespace {

constexpr std::chrono::seconds kHousekeepingPeriod{15};
constexpr std::chrono::milliseconds kFollowingPeriod{500};
constexpr std::chrono::seconds kGrace{10};

/// One JSON object a line on stderr. Messages are ours and hold no input; values are escaped.
std::shared_ptr<spdlog::logger> make_logger(const std::string& level) {
    auto logger = spdlog::stderr_logger_mt("muster");
    logger->set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})",
                        spdlog::pattern_time_type::utc);
    logger->set_level(spdlog::level::from_str(level == "warning" ? "warn" : level));
    return logger;
}

std::string event(std::string_view name, std::string_view key = {}, std::string_view value = {}) {
    std::string line = "\"event\":";
    json::append_string(line, name);
    if (key.empty()) return line;
    line.append(",\"").append(key).append("\":");
    json::append_string(line, value);
    return line;
}

/// systemd's readiness protocol (sd_notify(3)): one datagram to the socket in NOTIFY_SOCKET.
void notify_service_manager(std::string_view state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    if (path == nullptr) return;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    if (length == 0 || length >= sizeof(address.sun_path)) return;
    std::memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
             reinterpret_cast<const sockaddr*>(&address), size);
    ::close(fd);
}

http::Options http_options(const Config& config) {
    const auto endpoint = parse_listen(config.listen).value();
    http::Options options;
    options.address = endpoint.address;
    options.port = endpoint.port;
    options.threads = config.threads > 0 ? static_cast<unsigned>(config.threads)
                                         : std::max(1U, std::thread::hardware_concurrency());
    options.limits.max_header_bytes = static_cast<std::size_t>(config.header_bytes);
    // One body always has room, in half of it.
    options.limits.max_bodies_bytes =
        static_cast<std::size_t>(std::max(config.bodies_bytes, 2 * config.body_bytes));
    // So has the answer that shows one resource.
    options.limits.max_answers_bytes =
        static_cast<std::size_t>(std::max(config.answers_bytes, 4 * config.body_bytes));
    options.limits.max_connections = static_cast<std::size_t>(config.connections);
    options.limits.header_timeout = std::chrono::seconds{config.header_timeout_s};
    options.limits.body_timeout = std::chrono::seconds{config.body_timeout_s};
    options.limits.idle_timeout = std::chrono::seconds{config.idle_timeout_s};
    if (!config.tls_certificate.empty()) {
        options.tls = http::Tls{.certificate = config.tls_certificate, .key = config.tls_key};
    }
    return options;
}

Task<void> keep_house(Instance& instance, std::shared_ptr<spdlog::logger> logger) {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    while (true) {
        timer.expires_after(kHousekeepingPeriod);
        co_await timer.async_wait(boost::asio::use_awaitable);
        const auto done = co_await instance.housekeeping();
        if (!done) logger->warn(event("housekeeping failed", "cause", done.error().message));
    }
}

/// What other nodes change holds here within a second.
Task<void> follow_others(Instance& instance) {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    while (true) {
        co_await instance.follow();
        timer.expires_after(kFollowingPeriod);
        co_await timer.async_wait(boost::asio::use_awaitable);
    }
}

/// Says when the store ceases to serve, and when it serves again.
Task<void> watch_store(Instance& instance, std::shared_ptr<spdlog::logger> logger) {
    boost::asio::steady_timer timer{co_await boost::asio::this_coro::executor};
    for (bool serves = true;;) {
        timer.expires_after(api::Readiness::kPeriod);
        co_await timer.async_wait(boost::asio::use_awaitable);
        const auto trouble = instance.scim().store_trouble();
        if (serves && trouble) logger->error(event("store lost", "cause", *trouble));
        if (!serves && !trouble) logger->info(event("store back"));
        serves = !trouble;
    }
}

void register_figures(api::Metrics& metrics, const http::Server& server) {
    using http::Figures;
    const auto read = [&server](std::uint64_t Figures::* member) {
        return [&server, member] { return static_cast<double>(server.figures().*member); };
    };
    metrics.gauge("muster_http_connections_open", "Connections open now",
                  read(&Figures::connections_open));
    metrics.counter("muster_http_connections_total", "Connections accepted",
                    read(&Figures::connections_total));
    metrics.counter("muster_http_connections_refused_total", "Connections refused for want of room",
                    read(&Figures::connections_refused));
    metrics.counter("muster_http_connections_displaced_total",
                    "Slow or idle connections closed to make room",
                    read(&Figures::connections_displaced));
    metrics.counter("muster_http_requests_total", "Requests read", read(&Figures::requests_total));
    metrics.counter("muster_http_malformed_total", "Requests that were not HTTP",
                    read(&Figures::malformed_total));
    metrics.counter("muster_http_timeouts_total", "Connections closed for slowness",
                    read(&Figures::timeouts_total));
}

// As the command line documents them (cli/exit_code.hpp).
constexpr int kFailed = 1;
constexpr int kWrongSetting = 2;
constexpr int kUnreachable = 5;

int fail(std::string_view reason, int code) {
    fmt::print(stderr, "muster: {}\n", without_secrets(reason));
    return code;
}

sigset_t stop_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// Blocks until it is time to stop.
void wait_for(const sigset_t& signals) {
    int received = 0;
    while (sigwait(&signals, &received) != 0) {
    }
}

void announce(const ServeOptions& options, const Instance& instance, const std::string& listen,
              const std::string& url) {
    if (options.json) {
        fmt::print("{{{},\"public_url\":\"{}\"}}\n", event("ready", "listen", listen), url);
    } else {
        fmt::print("Muster {} serves {} (data in {})\n", version(), url,
                   instance.config().data.string());
    }
    std::fflush(stdout);
}

int run(const ServeOptions& options, Instance& instance) {
    const auto logger = make_logger(instance.config().log_level);
    const auto signals = stop_signals();
    const auto endpoint = parse_listen(instance.config().listen).value();
    http::Server server(http_options(instance.config()), instance.scim());
    const auto host = endpoint.address.find(':') == std::string::npos
                          ? endpoint.address
                          : fmt::format("[{}]", endpoint.address);
    const auto listen = fmt::format("{}:{}", host, server.port());
    const bool tls = !instance.config().tls_certificate.empty();
    const auto url = instance.config().public_url.empty()
                         ? fmt::format("{}://{}", tls ? "https" : "http", listen)
                         : instance.config().public_url;
    instance.set_public_url(url);
    const auto report = [logger](std::string_view cause) {
        logger->error(event("request failed", "cause", cause));
    };
    instance.report_to(report);
    register_figures(instance.metrics(), server);
    api::AdminHandler admin(instance.admin(), report);
    server.listen_unix(instance.config().data / kSocketName, admin);
    server.run();
    server.post([&instance, logger] { return keep_house(instance, logger); });
    server.post([&instance] { return instance.scim().keep_ready(); });
    server.post([&instance, logger] { return watch_store(instance, logger); });
    if (instance.is_shared()) server.post([&instance] { return follow_others(instance); });

    logger->info(event("ready", "listen", listen));
    announce(options, instance, listen, url);
    notify_service_manager("READY=1");
    wait_for(signals);
    notify_service_manager("STOPPING=1");
    logger->info(event("stopping"));
    server.stop(kGrace);
    logger->info(event("stopped"));
    return 0;
}

}  // namespace

int serve(const ServeOptions& options) {
    auto config = settings_for(options);
    if (!config) return fail(config.error(), kWrongSetting);
    // Before any thread exists, so that every thread inherits it and only wait_for() sees them.
    const auto signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    auto instance = Instance::open(std::move(*config));
    if (!instance) {
        return fail(advice(instance.error().message, options),
                    instance.error().unreachable ? kUnreachable : kFailed);
    }
    try {
        return run(options, **instance);
    } catch (const std::exception& error) {
        return fail(error.what(), kFailed);
    }
}

}  // namespace muster::app
