#include "api/router.hpp"

#include <vector>

#include "base/text.hpp"
#include "http/message.hpp"

namespace muster::api {

namespace {

/// Splits at '/', decodes each part once. Nothing for broken escapes and for dot segments, which no
/// client of ours sends and some proxies rewrite.
std::optional<std::vector<std::string>> segments(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty() && path.front() == '/') {
        path.remove_prefix(1);
        const auto end = path.find('/');
        auto part = percent_decode(path.substr(0, end));
        if (!part || *part == "." || *part == ".." || part->find('/') != std::string::npos) {
            return std::nullopt;
        }
        parts.push_back(std::move(*part));
        if (parts.size() > 8) return std::nullopt;
        path.remove_prefix(end == std::string_view::npos ? path.size() : end);
    }
    if (!path.empty()) return std::nullopt;
    // One trailing slash is tolerated: base URLs are pasted with and without it.
    if (parts.size() > 1 && parts.back().empty()) parts.pop_back();
    return parts;
}

std::string slug_of_host(std::string_view host, std::string_view base_domain) {
    if (base_domain.empty()) return {};
    host = host.substr(0, host.find(':'));
    if (host.size() <= base_domain.size() + 1) return {};
    const auto split = host.size() - base_domain.size();
    if (!equals_ignoring_case(host.substr(split), base_domain) || host[split - 1] != '.') return {};
    const auto label = host.substr(0, split - 1);
    return label.find('.') == std::string_view::npos ? to_lower_ascii(label) : std::string{};
}

}  // namespace

Route route(std::string_view path, std::string_view host, std::string_view base_domain) {
    if (path == "/livez") return {.area = Area::Live};
    if (path == "/readyz") return {.area = Area::Ready};
    if (path == "/metrics") return {.area = Area::Metrics};
    const auto parts = segments(path);
    if (!parts) return {};

    Route result;
    std::size_t next = 0;
    if (parts->size() >= 2 && parts->front() == "c") {
        result.connector_id = (*parts)[1];
        next = 2;
    } else {
        result.slug = slug_of_host(host, base_domain);
        if (result.slug.empty()) return {};
    }
    const auto rest = parts->size() - next;
    if (rest < 2 || rest > 4 || (*parts)[next] != "scim" || (*parts)[next + 1] != "v2") return {};
    result.area = Area::Scim;
    if (rest >= 3) result.endpoint = "/" + (*parts)[next + 2];
    if (rest == 4) result.id = (*parts)[next + 3];
    return result;
}

}  // namespace muster::api
