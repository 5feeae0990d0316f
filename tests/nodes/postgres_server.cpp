#include "postgres_server.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <libpq-fe.h>
#include <memory>
#include <netinet/in.h>
#include <pwd.h>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace muster::nodes {

namespace {

using std::chrono::milliseconds;
using testing::Process;

constexpr milliseconds kPatience{20'000};

/// A port that was free a moment ago.
int free_port() {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    const bool bound = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                       ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(fd);
    if (!bound) throw std::runtime_error("no free port");
    return ntohs(address.sin_port);
}

std::filesystem::path programs() {
    std::filesystem::path newest;
    int version = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql")) {
        const int number = std::atoi(entry.path().filename().c_str());
        if (number > version) newest = entry.path() / "bin";
        version = std::max(version, number);
    }
    return newest;
}

/// PostgreSQL refuses to run as root.
std::vector<std::string> as_ordinary_user(std::vector<std::string> command) {
    if (::getuid() != 0) return command;
    std::vector<std::string> words = {"setpriv", "--reuid=nobody", "--regid=nogroup",
                                      "--clear-groups", "--pdeathsig=KILL"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

void must(const std::vector<std::string>& command) {
    const auto ended = testing::run(as_ordinary_user(command));
    if (ended.code != 0) throw std::runtime_error(command.front() + ": " + ended.output);
}

}  // namespace

PostgresServer::PostgresServer(int disk_mb) : port_(free_port()), disk_mb_(disk_mb) {
    make();
    must({programs() / "initdb", "--pgdata=" + (home_ / "made").string(), "--username=admin",
          "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"});
    start();
    sql("CREATE ROLE muster LOGIN CREATEDB");
    sql("CREATE DATABASE muster OWNER muster");
}

PostgresServer::PostgresServer(StandbyOf standby) : port_(free_port()) {
    make();
    must({programs() / "pg_basebackup", "--pgdata=" + (home_ / "made").string(), "--no-sync",
          "--host=127.0.0.1", fmt::format("--port={}", standby.primary.port_), "--username=admin",
          "--checkpoint=fast", "--write-recovery-conf"});
    start();
}

PostgresServer::~PostgresServer() {
    if (server_) {
        server_->signal(SIGQUIT);
        server_->wait(kPatience);
    }
    std::filesystem::remove_all(home_);
}

void PostgresServer::make() {
    // A container may have 64 MB of memory there, which is not enough for a cluster.
    std::error_code none;
    const bool memory = ::access("/dev/shm", W_OK) == 0 &&
                        std::filesystem::space("/dev/shm", none).available > std::uintmax_t{2}
                                                                                 << 30;
    const std::filesystem::path parent =
        memory ? "/dev/shm" : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "muster-nodes-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    home_ = pattern;
    const passwd* nobody = ::getpwnam("nobody");
    if (::getuid() == 0 && nobody != nullptr &&
        ::chown(home_.c_str(), nobody->pw_uid, nobody->pw_gid) != 0) {
        throw std::runtime_error("cannot give a directory to nobody");
    }
}

std::filesystem::path PostgresServer::data() const {
    if (disk_mb_ == 0) return home_ / "made";
    return fmt::format("/proc/{}/root{}", server_->pid(), (home_ / "disk" / "data").string());
}

std::string PostgresServer::url(const std::string& database) const {
    return fmt::format("postgres://muster@127.0.0.1:{}/{}", port_, database);
}

std::vector<std::string> PostgresServer::command() const {
    const auto data = disk_mb_ == 0 ? home_ / "made" : home_ / "disk" / "data";
    auto words = as_ordinary_user(
        {programs() / "postgres", "-D", data.string(), "-k", home_.string(), "-c",
         "listen_addresses=127.0.0.1", "-p", std::to_string(port_), "-c", "max_connections=200",
         "-c", "shared_buffers=32MB", "-c", "min_wal_size=32MB", "-c", "max_wal_size=64MB"});
    if (disk_mb_ == 0) return words;
    // The file system is there for this process and its children alone, and goes with them.
    std::string script = fmt::format(
        "mkdir -p {0}/disk && mount -t tmpfs -o size={1}m,mode=777 muster {0}/disk && "
        "cp -a {0}/made {0}/disk/data && exec",
        home_.string(), disk_mb_);
    for (const auto& word : words) script += " " + word;
    return {"unshare", "--mount", "sh", "-c", script};
}

void PostgresServer::start() {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    const auto probe = fmt::format("host=127.0.0.1 port={} user=admin dbname=postgres", port_);
    while (std::chrono::steady_clock::now() < until) {
        // After a kill it refuses to start as long as one of its old processes is there.
        if (!server_ || server_->wait(milliseconds{0})) server_.emplace(command());
        if (PQping(probe.c_str()) == PQPING_OK) return;
        std::this_thread::sleep_for(milliseconds{20});
    }
    throw std::runtime_error("PostgreSQL does not start");
}

void PostgresServer::kill() { server_->kill(); }

void PostgresServer::stop() {
    server_->signal(SIGINT);
    if (!server_->wait(kPatience)) throw std::runtime_error("PostgreSQL does not stop");
}

void PostgresServer::promote() {
    if (sql("SELECT pg_promote(true, 20)") != "t") throw std::runtime_error("cannot promote");
}

std::string PostgresServer::sql(const std::string& text, const std::string& database) const {
    const auto where = fmt::format("host=127.0.0.1 port={} user=admin dbname={}", port_, database);
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(where.c_str()),
                                                                  &PQfinish);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), text.c_str()), &PQclear);
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        throw std::runtime_error(text + ": " + PQerrorMessage(connection.get()));
    }
    return PQntuples(result.get()) == 0 ? "" : PQgetvalue(result.get(), 0, 0);
}

void PostgresServer::set(const std::string& setting, const std::string& value) const {
    sql(fmt::format("ALTER SYSTEM SET {} = '{}'", setting, value));
    sql("SELECT pg_reload_conf()");
    std::this_thread::sleep_for(milliseconds{300});
}

bool can_mount() {
    return testing::run(
               {"unshare", "--mount", "mount", "-t", "tmpfs", "-o", "size=1m", "muster", "/mnt"})
               .code == 0;
}

}  // namespace muster::nodes
