#pragma once
// What the tests of the contract share: every one of them runs on each kind of store.

#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store.hpp"

namespace muster::store::test {

/// Runs a task to its end on an executor of its own.
template <class T>
T run(Task<T> task) {
    boost::asio::io_context context;
    std::optional<T> result;
    boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T value) {
        if (error) std::rethrow_exception(error);
        result = std::move(value);
    });
    context.run();
    return *std::move(result);
}

inline void run(Task<void> task) {
    boost::asio::io_context context;
    boost::asio::co_spawn(context, std::move(task), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);
    });
    context.run();
}

/// What a test takes for granted.
template <class T>
T value_of(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message);
    return *std::move(result);
}

/// A directory that goes with the object.
class TemporaryDirectory {
  public:
    explicit TemporaryDirectory(
        const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
        std::string name = (parent / "muster-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = std::move(name);
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// Where nothing has to be durable: memory, if the system has a place there.
inline std::filesystem::path fast_parent() {
    const std::filesystem::path memory = "/dev/shm";
    return ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

enum class Kind : std::uint8_t { Memory, Sqlite, Postgres };

inline std::string to_string(Kind kind) {
    return kind == Kind::Memory ? "Memory" : kind == Kind::Sqlite ? "Sqlite" : "Postgres";
}

/// A database of its own, with Muster's tables, in the server that TEST_DATABASE_URL names
/// (scripts/with-postgres). It goes with the object.
class TemporaryDatabase {
  public:
    TemporaryDatabase();
    ~TemporaryDatabase();
    TemporaryDatabase(const TemporaryDatabase&) = delete;
    TemporaryDatabase& operator=(const TemporaryDatabase&) = delete;

    [[nodiscard]] const std::string& url() const { return url_; }

  private:
    std::string name_;
    std::string url_;
};

inline constexpr OrgKey kOrg{1};
inline constexpr OrgKey kOtherOrg{2};
inline constexpr ConnectorKey kConnector{7};
inline constexpr Timestamp kStart{1'700'000'000'000};

/// A store of `kind` with the organisations kOrg and kOtherOrg.
class Opened {
  public:
    explicit Opened(Kind kind);

    Store& operator*() const { return *store_; }
    Store* operator->() const { return store_.get(); }

  private:
    std::unique_ptr<TemporaryDirectory> directory_;
    std::unique_ptr<TemporaryDatabase> database_;
    std::unique_ptr<Store> store_;
};

inline std::string id_of(Rid rid) { return "id-" + std::to_string(rid.value); }

inline scim::IndexKey user_name(const std::string& name) { return {"username", name}; }

inline CreateResource user(Rid rid, const std::string& name) {
    CreateResource create;
    create.rid = rid;
    create.id = id_of(rid);
    create.type = "User";
    create.source = kConnector;
    create.now = kStart;
    create.display = name;
    create.document = R"({"userName":")" + name + R"("})";
    create.unique = {user_name(name)};
    create.index = {{"username", name}};
    return create;
}

inline CreateResource group(Rid rid, const std::string& name, std::vector<Rid> members = {},
                            std::vector<Rid> groups = {}) {
    CreateResource create;
    create.rid = rid;
    create.id = id_of(rid);
    create.type = "Group";
    create.source = kConnector;
    create.now = kStart;
    create.display = name;
    create.document = R"({"displayName":")" + name + R"("})";
    create.index = {{"displayname", name}};
    create.members = std::move(members);
    create.groups = std::move(groups);
    return create;
}

inline UpdateResource change_members(Rid rid, MembersChange change) {
    UpdateResource update;
    update.rid = rid;
    update.type = "Group";
    update.now = Timestamp{kStart.ms + 1};
    update.members = std::move(change);
    return update;
}

inline UpdateResource rename(Rid rid, std::int64_t version, const std::string& from,
                             const std::string& to) {
    UpdateResource update;
    update.rid = rid;
    update.type = "User";
    update.now = Timestamp{kStart.ms + 1};
    update.expected_version = version;
    DocumentChange change;
    change.display = to;
    change.document = R"({"userName":")" + to + R"("})";
    change.unique_removed = {user_name(from)};
    change.unique_added = {user_name(to)};
    change.index_removed = {{"username", from}};
    change.index_added = {{"username", to}};
    update.document = std::move(change);
    return update;
}

inline DeleteResource removal(const CreateResource& of, bool erase = false) {
    DeleteResource removal;
    removal.rid = of.rid;
    removal.type = of.type;
    removal.now = Timestamp{kStart.ms + 2};
    removal.erase = erase;
    removal.unique = of.unique;
    removal.index = of.index;
    return removal;
}

template <class... Mutations>
WriteSet write(OrgKey org, Mutations... mutations) {
    WriteSet set;
    set.org = org;
    (set.mutations.emplace_back(std::move(mutations)), ...);
    return set;
}

class ContractTest : public testing::TestWithParam<Kind> {
  protected:
    template <class... Mutations>
    Result<Committed> commit(Mutations... mutations) {
        return commit_in(kOrg, std::move(mutations)...);
    }
    template <class... Mutations>
    Result<Committed> commit_in(OrgKey org, Mutations... mutations) {
        return run(store->commit(write(org, std::move(mutations)...)));
    }
    /// Commits what a test takes for granted.
    template <class... Mutations>
    Committed given(Mutations... mutations) {
        return value_of(commit(std::move(mutations)...));
    }

    /// Commits 64 sets from four threads at once; what came of each.
    std::vector<Result<Committed>> commit_64_at_once(
        const std::function<Mutation(std::int64_t)>& make) {
        constexpr std::int64_t kThreads = 4;
        constexpr std::int64_t kEach = 16;
        std::vector<Result<Committed>> results(kThreads * kEach);
        std::vector<std::jthread> threads;
        for (std::int64_t thread = 0; thread < kThreads; ++thread) {
            threads.emplace_back([&, thread] {
                boost::asio::io_context context;
                for (std::int64_t i = thread * kEach; i < (thread + 1) * kEach; ++i) {
                    boost::asio::co_spawn(
                        context, store->commit(write(kOrg, make(i))),
                        [&results, i](const std::exception_ptr& error, Result<Committed> result) {
                            ASSERT_FALSE(error);
                            results[static_cast<std::size_t>(i)] = std::move(result);
                        });
                }
                context.run();
            });
        }
        threads.clear();
        return results;
    }

    std::optional<Record> find(OrgKey org, std::string_view type, const std::string& id) {
        return value_of(run(store->find(org, type, id)));
    }
    std::optional<Record> find_user(Rid rid) { return find(kOrg, "User", id_of(rid)); }
    std::optional<Record> find_group(Rid rid) { return find(kOrg, "Group", id_of(rid)); }

    Slice query(const Plan& plan, Rid after = {}, std::size_t skip = 0, std::size_t limit = 100) {
        return value_of(
            run(store->query(kOrg, plan, {.behind = after, .skip = skip, .limit = limit})));
    }
    std::vector<std::int64_t> rids(const Plan& plan, Rid after = {}, std::size_t skip = 0,
                                   std::size_t limit = 100) {
        std::vector<std::int64_t> found;
        for (const Record& record : query(plan, after, skip, limit).records) {
            found.push_back(record.rid.value);
        }
        return found;
    }
    std::int64_t count(const Plan& plan) { return value_of(run(store->count(kOrg, plan))); }
    std::vector<Reference> groups_of(Rid member, OrgKey org = kOrg) {
        return value_of(run(store->groups_of(org, std::span(&member, 1)))).front();
    }
    std::vector<std::int64_t> members_of(Rid group) {
        std::vector<std::int64_t> found;
        for (const Reference& one :
             value_of(run(store->members_of(kOrg, group, Rid{}, 1'000'000))).references) {
            found.push_back(one.rid.value);
        }
        return found;
    }

    Opened store{GetParam()};
};

inline std::string kind_name(const testing::TestParamInfo<Kind>& info) {
    return to_string(info.param);
}

#define MUSTER_FOR_EACH_STORE(Suite) \
    INSTANTIATE_TEST_SUITE_P(        \
        EachStore, Suite, testing::Values(Kind::Memory, Kind::Sqlite, Kind::Postgres), kind_name)

}  // namespace muster::store::test
