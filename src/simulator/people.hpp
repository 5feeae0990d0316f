#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace muster::simulator {

/// A person of the simulated provider. `user_name` is unique among the people of one seed.
struct Person {
    std::string external_id;
    std::string user_name;
    std::string given_name;
    std::string family_name;
    std::string title;
    std::string department;
    std::string id;  ///< the server's, once known
};

/// The same seed makes the same people: names of many alphabets, apostrophes, mixed case.
[[nodiscard]] std::vector<Person> make_people(unsigned count, std::uint64_t seed);

}  // namespace muster::simulator
