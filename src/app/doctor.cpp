#include <array>
#include <chrono>
#include <cstring>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#include "app/application.hpp"
#include "app/key_file.hpp"
#include "app/settings.hpp"
#include "base/clock.hpp"
#include "http/tls.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/postgres/migrations.hpp"
#include "store/sqlite/inspect.hpp"

namespace muster::app {

namespace {

using Result = DoctorCheck::Result;

constexpr const char* kDatabase = "database";  // the check's name
constexpr std::uintmax_t kLowDiskBytes = std::uintmax_t{1} << 30;

DoctorCheck check_url(const Config& config, const ServeOptions& options) {
    DoctorCheck check{.name = "public URL", .finding = config.public_url};
    if (config.public_url.empty()) {
        check.result = Result::Warning;
        check.finding = fmt::format(
            "not set; SCIM URLs begin with {}://{}{}",
            config.tls_certificate.empty() ? "http" : "https", config.listen,
            options.listen ? "" : ", unless the server was started with --listen or --public-url");
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
    } else if (!S_ISDIR(info.st_mode)) {
        check.result = Result::Failed;
        check.finding += " is not a directory";
        check.remedy = "Name the directory that holds muster.db and the key.";
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
            check.remedy = "The finding says how. Each server of a database has the same key.";
            break;
        case KeyFit::Other:
            check.finding += ": " + words;
            check.remedy =
                "Name that one as key_file: each server of a database has the same. Where it is "
                "lost for good, renew every token (muster serve says how).";
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

/// What is said of a database that cannot be served as it is, and what to do.
struct Fault {
    std::string finding;
    std::string remedy;
};

DoctorCheck failed(Fault fault) {
    return {.name = kDatabase,
            .result = Result::Failed,
            .finding = std::move(fault.finding),
            .remedy = std::move(fault.remedy)};
}

/// Tables of another version than this binary's.
Fault other_version(std::int64_t version, std::int64_t newest, const ServeOptions& options) {
    if (version > newest) {
        return {fmt::format("has schema {}, this binary knows those up to {}", version, newest),
                "Use the Muster that wrote it."};
    }
    return {fmt::format("has schema {}, this binary needs {}", version, newest),
            fmt::format("Run: {}", with_options("muster migrate up", options))};
}

/// A session that can do neither of the two does not come about; one that cannot read the tables
/// lacks a right, and one that can has a server with wrong settings.
std::optional<Fault> fault_of(const store::Result<void>& server,
                              const store::Result<store::postgres::SchemaState>& state) {
    if (server && state) return std::nullopt;
    if (server) {
        return Fault{state.error().message,
                     "Use the role that owns Muster's tables, or let that one grant this role its "
                     "rights (GRANT)."};
    }
    if (state) {
        return Fault{server.error().message,
                     "Where postgresql.conf has it on already, it was set for the database or the "
                     "role (psql: \\drds): ALTER DATABASE or ALTER ROLE … RESET takes that back."};
    }
    return Fault{server.error().message,
                 "Set database to postgres://USER@HOST/DATABASE of a server that runs, with a role "
                 "that may connect to it."};
}

DoctorCheck check_postgres(const Config& config, const ServeOptions& options) {
    DoctorCheck check{.name = kDatabase, .finding = store::postgres::describe(config.database)};
    const auto state = store::postgres::schema_state(config.database);
    if (auto fault = fault_of(store::postgres::check_server(config.database), state)) {
        return failed(*std::move(fault));
    }
    if (state->unfinished) {
        return failed({check.finding + " is a copy that was not finished",
                       "Run the same muster copy or muster restore again, or make it anew."});
    }
    if (state->current == 0) {
        check.result = Result::Warning;
        check.finding += " has none of Muster's tables yet";
        check.remedy = "muster serve makes them.";
    } else if (state->current != state->newest) {
        auto fault = other_version(state->current, state->newest, options);
        fault.finding = check.finding + " " + fault.finding;
        return failed(std::move(fault));
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

DoctorCheck check_sqlite(const Config& config, const ServeOptions& options) {
    DoctorCheck check{.name = kDatabase};
    const auto file = (config.data / "muster.db").string();
    const auto schema = store::schema_of(config.data.string());
    if (schema && schema->unfinished) {
        return failed({file + " is a copy that was not finished",
                       "Run the same muster copy or muster restore again, or remove muster.db to "
                       "begin anew."});
    }
    if (schema && schema->version > schema->newest) {
        auto fault = other_version(schema->version, schema->newest, options);
        fault.finding = file + " " + fault.finding;
        return failed(std::move(fault));
    }
    auto finding = store::inspect(config.data.string());
    if (finding) {
        check.finding = *std::move(finding);
    } else if (finding.error().code == store::ErrorCode::Locked) {
        check.result = Result::Warning;
        check.finding = finding.error().message;
        check.remedy = "A server starts or stops just now: look again in a moment.";
    } else {
        return failed({finding.error().message, "Stop the server and restore the newest backup."});
    }
    return check;
}

DoctorCheck check_database(const Config& config, const ServeOptions& options) {
    return config.database.empty() ? check_sqlite(config, options)
                                   : check_postgres(config, options);
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
            check_database(*config, options),
            check_disk(*config),
            check_clock(),
            check_url(*config, options),
            check_tls(*config)};
}

}  // namespace muster::app
