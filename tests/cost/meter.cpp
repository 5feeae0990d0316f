#include "meter.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <malloc.h>
#include <new>
#include <set>
#include <string>

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

namespace {

constexpr double kPieceMs = 2.2;

/// Like what is measured: allocations, comparisons of text, and memory beyond the nearest cache.
double piece_ms() {
    const Meter meter;
    std::set<std::string> texts;
    for (unsigned i = 0; i < 8'000; ++i) {
        texts.insert("a name long enough for the heap " + std::to_string(i * 2'654'435'761U));
    }
    const double ms = meter.cpu_ms();
    return texts.size() == 8'000 ? ms : 0;
}

}  // namespace

Meter::Meter() : began_ms_(process_ms()), live_(live.load()) { peak.store(live_); }

double Meter::cpu_ms() const { return process_ms() - began_ms_; }

std::size_t Meter::peak_bytes() const {
    const std::ptrdiff_t kept = std::max<std::ptrdiff_t>(live.load() - live_, 0);
    return static_cast<std::size_t>(std::max<std::ptrdiff_t>(peak.load() - live_ - kept, 0));
}

double slowness() {
    double least = piece_ms();
    for (int tries = 1; tries < 5; ++tries) least = std::min(least, piece_ms());
    return std::max(least / kPieceMs, 1.0);
}

}  // namespace muster::cost
