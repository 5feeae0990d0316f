// muster_bench_scale MUSTER FLOOR WORK_DIRECTORY [--sizes N,N] [--postgres-sizes N,N]
//                    [--organisations N] [--seconds S] [--out DIRECTORY]
// Fills stores of each size, measures what operations cost on them and writes the report anew after
// each figure, so that what was measured is there where the run is interrupted. Sizes may be empty.

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "machine.hpp"
#include "scale/operations.hpp"
#include "scale/report.hpp"

namespace muster::bench {

namespace {

namespace fs = std::filesystem;
using Sizes = std::vector<std::uint64_t>;

struct Options {
    fs::path muster;
    fs::path floor;
    fs::path work;
    fs::path out = "docs";
    Sizes sizes{10'000, 100'000, 1'000'000};
    Sizes postgres_sizes{10'000, 100'000, 1'000'000};
    std::size_t organisations = 50;
    double seconds = 1;
    std::string command = "bench/scale/run";
};

Sizes sizes_of(std::string_view text) {
    Sizes sizes;
    while (!text.empty()) {
        const auto comma = std::min(text.find(','), text.size());
        std::uint64_t size = 0;
        std::from_chars(text.data(), text.data() + comma, size);
        // A group of 1,000, and pages in the middle, need some people.
        if (size < 1'000) throw std::invalid_argument("a size is a number from 1000 on");
        sizes.push_back(size);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return sizes;
}

Options parse(int argc, char** argv) {
    if (argc < 4) {
        throw std::invalid_argument(
            "usage: muster_bench_scale MUSTER FLOOR WORK_DIRECTORY [options]");
    }
    Options options{.muster = argv[1], .floor = argv[2], .work = argv[3]};
    for (int i = 4; i < argc; i += 2) {
        const std::string name = argv[i];
        if (i + 1 == argc) throw std::invalid_argument(name + " wants a value");
        const std::string value = argv[i + 1];
        if (name == "--sizes")
            options.sizes = sizes_of(value);
        else if (name == "--postgres-sizes")
            options.postgres_sizes = sizes_of(value);
        else if (name == "--organisations")
            options.organisations = std::stoul(value);
        else if (name == "--seconds")
            options.seconds = std::stod(value);
        else if (name == "--out")
            options.out = value;
        else
            throw std::invalid_argument("unknown option " + name);
        options.command += " " + name + " " + value;
    }
    return options;
}

/// A figure that is told again, with its floor, replaces the one before.
void keep(Findings& findings, const Figure& figure) {
    const auto known = std::ranges::find_if(findings.figures, [&](const Figure& other) {
        return other.operation == figure.operation && other.store == figure.store &&
               other.people == figure.people;
    });
    if (known != findings.figures.end()) {
        *known = figure;
        return;
    }
    findings.figures.push_back(figure);
    fmt::print("{:<12}{:>9}  {:<52}{:>10.3f} ms{:>10.3f} ms{:>11.0f}/s{:>9.1f} µs\n", figure.store,
               figure.people, figure.operation, figure.p50_ms, figure.p99_ms, figure.rate,
               figure.cpu_us);
    std::fflush(stdout);
}

void run(const Options& options) {
    fs::create_directories(options.work);
    Origin origin{.machine = describe_machine(options.work),
                  .muster = output_of(fmt::format("'{}' --version", options.muster.string())),
                  .database = fmt::format("SQLite {}", sqlite3_libversion()),
                  .command = options.command};
    if (!options.postgres_sizes.empty()) origin.database += ", " + output_of("psql --version");
    for (auto* text : {&origin.muster, &origin.database}) {
        std::erase(*text, '\n');
    }
    Findings findings;
    const auto report = [&] { write_report(options.out, origin, findings); };
    const auto measure_size = [&](const std::string& store, std::uint64_t people) {
        fmt::print(stderr, "{}: filling with {} people …\n", store, people);
        Bed bed({.muster = options.muster,
                 .work = options.work,
                 .store = store,
                 .people = people,
                 .organisations = options.organisations});
        findings.fillings.push_back({.store = store,
                                     .people = people,
                                     .memberships = bed.memberships(),
                                     .seconds = bed.load_seconds(),
                                     .database_mb = bed.database_mb()});
        measure(bed, {.seconds = options.seconds, .floor = options.floor},
                [&](const Figure& figure) {
                    keep(findings, figure);
                    report();
                });
    };
    bool failed = false;
    const auto measure_store = [&](const std::string& store, const Sizes& sizes) {
        for (const auto people : sizes) {
            try {
                measure_size(store, people);
            } catch (const std::exception& error) {
                fmt::print(stderr, "{}, {} people: {}\n", store, people, error.what());
                failed = true;
            }
        }
    };
    measure_store("SQLite", options.sizes);
    measure_store("PostgreSQL", options.postgres_sizes);
    origin.complete = !failed;
    report();
    if (failed) throw std::runtime_error("not everything could be measured");
}

}  // namespace

}  // namespace muster::bench

int main(int argc, char** argv) {
    try {
        muster::bench::run(muster::bench::parse(argc, argv));
        return 0;
    } catch (const std::exception& error) {
        fmt::print(stderr, "muster_bench_scale: {}\n", error.what());
        return 1;
    }
}
