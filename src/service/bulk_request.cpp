#include "service/bulk_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/result.hpp"
#include "base/text.hpp"

namespace muster::service {

namespace {

using Method = BulkOperation::Method;

constexpr std::string_view kReference = "bulkId:";
/// In the order of Method.
constexpr std::array<std::string_view, 4> kMethods = {"POST", "PUT", "PATCH", "DELETE"};

scim::Error refusal(std::string detail) { return scim::invalid_value(std::move(detail)); }

/// The bulkId that a text refers to; empty: none.
std::string_view reference_in(std::string_view text) {
    return text.starts_with(kReference) ? text.substr(kReference.size()) : std::string_view{};
}

/// The id of "/Users/{id}"; empty: there is none.
std::string_view id_in(std::string_view path) {
    const auto slash = path.find('/', 1);
    return slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
}

void collect(const json::Value& value, std::set<std::string>& found) {
    if (const auto* text = value.if_string()) {
        if (const auto id = reference_in(text->subview()); !id.empty()) found.emplace(id);
    } else if (const auto* array = value.if_array()) {
        for (const auto& element : *array) collect(element, found);
    } else if (const auto* object = value.if_object()) {
        for (const auto& member : *object) collect(member.value(), found);
    }
}

void resolve(json::Value& value, const std::map<std::string, std::string>& ids) {
    if (auto* text = value.if_string()) {
        const auto id = ids.find(std::string{reference_in(text->subview())});
        if (id != ids.end()) *text = id->second;
    } else if (auto* array = value.if_array()) {
        for (auto& element : *array) resolve(element, ids);
    } else if (auto* object = value.if_object()) {
        for (auto& member : *object) resolve(member.value(), ids);
    }
}

bool refers_to(const json::Value& value, const std::set<std::string>& missing) {
    std::set<std::string> found;
    collect(value, found);
    return std::ranges::any_of(found, [&](const auto& id) { return missing.contains(id); });
}

bool is_nothing(const json::Value& value) {
    return value.is_null() || (value.is_array() && value.get_array().empty()) ||
           (value.is_object() && value.get_object().empty());
}

json::Object take_out(json::Object& object, const std::set<std::string>& missing);

/// What of the value refers to `missing`; null: nothing does.
json::Value take_out(json::Value& value, const std::set<std::string>& missing) {
    if (auto* array = value.if_array()) {
        json::Array taken;
        for (auto element = array->begin(); element != array->end();) {
            if (!refers_to(*element, missing)) {
                ++element;
                continue;
            }
            taken.push_back(std::move(*element));
            element = array->erase(element);
        }
        return taken.empty() ? json::Value() : json::Value(std::move(taken));
    }
    auto* object = value.if_object();
    const auto* target = object != nullptr ? object->if_contains("value") : nullptr;
    if (object != nullptr && (target == nullptr || !refers_to(*target, missing))) {
        json::Object taken = take_out(*object, missing);
        return taken.empty() ? json::Value() : json::Value(std::move(taken));
    }
    return refers_to(value, missing) ? std::exchange(value, json::Value()) : json::Value();
}

json::Object take_out(json::Object& object, const std::set<std::string>& missing) {
    json::Object taken;
    for (auto member = object.begin(); member != object.end();) {
        json::Value part = take_out(member->value(), missing);
        const bool whole = !part.is_null() && is_nothing(member->value());
        if (!part.is_null()) taken.emplace(member->key(), std::move(part));
        member = whole ? object.stable_erase(member) : member + 1;
    }
    return taken;
}

std::string text_of(const json::Object& object, std::string_view name) {
    const auto* value = json::find_ignoring_case(object, name);
    const auto* text = value != nullptr ? value->if_string() : nullptr;
    return text != nullptr ? std::string{text->subview()} : std::string{};
}

std::optional<scim::Error> fault_of(const BulkOperation& operation, std::string_view method) {
    const bool known = std::ranges::any_of(
        kMethods, [&](std::string_view one) { return equals_ignoring_case(one, method); });
    if (!known) {
        return refusal(
            fmt::format("The method of a bulk operation is POST, PUT, PATCH or DELETE, "
                        "not {}.",
                        scim::quoted(method)));
    }
    if (!operation.path.starts_with('/')) {
        return refusal("A bulk operation needs a path, such as /Users or /Users/{id}.");
    }
    if (operation.method == Method::Post && operation.bulk_id.empty()) {
        return refusal("A POST in a bulk request needs a bulkId.");
    }
    if ((operation.method == Method::Post) != id_in(operation.path).empty()) {
        return refusal(fmt::format("{} does not fit the path {}.", to_string(operation.method),
                                   scim::quoted(operation.path)));
    }
    if (operation.method != Method::Delete && !operation.data.is_object()) {
        return refusal(fmt::format("{} needs data, a JSON object.", to_string(operation.method)));
    }
    return std::nullopt;
}

BulkOperation operation_of(json::Value& value) {
    BulkOperation operation;
    auto* object = value.if_object();
    if (object == nullptr) {
        operation.malformed = refusal("A bulk operation must be a JSON object.");
        return operation;
    }
    const auto method = text_of(*object, "method");
    for (std::size_t i = 0; i < kMethods.size(); ++i) {
        if (equals_ignoring_case(kMethods[i], method)) operation.method = static_cast<Method>(i);
    }
    operation.path = text_of(*object, "path");
    operation.bulk_id = text_of(*object, "bulkId");
    operation.version = text_of(*object, "version");
    if (auto* data = json::find_ignoring_case(*object, "data")) operation.data = std::move(*data);
    operation.malformed = fault_of(operation, method);
    const auto* version = json::find_ignoring_case(*object, "version");
    const bool conditional = version != nullptr && !version->is_null();
    if (conditional && operation.version.empty() && !operation.malformed) {
        operation.malformed =
            refusal("The version of a bulk operation must be an entity tag, such as W/\"1\".");
    }
    return operation;
}

}  // namespace

std::string_view to_string(Method method) { return kMethods.at(std::to_underlying(method)); }

scim::Result<BulkRequest> parse_bulk(json::Value body, std::size_t most) {
    auto* object = body.if_object();
    if (object == nullptr) {
        return std::unexpected(scim::invalid_syntax("A bulk request must be a JSON object."));
    }
    BulkRequest request;
    if (const auto* limit = json::find_ignoring_case(*object, "failOnErrors");
        limit != nullptr && !limit->is_null()) {
        if (!limit->is_int64() || limit->get_int64() < 1) {
            return std::unexpected(refusal("failOnErrors must be a positive integer."));
        }
        request.fail_on_errors = static_cast<std::size_t>(limit->get_int64());
    }
    auto* operations = json::find_ignoring_case(*object, "Operations");
    if (operations == nullptr || !operations->is_array()) {
        return std::unexpected(
            scim::invalid_syntax("A bulk request needs Operations, a list of objects."));
    }
    auto& list = operations->get_array();
    if (list.size() > most) {
        return std::unexpected(scim::Error{
            413, scim::ScimType::None,
            fmt::format("A bulk request may hold {} operations; this one has {}. Send several.",
                        most, list.size())});
    }
    std::set<std::string> bulk_ids;
    for (auto& value : list) {
        auto operation = operation_of(value);
        const bool is_new = operation.bulk_id.empty() || bulk_ids.insert(operation.bulk_id).second;
        if (!is_new && !operation.malformed) {
            operation.malformed = refusal(fmt::format("The bulkId {} stands twice in this request.",
                                                      scim::quoted(operation.bulk_id)));
        }
        request.operations.push_back(std::move(operation));
    }
    return request;
}

std::set<std::string> references_of(const BulkOperation& operation) {
    std::set<std::string> found;
    if (const auto id = reference_in(id_in(operation.path)); !id.empty()) found.emplace(id);
    collect(operation.data, found);
    return found;
}

void resolve_references(BulkOperation& operation, const std::map<std::string, std::string>& ids) {
    const auto id = ids.find(std::string{reference_in(id_in(operation.path))});
    if (id != ids.end()) {
        operation.path = operation.path.substr(0, operation.path.find('/', 1) + 1) + id->second;
    }
    resolve(operation.data, ids);
}

json::Object take_out_references(json::Object& data, const std::set<std::string>& missing) {
    return take_out(data, missing);
}

namespace {

/// Puts the operations of one request in order.
class Ordering {
  public:
    explicit Ordering(const std::vector<BulkOperation>& operations) : operations_(operations) {
        std::map<std::string, std::size_t> makers;
        for (std::size_t i = 0; i < operations.size(); ++i) {
            const bool makes = operations[i].method == Method::Post && !operations[i].malformed;
            if (makes) makers.emplace(operations[i].bulk_id, i);
        }
        entries_.resize(operations.size());
        for (std::size_t i = 0; i < operations.size(); ++i) {
            if (operations[i].malformed) continue;
            for (const auto& id : references_of(operations[i])) {
                const auto maker = makers.find(id);
                if (maker == makers.end()) continue;
                entries_[i].needs.push_back(maker->second);
                entries_[maker->second].needed_by.push_back(i);
            }
            entries_[i].lacks = entries_[i].needs.size();
        }
    }

    std::vector<BulkStep> run() {
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (operations_[i].malformed || entries_[i].placed) continue;
            make_what_it_needs(i);
            if (!entries_[i].placed) place(i);
        }
        return std::move(steps_);
    }

  private:
    struct Entry {
        std::vector<std::size_t> needs;
        std::vector<std::size_t> needed_by;
        std::size_t lacks = 0;  ///< of its needs, those that are not placed
        bool found = false;
        bool placed = false;
    };

    /// Places all POSTs that `root` leads to, itself too where it is in a circle with them.
    void make_what_it_needs(std::size_t root) {
        std::vector<std::size_t> makers;
        const auto find = [&](const Entry& entry) {
            for (const std::size_t need : entry.needs) {
                if (entries_[need].placed || std::exchange(entries_[need].found, true)) continue;
                makers.push_back(need);
            }
        };
        find(entries_[root]);
        for (std::size_t i = 0; i < makers.size(); ++i) find(entries_[makers[i]]);
        for (const std::size_t maker : makers) {
            if (entries_[maker].lacks == 0) ready_.insert(maker);
        }
        for (std::size_t left = makers.size(); left > 0; --left) {
            place(ready_.empty() ? most_needed(makers) : *ready_.begin());
        }
        ready_.clear();
    }

    /// Where a circle is to be broken, so that as few as possible are made in two steps.
    [[nodiscard]] std::size_t most_needed(const std::vector<std::size_t>& makers) const {
        std::pair<std::ptrdiff_t, std::size_t> best{-1, 0};
        for (const std::size_t maker : makers) {
            if (entries_[maker].placed) continue;
            const auto waiting = std::ranges::count_if(
                entries_[maker].needed_by, [this](std::size_t i) { return !entries_[i].placed; });
            const bool earlier = waiting == best.first && maker < best.second;
            if (waiting > best.first || earlier) best = {waiting, maker};
        }
        return best.second;
    }

    void place(std::size_t index) {
        Entry& entry = entries_[index];
        BulkStep step{index, {}};
        for (const std::size_t need : entry.needs) {
            if (!entries_[need].placed) step.missing.insert(operations_[need].bulk_id);
        }
        steps_.push_back(std::move(step));
        entry.placed = true;
        ready_.erase(index);
        for (const std::size_t other : entry.needed_by) {
            Entry& waiting = entries_[other];
            --waiting.lacks;
            if (waiting.lacks == 0 && waiting.found && !waiting.placed) ready_.insert(other);
        }
    }

    const std::vector<BulkOperation>& operations_;
    std::vector<Entry> entries_;
    std::set<std::size_t> ready_;  ///< found, and all that they need is placed
    std::vector<BulkStep> steps_;
};

}  // namespace

std::vector<BulkStep> order_of(const std::vector<BulkOperation>& operations) {
    return Ordering(operations).run();
}

}  // namespace muster::service
