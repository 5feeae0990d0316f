#include "app/config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>
#include <variant>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "api/traffic.hpp"
#include "base/text.hpp"

namespace muster::app {

namespace {

using Field = std::variant<std::string Config::*, std::filesystem::path Config::*,
                           std::int64_t Config::*, bool Config::*>;

struct Setting {
    std::string_view name;
    Field field;
    std::int64_t least = 0;
    std::int64_t most = 0;
};

constexpr std::int64_t kMany = 1'000'000;

// The one list of settings: packaging/muster.toml and docs/reference/configuration.md follow it.
const std::array kSettings{
    Setting{"data", &Config::data},
    Setting{"database", &Config::database},
    Setting{"listen", &Config::listen},
    Setting{"public_url", &Config::public_url},
    Setting{"base_domain", &Config::base_domain},
    Setting{"threads", &Config::threads, 0, 256},
    Setting{"tls.certificate", &Config::tls_certificate},
    Setting{"tls.key", &Config::tls_key},
    Setting{"key_file", &Config::key_file},
    Setting{"log.level", &Config::log_level},
    Setting{"log.retention_days", &Config::log_retention_days, 1, 36'500},
    Setting{"deleted.retention_days", &Config::deleted_retention_days, 0, 36'500},
    Setting{"limits.body_bytes", &Config::body_bytes, 1024, std::int64_t{1} << 30},
    Setting{"limits.bodies_bytes", &Config::bodies_bytes, 1 << 20, std::int64_t{1} << 40},
    Setting{"limits.answers_bytes", &Config::answers_bytes, 1 << 20, std::int64_t{1} << 40},
    Setting{"limits.header_bytes", &Config::header_bytes, 1024, 1 << 20},
    Setting{"limits.connections", &Config::connections, 1, kMany},
    Setting{"limits.organisation_requests_per_s", &Config::organisation_requests_per_s, 0, kMany},
    Setting{"limits.token_requests_per_s", &Config::token_requests_per_s, 0, kMany},
    Setting{"limits.page", &Config::page, 1, 10'000},
    Setting{"limits.header_timeout_s", &Config::header_timeout_s, 1, 3600},
    Setting{"limits.body_timeout_s", &Config::body_timeout_s, 1, 3600},
    Setting{"limits.idle_timeout_s", &Config::idle_timeout_s, 1, 3600},
    Setting{"tokens.per_connector", &Config::tokens_per_connector, 1, 100},
    Setting{"scim.open_discovery", &Config::open_discovery},
    Setting{"scim.paused_retry_after_s", &Config::paused_retry_after_s, 1, 86'400},
};

std::vector<std::string_view> names() {
    std::vector<std::string_view> all;
    for (const auto& setting : kSettings) all.push_back(setting.name);
    return all;
}

std::string unknown(std::string_view name, std::string_view origin) {
    const auto all = names();
    const auto near = nearest(name, all);
    return fmt::format("{}: there is no setting \"{}\".{}", origin, name,
                       near.empty() ? std::string{} : fmt::format(" Did you mean \"{}\"?", near));
}

std::expected<void, std::string> assign(Config& config, std::string_view name,
                                        const std::string& text, std::string_view origin) {
    for (const auto& setting : kSettings) {
        if (setting.name != name) continue;
        if (const auto* field = std::get_if<std::string Config::*>(&setting.field)) {
            config.** field = text;
        } else if (const auto* path =
                       std::get_if<std::filesystem::path Config::*>(&setting.field)) {
            config.** path = text;
        } else if (const auto* flag = std::get_if<bool Config::*>(&setting.field)) {
            if (text != "true" && text != "false") {
                return std::unexpected(
                    fmt::format("{}: {} is true or false, not \"{}\".", origin, name, text));
            }
            config.** flag = text == "true";
        } else {
            std::int64_t value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            if (error != std::errc{} || end != text.data() + text.size() || value < setting.least ||
                value > setting.most) {
                return std::unexpected(fmt::format("{}: {} is a number from {} to {}, not \"{}\".",
                                                   origin, name, setting.least, setting.most,
                                                   text));
            }
            config.*std::get<std::int64_t Config::*>(setting.field) = value;
        }
        return {};
    }
    return std::unexpected(unknown(name, origin));
}

bool is_text(std::string_view name) {
    const auto* setting = std::ranges::find(kSettings, name, &Setting::name);
    return setting != kSettings.end() &&
           (std::holds_alternative<std::string Config::*>(setting->field) ||
            std::holds_alternative<std::filesystem::path Config::*>(setting->field));
}

/// A TOML scalar as the text that a flag would have; nothing for arrays, dates and the like.
std::optional<std::string> scalar_text(const toml::node& node) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    return std::nullopt;
}

std::expected<void, std::string> apply_table(Config& config, const toml::table& table,
                                             const std::string& prefix, std::string_view origin) {
    for (const auto& [key, node] : table) {
        const auto name = prefix + std::string{key.str()};
        if (const auto* inner = node.as_table()) {
            if (auto applied = apply_table(config, *inner, name + ".", origin); !applied) {
                return applied;
            }
            continue;
        }
        const auto text = scalar_text(node);
        if (!text) {
            return std::unexpected(
                fmt::format("{}: {} must be a text, a number or true/false.", origin, name));
        }
        if (is_text(name) && !node.is_string()) {
            return std::unexpected(
                fmt::format("{}: {} is a text: write it in quotes.", origin, name));
        }
        if (auto assigned = assign(config, name, *text, origin); !assigned) return assigned;
    }
    return {};
}

std::expected<void, std::string> check(const Config& config) {
    if (!parse_listen(config.listen)) {
        return std::unexpected(fmt::format(
            "listen is HOST:PORT, for example 127.0.0.1:8080, not \"{}\".", config.listen));
    }
    if (config.tls_certificate.empty() != config.tls_key.empty()) {
        return std::unexpected(std::string{"tls.certificate and tls.key go together."});
    }
    for (const auto& [name, rate] :
         {std::pair{"limits.organisation_requests_per_s", config.organisation_requests_per_s},
          std::pair{"limits.token_requests_per_s", config.token_requests_per_s}}) {
        if (rate == 0 || rate >= api::kLeastRequests) continue;
        return std::unexpected(
            fmt::format("{} is 0 (no limit) or at least {}, which identity providers need.", name,
                        api::kLeastRequests));
    }
    const bool is_url =
        config.public_url.starts_with("https://") || config.public_url.starts_with("http://");
    if (!config.public_url.empty() && !is_url) {
        return std::unexpected(
            fmt::format("public_url begins with https:// (or http:// for a try), not \"{}\".",
                        config.public_url));
    }
    if (config.public_url.find('_') != std::string::npos) {
        return std::unexpected(std::string{
            "public_url must not contain an underscore: Okta refuses such a base URL."});
    }
    if (config.public_url.find_first_of("?# ") != std::string::npos) {
        return std::unexpected(std::string{
            "public_url is an address alone, without query or fragment: https://scim.example.com"});
    }
    if (config.base_domain.find_first_of("/:? ") != std::string::npos) {
        return std::unexpected(fmt::format(
            "base_domain is a host name alone, for example scim.example.com, not \"{}\".",
            config.base_domain));
    }
    static constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warning", "error"};
    for (const auto level : kLevels) {
        if (config.log_level == level) return {};
    }
    return std::unexpected(
        fmt::format("log.level is debug, info, warning or error, not \"{}\".", config.log_level));
}

}  // namespace

std::expected<Overrides, std::string> from_environment(const char* const* environment) {
    constexpr std::string_view kPrefix = "MUSTER_";
    Overrides overrides;
    for (; environment != nullptr && *environment != nullptr; ++environment) {
        const std::string_view entry{*environment};
        const auto equals = entry.find('=');
        if (!entry.starts_with(kPrefix) || equals == std::string_view::npos) continue;
        const auto variable = entry.substr(kPrefix.size(), equals - kPrefix.size());
        bool known = variable == "CONFIG";  // the file, which is read before
        for (const auto name : names()) {
            std::string spelled{name};
            for (char& c : spelled) c = c == '.' ? '_' : c;
            if (!equals_ignoring_case(spelled, variable)) continue;
            overrides.emplace(name, entry.substr(equals + 1));
            known = true;
        }
        if (!known) return std::unexpected(unknown(to_lower_ascii(variable), "environment"));
    }
    return overrides;
}

std::expected<Config, std::string> load_config(const std::optional<std::filesystem::path>& file,
                                               const Overrides& environment,
                                               const Overrides& flags) {
    Config config;
    if (file) {
        if (!std::filesystem::exists(*file)) {
            return std::unexpected(
                fmt::format("There is no configuration file {}. Correct --config or MUSTER_CONFIG.",
                            file->string()));
        }
        try {
            const auto table = toml::parse_file(file->string());
            if (auto applied = apply_table(config, table, {}, file->string()); !applied) {
                return std::unexpected(applied.error());
            }
        } catch (const toml::parse_error& error) {
            std::ostringstream place;
            place << error.source().begin;
            return std::unexpected(
                fmt::format("{}: {} ({})", file->string(), error.description(), place.str()));
        }
    }
    for (const auto& [origin, overrides] :
         {std::pair<std::string_view, const Overrides&>{"environment", environment},
          std::pair<std::string_view, const Overrides&>{"command line", flags}}) {
        for (const auto& [name, text] : overrides) {
            if (auto assigned = assign(config, name, text, origin); !assigned) {
                return std::unexpected(assigned.error());
            }
        }
    }
    if (auto checked = check(config); !checked) return std::unexpected(checked.error());
    if (config.key_file.empty()) config.key_file = config.data / "key";
    while (config.public_url.ends_with('/')) config.public_url.pop_back();
    return config;
}

std::optional<Endpoint> parse_listen(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    Endpoint endpoint{.address = std::string{text.substr(0, colon)}};
    const auto port = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (port.empty() || error != std::errc{} || end != port.data() + port.size())
        return std::nullopt;
    if (endpoint.address.starts_with('[') && endpoint.address.ends_with(']')) {
        endpoint.address = endpoint.address.substr(1, endpoint.address.size() - 2);
    }
    if (endpoint.address.empty()) endpoint.address = "0.0.0.0";
    return endpoint;
}

}  // namespace muster::app
