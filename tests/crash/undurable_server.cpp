// The product on a store that breaks its promise: the crash test's proof that it would notice.
// usage: muster_undurable_server serve --data DIR --listen 127.0.0.1:0 --json

#include <cstdio>
#include <string>
#include <unistd.h>

#include "app/instance.hpp"
#include "app/key_file.hpp"
#include "http/server.hpp"
#include "store/sqlite/sqlite_store.hpp"

int main(int argc, char** argv) {
    using namespace muster;
    app::Config config;
    for (int i = 1; i + 1 < argc; ++i) {
        if (std::string{argv[i]} == "--data") config.data = argv[i + 1];
    }
    config.key_file = config.data / "key";
    auto key = app::read_or_create_key(config.key_file, false);
    auto store =
        store::open({.directory = config.data.string(), .durability = store::Durability::Off});
    if (!key || !store) {
        std::fprintf(stderr, "cannot open %s\n", config.data.c_str());
        return 1;
    }
    const auto directory = (*store)->load_directory();
    app::Instance instance(config, std::move(*store), KeyedHash{key->reveal()});
    if (!directory) return 1;
    instance.load(*directory);
    http::Server server({.port = 0, .threads = 2}, instance.scim());
    server.run();
    std::printf("{\"event\":\"ready\",\"listen\":\"127.0.0.1:%u\"}\n", unsigned{server.port()});
    std::fflush(stdout);
    ::pause();
}
