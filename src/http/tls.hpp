#pragma once

#include <boost/asio/ssl/context.hpp>

#include "http/server.hpp"

namespace muster::http {

/// TLS 1.2 with forward secrecy and authenticated encryption, and TLS 1.3. Throws std::system_error
/// with the file's name where certificate or key cannot be used.
[[nodiscard]] boost::asio::ssl::context make_server_context(const Tls& tls);

}  // namespace muster::http
