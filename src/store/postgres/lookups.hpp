#pragma once
// Addresses of host names, looked up beside the work: libpq's own look-up (getaddrinfo(3)) keeps a
// thread for as long as no name server answers.

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/task.hpp"

namespace muster::store::postgres {

/// Used on its executor only.
class Lookups {
  public:
    explicit Lookups(const boost::asio::any_io_executor& executor) : resolver_(executor) {}

    /// In the system's order; none where the name is unknown or the answer does not come in time.
    /// Who asks for the same name meanwhile shares the answer; nothing is kept beyond it.
    [[nodiscard]] Task<std::vector<std::string>> addresses(
        std::string name, std::chrono::steady_clock::time_point deadline);

  private:
    struct Lookup {
        std::vector<std::string> found;
        bool over = false;
        std::vector<std::shared_ptr<boost::asio::steady_timer>> waiting;
    };
    boost::asio::ip::tcp::resolver resolver_;
    std::map<std::string, std::shared_ptr<Lookup>> under_way_;
};

}  // namespace muster::store::postgres
