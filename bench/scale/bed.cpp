#include "scale/bed.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <fmt/format.h>

#include "app/application.hpp"
#include "json/json.hpp"
#include "machine.hpp"
#include "net/http_client.hpp"

namespace muster::bench {

namespace {

namespace fs = std::filesystem;

json::Value json_of(const std::string& command) {
    auto value = json::parse(output_of(command));
    if (!value) throw std::runtime_error("no JSON from: " + command);
    return *std::move(value);
}

/// The figure behind `name` in a text of "name figure" lines.
double figure_in(std::string_view text, const std::string& name) {
    const auto at = text.find("\n" + name);
    if (at == std::string_view::npos) return 0;
    return std::atof(text.data() + text.find_first_of("0123456789", at + 1 + name.size()));
}

std::string file_text(const fs::path& file) {
    std::ifstream in(file);
    return "\n" + std::string{std::istreambuf_iterator<char>(in), {}};
}

std::string psql(const std::string& url, std::string_view sql) {
    return output_of(
        fmt::format("PGOPTIONS='-c client_min_messages=error' psql -qtA '{}' -c \"{}\"", url, sql));
}

/// What pgbench runs: one transaction, sent at once. :org is the large organisation.
const std::map<std::string_view, const char*> kPostgresFloor = {
    {"read", R"(\set one random(1, 10000)
SELECT document FROM resource WHERE org = :org AND id = (SELECT id FROM floor WHERE one = :one);
)"},
    {"update", R"(\set one random(1, 10000)
UPDATE resource SET version = version + 1, modified = modified + 1
    WHERE org = :org AND id = (SELECT id FROM floor WHERE one = :one);
)"},
    {"create", R"(\set rid random(1, 4000000000000000000)
\startpipeline
BEGIN;
INSERT INTO resource (org, rid, type, id, version, created, modified, active, source, display, document)
    SELECT org, :rid, type, :rid::text::bytea, 1, 1, 1, true, 1, display, document FROM resource
    WHERE org = :org AND id = (SELECT id FROM floor WHERE one = 1);
INSERT INTO uniq VALUES (:org, 'User', 'username', :rid::text::bytea, :rid);
INSERT INTO attr VALUES (:org, 'User', 'externalid', :rid::text::bytea, :rid);
INSERT INTO attr VALUES (:org, 'User', 'emails', :rid::text::bytea, :rid);
INSERT INTO attr VALUES (:org, 'User', 'displayname', :rid::text::bytea, :rid);
COMMIT;
\endpipeline
)"}};

/// CPU time of a PostgreSQL cluster: of its first process and all that it has started.
double cluster_cpu_seconds() {
    const char* home = std::getenv("TEST_POSTGRES_HOME");
    if (home == nullptr) return 0;
    pid_t postmaster = 0;
    std::ifstream(fs::path{home} / "data/postmaster.pid") >> postmaster;
    double sum = cpu_seconds(postmaster);
    std::ifstream children(fmt::format("/proc/{0}/task/{0}/children", postmaster));
    for (pid_t child = 0; children >> child;) sum += cpu_seconds(child);
    return sum;
}

/// The cluster's URL with another database in it.
std::string url_of(const std::string& database) {
    const char* given = std::getenv("TEST_DATABASE_URL");
    if (given == nullptr) throw std::runtime_error("no TEST_DATABASE_URL: scripts/with-postgres");
    std::string url = given;
    const std::string name = "/muster?";
    return url.replace(url.find(name), name.size(), "/" + database + "?");
}

}  // namespace

std::string output_of(const std::string& command) {
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto got = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        text.append(buffer.data(), got);
    }
    if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + command);
    return text;
}

Bed::Bed(BedOptions options)
    : options_(std::move(options)),
      data_(options_.work / fmt::format("{}-{}", options_.store, options_.people)) {
    fs::remove_all(data_);
    fs::create_directories(data_);
    if (on_postgres()) {
        const auto name = fmt::format("scale_{}", options_.people);
        psql(url_of("muster"), "CREATE DATABASE " + name);
        database_url_ = url_of(name);
        ::setenv("MUSTER_DATABASE", database_url_.c_str(), 1);
    } else {
        ::unsetenv("MUSTER_DATABASE");
    }
    make_organisations();
    server_ = std::make_unique<testing::ServerProcess>(options_.muster, data_);
    for (const auto& tenant : tenants_) {
        targets_.push_back(
            {.address = server_->address(), .path = tenant.target(""), .token = tenant.token});
    }
    fill("org-0", options_.people, 36, fmt::format("10,1000,{},{}", tenth(), options_.people));
    for (std::size_t i = 1; i < options_.organisations; ++i) {
        fill(fmt::format("org-{}", i), kPeopleElsewhere, 2, "20");
    }
    const auto groups =
        json_of(fmt::format("'{}' group list --data '{}' --org org-0 --limit 100 --json",
                            options_.muster.string(), data_.string()));
    for (const auto& group : groups.at("groups").as_array()) {
        groups_.emplace(group.at("members").to_number<std::uint64_t>(), group.at("id").as_string());
    }
    // What autovacuum would do about so many new rows while the first operations are measured.
    if (on_postgres()) psql(database_url_, "VACUUM (ANALYZE)");
}

Bed::~Bed() {
    server_.reset();
    std::error_code ignored;
    fs::remove_all(data_, ignored);
    if (on_postgres()) {
        try {
            psql(url_of("muster"), fmt::format("DROP DATABASE scale_{}", options_.people));
        } catch (const std::exception& error) {
            fmt::print(stderr, "{}\n", error.what());
        }
    }
}

void Bed::make_organisations() {
    auto offline = app::Offline::open({.data = data_});
    if (!offline) throw std::runtime_error(offline.error());
    for (std::size_t i = 0; i < options_.organisations; ++i) {
        tenants_.push_back(testing::make_tenant(
            [&](std::string_view method, std::string_view target, std::string_view body) {
                return (*offline)->call(method, target, body);
            },
            fmt::format("org {}", i)));
    }
}

void Bed::fill(const std::string& org, std::uint64_t people, std::uint64_t groups,
               const std::string& sizes) {
    const auto made = json_of(
        fmt::format("'{}' load --data '{}' --org {} --users {} --groups {} --members {} --json",
                    options_.muster.string(), data_.string(), org, people, groups, sizes));
    load_seconds_ = std::max(load_seconds_, made.at("elapsed_ms").to_number<double>() / 1000);
    memberships_ = std::max(memberships_, made.at("memberships").to_number<std::uint64_t>());
}

const std::string& Bed::group_of(std::uint64_t members) const { return groups_.at(members); }

Reading Bed::read() const {
    net::HttpClient client(*net::Url::parse("http://" + server_->address()));
    const auto metrics = client.send({.target = "/metrics"});
    if (!metrics) throw std::runtime_error(metrics.error());
    Reading reading{.cpu_s = cpu_seconds(server_->pid()),
                    .commits = figure_in(metrics->body, "muster_store_commits_total ")};
    if (on_postgres()) {
        reading.database_cpu_s = cluster_cpu_seconds();
        reading.written_bytes =
            std::stod(psql(database_url_, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"));
    } else {
        const auto io = file_text(fmt::format("/proc/{}/io", server_->pid()));
        reading.written_bytes = figure_in(io, "write_bytes: ");
    }
    return reading;
}

double Bed::rss_mb() const {
    return figure_in(file_text(fmt::format("/proc/{}/status", server_->pid())), "VmRSS:") / 1024;
}

double Bed::database_mb() const {
    constexpr double kMega = 1024 * 1024;
    if (!on_postgres()) return static_cast<double>(fs::file_size(data_ / "muster.db")) / kMega;
    return std::stod(psql(database_url_, "SELECT pg_database_size(current_database())")) / kMega;
}

double Bed::postgres_rate(std::string_view what, std::size_t connections) const {
    const auto script = kPostgresFloor.find(what);
    if (script == kPostgresFloor.end()) return 0;
    const auto org =
        std::stoll(psql(database_url_, "SELECT key FROM organisation WHERE slug = 'org-0'::bytea"));
    const auto as_tenant =
        fmt::format("PGOPTIONS='-c client_min_messages=error -c app.tenant={}' ", org);
    static_cast<void>(output_of(
        as_tenant +
        fmt::format("psql -q '{}' -c \"CREATE TABLE IF NOT EXISTS floor AS SELECT "
                    "row_number() OVER () AS one, id FROM (SELECT id FROM resource WHERE "
                    "org = {} AND type = 'User' AND deleted IS NULL LIMIT 10000) AS people\" "
                    "-c 'CREATE INDEX IF NOT EXISTS floor_one ON floor (one)' "
                    "-c 'ANALYZE floor'",
                    database_url_, org)));
    const auto file = options_.work / "floor.sql";
    std::ofstream(file) << script->second;
    const auto told = output_of(
        as_tenant + fmt::format("pgbench --no-vacuum --protocol=prepared --client={} --jobs=1 "
                                "--time=1 --define=org={} --file='{}' '{}'",
                                connections, org, file.string(), database_url_));
    return figure_in("\n" + told, "tps = ");
}

std::optional<fs::path> Bed::stop() {
    if (!server_->stop(std::chrono::seconds{60})) server_->kill();
    if (on_postgres()) return std::nullopt;
    return data_ / "muster.db";
}

}  // namespace muster::bench
