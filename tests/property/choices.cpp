#include "choices.hpp"

#include <algorithm>
#include <sstream>

namespace muster::property {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::size_t kMostBytes = 1024;

rc::Seq<Bytes> simpler(const Bytes& bytes) {
    return rc::seq::concat(
        rc::shrink::removeChunks(bytes),
        rc::shrink::eachElement(bytes, [](std::uint8_t b) { return rc::shrink::integral(b); }));
}

rc::Gen<Bytes> any_bytes() {
    return [](const rc::Random& seed, int size) {
        rc::Random random = seed;
        Bytes bytes(16 + static_cast<std::size_t>(size) * kMostBytes / 100);
        for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
            std::uint64_t number = random.next();
            for (std::size_t k = i; k < std::min(i + sizeof number, bytes.size()); ++k) {
                bytes[k] = static_cast<std::uint8_t>(number);
                number >>= 8;
            }
        }
        return rc::shrinkable::shrinkRecur(std::move(bytes),
                                           [](const Bytes& failing) { return simpler(failing); });
    };
}

}  // namespace

double cases() {
    const char* asked = std::getenv("MUSTER_CASES");
    return asked == nullptr ? 1'000 : std::strtod(asked, nullptr);
}

void hold(double share, const std::function<std::string(Choices&)>& law, Each each) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    const std::string id = std::string{test->test_suite_name()} + "." + test->name();
    auto params = rc::detail::configuration().testParams;
    params.maxSuccess = static_cast<int>(std::max(1.0, share * cases()));
    std::string first;
    params.disableShrinking = each == Each::AfterTheOthers;
    const auto result = rc::detail::checkTestable(
        [&] {
            Choices choices{*any_bytes()};
            const std::string complaint = law(choices);
            if (complaint.empty()) return;
            // With neighbours of its own a case may not fail a second time, when RapidCheck asks.
            if (first.empty()) first = complaint;
            RC_FAIL(complaint);
        },
        rc::detail::TestMetadata{id, id}, params);
    std::ostringstream words;
    rc::detail::printResultMessage(result, words);
    words << "\n" << first;
    std::printf("%-60s %9d cases\n", id.c_str(), params.maxSuccess);
    if (!result.is<rc::detail::SuccessResult>()) {
        FAIL() << words.str() << "\nSeen again by: RC_PARAMS=seed=" << params.seed
               << " MUSTER_CASES=" << cases() << " --gtest_filter=" << id;
    }
}

}  // namespace muster::property
