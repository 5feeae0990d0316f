#pragma once
// Fair turns on an event loop: a crowd of one organisation waits behind itself, not before others.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <unordered_map>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

#include "base/ids.hpp"
#include "base/resumption.hpp"
#include "base/task.hpp"

namespace muster::api {

/// One an I/O thread, kept by its io_context: `boost::asio::use_service<Turns>(context)`. All calls
/// on that thread. While nothing waits a request costs nothing. Else the next turn goes to the
/// organisation that has had the least time on this loop, and a turn ends where its request waits
/// for something or is done.
class Turns final : public boost::asio::execution_context::service {
  public:
    using key_type = Turns;
    static inline boost::asio::execution_context::id id;

    explicit Turns(boost::asio::execution_context& context)
        : service(context), context_(static_cast<boost::asio::io_context&>(context)) {}

    /// Those of the thread that `executor` runs on.
    [[nodiscard]] static Turns& of(const boost::asio::any_io_executor& executor);

    /// Whether there is room for one more; else after how many seconds there probably is.
    [[nodiscard]] std::optional<int> refuses(OrgKey org) const;
    /// Returns when it is this request's turn.
    [[nodiscard]] Task<void> take(OrgKey org);

  private:
    using Clock = std::chrono::steady_clock;

    struct Line {
        std::deque<Resumption> waiting;
        /// How much of the loop's time it has had, beginning at what others had when it came.
        Clock::duration had{0};
    };

    void shutdown() override;
    [[nodiscard]] Task<void> wait(OrgKey org);
    void open_loop();
    void call_next();
    void run_one();

    boost::asio::io_context& context_;
    std::unordered_map<OrgKey, Line> lines_;                 ///< of those who wait
    Clock::duration least_{0};                               ///< what the one served last has had
    Clock::duration usual_{std::chrono::microseconds(100)};  ///< of a turn
    bool taken_ = false;    ///< a request has run since the loop last looked for events
    bool calling_ = false;  ///< call_next is on its way
};

}  // namespace muster::api
