// Laws that hold for every filter and every document.

#include <array>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "scim/dialect/dialect.hpp"
#include "scim/filter/filter.hpp"

namespace muster::scim {
namespace {

const ResourceType& user() { return Catalog::standard()->user(); }

/// Room for the brackets and escapes that printing adds.
const FilterLimits kRoomy{.max_bytes = 1 << 20, .max_depth = 200, .max_terms = 10'000};

template <std::size_t n>
std::string one_of(const std::array<std::string, n>& choices) {
    return choices.at(*rc::gen::inRange<std::size_t>(0, n));
}

std::string any_comparison(bool in_element) {
    static const std::array<std::string, 6> kNames = {"userName",   "Title",      "emails.value",
                                                      "externalId", "department", "emails"};
    static const std::array<std::string, 3> kElementNames = {"value", "TYPE", "display"};
    static const std::array<std::string, 9> kOperators = {"eq", "ne", "co", "sw", "ew",
                                                          "GT", "ge", "lt", "Le"};
    static const std::array<std::string, 7> kValues = {
        R"("a")", R"("work")", R"("")", R"("Ab")", "a", R"("\u00e4\"")", R"(" b")"};
    static const std::array<std::string, 4> kEqualities = {"eq null", "ne null", "pr", "pr"};
    const std::string name = in_element ? one_of(kElementNames) : one_of(kNames);
    if (*rc::gen::inRange(0, 4) == 0) return name + ' ' + one_of(kEqualities);
    return name + ' ' + one_of(kOperators) + ' ' + one_of(kValues);
}

std::string any_filter(int depth, bool in_element = false) {
    const int choice = *rc::gen::inRange(0, depth > 0 ? 8 : 3);
    const auto inner = [&] { return any_filter(depth - 1, in_element); };
    switch (choice) {
        case 3:
            return inner() + " and " + inner();
        case 4:
            return inner() + " or " + inner();
        case 5:
            return "not (" + inner() + ')';
        case 6:
            return '(' + inner() + ')';
        case 7:
            if (in_element) return inner();
            return "emails[" + any_filter(depth - 1, true) + ']' +
                   (*rc::gen::arbitrary<bool>() ? ".value ne \"a\"" : "");
        default:
            return any_comparison(in_element);
    }
}

json::Object any_document() {
    static const std::array<std::string, 5> kTexts = {"", "a", "ab", "work", " B"};
    json::Object document;
    for (const char* name : {"userName", "title", "externalId"}) {
        if (*rc::gen::arbitrary<bool>()) document[name] = one_of(kTexts);
    }
    json::Array emails;
    for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
        json::Object email;
        for (const char* name : {"value", "type"}) {
            if (*rc::gen::arbitrary<bool>()) email[name] = one_of(kTexts);
        }
        emails.push_back(std::move(email));
    }
    document["emails"] = std::move(emails);
    document[kEnterpriseUserSchema] = json::Object{{"department", one_of(kTexts)}};
    return document;
}

/// One value in seven has no quotation marks, so the generic dialect is in this too.
Filter parsed(std::string text) {
    std::vector<Note> notes;
    (void)generic_dialect().rewrite({.type = user(), .filter = &text}, notes);
    auto filter = parse_filter(user(), text, kRoomy);
    if (!filter) RC_FAIL(text + ": " + filter.error().detail);
    return *std::move(filter);
}

TEST(FilterProperty, PrintsWhatParsesToTheSameFilter) {
    EXPECT_TRUE(rc::check([] {
        const Filter filter = parsed(any_filter(4));
        const Filter again = parsed(filter.to_string());
        RC_ASSERT(again.to_string() == filter.to_string());
        const json::Object document = any_document();
        RC_ASSERT(again.matches(document) == filter.matches(document));
    }));
}

TEST(FilterProperty, ObeysTheLawsOfLogic) {
    EXPECT_TRUE(rc::check([] {
        const std::string a = any_filter(2);
        const std::string b = any_filter(2);
        const json::Object document = any_document();
        const auto holds = [&](const std::string& text) { return parsed(text).matches(document); };
        RC_ASSERT(holds("not (" + a + ')') == !holds(a));
        RC_ASSERT(holds('(' + a + ") and (" + b + ')') == (holds(a) && holds(b)));
        RC_ASSERT(holds('(' + a + ") or (" + b + ')') == (holds(a) || holds(b)));
    }));
}

TEST(FilterProperty, EqAndNeExcludeEachOtherOnSingleValues) {
    EXPECT_TRUE(rc::check([] {
        const json::Object document = any_document();
        for (const char* name : {"userName", "title", "externalId", "department"}) {
            const std::string path = name;
            RC_ASSERT(parsed(path + " eq \"a\"").matches(document) !=
                      parsed(path + " ne \"a\"").matches(document));
            RC_ASSERT(parsed(path + " eq null").matches(document) !=
                      parsed(path + " pr").matches(document));
        }
    }));
}

TEST(FilterProperty, AnySequenceOfTokensIsReadOrRefused) {
    static const std::array<std::string, 18> kTokens = {
        "userName", "emails", "eq", "and",   "or",   "not ", "(",  ")", "[",
        "]",        ".value", "pr", "\"a\"", "true", "null", "\"", " ", "type"};
    EXPECT_TRUE(rc::check([] {
        std::string text;
        for (const std::size_t token : *rc::gen::container<std::vector<std::size_t>>(
                 rc::gen::inRange<std::size_t>(0, kTokens.size()))) {
            text += kTokens.at(token) + ' ';
        }
        if (const auto filter = parse_filter(user(), text)) {
            RC_ASSERT(parsed(filter->to_string()).to_string() == filter->to_string());
        } else {
            RC_ASSERT(filter.error().type == ScimType::InvalidFilter);
        }
        static_cast<void>(parse_patch_path(user(), text));
    }));
}

}  // namespace
}  // namespace muster::scim
