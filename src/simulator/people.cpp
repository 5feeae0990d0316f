#include "simulator/people.hpp"

#include <array>
#include <random>
#include <string_view>

#include <fmt/format.h>

namespace muster::simulator {

namespace {

constexpr std::array<std::string_view, 16> kGiven{
    "Ann",   "Zoë",  "José",  "Małgorzata", "Søren", "Aoife",     "Nguyễn", "Yuki",
    "Олена", "Ravi", "Chloé", "Jürgen",     "İpek",  "Mary-Jane", "Bob",    "李"};
constexpr std::array<std::string_view, 16> kFamily{
    "O'Brien",  "Müller", "García Márquez", "Żółć",   "van der Berg", "Smith",  "Núñez", "Tanaka",
    "Шевченко", "Patel",  "D'Angelo",       "Öztürk", "McKenzie",     "Łukasz", "Lee",   "王"};
constexpr std::array<std::string_view, 6> kTitles{"Engineer", "Manager",  "Analyst",
                                                  "Director", "Designer", "Support \"Hero\""};
constexpr std::array<std::string_view, 4> kDepartments{"R&D", "Sales", "Finance",
                                                       "People & Culture"};

template <std::size_t N>
std::string pick(const std::array<std::string_view, N>& from, std::mt19937_64& random) {
    return std::string{from[random() % N]};
}

}  // namespace

std::vector<Person> make_people(unsigned count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Person> people;
    people.reserve(count);
    for (unsigned i = 0; i < count; ++i) {
        // Providers keep the case that an administrator typed, so it comes mixed.
        const auto pattern = i % 3 == 0 ? "Person.{}.{}@Acme.Example" : "person.{}.{}@acme.example";
        people.push_back({.external_id = fmt::format("00u{:010x}{:07d}", seed & 0xFFFFFFFFFFU, i),
                          .user_name = fmt::format(fmt::runtime(pattern), seed, i),
                          .given_name = pick(kGiven, random),
                          .family_name = pick(kFamily, random),
                          .title = pick(kTitles, random),
                          .department = pick(kDepartments, random),
                          .id = {}});
    }
    return people;
}

}  // namespace muster::simulator
