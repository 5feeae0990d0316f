#pragma once
// Answers from another thread to coroutines that wait on their own.

#include <functional>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/prefer.hpp>

namespace muster {

/// Who waits for an answer, and where it has to be given.
template <class... Answer>
struct Waiter {
    boost::asio::any_io_executor executor;
    std::move_only_function<void(Answer...)> resume;
};
using Resumption = Waiter<>;

/// The executor of a completion handler. Counts as work of its execution context until it goes, so
/// that the context waits for the answer.
template <class Handler>
[[nodiscard]] boost::asio::any_io_executor busy_executor_of(const Handler& handler) {
    const boost::asio::any_io_executor executor = boost::asio::get_associated_executor(handler);
    return boost::asio::prefer(executor, boost::asio::execution::outstanding_work.tracked);
}

/// Resumes each on its own executor. Waking another thread costs more than resuming a coroutine
/// there, so each executor is woken once.
void resume(std::vector<Resumption> resumptions);

}  // namespace muster
