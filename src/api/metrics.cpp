#include "api/metrics.hpp"

#include <array>
#include <utility>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace muster::api {

namespace {

constexpr std::array<std::string_view, 4> kResources{"User", "Group", "discovery", "other"};
constexpr std::array kMethods{http::Method::Get,   http::Method::Post,   http::Method::Put,
                              http::Method::Patch, http::Method::Delete, http::Method::Other};
constexpr std::array<std::string_view, 4> kClasses{"2xx", "3xx", "4xx", "5xx"};
constexpr std::size_t kRefusals = static_cast<std::size_t>(auth::Refusal::NoSuchConnector) + 1;

const prometheus::Histogram::BucketBoundaries kSeconds{
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};

std::size_t index_of(std::string_view resource) {
    for (std::size_t i = 0; i < kResources.size(); ++i) {
        if (kResources[i] == resource) return i;
    }
    return kResources.size() - 1;
}

std::size_t index_of(http::Method method) {
    for (std::size_t i = 0; i < kMethods.size(); ++i) {
        if (kMethods[i] == method) return i;
    }
    return kMethods.size() - 1;
}

}  // namespace

/// Every label combination is made at the start, so that counting a request is an array access.
struct Metrics::Impl {
    struct PerOperation {
        std::array<prometheus::Counter*, kClasses.size()> by_class{};
        prometheus::Histogram* duration = nullptr;
    };

    prometheus::Registry registry;
    std::array<std::array<PerOperation, kMethods.size()>, kResources.size()> operations{};
    std::array<prometheus::Counter*, kRefusals> refusals{};
    struct Figure {
        std::string name;
        std::string help;
        prometheus::MetricType type;
        std::function<double()> read;
    };
    std::vector<Figure> figures;
};

Metrics::Metrics(std::string_view version, std::string_view store)
    : impl_(std::make_unique<Impl>()) {
    prometheus::BuildGauge()
        .Name("muster_build_info")
        .Help("Always 1; the labels tell what runs")
        .Register(impl_->registry)
        .Add({{"version", std::string{version}}, {"store", std::string{store}}})
        .Set(1);
    auto& requests = prometheus::BuildCounter()
                         .Name("muster_scim_requests_total")
                         .Help("SCIM requests answered")
                         .Register(impl_->registry);
    auto& durations = prometheus::BuildHistogram()
                          .Name("muster_scim_request_duration_seconds")
                          .Help("From the head of a SCIM request to its answer")
                          .Register(impl_->registry);
    for (std::size_t r = 0; r < kResources.size(); ++r) {
        for (std::size_t m = 0; m < kMethods.size(); ++m) {
            const prometheus::Labels labels{{"resource", std::string{kResources[r]}},
                                            {"method", std::string{http::to_string(kMethods[m])}}};
            auto& operation = impl_->operations[r][m];
            operation.duration = &durations.Add(labels, kSeconds);
            for (std::size_t c = 0; c < kClasses.size(); ++c) {
                auto with_class = labels;
                with_class["status_class"] = kClasses[c];
                operation.by_class[c] = &requests.Add(with_class);
            }
        }
    }
    auto& refusals = prometheus::BuildCounter()
                         .Name("muster_scim_auth_failures_total")
                         .Help("SCIM requests whose credential was refused")
                         .Register(impl_->registry);
    for (std::size_t i = 0; i < kRefusals; ++i) {
        const auto reason = auth::to_string(static_cast<auth::Refusal>(i));
        impl_->refusals[i] = &refusals.Add({{"reason", std::string{reason}}});
    }
}

Metrics::~Metrics() = default;

void Metrics::request(http::Method method, std::string_view resource, int status, double seconds) {
    auto& operation = impl_->operations[index_of(resource)][index_of(method)];
    const auto status_class = status >= 500 ? 3U : status >= 400 ? 2U : status >= 300 ? 1U : 0U;
    operation.by_class[status_class]->Increment();
    operation.duration->Observe(seconds);
}

void Metrics::refused(auth::Refusal refusal) {
    impl_->refusals[static_cast<std::size_t>(refusal)]->Increment();
}

void Metrics::gauge(std::string name, std::string help, std::function<double()> read) {
    impl_->figures.push_back(
        {std::move(name), std::move(help), prometheus::MetricType::Gauge, std::move(read)});
}

void Metrics::counter(std::string name, std::string help, std::function<double()> read) {
    impl_->figures.push_back(
        {std::move(name), std::move(help), prometheus::MetricType::Counter, std::move(read)});
}

std::string Metrics::text() const {
    auto families = impl_->registry.Collect();
    for (const auto& figure : impl_->figures) {
        prometheus::ClientMetric value;
        value.gauge.value = value.counter.value = figure.read();
        families.push_back({figure.name, figure.help, figure.type, {std::move(value)}});
    }
    return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace muster::api
