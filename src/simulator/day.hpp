#pragma once
// A day of Okta: the steps, in the order in which an administrator causes them.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "simulator/people.hpp"
#include "simulator/session.hpp"

namespace muster::simulator {

struct Group {
    std::string name;
    std::string id;
    std::vector<std::size_t> people;  ///< who is in it, as indices
};

class Day {
  public:
    Day(const OktaOptions& options, StepBook& book);

    void play();

    /// About how many requests play() will send.
    [[nodiscard]] static std::uint64_t expected_requests(const OktaOptions& options);

  private:
    using Work = std::function<void(Session&, std::size_t)>;
    /// Runs `work` for 0 … count-1, spread over the sessions.
    void each(std::size_t count, const Work& work);

    /// Whether the server speaks to us at all.
    bool test_credentials();
    void match_and_create();
    void refuse_duplicates();
    void update_profiles();
    void switch_off();
    void switch_on();
    void push_passwords();
    void import(std::string step, std::string endpoint, const std::set<std::string>& known);
    void push_groups();
    void change_members();
    void push_now();
    void empty_group();
    void rename_groups();
    void delete_group();

    void create_person(Session& session, Person& person);
    void update_person(Session& session, const Person& person, json::Object changes);
    void set_active(Session& session, const Person& person, bool active);
    void create_group(Session& session, Group& group);
    void write_members(Session& session, const Group& group);
    void check_members(Session& session, const Group& group);
    /// GET, merge, PUT: every update of the wizard's app.
    Reply put_merged(Session& session, const std::string& path, const json::Object& changes);
    Reply patch(Session& session, const std::string& path, json::Array operations);
    void expect_list(Session& session, const Reply& reply);
    [[nodiscard]] json::Array members_of(const Group& group) const;
    [[nodiscard]] std::vector<std::size_t> every_fifth() const;

    const OktaOptions& options_;
    StepBook& book_;
    std::vector<Person> people_;
    std::vector<Group> groups_;
    std::vector<std::unique_ptr<Session>> sessions_;
};

}  // namespace muster::simulator
