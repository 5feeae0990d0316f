#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http/test_support.hpp"
#include "net/http_client.hpp"

namespace muster::http {
namespace {

using namespace http::testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

template <auto free>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>>;
using Session = std::unique_ptr<SSL, Freed<SSL_free>>;
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

/// A self-signed certificate for 127.0.0.1, valid for an hour.
Certificate self_signed(EVP_PKEY* key) {
    Certificate certificate(X509_new());
    X509* const x509 = certificate.get();
    X509_set_version(x509, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    const std::string name = "test";
    const void* const bytes = name.data();
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               static_cast<const unsigned char*>(bytes), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509, key, EVP_sha256());
    return certificate;
}

class ServerTls : public ::testing::Test {
  protected:
    ServerTls() {
        const Key key(EVP_EC_gen("P-256"));
        const Certificate certificate = self_signed(key.get());
        const File key_file(std::fopen(files.key.c_str(), "w"));
        PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        const File certificate_file(std::fopen(files.certificate.c_str(), "w"));
        PEM_write_X509(certificate_file.get(), certificate.get());
    }
    ~ServerTls() override { ::unsetenv("SSL_CERT_FILE"); }

    void trust_the_certificate() { ::setenv("SSL_CERT_FILE", files.certificate.c_str(), 1); }

    [[nodiscard]] net::HttpClient client_of(const TestServer& server,
                                            const std::string& host = "127.0.0.1") const {
        return net::HttpClient(
            net::Url{.tls = true, .host = host, .port = server.server.port(), .path = {}});
    }

    [[nodiscard]] Options options() const { return {.tls = files}; }

    TempFolder folder;
    Tls files{.certificate = folder.path / "certificate.pem", .key = folder.path / "key.pem"};
};

/// The version that a client which speaks only `version` agrees on, or empty.
std::string handshake(std::uint16_t port, int version) {
    const Context context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), version);
    SSL_CTX_set_max_proto_version(context.get(), version);
    // Without this OpenSSL would not even offer what is to be refused.
    SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
    const Session session(SSL_new(context.get()));
    const RawClient client(port);
    SSL_set_fd(session.get(), client.descriptor());
    return SSL_connect(session.get()) == 1 ? SSL_get_version(session.get()) : "";
}

TEST_F(ServerTls, ServesClientsThatTrustTheCertificate) {
    trust_the_certificate();
    TestServer server(options());
    net::HttpClient client = client_of(server);
    for (int i = 0; i < 3; ++i) {
        const auto answer =
            client.send({.method = "POST", .target = "/echo", .headers = {}, .body = "b"});
        ASSERT_TRUE(answer) << answer.error();
        EXPECT_EQ(answer->body, "POST\n/echo\n\n\n127.0.0.1\nb");
    }
    const auto big = client.send({.target = "/big?5000000"});
    ASSERT_TRUE(big) << big.error();
    EXPECT_EQ(big->body.size(), 5'000'000U);
    const std::string body(TestHandler::kBodyLimit, 'x');
    const auto size =
        client.send({.method = "POST", .target = "/size", .headers = {}, .body = body});
    ASSERT_TRUE(size) << size.error();
    EXPECT_EQ(size->body, std::to_string(body.size()));
    EXPECT_EQ(server.server.figures().connections_total, 1U);
}

TEST_F(ServerTls, LetsTheClientReadARefusalWhoseBodyStaysUnread) {
    trust_the_certificate();
    TestServer server(options());
    net::HttpClient client = client_of(server);
    const auto refused = client.send(
        {.method = "POST", .target = "/refuse", .headers = {}, .body = std::string(50'000, 'z')});
    ASSERT_TRUE(refused) << refused.error();
    EXPECT_EQ(refused->status, 401);
    const auto next = client.send({.target = "/echo"});
    ASSERT_TRUE(next) << next.error();
    EXPECT_EQ(next->status, 200);
}

TEST_F(ServerTls, SpeaksNothingOlderThanTls12) {
    TestServer server(options());
    EXPECT_EQ(handshake(server.server.port(), TLS1_3_VERSION), "TLSv1.3");
    EXPECT_EQ(handshake(server.server.port(), TLS1_2_VERSION), "TLSv1.2");
    EXPECT_EQ(handshake(server.server.port(), TLS1_1_VERSION), "");
    EXPECT_EQ(handshake(server.server.port(), TLS1_VERSION), "");
}

TEST_F(ServerTls, ClosesPlainTextAndSilentClients) {
    Options short_patience = options();
    short_patience.limits.header_timeout = 1s;
    TestServer server(std::move(short_patience));
    RawClient silent(server.server.port()), plain(server.server.port());
    plain.send(get("/echo"));
    EXPECT_EQ(status_of(plain.read_to_end()), 0);
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_EQ(server.server.figures().requests_total, 0U);
    EXPECT_EQ(server.server.figures().timeouts_total, 1U);
}

TEST_F(ServerTls, EndsSlowHeadersWithAnAnswer) {
    trust_the_certificate();
    Options short_patience = options();
    short_patience.limits.body_timeout = 1s;
    TestServer server(std::move(short_patience));
    net::HttpClient client = client_of(server);
    const auto answer = client.send(
        {.method = "POST", .target = "/size", .headers = {{"Content-Length", "9"}}, .body = "b"});
    ASSERT_TRUE(answer) << answer.error();
    EXPECT_EQ(answer->status, 408);
    EXPECT_EQ(answer->body, "too slow");
}

TEST_F(ServerTls, IsRefusedByClientsThatCannotVerifyIt) {
    TestServer server(options());
    const auto untrusted = client_of(server).send({});
    ASSERT_FALSE(untrusted);
    EXPECT_THAT(untrusted.error(), HasSubstr("certificate verify failed"));

    trust_the_certificate();
    const auto wrong_name = client_of(server, "localhost").send({});
    ASSERT_FALSE(wrong_name);
    EXPECT_THAT(wrong_name.error(), HasSubstr("certificate verify failed"));
}

TEST_F(ServerTls, DrainsAtStop) {
    trust_the_certificate();
    TestServer server(options());
    net::HttpClient client = client_of(server);
    ASSERT_TRUE(client.send({.target = "/echo"}));
    const auto start = std::chrono::steady_clock::now();
    server.server.stop(5s);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 4s);
    EXPECT_FALSE(client.send({.target = "/echo"}));
}

TEST_F(ServerTls, NamesTheFileThatItCannotUse) {
    TestHandler handler;
    for (const Tls& bad : {Tls{.certificate = folder.path / "none.pem", .key = files.key},
                           Tls{.certificate = files.certificate, .key = folder.path / "none.pem"},
                           Tls{.certificate = files.key, .key = files.key}}) {
        try {
            const Server server(Options{.port = 0, .tls = bad}, handler);
            FAIL() << bad.certificate << " and " << bad.key << " were taken";
        } catch (const std::system_error& error) {
            EXPECT_THAT(error.what(), HasSubstr(folder.path.string()));
        }
    }
}

}  // namespace
}  // namespace muster::http
