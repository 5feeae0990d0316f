#pragma once
// What is measured on a filled store.

#include <filesystem>
#include <functional>

#include "scale/bed.hpp"
#include "scale/figure.hpp"

namespace muster::bench {

struct Pace {
    double seconds = 1;           ///< of a run with many connections; half of it with one
    std::filesystem::path floor;  ///< the bare server
};

/// Everything, in an order in which what changes the store comes last; tells each figure as soon as
/// it is known. Ends the bed's server to measure the floor. An answer that was not expected ends
/// its part, and throws std::runtime_error after the others.
void measure(Bed& bed, const Pace& pace, const std::function<void(const Figure&)>& found);

}  // namespace muster::bench
