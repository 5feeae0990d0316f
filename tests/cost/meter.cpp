#include "meter.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <malloc.h>
#include <new>

namespace {

std::atomic<std::ptrdiff_t> live{0};
std::atomic<std::ptrdiff_t> peak{0};

void* take(void* memory) {
    if (memory == nullptr) throw std::bad_alloc();
    const auto size = static_cast<std::ptrdiff_t>(::malloc_usable_size(memory));
    const auto now = live.fetch_add(size, std::memory_order_relaxed) + size;
    auto known = peak.load(std::memory_order_relaxed);
    while (now > known && !peak.compare_exchange_weak(known, now, std::memory_order_relaxed)) {
    }
    return memory;
}

void give(void* memory) noexcept {
    live.fetch_sub(static_cast<std::ptrdiff_t>(::malloc_usable_size(memory)),
                   std::memory_order_relaxed);
    std::free(memory);
}

double process_ms() {
    std::timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

// The other forms of the standard library end in these.
void* operator new(std::size_t size) { return take(std::malloc(std::max<std::size_t>(size, 1))); }
void* operator new(std::size_t size, std::align_val_t alignment) {
    const auto step = static_cast<std::size_t>(alignment);
    return take(std::aligned_alloc(step, (size + step - 1) / step * step));
}
void operator delete(void* memory) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { give(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { give(memory); }

namespace muster::cost {

Meter::Meter() : began_ms_(process_ms()), live_(live.load()) { peak.store(live_); }

double Meter::cpu_ms() const { return process_ms() - began_ms_; }

std::size_t Meter::peak_bytes() const {
    const std::ptrdiff_t kept = std::max<std::ptrdiff_t>(live.load() - live_, 0);
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(peak.load() - live_ - kept, 0));
}

}  // namespace muster::cost
