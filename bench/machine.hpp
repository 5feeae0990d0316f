#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

#include "json/json.hpp"

namespace muster::bench {

/// CPU seconds, user and system, that a process has used; 0 where there is none.
[[nodiscard]] double cpu_seconds(pid_t pid);

/// Where figures come from: without it they mean nothing.
struct Machine {
    std::string date;
    std::string commit;
    std::string processor;
    unsigned cores = 0;
    std::string kernel;
    double fdatasync_us = 0;  ///< median of one 4 KiB write and fdatasync in the work directory

    [[nodiscard]] json::Object to_json() const;
    [[nodiscard]] std::string to_text() const;
};
[[nodiscard]] Machine describe_machine(const std::filesystem::path& directory);

}  // namespace muster::bench
