#pragma once
// The tables of the memory store, and changes to them that can be taken back.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/types.hpp"

namespace muster::store::memory {

struct Row {
    OrgKey org;
    Record record;
    std::string display;
    std::optional<Timestamp> deleted;
};

struct Logged {
    OrgKey org;
    ConnectorKey connector;
    bool failed = false;
    std::string json;
};

struct Present {};

using AttributeKey = std::tuple<OrgKey, TypeName, std::string, std::string>;

/// The tables of sqlite/schema.cpp. Sets are maps to Present, so that one pair of
/// functions changes everything.
struct Tables {
    std::map<Rid, Row> resources;
    std::map<std::pair<OrgKey, std::string>, Rid> ids;
    std::map<AttributeKey, Rid> unique;
    std::map<std::tuple<OrgKey, TypeName, std::string, std::string, Rid>, Present> indexed;
    std::map<std::tuple<OrgKey, Rid, Rid>, Present> members;  ///< group, member
    std::map<std::tuple<OrgKey, Rid, Rid>, Present> groups;   ///< member, group
    std::map<std::pair<OrgKey, TypeName>, std::int64_t> live;
    std::map<OrgKey, Organisation> organisations;
    std::map<OrgKey, Present> removed;  ///< organisations that have left rows
    std::map<ConnectorKey, Connector> connectors;
    std::map<TokenKey, Token> tokens;
    std::map<LogId, Logged> log;

    /// Null where `rid` is no live resource of `org`.
    [[nodiscard]] const Row* live_row(OrgKey org, Rid rid) const;
    [[nodiscard]] const Row* live_row(OrgKey org, const std::string& id) const;
};

/// Deletes at most `rows` of each table of what a removed organisation left. Whether there was one.
bool clear_a_removed_one(Tables& tables, std::size_t rows);

/// The group itself and all that it is a member of, directly or by way of others.
[[nodiscard]] std::set<Rid> groups_above(const Tables& tables, OrgKey org, Rid group);
/// The group itself and all groups in it.
[[nodiscard]] std::set<Rid> groups_within(const Tables& tables, OrgKey org, Rid group);

/// Undoes every change when it goes, unless it was kept. The tables outlive it.
class Transaction {
  public:
    Transaction() = default;
    ~Transaction() {
        while (!undo_.empty()) {
            undo_.back()();
            undo_.pop_back();
        }
    }
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    void keep() { undo_.clear(); }

    template <class K, class V>
    void put(std::map<K, V>& table, K key, V value) {
        auto [place, fresh] = table.try_emplace(std::move(key), std::move(value));
        if (fresh) {
            undo_.emplace_back([&table, added = place->first] { table.erase(added); });
            return;
        }
        // try_emplace left `value` alone.
        std::swap(place->second, value);
        undo_.emplace_back([place, previous = std::move(value)]() mutable {
            place->second = std::move(previous);
        });
    }

    /// Whether there was anything to erase.
    template <class K, class V>
    bool erase(std::map<K, V>& table, const K& key) {
        auto node = table.extract(key);
        if (node.empty()) return false;
        undo_.emplace_back(
            [&table, node = std::move(node)]() mutable { table.insert(std::move(node)); });
        return true;
    }

  private:
    std::vector<std::move_only_function<void()>> undo_;
};

}  // namespace muster::store::memory
