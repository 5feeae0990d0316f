#include "store/sqlite/directory_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace muster::store::sqlite {
namespace {

std::unexpected<Error> failed(std::string what) {
    return std::unexpected(Error{ErrorCode::Unavailable, std::move(what), {}, {}});
}

std::unexpected<Error> failed_with_errno(const char* doing, const std::string& path) {
    return failed(
        fmt::format("cannot {} {}: {}", doing, path, std::generic_category().message(errno)));
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
        return failed_with_errno("create the data directory", directory);
    }
    const std::string path = directory + "/lock";
    DirectoryLock lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (lock.file_ < 0) return failed_with_errno("open", path);
    if (::flock(lock.file_, LOCK_EX | LOCK_NB) == 0) return lock;
    if (errno != EWOULDBLOCK) return failed_with_errno("lock", path);
    return std::unexpected(
        Error{ErrorCode::Locked,
              fmt::format("{} is in use by another Muster; stop it first, or choose another data "
                          "directory",
                          directory),
              {},
              {}});
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : file_(std::exchange(other.file_, -1)) {}

DirectoryLock::~DirectoryLock() {
    if (file_ >= 0) ::close(file_);
}

Result<void> create_private_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return failed_with_errno("open", path);
    ::close(file);
    return {};
}

Result<void> sync_directory(const std::string& directory) {
    const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0) return failed_with_errno("open", directory);
    const int status = ::fsync(file);
    const int error = errno;
    ::close(file);
    errno = error;
    if (status != 0) return failed_with_errno("sync", directory);
    return {};
}

}  // namespace muster::store::sqlite
