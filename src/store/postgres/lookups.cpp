#include "store/postgres/lookups.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace muster::store::postgres {
namespace asio = boost::asio;

Task<std::vector<std::string>> Lookups::addresses(std::string name,
                                                  std::chrono::steady_clock::time_point deadline) {
    std::shared_ptr<Lookup> lookup = under_way_[name];
    if (!lookup) {
        lookup = std::make_shared<Lookup>();
        under_way_[name] = lookup;
        resolver_.async_resolve(
            name, "", [this, name, lookup](boost::system::error_code, const auto& results) {
                for (const auto& entry : results) {
                    lookup->found.push_back(entry.endpoint().address().to_string());
                }
                lookup->over = true;
                under_way_.erase(name);
                for (const auto& timer : lookup->waiting) timer->cancel();
            });
    }
    const auto turn = std::make_shared<asio::steady_timer>(resolver_.get_executor(), deadline);
    lookup->waiting.push_back(turn);
    boost::system::error_code ec;
    co_await turn->async_wait(asio::redirect_error(asio::use_awaitable, ec));
    co_return lookup->over ? lookup->found : std::vector<std::string>();
}

}  // namespace muster::store::postgres
