#include "base/secret.hpp"

namespace muster {

namespace {

constexpr std::string_view kToken = "mst_";
constexpr std::string_view kPassword = "password=";  // of libpq's other form of a URL
constexpr std::string_view kHidden = "…";

/// Ends a URL in a sentence.
bool ends_word(char c) { return c == ' ' || c == '\n' || c == '"' || c == '\'' || c == '`'; }

/// Where a word's user and password stand, both ends; empty where there is no password. A password
/// may hold a slash by mistake, the path of other URLs an @ by right.
std::pair<std::size_t, std::size_t> credentials_in(std::string_view word) {
    const std::size_t scheme = word.find(":/");
    const std::size_t end = word.rfind('@');
    if (scheme == std::string_view::npos || end == std::string_view::npos || end < scheme) {
        return {};
    }
    const std::size_t begin = word.find_first_not_of('/', scheme + 1);
    if (begin >= end) return {};
    const std::string_view between = word.substr(begin, end - begin);
    const bool is_database = word.substr(0, scheme).contains("postg");
    if (!between.contains(':') || (!is_database && between.contains('/'))) return {};
    return {begin, end};
}

void append_word(std::string& out, std::string_view word) {
    if (const std::size_t token = word.find(kToken); token != std::string_view::npos) {
        out.append(word.substr(0, token + kToken.size())).append(kHidden);
        return;
    }
    if (word.starts_with(kPassword)) {
        out.append(kPassword).append(kHidden);
        return;
    }
    const auto [begin, end] = credentials_in(word);
    if (end == 0) {
        out.append(word);
        return;
    }
    out.append(word.substr(0, begin)).append(kHidden).append(word.substr(end));
}

}  // namespace

std::string without_secrets(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = 0;
        while (length < text.size() && !ends_word(text[length])) ++length;
        append_word(out, text.substr(0, length));
        if (length < text.size()) out += text[length++];
        text.remove_prefix(length);
    }
    return out;
}

}  // namespace muster
