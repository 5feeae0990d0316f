#include "simulator/simulation.hpp"

#include "simulator/entra.hpp"
#include "simulator/okta.hpp"

namespace muster::simulator {

namespace {

template <typename PlayedDay>
Report play_day(const Options& options, const Progress& progress) {
    StepBook book(progress, PlayedDay::expected_requests(options));
    PlayedDay day(options, book);
    day.play();
    return book.finish();
}

}  // namespace

Report play(const Options& options, const Progress& progress) {
    switch (options.client) {
        case Client::OktaCatalog:
        case Client::OktaWizard:
            break;
        case Client::Entra:
        case Client::EntraFlagged:
            return play_day<EntraDay>(options, progress);
    }
    return play_day<OktaDay>(options, progress);
}

}  // namespace muster::simulator
