#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/text.hpp"
#include "scim/resource/normalise.hpp"

namespace muster::scim {

namespace {

/// A person reads them; a hostile body could earn one a value.
constexpr std::size_t kMaxNotes = 50;

}  // namespace

Place Place::at(std::string_view name) const {
    return attribute.empty() ? Place{extension, name, {}} : Place{extension, attribute, name};
}

std::string Place::to_string() const {
    std::string text{extension};
    if (!extension.empty() && !attribute.empty()) text += ':';
    text += attribute;
    if (!sub_attribute.empty()) {
        text += '.';
        text += sub_attribute;
    }
    return text;
}

void add_note(std::vector<Note>& notes, std::string_view rule, std::string text) {
    if (notes.size() < kMaxNotes) {
        notes.push_back({.rule = std::string{rule}, .text = std::move(text)});
    }
}

void note_unknown(std::vector<Note>& notes, std::string_view place) {
    // The first is told of however many others there are: a connector may refuse a request for it.
    if (notes.size() == kMaxNotes) {
        if (std::ranges::find(notes, kUnknownDropped, &Note::rule) != notes.end()) return;
        notes.pop_back();
    }
    add_note(notes, kUnknownDropped,
             fmt::format("{} is no attribute of the schema; it was dropped.", scim::quoted(place)));
}

void note_kept(std::vector<Note>& notes, std::string_view place) {
    add_note(notes, "unknown-attribute-kept",
             fmt::format("{} is no attribute of the schema; it is kept as it came, unchecked.",
                         scim::quoted(place)));
}

void note_read_only(std::vector<Note>& notes, std::string_view place) {
    add_note(notes, "read-only-ignored",
             fmt::format("{} is read-only; what was sent was ignored.", place));
}

void note_dropped(std::vector<Note>& notes, const Attribute& attribute) {
    add_note(notes, to_lower_ascii(attribute.name) + "-dropped",
             fmt::format("{} was accepted and dropped: it is not stored.", attribute.name));
}

}  // namespace muster::scim
