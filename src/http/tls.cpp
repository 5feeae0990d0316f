#include "http/tls.hpp"

#include <string>
#include <system_error>

#include <openssl/ssl.h>

#include "base/check.hpp"

namespace muster::http {
namespace {

namespace ssl = boost::asio::ssl;

constexpr const char* kTls12Ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

void throw_if(const boost::system::error_code& ec, const std::string& what,
              const std::filesystem::path& file) {
    if (!ec) return;
    // OpenSSL's own codes have no std category; their text is what helps.
    throw std::system_error(std::make_error_code(std::errc::invalid_argument),
                            what + " " + file.string() + ": " + ec.message());
}

}  // namespace

ssl::context make_server_context(const Tls& tls) {
    ssl::context context(ssl::context::tls_server);
    SSL_CTX* const native = context.native_handle();
    MUSTER_CHECK(SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) == 1);
    MUSTER_CHECK(SSL_CTX_set_cipher_list(native, kTls12Ciphers) == 1);
    SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    boost::system::error_code ec;
    context.use_certificate_chain_file(tls.certificate.string(), ec);
    throw_if(ec, "cannot use the certificate", tls.certificate);
    context.use_private_key_file(tls.key.string(), ssl::context::pem, ec);
    throw_if(ec, "cannot use the private key", tls.key);
    return context;
}

}  // namespace muster::http
