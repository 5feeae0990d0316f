#pragma once

#include <boost/asio/awaitable.hpp>

namespace muster {

/// A coroutine that runs on the I/O thread of the connection that awaits it.
/// Style rule (docs/adr/0001): name every argument with a destructor before the co_await.
template <class T>
using Task = boost::asio::awaitable<T>;

}  // namespace muster
