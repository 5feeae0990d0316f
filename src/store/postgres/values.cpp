#include "store/postgres/values.hpp"

#include <bit>
#include <charconv>
#include <cstring>

#include "base/check.hpp"

namespace muster::store::postgres {
namespace {

constexpr std::uint32_t kInt8Oid = 20;
constexpr std::uint32_t kByteaOid = 17;

template <class T>
T network_order(T value) {
    return std::endian::native == std::endian::little ? std::byteswap(value) : value;
}

template <class T>
void append(std::string& bytes, T value) {
    const T ordered = network_order(value);
    bytes.append(reinterpret_cast<const char*>(&ordered), sizeof ordered);
}

/// The length of an element that is NULL.
constexpr std::uint32_t kNull = 0xFFFFFFFF;

/// One dimension, counted from 1.
void append_array_head(std::string& bytes, std::uint32_t element, std::size_t count,
                       bool may_have_null = false) {
    append(bytes, std::uint32_t{1});
    append(bytes, std::uint32_t{may_have_null});
    append(bytes, element);
    append(bytes, static_cast<std::uint32_t>(count));
    append(bytes, std::uint32_t{1});
}

}  // namespace

void Parameters::add_bytes(const void* data, std::size_t size) {
    values_.push_back({bytes_.size(), static_cast<int>(size)});
    bytes_.append(static_cast<const char*>(data), size);
}

void Parameters::add(std::int64_t value) {
    const std::int64_t ordered = network_order(value);
    add_bytes(&ordered, sizeof ordered);
}

void Parameters::add(bool value) {
    const char byte = value ? 1 : 0;
    add_bytes(&byte, 1);
}

void Parameters::add(std::string_view value) { add_bytes(value.data(), value.size()); }

void Parameters::add(std::span<const std::byte> value) { add_bytes(value.data(), value.size()); }

void Parameters::add(std::span<const Rid> value) {
    std::string array;
    array.reserve(20 + value.size() * 12);
    append_array_head(array, kInt8Oid, value.size());
    for (const Rid rid : value) {
        append(array, std::uint32_t{8});
        append(array, rid.value);
    }
    add(std::string_view(array));
}

void Parameters::add(std::span<const std::string> value) {
    std::string array;
    append_array_head(array, kByteaOid, value.size());
    for (const std::string& text : value) {
        append(array, static_cast<std::uint32_t>(text.size()));
        array += text;
    }
    add(std::string_view(array));
}

void Parameters::add(std::span<const std::optional<std::int64_t>> value) {
    std::string array;
    append_array_head(array, kInt8Oid, value.size(), true);
    for (const auto& number : value) {
        append(array, number ? std::uint32_t{8} : kNull);
        if (number) append(array, *number);
    }
    add(std::string_view(array));
}

void Parameters::add(std::span<const std::optional<std::string_view>> value) {
    std::string array;
    append_array_head(array, kByteaOid, value.size(), true);
    for (const auto& text : value) {
        append(array, text ? static_cast<std::uint32_t>(text->size()) : kNull);
        if (text) array += *text;
    }
    add(std::string_view(array));
}

Parameters::Wire Parameters::wire() const {
    Wire wire;
    for (const Value& value : values_) {
        wire.values.push_back(value.length < 0 ? nullptr : bytes_.data() + value.offset);
        wire.lengths.push_back(std::max(value.length, 0));
        wire.formats.push_back(1);
    }
    return wire;
}

std::int64_t Rows::affected() const {
    const std::string_view count = PQcmdTuples(result_.get());
    std::int64_t number = 0;
    std::from_chars(count.data(), count.data() + count.size(), number);
    return number;
}

bool Rows::is_null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) != 0;
}

std::int64_t Rows::integer(int row, int column) const {
    MUSTER_CHECK(PQgetlength(result_.get(), row, column) == sizeof(std::int64_t));
    std::int64_t value = 0;
    std::memcpy(&value, PQgetvalue(result_.get(), row, column), sizeof value);
    return network_order(value);
}

bool Rows::boolean(int row, int column) const {
    MUSTER_CHECK(PQgetlength(result_.get(), row, column) == 1);
    return *PQgetvalue(result_.get(), row, column) != 0;
}

std::string_view Rows::text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::span<const std::byte> Rows::bytes(int row, int column) const {
    return std::as_bytes(std::span(text(row, column)));
}

}  // namespace muster::store::postgres
