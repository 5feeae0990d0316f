#include <array>
#include <chrono>
#include <cstring>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "app/application.hpp"
#include "app/key_file.hpp"
#include "app/settings.hpp"
#include "base/clock.hpp"
#include "http/tls.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/migrations.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/inspect.hpp"

namespace muster::app {

namespace {

using Result = DoctorCheck::Result;

constexpr std::uintmax_t kLowDiskBytes = std::uintmax_t{1} << 30;

DoctorCheck check_url(const Config& config) {
    DoctorCheck check{.name = "public URL", .finding = config.public_url};
    if (config.public_url.empty()) {
        check.result = Result::Warning;
        check.finding = fmt::format("not set; SCIM URLs begin with http://{}", config.listen);
        check.remedy = "Set public_url to the https address under which Okta reaches this server.";
    } else if (!config.public_url.starts_with("https://")) {
        check.result = Result::Warning;
        check.remedy = "Okta accepts https base URLs only: put a TLS proxy in front or set tls.*.";
    }
    return check;
}

DoctorCheck check_directory(const Config& config) {
    DoctorCheck check{.name = "data directory", .finding = config.data.string()};
    struct stat info{};
    if (::stat(config.data.c_str(), &info) != 0) {
        check.result = Result::Warning;
        check.finding += " does not exist yet";
        check.remedy = "muster serve makes it.";
    } else if ((info.st_mode & 0077U) != 0) {
        check.result = Result::Failed;
        check.finding += " can be read by others";
        check.remedy = fmt::format("Run: chmod 700 {}", config.data.string());
    } else if (::access(config.data.c_str(), W_OK) != 0) {
        check.result = Result::Failed;
        check.finding += " cannot be written by this user";
        check.remedy = "Run muster as the user who owns it.";
    }
    return check;
}

DoctorCheck check_disk(const Config& config) {
    DoctorCheck check{.name = "disk"};
    std::error_code error;
    const auto place = std::filesystem::exists(config.data, error) ? config.data : ".";
    const auto space = std::filesystem::space(place, error);
    if (error) {
        check.result = Result::Failed;
        check.finding = error.message();
        check.remedy = "Look at the file system of the data directory.";
        return check;
    }
    check.finding =
        fmt::format("{:.1f} GiB free", static_cast<double>(space.available) / 1073741824.0);
    if (space.available < kLowDiskBytes) {
        check.result = Result::Warning;
        check.remedy = "Make room: below 1 GiB the log may stop writes. Lower log.retention_days.";
    }
    return check;
}

DoctorCheck check_key(const Config& config) {
    DoctorCheck check{.name = "key file", .finding = config.key_file.string()};
    const auto [fit, words] = look_at_key(config);
    switch (fit) {
        case KeyFit::Fits:
            return check;
        case KeyFit::NoneYet:
            check.result = Result::Warning;
            check.finding = words;
            check.remedy =
                "muster serve makes one; include it in backups, apart from the database.";
            return check;
        case KeyFit::Missing:
        case KeyFit::Unusable:
            check.finding = words;
            check.remedy = "The finding says how; without the key every token must be renewed.";
            break;
        case KeyFit::Other:
            check.finding += ": " + words;
            check.remedy =
                "Name that one as key_file, or renew every token (muster serve says how).";
            break;
    }
    check.result = Result::Failed;
    return check;
}

DoctorCheck check_clock() {
    DoctorCheck check{.name = "clock", .finding = to_rfc3339(SystemClock{}.now())};
    constexpr std::int64_t kOldestPlausible = 1'780'000'000'000;  // 2026-05-28
    if (SystemClock{}.now().ms < kOldestPlausible) {
        check.result = Result::Failed;
        check.remedy = "Set the clock: tokens expire and log records are ordered by it.";
    }
    return check;
}

DoctorCheck check_tls(const Config& config) {
    DoctorCheck check{.name = "TLS"};
    if (config.tls_certificate.empty()) {
        check.finding = "not terminated here";
        return check;
    }
    check.finding = config.tls_certificate.string();
    for (const auto& file : {config.tls_certificate, config.tls_key}) {
        if (::access(file.c_str(), R_OK) == 0) continue;
        check.result = Result::Failed;
        check.finding = fmt::format("cannot read {}: {}", file.string(), std::strerror(errno));
        check.remedy = "Correct the path or its permissions.";
    }
    if (check.result != Result::Ok) return check;
    try {
        static_cast<void>(http::make_server_context(
            {.certificate = config.tls_certificate, .key = config.tls_key}));
    } catch (const std::exception& error) {
        check.result = Result::Failed;
        check.finding = error.what();
        check.remedy = "Name a certificate chain and the private key that belongs to it.";
    }
    return check;
}

DoctorCheck check_postgres(const Config& config) {
    DoctorCheck check{.name = "database", .finding = store::postgres::describe(config.database)};
    const auto server = store::postgres::check_server(config.database);
    const auto state = store::postgres::schema_state(config.database);
    if (!server || !state) {
        check.result = Result::Failed;
        check.finding = server ? state.error().message : server.error().message;
        check.remedy = "Set database to postgres://USER@HOST/DATABASE of a server that runs.";
    } else if (state->unfinished) {
        check.result = Result::Failed;
        check.finding += " is a copy that was not finished";
        check.remedy = "Run the same muster copy or muster restore again, or make it anew.";
    } else if (state->current != state->newest) {
        const bool fresh = state->current == 0;
        check.result = fresh ? Result::Warning : Result::Failed;
        check.finding += fresh ? " has none of Muster's tables yet"
                               : fmt::format(" has schema {}, this binary needs {}", state->current,
                                             state->newest);
        check.remedy = fresh ? "muster serve makes them." : "Run: muster migrate up";
    } else if (state->bypasses_rls) {
        check.result = Result::Warning;
        check.finding += fmt::format("; schema {}, reached by a superuser", state->current);
        check.remedy = "Use an ordinary role: row-level security does not bind a superuser.";
    } else {
        check.finding +=
            fmt::format("; schema {}{}", state->current, state->citus ? ", sharded by Citus" : "");
    }
    return check;
}

DoctorCheck check_database(const Config& config) {
    if (!config.database.empty()) return check_postgres(config);
    DoctorCheck check{.name = "database"};
    auto finding = store::inspect(config.data.string());
    check.finding = finding ? *finding : finding.error().message;
    if (!finding && finding.error().code == store::ErrorCode::Locked) {
        check.result = Result::Warning;
        check.remedy = "A server starts or stops just now: look again in a moment.";
    } else if (!finding) {
        check.result = Result::Failed;
        check.remedy = "Stop the server and restore the newest backup.";
    }
    return check;
}

}  // namespace

std::vector<DoctorCheck> doctor(const ServeOptions& options) {
    const auto config = settings_for(options);
    if (!config) {
        return {{.name = "configuration",
                 .result = Result::Failed,
                 .finding = config.error(),
                 .remedy = "Correct it; docs/reference/configuration.md lists every setting."}};
    }
    return {{.name = "configuration", .finding = "understood"},
            check_directory(*config),
            check_key(*config),
            check_database(*config),
            check_disk(*config),
            check_clock(),
            check_url(*config),
            check_tls(*config)};
}

}  // namespace muster::app
