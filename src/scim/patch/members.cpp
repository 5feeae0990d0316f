#include "scim/patch/members.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/result.hpp"
#include "scim/patch/elements.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

using Kind = PatchOperation::Kind;

std::unexpected<Error> unsupported_filter() {
    return std::unexpected(
        invalid_filter("Members can be selected by their id alone. Write members[value eq \"id\"], "
                       "or several of these comparisons joined by \"or\"."));
}

/// The ids in `value eq "a" or value eq "b" …`. The tree leans to the left, so a stack of nodes
/// to visit replaces recursion.
Result<std::vector<std::string>> ids_of(const Filter& filter) {
    std::vector<std::string> ids;
    std::vector<const Filter::Node*> open{&filter.root()};
    while (!open.empty()) {
        const Filter::Node& node = *open.back();
        open.pop_back();
        if (node.kind == Filter::Kind::Or) {
            open.push_back(&filter.at(node.right));
            open.push_back(&filter.at(node.left));
            continue;
        }
        const auto* id = std::get_if<std::string>(&node.value);
        const Attribute* sub = node.path.sub_attribute;
        if (node.kind != Filter::Kind::Compare || node.op != Operator::Eq || id == nullptr ||
            sub == nullptr || sub->name != "value" || id->empty()) {
            return unsupported_filter();
        }
        ids.push_back(*id);
    }
    return ids;
}

/// Add or replace at `members[value eq "id"]`. The id of a member is immutable, so all that this
/// can ask for is that the member be there.
Result<void> put_selected(MembersFold& fold, const std::vector<std::string>& selected,
                          const json::Value& value, const PrepareLimits& limits) {
    const json::Object* object = value.if_object();
    const bool names_id =
        object == nullptr || json::find_ignoring_case(*object, "value") != nullptr;
    if (names_id) {
        TRY_ASSIGN(const std::vector<std::string> named,
                   read_member_ids(json::Array{value}, limits));
        if (named != selected) {
            return std::unexpected(mutability(
                "The id of a member cannot be changed. Remove the member and add the other one."));
        }
    }
    for (const std::string& id : selected) fold.add(id);
    return {};
}

Result<void> patch_selected(MembersFold& fold, Kind kind, const Filter& filter,
                            const json::Value* value, const PrepareLimits& limits) {
    TRY_ASSIGN(const std::vector<std::string> selected, ids_of(filter));
    if (kind != Kind::Remove) return put_selected(fold, selected, *value, limits);
    for (const std::string& id : selected) fold.remove(id);
    return {};
}

}  // namespace

void MembersFold::clear() {
    cleared_ = true;
    index_.clear();
    entries_.clear();
}

void MembersFold::put(std::string_view id, bool is_member) {
    if (const auto known = index_.find(id); known != index_.end()) {
        known->second->is_member = is_member;
        return;
    }
    Entry& entry = entries_.emplace_back(std::string{id}, is_member);
    index_.emplace(entry.id, &entry);
}

MembersDelta MembersFold::take() && {
    MembersDelta delta{.cleared = cleared_, .add = {}, .remove = {}};
    for (Entry& entry : entries_) {
        if (entry.is_member) {
            delta.add.push_back(std::move(entry.id));
        } else if (!cleared_) {
            delta.remove.push_back(std::move(entry.id));
        }
    }
    return delta;
}

Result<void> patch_members(MembersFold& fold, Kind kind, const PatchPath& path,
                           const json::Value* value, const PrepareLimits& limits) {
    if (path.target.sub_attribute != nullptr) {
        return std::unexpected(
            mutability(fmt::format("{} cannot be changed by itself. Add and remove whole members.",
                                   path.target.to_string())));
    }
    if (path.element_filter) {
        TRY_VOID(patch_selected(fold, kind, *path.element_filter, value, limits));
    } else if (value == nullptr || value->is_null()) {
        if (kind != Kind::Add) fold.clear();
    } else if (kind == Kind::Remove) {
        return refuse_named_removal(Place{.attribute = "members"});
    } else {
        TRY_ASSIGN(const std::vector<std::string> ids, read_member_ids(*value, limits));
        if (kind == Kind::Replace) fold.clear();
        for (const std::string& id : ids) fold.add(id);
    }
    if (fold.size() > limits.max_members) {
        return std::unexpected(
            too_many(fmt::format("More than {} members were named in one request. Send them in "
                                 "several requests.",
                                 limits.max_members)));
    }
    return {};
}

}  // namespace muster::scim
