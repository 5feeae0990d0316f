// A list holds exactly those resources that match its filter by the RFC as a client reads them,
// however the store finds them: by key, by prefix, by membership or by looking at all.

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "filters.hpp"
#include "service/testing.hpp"
#include "store/sqlite/sqlite_store.hpp"

namespace muster::property {
namespace {

enum class Store : std::uint8_t { Memory, Sqlite };

/// A directory in memory, where the system has a place there, that goes with the object.
class Directory {
  public:
    Directory() {
        const bool in_memory = ::access("/dev/shm", W_OK) == 0;
        const auto parent = in_memory ? "/dev/shm" : std::filesystem::temp_directory_path();
        path_ = (parent / "muster-property-XXXXXX").string();
        if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp");
    }
    ~Directory() { std::filesystem::remove_all(path_); }
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    [[nodiscard]] std::unique_ptr<store::Store> open(Store kind) const {
        if (kind == Store::Memory) return store::open_memory_store();
        store::SqliteOptions options;
        options.directory = path_;
        return store::open(options).value();
    }

  private:
    std::string path_;
};

/// A service with people who come, change and go.
class Population {
  public:
    explicit Population(Store kind) : service_(directory_.open(kind)) {
        const auto set =
            service_.wait(service_.directory_.set_definitions("acme", std::string{definitions()}));
        EXPECT_TRUE(set);
    }

    /// Everyone who can be read, by id.
    [[nodiscard]] const std::map<std::string, json::Object>& everyone() const { return people_; }

    void change(Choices& choices) {
        service_.clock_.advance_ms(static_cast<std::int64_t>(choices.below(3)));
        if (people_.size() > 12 || (!people_.empty() && choices.once_in(8))) {
            remove(someone(choices));
        } else if (!people_.empty() && choices.once_in(3)) {
            replace(someone(choices), body(choices));
        } else {
            create(body(choices));
        }
    }

    std::string someone(Choices& choices) const {
        auto at = people_.begin();
        std::advance(at, choices.below(people_.size()));
        return at->first;
    }

    void create(const std::string& text) {
        auto by = service_.call();
        const auto answer =
            service_.wait(service_.resources_.create(by, type(by), text, scim::Projection{}));
        if (answer) take(answer->body);
    }
    void replace(const std::string& id, const std::string& text) {
        auto by = service_.call();
        const auto answer =
            service_.wait(service_.resources_.replace(by, type(by), id, text, scim::Projection{}));
        if (answer) take(answer->body);
    }
    void remove(const std::string& id) {
        auto by = service_.call();
        EXPECT_TRUE(service_.wait(service_.resources_.remove(by, type(by), id)));
        people_.erase(id);
    }

    scim::Result<json::Object> list(service::ListRequest request) {
        auto by = service_.call();
        const scim::ResourceType* types[] = {&type(by)};
        const auto answer = service_.wait(service_.query_.list(by, types, std::move(request)));
        if (!answer) return std::unexpected(answer.error());
        return json::parse(answer->body)->get_object();
    }

    /// A body as clients write it: names in any case.
    std::string body(Choices& choices) {
        json::Object body;
        for (auto& [name, value] : any_user(choices)) {
            if (name != "userName") body[any_spelling(choices, name)] = std::move(value);
        }
        std::string name = any_text(choices);
        // Without names that occur again, hardly anyone could be created.
        if (name.find_first_not_of(' ') == std::string::npos || choices.once_in(2)) {
            name += std::to_string(++made_);
        }
        body["userName"] = name;
        body["schemas"] = json::Array{scim::kUserSchema};
        return json::to_text(body);
    }

  private:
    static const scim::ResourceType& type(const service::Call& call) {
        return call.catalog().user();
    }
    void take(const std::string& text) {
        auto person = json::parse(text)->get_object();
        people_[std::string{person.at("id").get_string()}] = std::move(person);
    }

    Directory directory_;
    service::TestService service_;
    std::map<std::string, json::Object> people_;
    std::size_t made_ = 0;
};

std::string search_law(Population& population, Choices& choices) {
    for (auto writes = 1 + choices.below(3); writes > 0; --writes) population.change(choices);
    for (int searches = 0; searches < 4; ++searches) {
        Expression expression = any_expression(choices, 3);
        const std::string text = print(choices, expression);
        const auto page = population.list({.filter = text, .count = 200});
        if (page.has_value() != is_valid(expression)) {
            return page ? "accepted: " + text : text + ": " + page.error().detail;
        }
        if (!page) continue;
        std::set<std::string> expected;
        for (const auto& [id, person] : population.everyone()) {
            if (matches(expression, person)) expected.insert(id);
        }
        std::set<std::string> found;
        for (const auto& one : page->at("Resources").as_array()) {
            found.insert(std::string{one.at("id").as_string()});
        }
        if (found == expected && page->at("totalResults") == expected.size()) continue;
        std::string everyone;
        for (const auto& [id, person] : population.everyone()) {
            everyone += '\n' + json::to_text(person);
        }
        return fmt::format("{} finds {}, not {}, of {}", text, found, expected, everyone);
    }
    return "";
}

/// A law on populations that have been through much, but do not live for ever: retained deletions
/// and log records pile up.
void hold_of(double share, Store kind,
             const std::function<std::string(Population&, Choices&)>& law) {
    std::optional<Population> population;
    int age = 0;
    const auto one = [&](Choices& choices) {
        if (age++ % 500 == 0) population.emplace(kind);
        return law(*population, choices);
    };
    hold(share, one, Each::AfterTheOthers);
}

TEST(Searches, FindWhatMatchesInMemory) { hold_of(0.08, Store::Memory, search_law); }
TEST(Searches, FindWhatMatchesInSqlite) { hold_of(0.08, Store::Sqlite, search_law); }

/// Who was there from the first page to the last is on exactly one of them, whoever else comes,
/// changes or goes meanwhile.
std::string walk_law(Population& population, Choices& choices, bool by_cursor) {
    while (population.everyone().size() < 12) population.create(population.body(choices));
    std::set<std::string> stayed;
    for (const auto& [id, person] : population.everyone()) stayed.insert(id);
    service::ListRequest request{.count = static_cast<std::int64_t>(1 + choices.below(5))};
    // By an index, and by looking at everyone.
    if (choices.once_in(2)) request.filter = "userName pr";
    if (by_cursor) {
        request.cursor = "";
    } else {
        request.start_index = 1;
    }
    std::map<std::string, int> seen;
    std::string story;
    for (;;) {
        const auto page = population.list(request);
        if (!page) return page.error().detail;
        const auto& resources = page->at("Resources").as_array();
        story += fmt::format("page of {}; ", resources.size());
        for (const auto& one : resources) ++seen[std::string{one.at("id").as_string()}];
        if (by_cursor) {
            if (!page->contains("nextCursor")) break;
            request.cursor = std::string{page->at("nextCursor").as_string()};
        } else {
            if (resources.empty()) break;
            *request.start_index += static_cast<std::int64_t>(resources.size());
        }
        for (auto writes = choices.below(3); writes > 0; --writes) {
            const auto before = population.everyone().size();
            population.change(choices);
            const auto after = population.everyone().size();
            story += after < before ? "one goes; " : after > before ? "one comes; " : "";
        }
    }
    std::erase_if(stayed, [&](const auto& id) { return !population.everyone().contains(id); });
    for (const auto& id : stayed) {
        if (seen[id] != 1) return fmt::format("{} seen {} times: {}", id, seen[id], story);
    }
    return "";
}

std::string cursor_law(Population& population, Choices& choices) {
    return walk_law(population, choices, true);
}
std::string index_law(Population& population, Choices& choices) {
    return walk_law(population, choices, false);
}

TEST(Walks, ByCursorSeeEveryoneOnceInMemory) { hold_of(0.02, Store::Memory, cursor_law); }
TEST(Walks, ByCursorSeeEveryoneOnceInSqlite) { hold_of(0.02, Store::Sqlite, cursor_law); }
TEST(Walks, ByIndexSeeEveryoneOnceInMemory) { hold_of(0.02, Store::Memory, index_law); }
TEST(Walks, ByIndexSeeEveryoneOnceInSqlite) { hold_of(0.02, Store::Sqlite, index_law); }

}  // namespace
}  // namespace muster::property
