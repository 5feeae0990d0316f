#include "store/postgres/transfer.hpp"

#include <chrono>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "app/application.hpp"
#include "app/key_file.hpp"
#include "app/settings.hpp"
#include "base/result.hpp"
#include "store/postgres/conninfo.hpp"
#include "store/sqlite/transfer.hpp"
#include "store/transfer/copy.hpp"

namespace muster::app {

namespace {

using store::transfer::Servers;
using store::transfer::Source;
using store::transfer::Target;
using Why = Failure::Why;

/// One end of a transfer. What it is called also says where a copy that was broken off came from.
struct End {
    enum class Kind : std::uint8_t { Directory, Database, Backup };
    Kind kind = Kind::Directory;
    std::string place;
    std::string name;
};

std::string absolute(const std::string& path) {
    std::error_code error;
    const auto found =
        std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
    return error ? path : found.string();
}

End database_at(const std::string& url) {
    return {End::Kind::Database, url, store::postgres::describe(url)};
}

End directory_at(const std::string& path) { return {End::Kind::Directory, path, absolute(path)}; }

End named(const std::string& place) {
    const bool url = place.starts_with("postgres://") || place.starts_with("postgresql://");
    return url ? database_at(place) : directory_at(place);
}

End configured(const Config& config) {
    return config.database.empty() ? directory_at(config.data.string())
                                   : database_at(config.database);
}

End backup_at(const std::string& file) { return {End::Kind::Backup, file, absolute(file)}; }

std::unexpected<Failure> failed(const store::Error& error, Why otherwise) {
    const Why why = error.code == store::ErrorCode::Unfit    ? Why::Refused
                    : error.code == store::ErrorCode::Locked ? Why::Unreachable
                                                             : otherwise;
    return std::unexpected(Failure{why, error.message});
}

store::Result<std::unique_ptr<Source>> open_source(const End& end, Servers servers) {
    switch (end.kind) {
        case End::Kind::Directory:
            return store::sqlite::open_source(end.place, servers);
        case End::Kind::Database:
            return store::postgres::open_source(end.place, servers);
        case End::Kind::Backup:
            break;
    }
    return store::sqlite::open_backup_source(end.place);
}

store::Result<std::unique_ptr<Target>> open_target(const End& end) {
    switch (end.kind) {
        case End::Kind::Directory:
            return store::sqlite::open_target(end.place);
        case End::Kind::Database:
            return store::postgres::open_target(end.place);
        case End::Kind::Backup:
            break;
    }
    return store::sqlite::open_backup_target(end.place);
}

/// What cannot be opened cannot be reached, but a file that cannot be written is the disk's fault.
Why why_not_opened(const End& target) {
    return target.kind == End::Kind::Database ? Why::Unreachable : Why::Failed;
}

std::expected<Transferred, Failure> move_rows(const End& from, const End& to, Servers servers,
                                              const TransferProgress& progress) {
    const auto start = std::chrono::steady_clock::now();
    for (const End* end : {&from, &to}) {
        if (end->kind == End::Kind::Database) {
            const auto readable = store::postgres::check_url(end->place);
            if (!readable) return failed(readable.error(), Why::Refused);
        } else if (end->place.contains("://")) {
            return std::unexpected(Failure{
                Why::Refused,
                fmt::format("{} is neither a data directory nor postgres://…", end->place)});
        }
    }
    if (from.name == to.name) {
        return std::unexpected(
            Failure{Why::Refused, fmt::format("{} cannot be copied to itself", from.name)});
    }
    auto source = open_source(from, servers);
    if (!source) return failed(source.error(), Why::Unreachable);
    auto target = open_target(to);
    if (!target) return failed(target.error(), why_not_opened(to));
    auto copied = store::transfer::copy(**source, from.name, **target, progress);
    if (!copied) return failed(copied.error(), Why::Failed);

    Transferred done{.from = from.name,
                     .to = to.name,
                     .resumed = copied->resumed,
                     .organisations = copied->organisations,
                     .rows = copied->rows};
    for (const auto& [table, rows] : copied->tables) done.tables.emplace_back(table, rows);
    done.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - start);
    return done;
}

/// With what there is to say of the key file, or with the options that the way out needs.
std::expected<Transferred, Failure> beside_its_key(const Config& config,
                                                   const ServeOptions& options,
                                                   std::expected<Transferred, Failure> done) {
    if (!done) {
        done.error().message = advice(done.error().message, options);
        return done;
    }
    done->key_file = config.key_file.string();
    done->key_fits = look_at_key(config).fit == KeyFit::Fits;
    return done;
}

}  // namespace

std::expected<Transferred, Failure> copy(const std::string& from, const std::string& to,
                                         const TransferProgress& progress) {
    return move_rows(named(from), named(to), Servers::MustRest, progress);
}

std::expected<Transferred, Failure> backup(const ServeOptions& options, const std::string& file,
                                           const TransferProgress& progress) {
    const auto config = settings_for(options);
    if (!config) return std::unexpected(Failure{Why::WrongSetting, config.error()});
    std::error_code error;
    if (config->database.empty() && !std::filesystem::exists(config->data / "muster.db", error)) {
        return std::unexpected(Failure{Why::Unreachable, no_database_in(config->data)});
    }
    return beside_its_key(
        *config, options,
        move_rows(configured(*config), backup_at(file), Servers::MayRun, progress));
}

std::expected<Transferred, Failure> restore(const ServeOptions& options, const std::string& file,
                                            const TransferProgress& progress) {
    const auto config = settings_for(options);
    if (!config) return std::unexpected(Failure{Why::WrongSetting, config.error()});
    return beside_its_key(
        *config, options,
        move_rows(backup_at(file), configured(*config), Servers::MustRest, progress));
}

}  // namespace muster::app
