#pragma once
// A life under Entra: the test of the connection, the initial cycle, incremental cycles, provision
// on demand, and the end. Sequences and forms are Microsoft's guide to SCIM endpoints; what was
// only reported from the field names its report.

#include "simulator/day.hpp"
#include "simulator/entra_patch.hpp"

namespace muster::simulator {

class EntraDay final : public Day {
  public:
    EntraDay(const Options& options, StepBook& book);

    void play();

    /// About how many requests play() will send.
    [[nodiscard]] static std::uint64_t expected_requests(const Options& options);

  private:
    /// Whether the server speaks to us at all.
    bool test_connection();
    void read_schemas();

    void match_and_create_people();
    void update_people();
    void fill_what_is_empty();
    void set_managers();
    void clear_attributes();
    void assign_roles();
    void disable_people();
    void restore_people();
    void provision_on_demand();
    void delete_people();

    void match_and_create_groups();
    void add_members();
    void remove_members();
    void rename_groups();
    void delete_group();

    /// A cycle's change of one person: GET, PATCH, and whether it was kept.
    void change_person(Session& session, const Person& person, json::Array operations,
                       const json::Object& kept);
    void set_active(Session& session, const Person& person, bool active, const EntraPatch& form);
    /// A cycle's change of one group: GET without members, PATCH, and whether it was kept.
    void change_group(Session& session, const Group& group, json::Array operations);
    void leave_and_return(Session& session, Group& group, const EntraPatch& form);
    /// Whether the reference holds, asked as `id eq … and manager eq …`.
    void check_reference(Session& session, std::string_view endpoint, std::string_view id,
                         std::string_view attribute, std::string_view target, bool holds);
    /// Each path has its value, and none where that is null.
    static void expect_kept(Session& session, const Reply& read, const json::Object& kept);
    static void expect_no_members(Session& session, const Reply& read, const json::Object* group);
    [[nodiscard]] std::vector<std::string> ids_of(const Group& group) const;

    Reply find(Session& session, std::string_view endpoint, std::string_view attribute,
               std::string_view value) override;
    [[nodiscard]] json::Value creation_of(const Person& person) const override;
    [[nodiscard]] json::Value creation_of(const Group& group) const override;
    /// An id such as Entra's objects have; the same for the same run.
    [[nodiscard]] std::string guid(std::size_t number) const;

    EntraPatch form_;
};

}  // namespace muster::simulator
