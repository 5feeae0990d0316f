#include "cli/made_up.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>

#include "scim/schema/schema.hpp"

namespace muster::cli {

namespace {

/// A name, and how it stands in addresses.
struct Name {
    std::string_view written;
    std::string_view address;
};

constexpr std::array<Name, 40> kGiven{
    {{"Ada", "ada"},       {"Aoife", "aoife"},   {"Bruno", "bruno"},    {"Carmen", "carmen"},
     {"Chloé", "chloe"},   {"Daniel", "daniel"}, {"Dilek", "dilek"},    {"Elena", "elena"},
     {"Emeka", "emeka"},   {"Fatima", "fatima"}, {"Grace", "grace"},    {"Hiroshi", "hiroshi"},
     {"Ines", "ines"},     {"Ivan", "ivan"},     {"Jürgen", "juergen"}, {"José", "jose"},
     {"Karin", "karin"},   {"Kofi", "kofi"},     {"Léa", "lea"},        {"Łukasz", "lukasz"},
     {"Maria", "maria"},   {"Mei", "mei"},       {"Mohammed", "moh"},   {"Nadia", "nadia"},
     {"Noah", "noah"},     {"Olga", "olga"},     {"Pavel", "pavel"},    {"Priya", "priya"},
     {"Quentin", "quent"}, {"Ravi", "ravi"},     {"Søren", "soeren"},   {"Sofia", "sofia"},
     {"Tariq", "tariq"},   {"Thandi", "thandi"}, {"Ursula", "ursula"},  {"Viktor", "viktor"},
     {"Wanjiru", "wanji"}, {"Yuki", "yuki"},     {"Zoë", "zoe"},        {"Анна", "anna"}}};
constexpr std::array<Name, 40> kFamily{
    {{"Almeida", "almeida"},   {"Andersson", "andersson"}, {"Bauer", "bauer"},
     {"Bianchi", "bianchi"},   {"Brown", "brown"},         {"Chen", "chen"},
     {"Dupont", "dupont"},     {"Eriksen", "eriksen"},     {"Fischer", "fischer"},
     {"García", "garcia"},     {"Gupta", "gupta"},         {"Haddad", "haddad"},
     {"Ivanova", "ivanova"},   {"Jensen", "jensen"},       {"Kamau", "kamau"},
     {"Kim", "kim"},           {"Kowalski", "kowalski"},   {"Lindqvist", "lindqvist"},
     {"Martínez", "martinez"}, {"McKenzie", "mckenzie"},   {"Moreau", "moreau"},
     {"Müller", "mueller"},    {"Nakamura", "nakamura"},   {"Novák", "novak"},
     {"O'Brien", "obrien"},    {"Okafor", "okafor"},       {"Öztürk", "oeztuerk"},
     {"Patel", "patel"},       {"Popescu", "popescu"},     {"Quispe", "quispe"},
     {"Rossi", "rossi"},       {"Santos", "santos"},       {"Schneider", "schneider"},
     {"Shevchenko", "shevch"}, {"Silva", "silva"},         {"Smith", "smith"},
     {"Tanaka", "tanaka"},     {"van der Berg", "vdberg"}, {"Weber", "weber"},
     {"Yılmaz", "yilmaz"}}};
constexpr std::array<std::string_view, 8> kTitles{"Engineer", "Manager", "Analyst", "Director",
                                                  "Designer", "Advisor", "Clerk",   "Technician"};
constexpr std::array<std::string_view, 8> kDepartments{
    "Sales", "Finance", "Research", "Support", "Legal", "Logistics", "Marketing", "Operations"};

/// A stream of numbers that look random (SplitMix64), the same on every machine.
class Dice {
  public:
    Dice(std::uint64_t seed, std::uint64_t number)
        : state_(seed * 0xD1342543DE82EF95U + number * 0x9E3779B97F4A7C15U) {}

    std::uint64_t roll() {
        std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15U;
        mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
        return mixed ^ (mixed >> 31U);
    }
    template <class T, std::size_t N>
    const T& pick(const std::array<T, N>& from) {
        return from[roll() % N];
    }

  private:
    std::uint64_t state_;
};

}  // namespace

json::Object made_up_person(std::string_view org, std::uint64_t seed, std::uint64_t number) {
    Dice dice(seed, number);
    const auto& given = dice.pick(kGiven);
    const auto& family = dice.pick(kFamily);
    const char initial = static_cast<char>('A' + dice.roll() % 26);
    const auto address =
        fmt::format("{}.{}.{}-{}@{}.example", given.address, family.address, seed, number, org);
    return {{"schemas", json::Array{scim::kUserSchema, scim::kEnterpriseUserSchema}},
            {"userName", address},
            {"externalId", fmt::format("00u{:x}x{:08x}", seed, number)},
            {"name", json::Object{{"givenName", given.written}, {"familyName", family.written}}},
            {"displayName", fmt::format("{} {}. {}", given.written, initial, family.written)},
            {"title", dice.pick(kTitles)},
            {"locale", "en-US"},
            {"emails",
             json::Array{json::Object{{"value", address}, {"type", "work"}, {"primary", true}}}},
            {"active", true},
            {scim::kEnterpriseUserSchema,
             json::Object{{"employeeNumber", fmt::format("{:07}", number)},
                          {"department", dice.pick(kDepartments)},
                          {"costCenter", fmt::format("{}", 1000 + dice.roll() % 9000)}}}};
}

std::string made_up_group_name(std::uint64_t seed, std::uint64_t number) {
    return fmt::format("{} {}-{}", Dice(seed, number).pick(kDepartments), seed, number);
}

std::vector<std::uint64_t> made_up_members(std::uint64_t seed, std::uint64_t number,
                                           std::uint64_t size, std::uint64_t people) {
    std::vector<std::uint64_t> members;
    if (size == 0) return members;
    Dice dice(seed, number);
    std::uint64_t member = dice.roll() % people;
    // Steps of one width meet everybody once where it shares no factor with their number.
    std::uint64_t width = dice.roll() % people + 1;
    while (std::gcd(width, people) != 1) ++width;
    members.reserve(size);
    for (std::uint64_t i = 0; i < size; ++i) {
        members.push_back(member);
        member = (member + width) % people;
    }
    std::ranges::sort(members);
    return members;
}

}  // namespace muster::cli
