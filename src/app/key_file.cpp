#include "app/key_file.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/crypto.hpp"
#include "base/ids.hpp"
#include "store/postgres/postgres_store.hpp"
#include "store/sqlite/inspect.hpp"

namespace muster::app {

namespace {

constexpr std::size_t kKeyCharacters = 43;  // 256 bits in base 62

class FileDescriptor {
  public:
    explicit FileDescriptor(int fd) : fd_(fd) {}
    ~FileDescriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] bool valid() const { return fd_ >= 0; }

  private:
    int fd_;
};

std::unexpected<std::string> failed(const std::filesystem::path& file, std::string_view doing) {
    return std::unexpected(
        fmt::format("Cannot {} the key file {}: {}.", doing, file.string(), std::strerror(errno)));
}

std::expected<Secret, std::string> create(const std::filesystem::path& file) {
    const FileDescriptor fd{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!fd.valid()) return failed(file, "create");
    std::string key = random_base62_256();
    const std::string line = key + "\n";
    if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        ::fsync(fd.get()) != 0) {
        return failed(file, "write");
    }
    const FileDescriptor directory{::open(file.parent_path().c_str(), O_RDONLY | O_CLOEXEC)};
    if (!directory.valid() || ::fsync(directory.get()) != 0) return failed(file, "write");
    return Secret{std::move(key)};
}

}  // namespace

std::expected<Secret, std::string> read_or_create_key(const std::filesystem::path& file,
                                                      bool may_create) {
    const FileDescriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!fd.valid() && errno == ENOENT && may_create) return create(file);
    if (!fd.valid() && errno == ENOENT) {
        return std::unexpected(fmt::format(
            "The key file {0} is missing, but tokens were made with it. Where other servers use "
            "this database, copy theirs here (muster doctor names it there). Else restore it from "
            "a backup, or point key_file at it. Only where it is lost for good, make a new one and "
            "renew every token: "
            "(umask 077; LC_ALL=C tr -dc A-Za-z0-9 </dev/urandom | head -c {1} >{0})",
            file.string(), kKeyCharacters));
    }
    if (!fd.valid()) return failed(file, "open");

    struct stat info{};
    if (::fstat(fd.get(), &info) != 0) return failed(file, "look at");
    if ((info.st_mode & 0077U) != 0) {
        return std::unexpected(
            fmt::format("The key file {} can be read by others. Run: chmod 600 {}", file.string(),
                        file.string()));
    }
    std::array<char, 128> buffer{};
    const ssize_t size = ::read(fd.get(), buffer.data(), buffer.size());
    if (size < 0) return failed(file, "read");
    const std::string_view text{buffer.data(), static_cast<std::size_t>(size)};
    const auto key = text.substr(0, text.find_first_of("\r\n"));
    if (key.size() != kKeyCharacters) {
        return std::unexpected(fmt::format(
            "The key file {} does not hold a key of {} characters. Restore it from a backup.",
            file.string(), kKeyCharacters));
    }
    return Secret{std::string{key}};
}

Digest fingerprint_of(const KeyedHash& hash) { return hash("which key is this?"); }

namespace {

store::Result<bool> fits(const Config& config, const Digest& fingerprint) {
    if (config.database.empty()) return store::fits_key(config.data.string(), fingerprint);
    return store::fits_key(store::PostgresOptions{.url = config.database}, fingerprint);
}

}  // namespace

store::Result<bool> knows_a_key(const Config& config) {
    // No key has this fingerprint: it fits where none is known.
    auto none = fits(config, Digest{});
    if (!none) return none;
    return !*none;
}

KeyFinding look_at_key(const Config& config) {
    const auto key = read_or_create_key(config.key_file, false);
    std::error_code error;
    if (key) {
        // Where the database cannot be read nothing speaks against the key.
        if (fits(config, fingerprint_of(KeyedHash{key->reveal()})).value_or(true)) return {};
        return {KeyFit::Other, "not the key by which this database's tokens were made"};
    }
    if (std::filesystem::exists(config.key_file, error)) return {KeyFit::Unusable, key.error()};
    const bool known = config.database.empty()
                           ? std::filesystem::exists(config.data / "muster.db", error)
                           : knows_a_key(config).value_or(false);
    if (known) return {KeyFit::Missing, key.error()};
    return {KeyFit::NoneYet, "none yet"};
}

}  // namespace muster::app
