#include "store/contract_fixture.hpp"

#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::store::test {

Opened::Opened(Kind kind) {
    if (kind == Kind::Memory) {
        store_ = open_memory_store();
    } else {
        directory_ = std::make_unique<TemporaryDirectory>(fast_parent());
        SqliteOptions options;
        options.directory = directory_->path();
        Result<std::unique_ptr<SqliteStore>> opened = open(options);
        if (!opened) throw std::runtime_error(opened.error().message);
        store_ = *std::move(opened);
    }
    WriteSet set;
    set.mutations.emplace_back(PutOrganisation{{kOrg, "acme", "Acme", kStart, {}}});
    set.mutations.emplace_back(PutOrganisation{{kOtherOrg, "other", "Other", kStart, {}}});
    if (!run(store_->commit(std::move(set)))) throw std::runtime_error("organisations");
}

}  // namespace muster::store::test
