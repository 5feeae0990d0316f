#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace muster {

void check_failed(const char* condition, const char* file, int line) noexcept {
    std::fprintf(stderr, "{\"level\":\"critical\",\"msg\":\"invariant failed: %s at %s:%d\"}\n",
                 condition, file, line);
    std::abort();
}

}  // namespace muster
