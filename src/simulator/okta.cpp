#include "simulator/okta.hpp"

#include "simulator/day.hpp"

namespace muster::simulator {

Report play_okta(const OktaOptions& options, const Progress& progress) {
    StepBook book(progress, Day::expected_requests(options));
    Day day(options, book);
    day.play();
    return book.finish();
}

}  // namespace muster::simulator
