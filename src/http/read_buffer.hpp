#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace muster::http {

/// What came from a client and has not been used yet: a contiguous run of bytes that grows to a
/// fixed limit, so that a client which is not known yet can claim no more memory than that.
class ReadBuffer {
  public:
    explicit ReadBuffer(std::size_t limit) : limit_(limit) {}

    [[nodiscard]] std::string_view bytes() const {
        return {storage_.get() + begin_, end_ - begin_};
    }

    /// Room for more bytes, empty where the limit is reached. Invalidates bytes().
    [[nodiscard]] std::span<char> prepare() {
        if (begin_ > 0) {
            std::memmove(storage_.get(), storage_.get() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        if (end_ == capacity_ && capacity_ < limit_) grow(capacity_ + 1);
        return {storage_.get() + end_, capacity_ - end_};
    }

    /// The first `count` bytes of what prepare() gave were filled.
    void commit(std::size_t count) { end_ += count; }

    /// Adds bytes that are known to stay below the limit.
    void append(std::string_view bytes) {
        std::span<char> room = prepare();
        if (room.size() < bytes.size()) {
            grow(end_ + bytes.size());
            room = prepare();
        }
        std::ranges::copy(bytes, room.begin());
        commit(bytes.size());
    }

    /// Drops bytes from the front; what follows them stays where it is.
    void consume(std::size_t count) {
        begin_ += count;
        if (begin_ == end_) begin_ = end_ = 0;
    }

  private:
    static constexpr std::size_t kInitial = 4096;

    void grow(std::size_t needed) {
        MUSTER_CHECK(needed <= limit_);
        const std::size_t capacity = std::min(limit_, std::max({kInitial, capacity_ * 2, needed}));
        auto storage = std::make_unique_for_overwrite<char[]>(capacity);
        if (end_ > 0) std::memcpy(storage.get(), storage_.get(), end_);
        storage_ = std::move(storage);
        capacity_ = capacity;
    }

    std::size_t limit_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::unique_ptr<char[]> storage_;
};

}  // namespace muster::http
