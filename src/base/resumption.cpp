#include "base/resumption.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/post.hpp>

namespace muster {

void resume(std::vector<Resumption> resumptions) {
    std::vector<std::vector<Resumption>> by_executor;
    for (Resumption& one : resumptions) {
        auto place = std::ranges::find_if(by_executor, [&one](const auto& some) {
            return some.front().executor == one.executor;
        });
        if (place == by_executor.end()) place = by_executor.emplace(place);
        place->push_back(std::move(one));
    }
    for (std::vector<Resumption>& some : by_executor) {
        const boost::asio::any_io_executor executor = some.front().executor;
        boost::asio::post(executor, [some = std::move(some)]() mutable {
            for (Resumption& one : some) one.resume();
        });
    }
}

}  // namespace muster
