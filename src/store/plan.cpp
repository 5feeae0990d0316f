#include "store/plan.hpp"

#include <cstdint>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace muster::store {
namespace {

// Index keys are cut to 256 bytes and a cut never splits a character, so at least this many bytes
// of a longer key are there; a longer search key is looked up by this much of it.
constexpr std::size_t kReliableKeyBytes = 252;

// Lower is more selective.
enum class Rank : std::uint8_t { Id, UniqueEq, IndexedEq, Member, Prefix, Scan };

struct Candidate {
    Rank rank = Rank::Scan;
    decltype(Plan::access) access = ScanAll{};
    bool exact = false;
};

/// The sub-attribute that a comparison with a multi-valued complex attribute stands for.
struct Target {
    const scim::Attribute* leaf = nullptr;
    std::string path;  ///< in lower case, as scim::IndexKey spells it
};

Target target_of(const scim::AttributePath& path) {
    Target target{&path.leaf(), to_lower_ascii(path.to_string())};
    if (target.leaf->type == scim::Type::Complex && target.leaf->multi_valued) {
        target.leaf = target.leaf->find("value");
        target.path += ".value";
    }
    return target;
}

Candidate by_key(const Target& target, const scim::Filter::Node& node) {
    const bool unique = target.leaf->uniqueness != scim::Uniqueness::None;
    if (!unique && !target.leaf->indexed) return {};
    if (node.op == scim::Operator::Eq && (unique || node.key.size() <= kReliableKeyBytes)) {
        return {unique ? Rank::UniqueEq : Rank::IndexedEq,
                ByKey{unique, false, target.path, node.key}, true};
    }
    const std::string_view prefix = utf8_prefix(node.key, kReliableKeyBytes);
    return {Rank::Prefix, ByKey{unique, true, target.path, std::string(prefix)},
            node.op == scim::Operator::Sw && prefix.size() == node.key.size()};
}

Candidate of_comparison(const scim::Filter::Node& node) {
    const bool equal = node.op == scim::Operator::Eq;
    if (!equal && node.op != scim::Operator::Sw) return {};
    if (!std::holds_alternative<std::string>(node.value) || node.key.empty()) return {};
    if (node.path.attribute == nullptr) return {};

    const Target target = target_of(node.path);
    if (target.leaf == nullptr) return {};
    if (target.leaf->type != scim::Type::String && target.leaf->type != scim::Type::Reference) {
        return {};
    }
    if (equal && target.path == "id") return {Rank::Id, ById{node.key}, true};
    if (equal && target.path == "members.value") return {Rank::Member, ByMember{node.key}, true};
    if (equal && target.path == "groups.value") return {Rank::Member, ByGroup{node.key}, true};
    return by_key(target, node);
}

/// The best access among the conditions that every match must meet.
Candidate best_of(const scim::Filter& filter) {
    Candidate best;
    bool only_condition = true;
    std::vector<const scim::Filter::Node*> pending{&filter.root()};
    while (!pending.empty()) {
        const scim::Filter::Node& node = *pending.back();
        pending.pop_back();
        switch (node.kind) {
            case scim::Filter::Kind::And:
                only_condition = false;
                pending.push_back(&filter.at(node.left));
                pending.push_back(&filter.at(node.right));
                break;
            case scim::Filter::Kind::ValuePath:
                // Some element meets all of it, so each of its conditions holds on its own.
                pending.push_back(&filter.at(node.left));
                break;
            case scim::Filter::Kind::Compare:
                if (Candidate found = of_comparison(node); found.rank < best.rank) {
                    best = std::move(found);
                }
                break;
            case scim::Filter::Kind::Or:
            case scim::Filter::Kind::Not:
                break;
        }
    }
    best.exact = best.exact && only_condition;
    return best;
}

}  // namespace

Plan make_plan(const scim::ResourceType& type, const scim::Filter* filter) {
    if (filter == nullptr) return {type.name, ScanAll{}, true};
    Candidate best = best_of(*filter);
    return {type.name, std::move(best.access), best.exact};
}

}  // namespace muster::store
