#include "service/turn.hpp"

#include <utility>

#include <boost/asio/experimental/concurrent_channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace muster::service {

/// Holds one number: whoever has taken it has the turn.
struct TurnQueue::Channel {
    boost::asio::experimental::concurrent_channel<boost::asio::any_io_executor,
                                                  void(boost::system::error_code, int)>
        token{boost::asio::system_executor{}, 1};

    void give() { token.try_send(boost::system::error_code{}, 0); }
};

TurnQueue::Turn::Turn(Turn&& other) noexcept : queue_(std::exchange(other.queue_, nullptr)) {}

TurnQueue::Turn::~Turn() {
    if (queue_ != nullptr) queue_->channel_->give();
}

TurnQueue::TurnQueue() : channel_(std::make_unique<Channel>()) { channel_->give(); }

TurnQueue::~TurnQueue() = default;

Task<TurnQueue::Turn> TurnQueue::take() {
    co_await channel_->token.async_receive(boost::asio::use_awaitable);
    co_return Turn{*this};
}

Task<void> step_aside() {
    co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                               boost::asio::use_awaitable);
}

}  // namespace muster::service
