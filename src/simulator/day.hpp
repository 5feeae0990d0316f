#pragma once
// What the days of all clients have in common: the people and groups, the connections, and the
// checks that every client makes.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/people.hpp"
#include "simulator/session.hpp"

namespace muster::simulator {

struct Group {
    std::string name;
    std::string external_id;  ///< empty where the client sends none
    std::string id;
    std::vector<std::size_t> people;  ///< who is in it, as indices
};

class Day {
  public:
    Day(const Day&) = delete;
    Day& operator=(const Day&) = delete;
    virtual ~Day() = default;

  protected:
    Day(const Options& options, StepBook& book);

    using Work = std::function<void(Session&, std::size_t)>;
    /// Runs `work` for 0 … count-1, spread over the sessions.
    void each(std::size_t count, const Work& work);
    /// For what is done by one at a time.
    [[nodiscard]] Session& first_session() { return *sessions_.front(); }
    [[nodiscard]] std::vector<std::size_t> every_fifth() const;

    /// Looks up by one attribute as this client does, and checks that a list came.
    virtual Reply find(Session& session, std::string_view endpoint, std::string_view attribute,
                       std::string_view value) = 0;
    [[nodiscard]] virtual json::Value creation_of(const Person& person) const = 0;
    [[nodiscard]] virtual json::Value creation_of(const Group& group) const = 0;
    /// POST, checked for what every client reads in the answer; keeps the id.
    Reply create(Session& session, Person& person) const;
    Reply create(Session& session, Group& group) const;
    static Reply patch(Session& session, const std::string& path, json::Array operations);
    /// GET of what `written` changed; failures found in it tell of both.
    static Reply read_after(Session& session, const Reply& written, const std::string& path);
    /// Deletes, and checks that it is gone.
    static void delete_one(Session& session, const std::string& path);

    /// Whether the reply is a ListResponse that tells how many there are.
    bool expect_list(Session& session, const Reply& reply) const;
    static bool expect_done(Session& session, const Reply& reply, std::string_view what);
    void refuse_strangers(Session& session, const std::string& path) const;
    void refuse_duplicates();
    void check_active(Session& session, const Reply& read, bool active) const;
    /// Reads the group: these members and no others, and the name.
    void check_members(Session& session, const Group& group) const;

    const Options& options_;
    StepBook& book_;
    std::string_view client_;  ///< its name, for the reasons that are given
    std::vector<Person> people_;
    std::vector<Group> groups_;

  private:
    std::vector<std::unique_ptr<Session>> sessions_;
};

[[nodiscard]] json::Object name_of(const Person& person);

}  // namespace muster::simulator
