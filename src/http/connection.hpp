#pragma once

#include "http/io_thread.hpp"

namespace muster::http {

/// Serves the connection on `thread`, which must be the calling one, until either side ends it.
void serve(IoThread& thread, Accepted accepted);

}  // namespace muster::http
