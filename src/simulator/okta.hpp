#pragma once
// A day of Okta: the steps, in the order in which an administrator causes them.

#include <set>

#include "simulator/day.hpp"

namespace muster::simulator {

class OktaDay final : public Day {
  public:
    OktaDay(const Options& options, StepBook& book) : Day(options, book) {}

    void play();

    /// About how many requests play() will send.
    [[nodiscard]] static std::uint64_t expected_requests(const Options& options);

  private:
    /// Whether the server speaks to us at all.
    bool test_credentials();
    void match_and_create();
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
    void write_members(Session& session, const Group& group);
    /// GET, merge, PUT: every update of the wizard's app.
    static Reply put_merged(Session& session, const std::string& path, const json::Object& changes);
    Reply find(Session& session, std::string_view endpoint, std::string_view attribute,
               std::string_view value) override;
    [[nodiscard]] json::Value creation_of(const Person& person) const override;
    [[nodiscard]] json::Value creation_of(const Group& group) const override;
    void expect_page(Session& session, const Reply& reply) const;
    [[nodiscard]] bool is_wizard() const { return options_.client == Client::OktaWizard; }
    [[nodiscard]] json::Array members_of(const Group& group) const;
};

}  // namespace muster::simulator
