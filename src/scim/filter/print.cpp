#include <array>
#include <utility>

#include <fmt/format.h>

#include "scim/filter/filter.hpp"
#include "scim/filter/literal.hpp"

namespace muster::scim {

namespace {

class Printer {
  public:
    Printer(const Filter& filter, bool over_element)
        : filter_(filter), over_element_(over_element) {}

    std::string print() {
        node(filter_.root());
        return std::move(out_);
    }

  private:
    using Kind = Filter::Kind;

    static int binding(Kind kind) { return kind == Kind::Or ? 0 : kind == Kind::And ? 1 : 2; }

    /// Chains lean to the left, so an operand of the same kind on the right was in parentheses.
    void operand(const Filter::Node& child, int least_binding) {
        const bool parentheses = binding(child.kind) < least_binding;
        if (parentheses) out_ += '(';
        node(child);
        if (parentheses) out_ += ')';
    }

    void binary(const Filter::Node& parent, std::string_view word) {
        operand(filter_.at(parent.left), binding(parent.kind));
        out_ += word;
        operand(filter_.at(parent.right), binding(parent.kind) + 1);
    }

    void node(const Filter::Node& shown) {
        switch (shown.kind) {
            case Kind::And:
                return binary(shown, " and ");
            case Kind::Or:
                return binary(shown, " or ");
            case Kind::Not:
                out_ += "not (";
                node(filter_.at(shown.left));
                out_ += ')';
                return;
            case Kind::ValuePath:
                out_ += shown.path.to_string() + '[';
                over_element_ = true;
                node(filter_.at(shown.left));
                over_element_ = false;
                out_ += ']';
                return;
            case Kind::Compare:
                return comparison(shown);
        }
    }

    void comparison(const Filter::Node& shown) {
        out_ += over_element_ ? shown.path.leaf().name : shown.path.to_string();
        out_ += ' ';
        out_ += to_string(shown.op);
        if (shown.op == Operator::Pr) return;
        out_ += ' ';
        std::visit([this](const auto& value) { literal(value); }, shown.value);
    }

    void literal(Null) { out_ += "null"; }
    void literal(const std::string& text) { json::append_string(out_, text); }
    template <class Scalar>
    void literal(Scalar value) {
        json::append(out_, json::Value(value));
    }

    const Filter& filter_;
    bool over_element_;
    std::string out_;
};

}  // namespace

std::string Filter::to_string() const { return Printer(*this, over_element_).print(); }

}  // namespace muster::scim
