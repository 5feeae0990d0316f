// Configure-time self-test: a temporary passed to a coroutine inside co_await must be destroyed
// exactly once. Counts live objects over the two patterns that broken compilers get wrong.
#include <coroutine>
#include <cstdio>
#include <exception>
#include <utility>

static int live = 0;

struct Counted {
    Counted() { ++live; }
    Counted(const Counted&) { ++live; }
    Counted(Counted&&) noexcept { ++live; }
    ~Counted() { --live; }
};

struct Task {
    struct promise_type {
        std::coroutine_handle<> continuation;
        Task get_return_object() {
            return Task{std::coroutine_handle<promise_type>::from_promise(*this)};
        }
        std::suspend_always initial_suspend() noexcept { return {}; }
        struct Final {
            bool await_ready() noexcept { return false; }
            std::coroutine_handle<> await_suspend(
                std::coroutine_handle<promise_type> self) noexcept {
                auto next = self.promise().continuation;
                return next ? next : std::noop_coroutine();
            }
            void await_resume() noexcept {}
        };
        Final final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };

    explicit Task(std::coroutine_handle<promise_type> h) : handle(h) {}
    Task(Task&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
    ~Task() {
        if (handle) handle.destroy();
    }
    bool await_ready() { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
        handle.promise().continuation = caller;
        return handle;
    }
    void await_resume() {}

    std::coroutine_handle<promise_type> handle;
};

struct Aggregate {
    Counted counted;
    int number;
};

Task take_aggregate(Aggregate) { co_return; }

template <class Function>
Task take_lambda(Function function) {
    function();
    co_return;
}

Task top() {
    Counted captured;
    co_await take_aggregate(Aggregate{.counted = Counted{}, .number = 1});
    co_await take_lambda([captured] {});
}

int main() {
    {
        auto task = top();
        task.handle.resume();
    }
    std::printf("live=%d\n", live);
    return live != 0;
}
