// Nodes whose PostgreSQL takes encrypted connections only.

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node.hpp"
#include "postgres_server.hpp"
#include "support/process.hpp"

namespace muster::nodes {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void run(const std::vector<std::string>& command) {
    const auto ended = testing::run(command);
    if (ended.code != 0) throw std::runtime_error(command.front() + ": " + ended.output);
}

/// A certificate for "localhost" that signs itself, beside its key.
void make_certificate(const fs::path& certificate, const fs::path& key) {
    run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "1", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-out", certificate.string(), "-keyout", key.string()});
}

class TlsTest : public ::testing::Test {
  protected:
    TlsTest() {
        // PostgreSQL wants its key to be its own and nobody else's to read.
        make_certificate(database_.data() / "server.crt", database_.data() / "server.key");
        const auto owner =
            fmt::format("--reference={}", (database_.data() / "PG_VERSION").string());
        run({"chown", owner, (database_.data() / "server.crt").string(),
             (database_.data() / "server.key").string()});
        fs::permissions(database_.data() / "server.key", fs::perms::owner_read);
        fs::copy(database_.data() / "server.crt", home_ / "ca.pem");
        make_certificate(home_ / "other.pem", home_ / "other.key");
        database_.set("ssl", "on");
        std::ofstream(database_.data() / "pg_hba.conf")
            << "hostssl muster muster 127.0.0.1/32 trust\n"
               "hostssl muster muster ::1/128 trust\n"
               "host all admin 127.0.0.1/32 trust\n";
        database_.sql("SELECT pg_reload_conf()");
    }
    ~TlsTest() override { fs::remove_all(home_); }

    [[nodiscard]] std::string url(const std::string& host, const std::string& options) const {
        return fmt::format("postgres://muster@{}:{}/muster?{}", host, database_.port(), options);
    }
    [[nodiscard]] std::string verified(const std::string& host, const std::string& ca) const {
        return url(host, "sslmode=verify-full&sslrootcert=" + (home_ / ca).string());
    }
    testing::Ended serve(const std::string& url) {
        return testing::run({"timeout", "15", MUSTER_PROGRAM, "serve", "--data",
                             (home_ / "data").string(), "--listen", "127.0.0.1:0", "--database",
                             url});
    }

    PostgresServer database_;
    fs::path home_ = testing::make_temporary_directory();
};

TEST_F(TlsTest, AVerifiedServerIsServedFrom) {
    const Node node(verified("localhost", "ca.pem"));
    const auto tenant = node.make_tenant();
    const auto group = testing::make_group(node.address(), tenant);
    EXPECT_EQ(read_all(node.address(), tenant, group).members.size(), 0U);
    const std::string sessions =
        "SELECT count(*) FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) "
        "WHERE a.usename = 'muster'";
    EXPECT_NE(database_.sql(sessions), "0");
    EXPECT_EQ(database_.sql(sessions + " AND NOT s.ssl"), "0");
}

TEST_F(TlsTest, AServerOfAnotherNameOrWithAnotherCertificateIsRefused) {
    const auto misnamed = serve(verified("127.0.0.1", "ca.pem"));
    EXPECT_EQ(misnamed.code, 5) << misnamed.output;
    EXPECT_THAT(misnamed.output, HasSubstr("does not match host name"));
    const auto strange = serve(verified("localhost", "other.pem"));
    EXPECT_EQ(strange.code, 5) << strange.output;
    EXPECT_THAT(strange.output, HasSubstr("certificate verify failed"));
    const auto plain = serve(url("localhost", "sslmode=disable"));
    EXPECT_EQ(plain.code, 5) << plain.output;
    EXPECT_THAT(plain.output, HasSubstr("no encryption"));
}

}  // namespace
}  // namespace muster::nodes
