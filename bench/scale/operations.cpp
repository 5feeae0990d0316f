#include "scale/operations.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <stdexcept>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/made_up.hpp"
#include "json/json.hpp"
#include "net/http_client.hpp"
#include "workload.hpp"

namespace muster::bench {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kSample = 1'000;       ///< people who are asked for
constexpr std::uint64_t kExtras = 1'024;     ///< people who are in no group
constexpr std::size_t kBulk = 500;           ///< people in a bulk request
constexpr std::uint64_t kMostAlone = 2'000;  ///< requests of one connection
constexpr std::size_t kConnections = 32;
constexpr std::size_t kMixedConnections = 64;

struct Person {
    std::string id;
    std::string user_name;
    std::string external_id;
    std::string display_name;
};

/// One row of the table before it is measured.
struct Operation {
    std::string family;
    std::string name;
    bool names_one = false;
    NextShot next;
    std::size_t connections = kConnections;  ///< 1: only alone
    std::uint64_t most_alone = kMostAlone;   ///< requests of one connection
    milliseconds time_alone{0};              ///< 0: as the pace has it
    double units = 1;                        ///< people a request
    std::string floor = {};                  ///< what the bare server does: see floor_shot
    std::string note = {};
};

/// What some requests took and cost.
struct Run {
    std::vector<std::chrono::nanoseconds> times;
    double seconds = 0;
    Reading cost;

    void add(const Measured& measured) {
        times.insert(times.end(), measured.times.begin(), measured.times.end());
        seconds += measured.seconds;
    }
    [[nodiscard]] double requests() const { return static_cast<double>(times.size()); }
    [[nodiscard]] double rate() const { return requests() / seconds; }
    /// In milliseconds, of 100 parts.
    [[nodiscard]] double percentile(std::size_t part) const {
        auto sorted = times;
        std::ranges::sort(sorted);
        return static_cast<double>(sorted.at(sorted.size() * part / 100).count()) / 1e6;
    }
};

Reading operator-(const Reading& a, const Reading& b) {
    return {.cpu_s = a.cpu_s - b.cpu_s,
            .database_cpu_s = a.database_cpu_s - b.database_cpu_s,
            .written_bytes = a.written_bytes - b.written_bytes,
            .commits = a.commits - b.commits};
}

void set_cost(Figure& figure, const Run& run) {
    figure.cpu_us = run.cost.cpu_s * 1e6 / run.requests();
    figure.database_cpu_us = run.cost.database_cpu_s * 1e6 / run.requests();
    figure.written_bytes = run.cost.written_bytes / run.requests();
    figure.commits = run.cost.commits / run.requests();
}

std::string retitling(std::uint64_t number) {
    return patch_body(
        fmt::format(R"({{"op":"replace","path":"title","value":"Engineer {}"}})", number));
}

/// The ids as the values of members.
std::string members_of(const std::vector<std::string>& ids, std::size_t first, std::size_t count) {
    std::string text;
    for (std::size_t i = first; i < first + count; ++i) {
        text += fmt::format("{}{{\"value\":\"{}\"}}", i == first ? "" : ",", ids[i]);
    }
    return text;
}

std::string adding(const std::vector<std::string>& ids, std::size_t first, std::size_t count) {
    return patch_body(fmt::format(R"({{"op":"add","path":"members","value":[{}]}})",
                                  members_of(ids, first, count)));
}

std::string removing(const std::vector<std::string>& ids, std::size_t first, std::size_t count) {
    std::string operations;
    for (std::size_t i = first; i < first + count; ++i) {
        operations += fmt::format(R"({}{{"op":"remove","path":"members[value eq \"{}\"]"}})",
                                  i == first ? "" : ",", ids[i]);
    }
    return patch_body(operations);
}

/// The members' ids in a group that may be larger than what the JSON reader takes.
std::vector<std::string> values_in(std::string_view group) {
    constexpr std::string_view kMark = R"("value":")";
    std::vector<std::string> values;
    for (auto at = group.find(kMark); at != std::string_view::npos; at = group.find(kMark, at)) {
        at += kMark.size();
        values.emplace_back(group.substr(at, group.find('"', at) - at));
    }
    return values;
}

std::string filter(std::string_view attribute, std::string_view op, std::string_view value) {
    std::string encoded;
    for (const char letter : value) {
        encoded += fmt::format("%{:02X}", static_cast<unsigned char>(letter));
    }
    return fmt::format("/Users?filter={}+{}+%22{}%22", attribute, op, encoded);
}

class Measurement {
  public:
    Measurement(Bed& bed, const Pace& pace, const std::function<void(const Figure&)>& found)
        : bed_(bed),
          pace_(pace),
          found_(found),
          target_(bed.targets().front()),
          people_(bed.options().people) {}

    void run() {
        prepare();
        // What fails in one part says nothing about the others.
        bool failed = false;
        for (const auto part : {&Measurement::reads, &Measurement::lists, &Measurement::groups,
                                &Measurement::writes, &Measurement::mixed, &Measurement::floor}) {
            try {
                (this->*part)();
            } catch (const std::exception& error) {
                fmt::print(stderr, "{}\n", error.what());
                failed = true;
            }
        }
        if (failed) throw std::runtime_error("not everything could be measured");
    }

  private:
    // ---- how ------------------------------------------------------------------------------------

    /// The answer to one request that must succeed.
    [[nodiscard]] std::string ask(const Target& target, std::string_view method,
                                  std::string_view path, std::string_view body = {}) const {
        auto answer = fire(
            {.address = target.address,
             .connections = 1,
             .time = std::chrono::minutes{10},
             .most_requests = 1,
             .keep_bodies = true},
            [&](std::size_t) -> Shot { return {.bytes = target.request(method, path, body)}; });
        must_succeed(answer, path);
        return std::move(answer.bodies.front());
    }
    [[nodiscard]] json::Value ask_json(const Target& target, std::string_view path) const {
        auto value = json::parse(ask(target, "GET", path));
        if (!value) throw std::runtime_error(fmt::format("{}: no JSON", path));
        return *std::move(value);
    }

    [[nodiscard]] Run shoot(std::size_t connections, std::uint64_t most, milliseconds time,
                            const NextShot& next, std::string_view what) const {
        Run run;
        const auto before = bed_.read();
        const auto measured = fire({.address = target_.address,
                                    .connections = connections,
                                    .time = time,
                                    .most_requests = most},
                                   next);
        run.cost = bed_.read() - before;
        must_succeed(measured, what);
        run.add(measured);
        return run;
    }

    [[nodiscard]] milliseconds time(double share) const {
        return milliseconds{static_cast<int>(pace_.seconds * share * 1000)};
    }

    [[nodiscard]] Figure blank(const Operation& operation) const {
        return {.family = operation.family,
                .operation = operation.name,
                .store = bed_.options().store,
                .people = people_,
                .names_one = operation.names_one,
                .note = operation.note};
    }

    void keep(Figure figure, const std::string& floor) {
        figure.rss_mb = bed_.rss_mb();
        found_(figure);
        if (!floor.empty()) with_floor_.emplace_back(std::move(figure), floor);
    }

    void measure(const Operation& operation) {
        const auto what =
            fmt::format("{}, {} people: {}", bed_.options().store, people_, operation.name);
        auto figure = blank(operation);
        const auto patience = operation.time_alone.count() > 0 ? operation.time_alone : time(0.5);
        const auto alone = shoot(1, operation.most_alone, patience, operation.next, what);
        figure.p50_ms = alone.percentile(50);
        figure.p99_ms = alone.percentile(99);
        figure.connections = operation.connections;
        figure.rate = alone.rate() * operation.units;
        set_cost(figure, alone);
        if (operation.connections > 1) {
            const auto busy =
                shoot(operation.connections, ~std::uint64_t{0}, time(1), operation.next, what);
            figure.rate = busy.rate() * operation.units;
            figure.busy_p99_ms = busy.percentile(99);
            set_cost(figure, busy);
        }
        keep(std::move(figure), operation.floor);
    }

    // ---- what -----------------------------------------------------------------------------------

    void prepare() {
        std::vector<Person> drawn;
        for (std::size_t i = 0; i < kSample; ++i) {
            const auto person = cli::made_up_person("org-0", 1, random_() % people_);
            const auto text = [&](std::string_view name) {
                return std::string{json::string_or_empty(person, name)};
            };
            drawn.push_back({.id = {},
                             .user_name = text("userName"),
                             .external_id = text("externalId"),
                             .display_name = text("displayName")});
        }
        for (auto& person : drawn) {
            const auto found = ask_json(target_, filter("userName", "eq", person.user_name));
            person.id = found.at("Resources").at(0).at("id").as_string();
        }
        sample_ = std::move(drawn);
        const auto extras =
            fire({.address = target_.address,
                  .time = std::chrono::minutes{5},
                  .most_requests = kExtras,
                  .keep_bodies = true},
                 [&](std::size_t) -> Shot {
                     return {.bytes = target_.request("POST", "/Users", user_body(new_name())),
                             .status = 201};
                 });
        must_succeed(extras, "people without groups");
        for (const auto& body : extras.bodies) {
            extras_.push_back(testing::text_member(body, "id"));
        }
    }

    void reads() {
        const auto get = [this](std::string path, bool whole = true) {
            return [this, path = std::move(path), whole](std::size_t) -> Shot {
                const auto& id = somebody().id;
                return {.bytes = target_.request("GET", "/Users/" + id + path),
                        .contains = whole ? id : ""};
            };
        };
        measure({.family = "read",
                 .name = "GET by id",
                 .names_one = true,
                 .next = get(""),
                 .floor = "read"});
        measure({.family = "read",
                 .name = "GET by id, without groups",
                 .names_one = true,
                 .next = get("?excludedAttributes=groups"),
                 .floor = "read"});
        const auto find = [this](std::string_view attribute, std::string Person::* member) {
            return [this, attribute, member](std::size_t) -> Shot {
                const auto& person = somebody();
                return {.bytes = target_.request("GET", filter(attribute, "eq", person.*member)),
                        .contains = person.id};
            };
        };
        measure({.family = "read",
                 .name = "userName eq",
                 .names_one = true,
                 .next = find("userName", &Person::user_name),
                 .floor = "read"});
        measure({.family = "read",
                 .name = "externalId eq",
                 .names_one = true,
                 .next = find("externalId", &Person::external_id),
                 .floor = "read"});
        measure({.family = "read",
                 .name = "emails[type eq \"work\"].value eq",
                 .names_one = true,
                 .next = [this](std::size_t) -> Shot {
                     const auto& person = somebody();
                     return {.bytes = target_.request(
                                 "GET", filter("emails%5Btype%20eq%20%22work%22%5D.value", "eq",
                                               person.user_name)),
                             .contains = person.id};
                 },
                 .floor = "read"});
        measure({.family = "list",
                 .name = "displayName sw, 10 of the matches",
                 .next = [this](std::size_t) -> Shot {
                     return {.bytes = target_.request(
                                 "GET", filter("displayName", "sw", somebody().display_name) +
                                            "&count=10")};
                 }});
        unindexed();
    }

    /// Looks at everybody, as far as one request may.
    void unindexed() {
        const auto request = target_.request("GET", filter("name.familyName", "eq", "Nobody"));
        const auto probe = fire({.address = target_.address,
                                 .connections = 1,
                                 .time = std::chrono::minutes{5},
                                 .most_requests = 1},
                                [&](std::size_t) -> Shot { return {.bytes = request}; });
        const bool refused = probe.first_failure.contains("tooMany");
        measure({.family = "list",
                 .name = "a filter without an index",
                 .next = [request, refused](std::size_t) -> Shot {
                     return {.bytes = request,
                             .status = refused ? 400U : 200U,
                             .contains = refused ? "tooMany" : "\"totalResults\":0"};
                 },
                 .connections = 1,
                 .most_alone = 3,
                 .note = refused ? "refused: tooMany" : ""});
    }

    void lists() {
        const auto page = [this](std::uint64_t start) {
            return target_.request("GET", fmt::format("/Users?startIndex={}&count=100", start));
        };
        const std::pair<std::string_view, std::uint64_t> places[]{
            {"at the start", 1}, {"in the middle", people_ / 2}, {"at 90 %", people_ / 10 * 9}};
        for (const auto& [where, start] : places) {
            measure({.family = "list",
                     .name = fmt::format("page of 100 {}, by index, in a walk", where),
                     .next = [page, at = start](std::size_t) mutable -> Shot {
                         auto request = page(at);
                         at += 100;
                         return {.bytes = std::move(request), .contains = "\"Resources\":[{"};
                     },
                     .connections = 1,
                     .most_alone = std::min<std::uint64_t>(50, people_ / 1'000)});
        }
        measure({.family = "list",
                 .name = "page of 100 anywhere, by index, cold",
                 .next = [this, page](std::size_t) -> Shot {
                     return {.bytes = page(random_() % (people_ - 100) + 1),
                             .contains = "\"Resources\":[{"};
                 },
                 .connections = 1,
                 .most_alone = 30});
        const auto cursors = places_of_cursors();
        for (std::size_t i = 0; i < cursors.size(); ++i) {
            measure({.family = "list",
                     .name = fmt::format("page of 100 {}, by cursor", places[i].first),
                     .next = [this, cursor = cursors[i]](std::size_t) -> Shot {
                         return {
                             .bytes = target_.request("GET", "/Users?count=100&cursor=" + cursor),
                             .contains = "\"Resources\":[{"};
                     },
                     .most_alone = 50,
                     .floor = i == 0 ? "page" : ""});
        }
        measure({.family = "import",
                 .name = "import of everybody, pages of 100",
                 .next = [page, at = std::uint64_t{1}](std::size_t) mutable -> Shot {
                     auto request = page(at);
                     at += 100;
                     return {.bytes = std::move(request), .contains = "\"Resources\":[{"};
                 },
                 .connections = 1,
                 .most_alone = people_ / 100,
                 .time_alone = std::chrono::seconds{40},
                 .units = 100,
                 .note = "people/s"});
    }

    /// Cursors at the start, in the middle and at 90 %, from a walk with next to nothing in it.
    [[nodiscard]] std::vector<std::string> places_of_cursors() const {
        std::vector<std::string> cursors{""};
        std::string cursor;
        for (std::uint64_t seen = 0; cursors.size() < 3;) {
            const auto answer =
                ask_json(target_, fmt::format("/Users?count=200&attributes=id&cursor={}", cursor));
            cursor = answer.at("nextCursor").as_string();
            seen += 200;
            if (seen >= (cursors.size() == 1 ? people_ / 2 : people_ / 10 * 9)) {
                cursors.push_back(cursor);
            }
        }
        return cursors;
    }

    void groups() {
        const auto get = [this](std::uint64_t size, std::string_view path) {
            return [request = target_.request(
                        "GET", fmt::format("/Groups/{}{}", bed_.group_of(size), path))](
                       std::size_t) -> Shot { return {.bytes = request}; };
        };
        measure({.family = "read",
                 .name = "GET a group of everybody, without members",
                 .names_one = true,
                 .next = get(people_, "?excludedAttributes=members"),
                 .floor = "read"});
        measure({.family = "read",
                 .name = "GET a group of 1,000",
                 .names_one = true,
                 .next = get(1'000, ""),
                 .connections = 8});
        measure({.family = "group",
                 .name = "GET a group of a tenth",
                 .next = get(bed_.tenth(), ""),
                 .connections = 1,
                 .most_alone = 20});
        toggle("1,000", 1'000, 1);
        for (const std::size_t count : {1U, 256U, 1'000U}) toggle("a tenth", bed_.tenth(), count);
        toggle("everybody", people_, 1);
        push("1,000", 1'000, true);
        push("a tenth", bed_.tenth(), false);
    }

    /// Adds people to a group and removes them again, `count` in one request.
    void toggle(std::string_view group_name, std::uint64_t size, std::size_t count) {
        const auto path = "/Groups/" + bed_.group_of(size);
        const std::uint64_t requests = kExtras / count;
        const auto requests_of = [&](const auto& body) {
            return [this, path, count, body, at = std::size_t{0}](std::size_t) mutable -> Shot {
                auto request = target_.request("PATCH", path, body(extras_, at, count));
                at += count;
                return {.bytes = std::move(request)};
            };
        };
        const auto rounds = [&](std::size_t connections, double seconds, Run& added, Run& removed) {
            const auto before = bed_.read();
            do {
                for (auto* run : {&added, &removed}) {
                    const auto measured = fire({.address = target_.address,
                                                .connections = connections,
                                                .time = std::chrono::minutes{5},
                                                .most_requests = requests},
                                               run == &added ? NextShot{requests_of(adding)}
                                                             : NextShot{requests_of(removing)});
                    must_succeed(measured, "adding or removing members");
                    run->add(measured);
                }
            } while (added.seconds + removed.seconds < seconds);
            const auto cost = bed_.read() - before;
            for (auto* run : {&added, &removed}) {
                const double share = run->requests() / (added.requests() + removed.requests());
                run->cost = {.cpu_s = cost.cpu_s * share,
                             .database_cpu_s = cost.database_cpu_s * share,
                             .written_bytes = cost.written_bytes * share,
                             .commits = cost.commits * share};
            }
        };
        Run added;
        Run removed;
        rounds(1, pace_.seconds, added, removed);
        Run busy_added;
        Run busy_removed;
        if (count == 1) rounds(kConnections, pace_.seconds, busy_added, busy_removed);
        const auto tell = [&](std::string_view verb, std::string_view preposition, const Run& alone,
                              const Run& busy) {
            Figure figure =
                blank({.family = "write",
                       .name = fmt::format("{} {} member{} {} a group of {}", verb, count,
                                           count == 1 ? "" : "s", preposition, group_name),
                       .names_one = true,
                       .next = {}});
            figure.p50_ms = alone.percentile(50);
            figure.p99_ms = alone.percentile(99);
            figure.rate = alone.rate();
            set_cost(figure, alone);
            if (!busy.times.empty()) {
                figure.connections = kConnections;
                figure.rate = busy.rate();
                figure.busy_p99_ms = busy.percentile(99);
                set_cost(figure, busy);
            }
            keep(std::move(figure), count == 1 ? "member" : "");
        };
        tell("add", "to", added, busy_added);
        tell("remove", "from", removed, busy_removed);
    }

    /// Okta's Push Now: the whole group anew, three of its members for three others. `fixed`: it
    /// has as many members on every store.
    void push(std::string_view group_name, std::uint64_t size, bool fixed) {
        const auto path = "/Groups/" + bed_.group_of(size);
        const auto group = ask_json(target_, path + "?excludedAttributes=members");
        auto ids = values_in(ask(target_, "GET", path));
        const auto body = [&] {
            return fmt::format(
                R"({{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":{},"members":[{}]}})",
                json::to_text(group.at("displayName")), members_of(ids, 0, ids.size()));
        };
        const auto before = target_.request("PUT", path, body());
        std::ranges::copy_n(extras_.begin(), 3, ids.begin());
        const auto after = target_.request("PUT", path, body());
        measure({.family = fixed ? "write" : "group",
                 .name = fmt::format("PUT a group of {}, 3 members changed", group_name),
                 .names_one = fixed,
                 .next = [&, turn = 0](std::size_t) mutable -> Shot {
                     return {.bytes = ++turn % 2 == 1 ? after : before};
                 },
                 .connections = 1,
                 .most_alone = fixed ? 100U : 10U});
    }

    void writes() {
        measure({.family = "write",
                 .name = "PATCH one attribute",
                 .names_one = true,
                 .next = [this](std::size_t) -> Shot {
                     return {.bytes = target_.request("PATCH", "/Users/" + somebody().id,
                                                      retitling(counter_++))};
                 },
                 .floor = "update"});
        measure({.family = "write",
                 .name = "create",
                 .names_one = true,
                 .next = [this](std::size_t) -> Shot {
                     return {.bytes = target_.request("POST", "/Users", user_body(new_name())),
                             .status = 201};
                 },
                 .floor = "create"});
        measure(
            {.family = "import",
             .name = fmt::format("create {} in bulk", kBulk),
             .next = [this](std::size_t) -> Shot {
                 std::string operations;
                 for (std::size_t i = 0; i < kBulk; ++i) {
                     operations += fmt::format(
                         R"({}{{"method":"POST","path":"/Users","bulkId":"{}","data":{}}})",
                         i == 0 ? "" : ",", i, user_body(new_name()));
                 }
                 return {
                     .bytes = target_.request(
                         "POST", "/Bulk",
                         fmt::format(
                             R"({{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{}]}})",
                             operations)),
                     .contains = "\"201\""};
             },
             .connections = 4,
             .most_alone = 10,
             .units = static_cast<double>(kBulk),
             .note = "people/s"});
    }

    /// What an organisation has for the mixed load.
    struct Place {
        const Target* target = nullptr;
        std::vector<std::pair<std::string, std::string>> people;  ///< id, userName
        std::string group;                                        ///< begins empty
        std::vector<bool> is_member;                              ///< by connection: its own person
    };

    /// 60 % reads and 40 % writes, one request in four for the large organisation.
    void mixed() {
        std::vector<Place> places;
        for (const auto& target : bed_.targets()) {
            Place place{
                .target = &target,
                .people = {},
                .group = testing::text_member(
                    ask(target, "POST", "/Groups",
                        R"({"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Mixed"})"),
                    "id"),
                .is_member = std::vector<bool>(kMixedConnections)};
            const auto page = ask_json(target, "/Users?count=200&attributes=userName");
            for (const auto& person : page.at("Resources").as_array()) {
                place.people.emplace_back(person.at("id").as_string(),
                                          person.at("userName").as_string());
            }
            places.push_back(std::move(place));
        }
        for (const auto& person : sample_) {
            places.front().people.emplace_back(person.id, person.user_name);
        }
        const auto next = [&](std::size_t connection) -> Shot {
            auto& place = places[random_() % 4 == 0 ? 0 : random_() % places.size()];
            const auto& target = *place.target;
            const auto& [id, name] = place.people[random_() % place.people.size()];
            const auto dice = random_() % 100;
            if (dice < 40) return {.bytes = target.request("GET", "/Users/" + id)};
            if (dice < 55) {
                return {.bytes = target.request("GET", filter("userName", "eq", name)),
                        .contains = id};
            }
            if (dice < 60) return {.bytes = target.request("GET", "/Users?count=20")};
            if (dice < 75) {
                return {.bytes = target.request("PATCH", "/Users/" + id, retitling(counter_++))};
            }
            if (dice < 85) {
                return {.bytes = target.request("POST", "/Users", user_body(new_name())),
                        .status = 201};
            }
            place.is_member[connection].flip();
            return {.bytes =
                        target.request("PATCH", "/Groups/" + place.group,
                                       member_body(place.is_member[connection] ? "add" : "remove",
                                                   place.people[connection].first))};
        };
        measure({.family = "mixed",
                 .name = fmt::format("mixed, {} organisations", places.size()),
                 .next = [&](std::size_t connection) { return next(connection); },
                 .connections = kMixedConnections,
                 .most_alone = kMostAlone});
    }

    [[nodiscard]] Shot floor_shot(const std::string& what, const Target& floor) {
        const auto& id = somebody().id;
        if (what == "page") return {.bytes = floor.request("GET", "/page/" + id)};
        if (what == "update") {
            return {.bytes = floor.request("POST", "/update/" + id, user_body(new_name()))};
        }
        if (what == "create") {
            return {.bytes = floor.request("POST", "/create", user_body(new_name())),
                    .status = 201};
        }
        if (what == "member") {
            return {.bytes = floor.request("POST", "/member", member_body("add", id))};
        }
        return {.bytes = floor.request("GET", "/read/" + id)};
    }

    /// The same requests to a server that does nothing but the work of the database.
    void floor() {
        const auto page = bed_.options().work / "page.json";
        std::ofstream(page) << ask(target_, "GET", "/Users?startIndex=1&count=100");
        const auto database = bed_.stop();
        if (!database) {
            tell_floors(
                [&](const std::string& what) { return bed_.postgres_rate(what, kConnections); });
            return;
        }
        const testing::ServerProcess server({pace_.floor.string(), database->string(),
                                             page.string(),
                                             std::to_string(::sysconf(_SC_NPROCESSORS_ONLN))});
        const Target target{.address = server.address(), .path = "", .token = target_.token};
        tell_floors([&](const std::string& what) {
            const auto measured =
                fire({.address = server.address(), .connections = kConnections, .time = time(0.7)},
                     [&](std::size_t) { return floor_shot(what, target); });
            must_succeed(measured, "floor: " + what);
            return measured.rate();
        });
    }

    void tell_floors(const std::function<double(const std::string&)>& measured) {
        std::map<std::string, double> rates;
        for (auto& [figure, what] : with_floor_) {
            if (!rates.contains(what)) rates[what] = measured(what);
            figure.floor_rate = rates[what];
            found_(figure);
        }
    }

    [[nodiscard]] const Person& somebody() { return sample_[random_() % sample_.size()]; }
    [[nodiscard]] std::string new_name() { return fmt::format("n{}", counter_++); }

    Bed& bed_;
    const Pace& pace_;
    const std::function<void(const Figure&)>& found_;
    const Target& target_;
    std::uint64_t people_;
    std::mt19937_64 random_{1};
    std::uint64_t counter_ = 0;
    std::vector<Person> sample_;
    std::vector<std::string> extras_;
    std::vector<std::pair<Figure, std::string>> with_floor_;
};

}  // namespace

void measure(Bed& bed, const Pace& pace, const std::function<void(const Figure&)>& found) {
    Measurement(bed, pace, found).run();
}

}  // namespace muster::bench
